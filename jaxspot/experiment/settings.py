"""A config as plain objects: the only place that reads its fields."""

import dataclasses
from pathlib import Path
from typing import Any

from jaxspot.errors import UserError
from jaxspot.evaluation.protocols import Protocol
from jaxspot.network.augment import Augmentation
from jaxspot.network.model import TwoStream
from jaxspot.synthetic.generate import synthetic_bank
from jaxspot.training.step import Training
from jaxspot.video.bank import Bank, open_bank


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a run needs besides its data.

    Attributes:
      dataset: the name that tables carry.
      synthetic: whether the data are synthetic, which every table then says.
      model, augmentation, training: of the networks.
      protocol: the rule from scores to intervals; its cut-off is set per fold from k.
      cycles: see `cutoff_from_k`.
      peers: methods scored beside ours.
      seed: of everything random.
    """

    dataset: str
    synthetic: bool
    model: TwoStream
    augmentation: Augmentation
    training: Training
    protocol: Protocol
    cycles: float
    peers: tuple[str, ...]
    seed: int


def read_settings(config: Any) -> Settings:
    """The settings of a config of `configs/`."""
    protocol = config.protocol.to_dict()
    cycles = protocol.pop("cycles")
    return Settings(
        dataset=config.data.name,
        synthetic=config.data.synthetic is not None,
        model=TwoStream(**config.model.to_dict()),
        augmentation=Augmentation(**config.augmentation.to_dict()),
        training=Training(seed=config.seed, **config.training.to_dict()),
        protocol=Protocol(**protocol),
        cycles=cycles,
        peers=tuple(config.peers),
        seed=config.seed,
    )


def find_bank(config: Any, workdir: str | Path) -> Bank:
    """Opens the bank that the config names, or makes the synthetic one in `workdir/bank`.

    Raises:
      UserError: no bank is named and none is to be made, or it is damaged.
    """
    if config.data.bank:
        return open_bank(config.data.bank, verify=True)
    if config.data.synthetic is None:
        raise UserError(
            "--config.data.bank is empty; name a frame bank (launch/prepare.py makes one)"
        )
    root = Path(workdir) / "bank"
    if (root / "bank.json").exists():
        return open_bank(root, verify=True)
    return synthetic_bank(root, seed=config.seed, **config.data.synthetic.to_dict())
