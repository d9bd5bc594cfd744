"""A config as plain objects: the only place that reads its fields."""

import contextlib
import dataclasses
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxspot.baselines import ON_MOTION, ON_PICTURES, PEERS
from jaxspot.errors import UserError, check_fields, check_numbers
from jaxspot.evaluation.protocol import Protocol
from jaxspot.network.augment import Augmentation
from jaxspot.network.model import TwoStream, build_model
from jaxspot.network.region_motion import RegionMotion
from jaxspot.spotting.automated_iou import IntervalRule
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import choose_people, synthetic_bank
from jaxspot.synthetic.heads import load_heads
from jaxspot.training.step import Training
from jaxspot.video.bank import Bank, open_bank

LARGEST_SEED = 2**32 - 1


@dataclasses.dataclass(frozen=True)
class Control:
    """The negative control: the method trained and scored on moved labels.

    Attributes:
      folds: how many are trained, 0 for none.
      seconds: how far the labels are moved at least.
    """

    folds: int = 4
    seconds: float = 10.0

    def __post_init__(self):
        check_fields(self)
        check_numbers(self, "folds", least=0)
        check_numbers(self, "seconds", above=0)


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run needs besides its data.

    Attributes:
      dataset: the name that tables carry.
      model, augmentation, training: of the networks.
      rule: from scores to intervals; its cut-off is set per fold from k.
      protocol: how the rule is fitted and its intervals are scored.
      control: the negative control.
      inclusive: whether k counts both ends of an interval, see `k_frame`.
      peers: methods scored beside ours.
      seed: of everything random.
      start: place of a spotter whose weights training starts from, see `load_spotter`; "shipped":
        those that come with jaxspot; "": random.
    """

    dataset: str
    model: TwoStream
    augmentation: Augmentation
    training: Training
    rule: IntervalRule
    protocol: Protocol
    control: Control
    inclusive: bool
    peers: tuple[str, ...]
    seed: int
    start: str = ""

    def __post_init__(self):
        check_numbers(self, "seed", least=0, most=LARGEST_SEED)
        for name in self.peers:
            if name not in PEERS:
                raise ValueError(f"peers names {name!r}; there are {', '.join(PEERS)}")
        regions = isinstance(self.model.trunk, RegionMotion)
        wanted = [name for name in PEERS if name in (ON_MOTION if regions else ON_PICTURES)]
        for name in self.peers:
            if name not in wanted:
                needs, trunk = ("pictures", "is") if regions else ("region motion", "is not")
                raise ValueError(
                    f"peers names {name!r}, which needs {needs}; model.trunk {trunk} 'regions', so"
                    f" take {', '.join(wanted)} or ()"
                )

    @property
    def validates(self) -> bool:
        """Whether each fold keeps some subjects for validation."""
        return self.training.patience > 0 or self.protocol.needs_validation


def read_settings(config: Any) -> Settings:
    """The settings of a config of `configs/`.

    Raises:
      UserError: a setting has a value that nothing can be done with; it names the setting.
    """
    if config.data.synthetic is not None:
        refuse_synthetic(config.data.synthetic)
    protocol, rule = read_protocol(config)
    training = config.training.to_dict() | {"seed": config.seed}
    return _built(
        "",
        Settings,
        dict(
            dataset=config.data.name,
            model=_built("model.", build_model, config.model.to_dict()),
            augmentation=_built("augmentation.", Augmentation, config.augmentation.to_dict()),
            training=_built("training.", Training, training),
            rule=rule,
            protocol=protocol,
            control=_built("control.", Control, config.control.to_dict()),
            inclusive=config.data.inclusive,
            peers=tuple(config.peers),
            seed=config.seed,
            start=config.get("start", ""),  # runs made before it was added have none
        ),
    )


def read_protocol(config: Any) -> tuple[Protocol, IntervalRule]:
    """How a config fits and scores, and its rule from scores to intervals.

    Raises:
      UserError: a setting has a value that nothing can be done with.
    """
    values = config.protocol.to_dict()
    values.pop("merge_seconds", None)  # of runs made before it was removed
    fields = {field.name for field in dataclasses.fields(IntervalRule)}
    rule = {name: values.pop(name) for name in fields & values.keys()}
    return _built("protocol.", Protocol, values), _built("protocol.", IntervalRule, rule)


def _built(place: str, kind: Callable, values: dict[str, Any]) -> Any:
    """A dataclass, whose refusals begin with the name of the field."""
    try:
        return kind(**values)
    except ValueError as error:
        raise UserError(f"--config.{place}{error}") from None


def refuse_synthetic(scene: Any) -> None:
    """Refuses a synthetic data set that cannot be made or trained on.

    Raises:
      UserError: naming the setting.
    """
    people = len(scene.people) or len(load_heads())
    refusals = {
        f"subjects must lie in 3..{people}: one is held out, and"
        f" {'those named in .people' if scene.people else 'the heads'} are {people}": (
            not 3 <= scene.subjects <= people
        ),
        "videos_per_subject must be 1 or more": scene.videos_per_subject < 1,
        "fps must be a number above 0": not 0 < scene.fps < math.inf,
        "seconds must be a number above 0": not 0 < scene.seconds < math.inf,
        f"level must be one of {', '.join(LEVELS)}, not {scene.level!r}": scene.level not in LEVELS,
    }
    for line, refused in refusals.items():
        if refused:
            raise UserError(f"--config.data.synthetic.{line}")
    choose_people(scene.subjects, scene.people)


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
        bank = open_bank(config.data.bank, verify=True)
        refuse_other_kind(bank, config)
        return bank
    if config.data.synthetic is None:
        raise UserError("--config.data.bank is empty; name a frame bank, which `prepare` makes")
    return None


def refuse_other_kind(bank: Bank, config: Any) -> None:
    """Refuses pictures for settings of region motion, and region motion for those of pictures.

    Raises:
      UserError: one line with the settings to take.
    """
    regions = config.model.trunk == "regions"
    if bank.regions and not regions:
        raise UserError(
            f"{bank.root}: holds region motion; these settings need pictures. Take"
            " --config=cas_me2:motion, samm_lv:motion or default:motion"
        )
    if regions and not bank.regions:
        raise UserError(
            f"{bank.root}: holds pictures; these settings need region motion. Make a bank of it by"
            " `jaxspot prepare --dataset=bank`, or take :best"
        )


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
