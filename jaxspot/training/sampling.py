"""Which frames a step sees: index tables, drawn on the host from (seed, subject, epoch)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.network.model import TwoStream
from jaxspot.network.streams import stream_skips
from jaxspot.training.folds import Fold, subject_number
from jaxspot.training.pool import FramePool, video_lengths

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
    references: Sequence[tuple[str, float]] = TwoStream.references,
    balance: float = 0.0,
) -> np.ndarray:
    """Draws frames of some subjects, each with its references at random skips, Table 3.

    Args:
      pool: the frames.
      subjects: whose frames.
      rng: the source of chance.
      samples: how many to draw, with replacement.
      skips: of ME and MaE, shortest and longest frame skip in seconds.
      references: of the streams, see `TwoStream`.
      balance: share of samples whose kind (ME, MaE or neither) is drawn first, each as likely.

    Returns:
      int32 (samples, 1 + streams), places in the pool: the frame and its references.

    Raises:
      UserError: none of the subjects shows a face.
    """
    places = pool.of_subjects(subjects)
    if not len(places):
        raise UserError(FACELESS.format(", ".join(subjects)))
    return _draw_table(pool, places, rng, samples, skips, references, balance)


def _draw_table(pool, places, rng, samples, skips, references, balance):
    current = _draw_frames(pool.labels[places], places, rng, samples, balance)
    fps = pool.fps[pool.video[current]]
    drawn = []
    for shortest, longest in skips:
        low, high = np.rint(shortest * fps), np.rint(longest * fps)
        drawn.append(np.maximum(np.floor(rng.uniform(low, high + 1)), 1))
    current = current[:, None]
    found = reference_places(pool, current, stream_skips(np.stack(drawn, -1), references))
    return np.concatenate([current, found], 1).astype(np.int32)


def reference_places(pool: FramePool, current: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """The frame `skip` before each; beyond either end of its video the frame at that end serves.

    `current` and `skip` int of shapes that broadcast.
    """
    video = pool.video[current]
    first = pool.first[video]
    last = first + video_lengths(pool)[video] - 1
    return pool.reference[np.clip(current - skip, first, last)]


class Samples(NamedTuple):
    """The training samples of an epoch, drawn once for all folds.

    Attributes:
      rows: int32 (steps, samples, 1 + streams), places in the pool: each frame and its references.
      picks: int32 (folds, steps, batch), which of a step's samples each fold takes.
    """

    rows: np.ndarray
    picks: np.ndarray


def epoch_samples(
    pool: FramePool,
    folds: Sequence[Fold],
    *,
    seed: int,
    epoch: int,
    steps: int,
    batch: int,
    skips: Sequence[tuple[float, float]],
    references: Sequence[tuple[str, float]] = TwoStream.references,
    balance: float,
) -> Samples:
    """Draws samples of all subjects; a fold takes the first `batch` of its training subjects.

    Subjects are drawn by how long they were recorded, and each subject's frames on their own: what
    a subject looks like or does changes nothing in a fold that does not train on it, and neither
    does which other folds there are. What folds have in common is prepared once (`train_epoch`).

    Args:
      pool: the frames.
      folds: who takes samples.
      seed, epoch: the source of chance.
      steps, batch: of the epoch.
      skips, references: see `draw_table`.
      balance: see `draw_table`, within a subject.

    Raises:
      UserError: no training subject of a fold shows a face.
    """
    subjects = tuple(sorted(set(pool.subjects)))
    number = {subject: i for i, subject in enumerate(subjects)}
    frames = np.bincount([number[s] for s in pool.subjects], weights=video_lengths(pool))
    share = frames / frames.sum()
    places = {subject: pool.of_subjects((subject,)) for subject in subjects}
    seen = [subject for subject in subjects if len(places[subject])]
    for fold in folds:
        if not set(fold.training) & set(seen):
            raise UserError(FACELESS.format(", ".join(fold.training)))
    trains = np.array([[s in fold.training and s in seen for s in subjects] for fold in folds])
    blocks, taken = [], np.zeros((len(folds), steps, 0), bool)
    while (taken.sum(-1) < batch).any():
        here = [seed, epoch, len(blocks)]
        owner = np.random.default_rng(here).choice(len(subjects), (steps, batch), p=share)
        rows = np.zeros((steps * batch, 1 + len(references)), np.int32)
        for subject in seen:
            rng = np.random.default_rng([*here, subject_number(subject)])
            mine = owner.ravel() == number[subject]
            table = _draw_table(pool, places[subject], rng, len(rows), skips, references, balance)
            rows[mine] = table[mine]
        blocks.append(rows.reshape(steps, batch, -1))
        taken = np.concatenate([taken, trains[:, owner]], -1)
    picks = np.argsort(~taken, -1, kind="stable")[..., :batch].astype(np.int32)
    return Samples(np.concatenate(blocks, 1)[:, : picks.max() + 1], picks)


def same_length(epochs: Sequence[Samples]) -> list[Samples]:
    """As many rows in every epoch, the last one repeated, so that one program runs them all."""
    most = max(samples.rows.shape[1] for samples in epochs)
    pad = lambda rows: np.pad(rows, ((0, 0), (0, most - rows.shape[1]), (0, 0)), mode="edge")
    return [samples._replace(rows=pad(samples.rows)) for samples in epochs]


def validation_tables(
    pool: FramePool,
    folds: Sequence[Fold],
    *,
    seed: int,
    batches: int,
    batch: int,
    skips: Sequence[tuple[float, float]],
    references: Sequence[tuple[str, float]] = TwoStream.references,
) -> np.ndarray:
    """Validation samples, the same in all epochs: int32 (folds, batches, batch, 1 + streams)."""
    tables = []
    for fold in folds:
        rng = np.random.default_rng([seed, subject_number(fold.held_out), VALIDATION])
        table = draw_table(
            pool,
            fold.validation,
            rng,
            samples=batches * batch,
            skips=skips,
            references=references,
        )
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
