"""Several runs on one bank as one config: ablations (Table 7) and seeds."""

import copy
import hashlib
from typing import Any, NamedTuple

from jaxspot.errors import UserError
from jaxspot.experiment.settings import Settings


class Member(NamedTuple):
    """One run of a family.

    Attributes:
      variant: the row of Table 7 that it belongs to; empty where only the seed varies.
      seed: of everything random in it.
      name: of its folder.
    """

    variant: str
    seed: int
    name: str


def expand(config: Any) -> list[tuple[Member, Any]]:
    """The runs that a config stands for: each of its variants with each of its seeds.

    `config.variants` is a tuple of (name, changes), changes a tuple of (setting, value);
    `config.seeds` a tuple of numbers in place of `config.seed`.

    Returns:
      the members and a config for each; one alone where there is neither.

    Raises:
      UserError: a variant or seed is there twice, or a variant changes what is no setting.
    """
    seeds = tuple(config.seeds) or (config.seed,)
    variants = tuple(config.variants) or (("", ()),)
    for what, names in (("seeds", seeds), ("variants", [name for name, _ in variants])):
        if len(set(names)) < len(names):
            raise UserError(f"--config.{what} names one twice: {', '.join(map(str, names))}")
    family = []
    for variant, changes in variants:
        for seed in seeds:
            member = copy.deepcopy(config)
            member.seed, member.seeds, member.variants = seed, (), ()
            for setting, value in changes:
                change(member, setting, value)
            parts = [variant] * bool(variant) + [f"seed{seed}"] * (len(seeds) > 1)
            family.append((Member(variant, seed, "_".join(parts)), member))
    return family


def change(config: Any, setting: str, value: Any) -> None:
    """Sets `a.b` of a config.

    Raises:
      UserError: there is no such setting, or it is of another type.
    """
    *sections, field = setting.split(".")
    place = config
    try:
        for section in sections:
            place = place[section]
        if field not in place:
            raise KeyError(field)
        place[field] = value
    except (KeyError, TypeError, AttributeError) as error:
        line = f"--config.variants: {setting} = {value!r} cannot be set: {error}"
        raise UserError(line) from None


def training_key(settings: Settings) -> str:
    """The folder of epochs that all members with the same networks and training share."""
    protocol = settings.protocol
    groups = protocol.inner_groups if protocol.fit == "inner" else 0
    networks = (groups, settings.validates)
    trained = (settings.model, settings.training, settings.augmentation, networks)
    return hashlib.sha256(repr(trained).encode()).hexdigest()[:16]
