"""A config as plain objects: the only place that reads its fields."""

import contextlib
import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines import PEERS
from jaxspot.errors import UserError, choices_of
from jaxspot.network.augment import Augmentation
from jaxspot.network.convolution import Convolution
from jaxspot.network.model import TRUNKS, TwoStream, build_model
from jaxspot.network.streams import are_references
from jaxspot.spotting.rule import Protocol
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import choose_people, synthetic_bank
from jaxspot.synthetic.heads import load_heads
from jaxspot.training.step import Training
from jaxspot.video.bank import Bank, open_bank

SECTIONS = {"model": Convolution, "training": Training, "protocol": Protocol}
CHOICES: dict[str, tuple] = {
    f"{section}.{field}": choices
    for section, kind in SECTIONS.items()
    for field, choices in choices_of(kind).items()
} | {"model.trunk": TRUNKS}
"""Config field -> the values that it takes, from the types of the classes it goes to."""


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run needs besides its data.

    Attributes:
      dataset: the name that tables carry.
      model, augmentation, training: of the networks.
      protocol: the rule from scores to intervals; its cut-off is set per fold from k.
      cycles: see `cutoff_from_k`.
      control_folds: folds of the negative control, 0 for none.
      control_seconds: how far its labels are moved at least.
      inclusive: whether k counts both ends of an interval, see `k_frame`.
      peers: methods scored beside ours.
      seed: of everything random.
    """

    dataset: str
    model: TwoStream
    augmentation: Augmentation
    training: Training
    protocol: Protocol
    cycles: float
    control_folds: int
    control_seconds: float
    inclusive: bool
    peers: tuple[str, ...]
    seed: int

    @property
    def validates(self) -> bool:
        """Whether each fold keeps some subjects for validation."""
        return self.training.patience > 0 or self.protocol.needs_validation


def read_settings(config: Any) -> Settings:
    """The settings of a config of `configs/`.

    Raises:
      UserError: a setting has a value that nothing can be done with.
    """
    for name, allowed in CHOICES.items():
        section, field = name.split(".")
        value = config[section][field]
        if value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise UserError(f"--config.{name} is {value!r}; take one of {choices}")
    for name in config.peers:
        if name not in PEERS:
            raise UserError(f"--config.peers names {name!r}; there are {', '.join(PEERS)}")
    for name in ("epochs", "steps", "batch", "validation_batches"):
        if config.training[name] < 1:
            raise UserError(f"--config.training.{name} must be 1 or more")
    refuse_numbers(config)
    widths = config.model.widths
    if len(widths) != 3 or min(widths) < 1 or config.model.multiplier < 1:
        raise UserError("--config.model.widths are three numbers; they and .multiplier start at 1")
    if config.data.synthetic is not None:
        refuse_synthetic(config.data.synthetic)
    if not 0 < config.protocol.iou <= 1:
        raise UserError("--config.protocol.iou must lie above 0, up to 1")
    if config.control.folds < 0 or not 0 < config.control.seconds < math.inf:
        raise UserError("--config.control.folds must be 0 or more and .seconds above 0")
    return Settings(
        dataset=config.data.name,
        model=build_model(**config.model.to_dict()),
        augmentation=Augmentation(**config.augmentation.to_dict()),
        training=Training(seed=config.seed, **config.training.to_dict()),
        protocol=read_protocol(config),
        cycles=config.protocol.cycles,
        control_folds=config.control.folds,
        control_seconds=config.control.seconds,
        inclusive=config.data.inclusive,
        peers=tuple(config.peers),
        seed=config.seed,
    )


def read_protocol(config: Any) -> Protocol:
    """The protocol of a config; the cut-off of its filter is set per fold.

    Raises:
      UserError: settings that do not go together.
    """
    values = config.protocol.to_dict()
    del values["cycles"]
    try:
        return Protocol(**values)
    except ValueError as error:
        raise UserError(f"--config.protocol: {error}") from None


def refuse_numbers(config: Any) -> None:
    """Refuses numbers that would come out only after hours of training.

    Raises:
      UserError: naming the setting.
    """
    low, high = config.protocol.quantiles
    checks = {
        "training.learning_rate must be a number above 0": (
            0 < config.training.learning_rate < math.inf
        ),
        "training.averaging must lie in 0..1, below 1": 0 <= config.training.averaging < 1,
        "training.patience must be 0 or more": config.training.patience >= 0,
        "training.balance must lie in 0..1": 0 <= config.training.balance <= 1,
        "training.skip_range_seconds are two pairs of seconds (ME, MaE), the shorter first": (
            len(config.training.skip_range_seconds) == len(KINDS)
            and all(
                0 < short <= long < math.inf for short, long in config.training.skip_range_seconds
            )
        ),
        "model.dropout must lie in 0..1, below 1": 0 <= config.model.dropout < 1,
        "model.extra_blocks must be 0 or more": config.model.extra_blocks >= 0,
        "model.fusion_width must be 0 or more": config.model.fusion_width >= 0,
        "model.skip_rounding_seconds must be 0 or more": 0
        <= config.model.skip_rounding_seconds
        < math.inf,
        "model.references are pairs such as ('ME',1.0), the number not 0": are_references(
            config.model.references
        ),
        "protocol.quantiles are two numbers in 0..1, the lower first": 0 <= low < high <= 1,
        "protocol.order must be 1 or more": config.protocol.order >= 1,
        "protocol.cycles must lie above 0": config.protocol.cycles > 0,
        "seed must be 0 or more": config.seed >= 0,
    }
    for line, holds in checks.items():
        if not holds:
            raise UserError(f"--config.{line}")


def refuse_synthetic(scene: Any) -> None:
    """Refuses a synthetic data set that cannot be made or trained on.

    Raises:
      UserError: naming the setting.
    """
    people = len(scene.people) or len(load_heads())
    if not 3 <= scene.subjects <= people:
        raise UserError(
            f"--config.data.synthetic.subjects must lie in 3..{people}: one is held out, and"
            f" {'those named in .people' if scene.people else 'the heads'} are {people}"
        )
    choose_people(scene.subjects, scene.people)
    if scene.videos_per_subject < 1:
        raise UserError("--config.data.synthetic.videos_per_subject must be 1 or more")
    for name in ("fps", "seconds"):
        if not 0 < scene[name] < math.inf:
            raise UserError(f"--config.data.synthetic.{name} must be a number above 0")
    if scene.level not in LEVELS:
        raise UserError(
            f"--config.data.synthetic.level is {scene.level!r}; take one of {', '.join(LEVELS)}"
        )


def named_bank(config: Any) -> Bank | None:
    """Opens the bank that the config names, every file compared with its hash; None: make one.

    Raises:
      UserError: no bank is named and none is to be made, both are asked for, or it is damaged.
    """
    if config.data.bank and config.data.synthetic is not None:
        raise UserError(
            "--config.data.bank does not go with a synthetic config; take --config=default"
        )
    if config.data.bank:
        return open_bank(config.data.bank, verify=True)
    if config.data.synthetic is None:
        raise UserError("--config.data.bank is empty; name a frame bank, which `prepare` makes")
    return None


def make_bank(config: Any, workdir: str | Path) -> Bank:
    """The config's synthetic bank in `workdir/bank`; made there unless it is there and whole.

    A scene with a seed of its own does not change with that of the run.
    """
    root = Path(workdir) / "bank"
    with contextlib.suppress(UserError):
        return open_bank(root, verify=True)
    shutil.rmtree(root, ignore_errors=True)
    scene = {"seed": config.seed} | config.data.synthetic.to_dict()
    return synthetic_bank(root, **scene)
