"""Several runs on one bank as one config: ablations (Table 7) and seeds."""

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.errors import UserError
from jaxspot.experiment.describe import describe_protocol
from jaxspot.experiment.settings import Settings
from jaxspot.report.seeds import layout_seeds, seeds_table
from jaxspot.report.tables import layout7, table7, table_title, write_tables


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
    """The folder of epochs that all members with the same training share."""
    trained = (settings.model, settings.training, settings.augmentation)
    return hashlib.sha256(repr(trained).encode()).hexdigest()[:16]


def read_finished(folder: Path) -> pd.DataFrame | None:
    """Table 5 of a member that is done, tidy; None if it is not."""
    if not (folder / "report.html").is_file():
        return None
    return pd.read_csv(folder / "tables" / "table5.csv")


def write_family(
    workdir: Path, found: Sequence[tuple[Member, pd.DataFrame]], settings: Settings
) -> pd.DataFrame:
    """Writes tables/table7.* where variants differ and tables/seeds.* where seeds do.

    Args:
      workdir: the family's folder.
      found: Table 5 of each member, whose first method is ours.
      settings: of the first member, for the titles.

    Returns:
      a row a member and kind, tidy.
    """
    rows = []
    for member, table in found:
        ours: Any = table.loc[table.method == table.method.iloc[0]]
        rows += [
            row | dict(method=member.variant or "jaxspot", seed=member.seed)
            for row in ours.to_dict("records")
        ]
    tidy = seeds_table(rows)
    oracle = "each row so marked" if "oracle" in tidy else ""
    title = table_title(
        7, dataset=settings.dataset, protocol=describe_protocol(settings, 7), oracle=oracle
    )
    if tidy.seed.nunique() > 1:
        seeds = title.replace("Table 7. Ablations", "Seeds, mean and deviation")
        write_tables(tidy, layout_seeds(tidy), workdir / "tables" / "seeds", title=seeds)
    if not any(member.variant for member, _ in found):
        return tidy
    ablations = table7([row for row in rows if row["seed"] == rows[0]["seed"]])
    write_tables(ablations, layout7(ablations), workdir / "tables" / "table7", title=title)
    return ablations
