"""Folds that are left out because a loss was not finite: which, and when."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from jaxspot.errors import UserError
from jaxspot.training.folds import Fold
from jaxspot.training.state import FoldState

FAILED = "failed"
"""In the row of a fold's last epoch: what happened in it."""
REMEDY = "train anew with a lower --config.training.learning_rate"


class NoFoldLeft(UserError):
    """Every fold has been left out."""


def find_failures(
    folds: Sequence[Fold], epoch: int, losses: Mapping[str, np.ndarray], trained: np.ndarray
) -> dict[int, str]:
    """Number of a fold -> its first loss in an epoch that is not finite; bool (folds,) `trained`.

    `losses` are those of `train_epoch`.
    """
    found = {}
    by_step = np.column_stack([losses["train_loss"], losses["validation_loss"]])
    for number in np.flatnonzero(trained).tolist():
        seen = by_step[number] if folds[number].validation else by_step[number][:-1]
        bad = np.flatnonzero(~np.isfinite(seen))
        if len(bad):
            steps = by_step.shape[1] - 1
            where = "validation" if bad[0] == steps else f"step {bad[0] + 1} of {steps}"
            found[number] = f"epoch {epoch}, {where}: the loss is {seen[bad[0]]}"
    return found


def stop_failed(after: FoldState, before: FoldState, failed: Iterable[int]) -> FoldState:
    """The states of all folds (numpy) after an epoch; of those that failed, stopped before it."""
    bad = np.isin(np.arange(len(after.live)), list(failed))
    keep = lambda new, old: np.where(bad.reshape(-1, *[1] * (new.ndim - 1)), old, new)
    kept = jax.tree.map(keep, after, before)
    return dataclasses.replace(kept, live=kept.live & ~bad)


def failed_folds(metrics: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Held-out subject -> what happened to its fold, of those that failed; from rows of epochs."""
    return {row["subject"]: row[FAILED] for row in metrics if FAILED in row}


def describe_failures(failed: Mapping[str, str]) -> str:
    """A line for each fold that is left out."""
    return "\n".join(f"fold of subject {subject}, {what}" for subject, what in failed.items())
