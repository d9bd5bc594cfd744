"""Which frames a step sees: index tables, drawn on the host from (seed, subject, epoch)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.network.streams import Streams, stream_skips
from jaxspot.training.folds import Fold
from jaxspot.training.frame_skips import draw_skips
from jaxspot.training.pool import FramePool
from jaxspot.training.random_keys import subject_number
from jaxspot.training.step import Training

VALIDATION = 2**31
"""Ends the seed of validation samples; those of training samples end with lower numbers."""
FACELESS = (
    "subjects {}: no frame shows a face, so there is nothing to train or validate on; leave them"
    " out of the bank"
)


class EpochSamples(NamedTuple):
    """The training samples of an epoch, drawn once for all folds.

    Attributes:
      samples: int32 (steps, samples, 1 + streams), places in the pool: each frame and its
        references.
      index: int32 (folds, steps, batch), which of a step's samples each fold takes.
    """

    samples: np.ndarray
    index: np.ndarray


def epoch_samples(
    pool: FramePool, folds: Sequence[Fold], training: Training, streams: Streams, *, epoch: int
) -> EpochSamples:
    """Draws samples of all subjects, from which each fold takes a batch a step.

    Of each step, a fold takes the first `batch` samples that show its training subjects. Subjects
    are drawn by how long they were recorded, and the frames of each subject on their own. So
    neither what another subject looks like or does, nor which other folds there are, changes what a
    fold trains on. What folds have in common is prepared once (`train_epoch`). A UserError where no
    training subject of a fold shows a face.
    """
    subjects = tuple(sorted(set(pool.subjects)))
    number = {subject: i for i, subject in enumerate(subjects)}
    frames = np.bincount([number[s] for s in pool.subjects], weights=pool.lengths)
    share = frames / frames.sum()
    places = {subject: pool.of_subjects((subject,)) for subject in subjects}
    seen = [subject for subject in subjects if len(places[subject])]
    for fold in folds:
        if not set(fold.training) & set(seen):
            raise UserError(FACELESS.format(", ".join(fold.training)))
    trains = np.array([[s in fold.training and s in seen for s in subjects] for fold in folds])
    shape = training.steps, training.batch
    blocks, taken = [], np.zeros((len(folds), training.steps, 0), bool)
    while (taken.sum(-1) < training.batch).any():
        here = [training.seed, epoch, len(blocks)]
        owner = np.random.default_rng(here).choice(len(subjects), shape, p=share)
        block = np.zeros((owner.size, 1 + len(streams.references)), np.int32)
        for subject in seen:
            rng = np.random.default_rng([*here, subject_number(subject)])
            mine = owner.ravel() == number[subject]
            block[mine] = draw_samples(
                pool, places[subject], rng, owner.size, training, streams, keep=mine
            )
        blocks.append(block.reshape(*shape, -1))
        taken = np.concatenate([taken, trains[:, owner]], -1)
    index = np.argsort(~taken, -1, kind="stable")[..., : training.batch].astype(np.int32)
    return EpochSamples(np.concatenate(blocks, 1)[:, : index.max() + 1], index)


def same_length(epochs: Sequence[EpochSamples]) -> list[EpochSamples]:
    """As many samples in every epoch, the last one repeated, so that one program runs them all."""
    most = max(epoch.samples.shape[1] for epoch in epochs)
    pad = lambda rows: np.pad(rows, ((0, 0), (0, most - rows.shape[1]), (0, 0)), mode="edge")
    return [epoch._replace(samples=pad(epoch.samples)) for epoch in epochs]


def validation_samples(
    pool: FramePool, folds: Sequence[Fold], training: Training, streams: Streams
) -> np.ndarray:
    """Validation samples, the same in all epochs: int32 (folds, batches, batch, 1 + streams).

    A UserError where no validation subject of a fold shows a face.
    """
    shape = training.validation_batches, training.batch, -1
    samples = []
    for fold in folds:
        rng = np.random.default_rng([training.seed, subject_number(fold.held_out), VALIDATION])
        places = pool.of_subjects(fold.validation)
        if not len(places):
            raise UserError(FACELESS.format(", ".join(fold.validation)))
        drawn = draw_samples(pool, places, rng, shape[0] * shape[1], training, streams, balance=0)
        samples.append(drawn.reshape(shape))
    return np.stack(samples)


def draw_samples(
    pool: FramePool,
    places: np.ndarray,
    rng: np.random.Generator,
    count: int,
    training: Training,
    streams: Streams,
    *,
    balance: float | None = None,
    keep: np.ndarray | slice = slice(None),
) -> np.ndarray:
    """Draws `count` of some places, with replacement, and references at random skips (Table 3).

    Int32 (count, 1 + streams), places in the pool: the frame and its references. `training` holds
    the ranges of skips, and the balance unless another is given. All are drawn, but only those of
    `keep`, bool (count,), are returned.
    """
    balance = training.balance if balance is None else balance
    current = _draw_frames(pool.labels[places], places, rng, count, balance)
    k = draw_skips(training.skip_range_seconds, pool.fps[pool.video[current]], rng)[keep]
    current = current[keep, None]
    found = pool.references(current, stream_skips(k, streams.references))
    return np.concatenate([current, found], 1).astype(np.int32)


def _draw_frames(labels, places, rng, count, balance):
    """Some of the places; a share `balance` with their kind drawn first, each kind as likely."""
    uniform = rng.integers(len(places), size=count)
    kinds = [labels[:, 0] > 0, labels[:, 1] > 0, ~(labels > 0).any(1)]
    of_kind = [np.flatnonzero(kind) for kind in kinds if kind.any()]
    kind = rng.integers(len(of_kind), size=count)
    position = rng.random(count)
    sizes = np.array([len(members) for members in of_kind])
    first = (np.cumsum(sizes) - sizes)[kind]
    by_kind = np.concatenate(of_kind)[first + (position * sizes[kind]).astype(int)]
    balanced = rng.random(count) < balance
    return places[np.where(balanced, by_kind, uniform)]
