"""Which frames a step sees: index tables, drawn on the host from (seed, subject, epoch)."""

from collections.abc import Sequence

import numpy as np

from jaxspot.errors import UserError
from jaxspot.training.folds import Fold, subject_number
from jaxspot.training.pool import FramePool

VALIDATION = 2**31
FACELESS = (
    "subjects {}: no frame shows a face, so there is nothing to train or validate on; leave them"
    " out of the bank"
)


def draw_table(
    pool: FramePool,
    subjects: tuple[str, ...],
    rng: np.random.Generator,
    *,
    samples: int,
    skips: Sequence[tuple[float, float]],
    balance: float = 0.0,
) -> np.ndarray:
    """Draws frames of some subjects, each with a reference at a random skip per stream, Table 3.

    Args:
      pool: the frames.
      subjects: whose frames.
      rng: the source of chance.
      samples: how many to draw, with replacement.
      skips: per stream, shortest and longest frame skip in seconds.
      balance: share of samples whose kind (ME, MaE or neither) is drawn first, each as likely.

    Returns:
      int32 (samples, 1 + streams), places in the pool: the frame and its references.

    Raises:
      UserError: none of the subjects shows a face.
    """
    places = pool.of_subjects(subjects)
    if not len(places):
        raise UserError(FACELESS.format(", ".join(subjects)))
    current = _draw_frames(pool.labels[places], places, rng, samples, balance)
    fps = pool.fps[pool.video[current]]
    columns = [current]
    for shortest, longest in skips:
        low, high = np.rint(shortest * fps), np.rint(longest * fps)
        skip = np.maximum(np.floor(rng.uniform(low, high + 1)), 1).astype(np.int64)
        columns.append(reference_places(pool, current, skip))
    return np.stack(columns, 1).astype(np.int32)


def reference_places(pool: FramePool, current: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """The frame `skip` before each; before the first frame the first frame serves."""
    first = pool.first[pool.video[current]]
    return pool.reference[np.maximum(current - skip, first)]


def epoch_tables(
    pool: FramePool,
    folds: Sequence[Fold],
    *,
    seed: int,
    epoch: int,
    steps: int,
    batch: int,
    skips: Sequence[tuple[float, float]],
    balance: float,
) -> np.ndarray:
    """Training samples of every fold for one epoch: int32 (folds, steps, batch, 1 + streams)."""
    tables = []
    for fold in folds:
        rng = np.random.default_rng([seed, subject_number(fold.held_out), epoch])
        table = draw_table(
            pool, fold.training, rng, samples=steps * batch, skips=skips, balance=balance
        )
        tables.append(table.reshape(steps, batch, -1))
    return np.stack(tables)


def validation_tables(
    pool: FramePool,
    folds: Sequence[Fold],
    *,
    seed: int,
    batches: int,
    batch: int,
    skips: Sequence[tuple[float, float]],
) -> np.ndarray:
    """Validation samples, the same in all epochs: int32 (folds, batches, batch, 1 + streams)."""
    tables = []
    for fold in folds:
        rng = np.random.default_rng([seed, subject_number(fold.held_out), VALIDATION])
        table = draw_table(pool, fold.validation, rng, samples=batches * batch, skips=skips)
        tables.append(table.reshape(batches, batch, -1))
    return np.stack(tables)


def _draw_frames(labels, places, rng, samples, balance):
    uniform = rng.integers(len(places), size=samples)
    kinds = [labels[:, 0] > 0, labels[:, 1] > 0, ~(labels > 0).any(1)]
    pools = [np.flatnonzero(kind) for kind in kinds if kind.any()]
    kind = rng.integers(len(pools), size=samples)
    position = rng.random(samples)
    sizes = np.array([len(p) for p in pools])
    picked = np.concatenate(pools)[
        (np.cumsum(sizes) - sizes)[kind] + (position * sizes[kind]).astype(int)
    ]
    balanced = rng.random(samples) < balance
    return places[np.where(balanced, picked, uniform)]
