"""What is measured of a device: frames a second through each part, folds trained at once."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxspot.benchmark.measure import Machine
from jaxspot.benchmark.rows import chunk_program, step_program
from jaxspot.benchmark.work import (
    BEST,
    PAPER,
    SKIPS,
    TRAINING,
    epoch_of,
    made_up_batch,
    made_up_frames,
    one_network,
)
from jaxspot.devices import on_cpu
from jaxspot.network.compiling import compile_program
from jaxspot.network.lcn import local_contrast_normalise
from jaxspot.network.model import TwoStream
from jaxspot.network.motion import local_motion
from jaxspot.network.streams import stream_skips
from jaxspot.spotting.scoring import CHUNK, score_video


class Sizes(NamedTuple):
    """How much is measured.

    Attributes:
      members: numbers of folds that are trained at once, from small to large.
      stacked: a number of folds that are trained as a batch with half of them stopped; one of
        `members`, on CPU 8 at most. Fewer would leave most of an accelerator idle.
      batch: frames of a call of LCN, a tenth as many of motion.
      frames: of a video that is scored.
      seconds: nothing is begun that would end later.
      model: the network of which so many folds are trained; `:paper`, which takes an accelerator
        over a minute to compile, is trained once, as many folds as `stacked`.
    """

    members: Sequence[int] = (1, 4, 16, 64, 256)
    stacked: int = 64
    batch: int = 640
    frames: int = 2048
    seconds: float = 390.0
    model: TwoStream = BEST


class Job(NamedTuple):
    """One kind of work: `make()` gives a call that does `work` units of it, and its `Bound`."""

    what: str
    size: int
    unit: str
    work: float
    make: Callable[[], tuple[Callable[[], Any], "Bound | None"]]


Bound = Callable[[Machine], float]
"""The least seconds that a machine needs for a call."""
TRAIN, STACKED, HALF_STOPPED = "train", "train as a batch", "half stopped"
TRAIN_PAPER = "train :paper"


def jobs(sizes: Sizes) -> Iterator[Job]:
    """All jobs; each number of folds takes more memory than the one before."""
    few, frames = max(1, sizes.batch // 10), "frames/s"
    yield Job("lcn", sizes.batch, frames, sizes.batch, partial(lcn, sizes.batch))
    yield Job("motion", few, frames, few, partial(motion, few))
    for what, model in (("score :paper", PAPER), ("score :best", BEST)):
        yield Job(what, sizes.frames, frames, sizes.frames, partial(score, model, sizes.frames))
    train = lambda what, count, live, model=sizes.model, **options: Job(
        what,
        count,
        "fold-steps/s",
        live * TRAINING.steps,
        partial(train_folds, model, count, live, **options),
    )
    for count in sizes.members:
        yield train(TRAIN, count, count)
    stacked = min(sizes.stacked, 8) if on_cpu() else sizes.stacked
    batched = True if on_cpu() else None  # on an accelerator `train` is a batch already
    if batched:
        yield train(STACKED, stacked, stacked, batched=True)
    yield train(HALF_STOPPED, stacked, stacked // 2, batched=batched)
    yield train(TRAIN_PAPER, stacked, stacked, PAPER)


def lcn(batch: int) -> tuple[Callable[[], Any], Bound]:
    """A call that normalises frames on the device."""
    images, program = jnp.asarray(made_up_frames(batch)), compile_program(local_contrast_normalise)
    return lambda: program(images), lambda machine: machine.seconds(program, images)


def motion(batch: int) -> tuple[Callable[[], Any], Bound]:
    """A call that finds the motion between frames and the references of `:best`."""
    frames = made_up_frames(1 + len(BEST.streams.references)).astype(np.float32) / 255
    samples = jnp.asarray(np.stack([frames] * batch))
    program = compile_program(local_motion)
    return lambda: program(samples), lambda machine: machine.seconds(program, samples)


def score(model: TwoStream, count: int) -> tuple[Callable[[], Any], Bound | None]:
    """A call that scores a video by one network, from uint8 frames in host memory."""
    frames, network = made_up_frames(count), one_network(model)
    skips = stream_skips([SKIPS], model.streams.references)
    call = partial(score_video, model, network, frames, skips=skips)
    if model != PAPER:
        return call, None
    program = chunk_program(jax.tree.map(lambda leaf: leaf[0], network), skips[0], frames)
    return call, lambda machine: machine.seconds(*program) * count / CHUNK


def train_folds(
    model: TwoStream, count: int, live: int, **options: Any
) -> tuple[Callable[[], Any], Bound]:
    """A call that trains an epoch of some folds, of which the first `live` have not stopped."""
    each: Any = model
    bound = lambda machine: live * TRAINING.steps * step_seconds(each, machine)
    return epoch_of(count, model=model, live=live, **options), bound


@cache
def step_seconds(model: Any, machine: Machine) -> float:
    """The least seconds of a training step of one fold."""
    frames, labels = made_up_batch()
    return machine.seconds(*step_program(model, frames, labels))
