"""Saved progress of training; resuming from it is exact, bit for bit."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxspot.errors import UserError
from jaxspot.storage import restore_tree, save_tree
from jaxspot.training.state import FoldState

ROWS = "metrics.jsonl"
KEPT = 2


class Progress(NamedTuple):
    """All folds after an epoch.

    Attributes:
      epoch: the epoch that has ended, from 1.
      state: every leaf with a leading axis of folds (numpy).
      metrics: the rows of all epochs so far, see `TrainedFolds`.
    """

    epoch: int
    state: FoldState
    metrics: list[dict[str, Any]]


def save_progress(folder: str | Path, progress: Progress) -> None:
    """Saves an epoch as FOLDER/0001 ... and keeps the two newest; on disk when this returns."""
    folder = Path(folder)
    text = "".join(json.dumps(row) + "\n" for row in progress.metrics)
    tree = _named_leaves(progress.state)
    save_tree(folder / f"{progress.epoch:04d}", tree, texts={ROWS: text})
    for old in saved_epochs(folder)[:-KEPT]:
        shutil.rmtree(folder / f"{old:04d}")


def restore_progress(folder: str | Path, like: FoldState) -> tuple[Progress | None, list[str]]:
    """Reads the newest epoch that is whole; damaged ones after it are removed.

    Returns the progress, None where nothing was saved, and a line for each damaged epoch. `like` is
    a state of the same shapes. A UserError where all saved epochs are damaged.
    """
    damage, newer = [], []
    for epoch in reversed(saved_epochs(folder)):
        try:
            progress = restore_epoch(folder, epoch, like)
        except UserError as error:
            damage.append(str(error))
            newer.append(_place(folder, epoch))
            continue
        for damaged in newer:
            shutil.rmtree(damaged)
        return progress, damage
    if damage:
        raise UserError(f"{damage[0]}; no saved epoch is whole: remove {folder} to train afresh")
    return None, []


def restore_epoch(folder: str | Path, epoch: int, like: FoldState) -> Progress:
    """Reads a saved epoch; a UserError where it is not there or damaged. `like` is as above."""
    place = _place(folder, epoch)
    tree = restore_tree(place, _named_leaves(like))
    state = jax.tree.unflatten(jax.tree.structure(like), list(tree.values()))
    rows = [json.loads(line) for line in (place / ROWS).read_text("utf-8").splitlines()]
    return Progress(epoch, state, rows)


def saved_epochs(folder: str | Path) -> list[int]:
    """The epochs that have a folder, in order."""
    names = [path.name for path in Path(folder).glob("[0-9]*") if path.is_dir()]
    return sorted(int(name) for name in names if name.isdigit())


def _place(folder, epoch):
    return Path(folder) / f"{epoch:04d}"


def _named_leaves(state: FoldState) -> dict[str, np.ndarray]:
    """By zero-padded number: orbax sorts names, and tuples of the optimiser would become lists."""
    leaves = jax.tree.leaves(jax.device_get(state))
    return {f"{number:04d}": leaf for number, leaf in enumerate(leaves)}
