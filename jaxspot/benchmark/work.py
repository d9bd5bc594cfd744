"""Made-up frames and trainings to time: how long they take does not depend on what they show."""

import dataclasses
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any

import cv2
import jax
import numpy as np
from jax.sharding import Mesh

from jaxspot.devices import aligned_array, fold_mesh, stack_places
from jaxspot.network.augment import Augmentation
from jaxspot.network.inputs import init_variables
from jaxspot.network.model import TwoStream
from jaxspot.network.motion import Motion
from jaxspot.network.streams import Streams
from jaxspot.training.feed import feed_epochs
from jaxspot.training.folds import loso_folds
from jaxspot.training.loso import compile_epoch, stack_states, start_folds
from jaxspot.training.pool import FramePool
from jaxspot.training.step import Training
from jaxspot.video.bank import SIZE

PAPER = TwoStream()
BEST = TwoStream(
    Motion(),
    Streams(
        tuple(
            (kind, side * times)
            for kind, multiples in (("ME", (1.0, 2.0)), ("MaE", (0.5, 1.0, 2.0)))
            for times in multiples
            for side in (1, -1)
        ),
        skip_rounding_seconds=1 / 30,
    ),
    fusion_width=64,
    dropout=0.2,
)
"""The network of `:best` in `configs/default.py`, which is not in the wheel."""
SKIPS = (6, 19)
TRAINING = Training(epochs=1, optimiser="adam", learning_rate=0.003, steps=8, validation_batches=1)


def made_up_frames(count: int, *, seed: int = 0) -> np.ndarray:
    """Smooth noise: uint8 (count, 112, 112)."""
    rng = np.random.default_rng(seed)
    base = rng.random((16, SIZE, SIZE), np.float32)
    smooth = np.stack([cv2.GaussianBlur(image, (0, 0), 3) for image in base])
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    noise = rng.normal(0, 4, (count, SIZE, SIZE))
    return np.clip(200 * smooth[np.arange(count) % 16] + noise, 0, 255).astype(np.uint8)


class MadeUpFrames:
    """Any number of frames in the memory of 64, which repeat."""

    def __init__(self, length: int):
        self.shape, self.frames = (length, SIZE, SIZE), made_up_frames(64)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Frames uint8 (..., height, width) at int places (...)."""
        places = np.asarray(places)
        frames = aligned_array((*places.shape, SIZE, SIZE), np.uint8)
        return np.take(self.frames, places, axis=0, out=frames, mode="wrap")


def made_up_pool(*, subjects: int, frames: int) -> FramePool:
    """One video a subject, with an ME and a MaE in it; the pixels take no memory."""
    count = subjects * frames
    labels = np.zeros((subjects, frames, 2), np.float32)
    labels[:, 20:30, 0] = labels[:, 50:90, 1] = 1
    return FramePool(
        frames=MadeUpFrames(count),
        labels=labels.reshape(-1, 2),
        video=np.repeat(np.arange(subjects), frames).astype(np.int32),
        first=(frames * np.arange(subjects)).astype(np.int32),
        fps=np.full(subjects, 30, np.float32),
        subjects=tuple(f"s{i:02d}" for i in range(subjects)),
        usable=np.ones(count, bool),
        reference=np.arange(count, dtype=np.int32),
    )


def made_up_batch(*, batch: int = TRAINING.batch) -> tuple[np.ndarray, np.ndarray]:
    """Samples uint8 (batch, 3, 112, 112) and labels float32 (batch, 2)."""
    frames = made_up_frames(3 * batch).reshape(batch, 3, SIZE, SIZE)
    return frames, np.eye(2, dtype=np.float32)[np.arange(batch) % 2]


def one_network(model: TwoStream = PAPER) -> dict[str, Any]:
    """Variables of a network at its start, stacked as if of one fold."""
    start = partial(init_variables, model, size=(SIZE, SIZE))
    variables = jax.jit(start)(jax.random.key(0))
    return jax.tree.map(lambda leaf: np.asarray(leaf)[None], variables)


def epoch_of(
    folds: int,
    *,
    model: TwoStream = PAPER,
    frames: int = 120,
    mesh: Mesh | None = None,
    batched: bool | None = None,
    live: int | None = None,
    training: Training = TRAINING,
    resident: bool | None = None,
) -> Callable[[], Any]:
    """A call that trains `folds` folds for one epoch; each subject has `frames`.

    `batched` see `map_folds`, `resident` see `feed_epochs`; of the folds, the first `live` have not
    stopped, by default all.
    """
    mesh = mesh or fold_mesh()
    pool = made_up_pool(subjects=max(folds, 12), frames=frames)
    chosen = loso_folds(pool.subjects)[:folds]
    program = compile_epoch(model, training, Augmentation(), mesh, batched=batched)
    start = start_folds(chosen, pool, model=model, training=training)
    alive: Any = np.arange(folds) < (folds if live is None else live)
    start = dataclasses.replace(start, live=alive)
    places = stack_places(alive, mesh, batched=batched)
    options: Any = dict(running=lambda: places, resident=resident)
    with closing(feed_epochs(pool, chosen, model, training, mesh, **options)) as feed:
        fed = next(feed)
    return lambda: program(stack_states(start, places, mesh), *fed)
