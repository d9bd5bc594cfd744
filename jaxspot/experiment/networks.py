"""Which networks a run trains, and whether its bank allows it."""

from collections.abc import Sequence

import numpy as np

from jaxspot.errors import UserError
from jaxspot.experiment.heldout import mean_durations
from jaxspot.experiment.settings import Settings
from jaxspot.training.folds import Fold, loso_folds
from jaxspot.training.inner_folds import Networks, plan_networks
from jaxspot.training.sampling import FACELESS
from jaxspot.video.bank import Bank


def run_networks(bank: Bank, settings: Settings, *, count: int | None = None) -> Networks:
    """The networks of a run: all folds of a bank, or `count` evenly spread, and their inner folds.

    Raises:
      UserError: too few subjects.
    """
    protocol = settings.protocol
    folds = loso_folds(bank.videos.subject, validate=settings.validates)
    chosen = folds if count is None else spread(folds, count)
    return plan_networks(chosen, fit=protocol.fit, groups=protocol.inner_groups)


def spread(folds: Sequence[Fold], count: int) -> list[Fold]:
    """`count` of the folds, evenly spread; all where there are fewer."""
    places = np.linspace(0, len(folds), min(count, len(folds)), endpoint=False)
    return [folds[int(place)] for place in places]


def refuse_unusable(bank: Bank, networks: Networks) -> None:
    """Refuses a bank that some network could not be trained on, before anything is written.

    Raises:
      UserError: a kind that the subjects of a network never show, or training or validation
        subjects without a face in any frame.
    """
    faces = [bank.faces(video).any() for video in bank.videos.video]
    seen = set(bank.videos.subject[faces])
    for fold in networks.all:
        mean_durations(bank, fold)
        for group in (fold.training, fold.validation):
            if group and not seen & set(group):
                raise UserError(f"{bank.root}: {FACELESS.format(', '.join(group))}")
