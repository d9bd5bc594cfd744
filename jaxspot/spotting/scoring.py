"""Dense scores: every frame of a video against its references, in constant memory."""

from collections.abc import Callable
from functools import cache, partial
from itertools import chain, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh
from numpy.typing import ArrayLike

from jaxspot.devices import (
    fold_mesh,
    in_turns,
    join_turns,
    map_folds,
    on_each_device,
    replicate,
    shard_folds,
)
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import preprocess_frames, stream_inputs
from jaxspot.network.model import TwoStream, check_size
from jaxspot.network.region_motion import RegionMotion
from jaxspot.network.streams import reference_places
from jaxspot.video.shown import ShownFrames

CHUNK = 32
REGION_CHUNK = 1024


def score_video(
    model: TwoStream,
    variables: dict[str, Any],
    frames: np.ndarray | ShownFrames,
    *,
    skips: ArrayLike,
    chunk: int | None = None,
    mesh: Mesh | None = None,
    on_chunk: Callable[[int], object] | None = None,
) -> np.ndarray:
    """Scores every frame of a video with one or more trained networks.

    A frame is compared with the frames that are `skips` before it (after it, if a skip is below 0).
    Beyond either end of the video, the frame at that end is used. Every device scores a part of the
    video with all networks. Each frame is preprocessed once, and compared with its references once
    for all networks with equal skips. Memory use does not grow with the video.

    Args:
      model: the network.
      variables: {"params", "batch_stats"}, every leaf with a leading axis of networks (folds).
      frames: uint8 (frames, height, width), read in order; can be a memory map. For `RegionMotion`
        float32 (frames, regions, coordinates), see `region_frames`.
      skips: int (networks, streams), in frames, not 0.
      chunk: frames per call; by default 32, and 1024 for `RegionMotion`, whose frames are small.
      mesh: the devices to use; all of this process by default.
      on_chunk: called after each chunk with its number of frames.

    Returns:
      float32 (networks, frames, 2): the sigmoid outputs for ME and MaE, 0..1.

    Raises:
      TypeError: frames have another dtype, or skips are not integers.
      ValueError: frames, skips or variables have a wrong shape, or a skip is 0.
    """
    mesh = mesh or fold_mesh()
    chunk = chunk or (REGION_CHUNK if isinstance(model.trunk, RegionMotion) else CHUNK)
    check_frames(frames, model)
    check_skips(skips, variables, streams=len(model.streams.references))
    skips = np.asarray(skips, np.int32)
    networks, parts = len(skips), mesh.size
    length = -(-len(frames) // parts)
    starts = length * np.arange(parts)[:, None]
    scores = np.empty((networks, parts, length, 2), np.float32)
    chunks = _score_chunks(model, variables, frames, skips, chunk, mesh, starts)
    # In pairs, so that the next chunk is gathered while this one is scored.
    for (first, outputs), _ in pairwise(chain(chunks, [(length, [])])):
        found = join_turns(outputs, mesh).reshape(parts, networks, chunk, 2)
        new = scores[:, :, first : first + chunk]
        new[:] = found.swapaxes(0, 1)[:, :, : new.shape[2]]
        if on_chunk:
            places = starts + np.arange(first, first + new.shape[2])
            on_chunk(int((places < len(frames)).sum()))
    return scores.reshape(networks, -1, 2)[:, : len(frames)]


def _score_chunks(model, variables, frames, skips, chunk, mesh, starts):
    """Each chunk's first place in the stretches, which begin at `starts`, and its outputs."""
    distinct, row = np.unique(skips, axis=0, return_inverse=True)
    before, after = _margin(skips.max()), _margin(-skips.min())
    repeat = lambda leaf: np.concatenate([leaf] * mesh.size)
    turns = in_turns(jax.tree.map(repeat, (variables, row.reshape(-1).astype(np.int32))), mesh)
    clipped = lambda places: reference_places(places, 0, len(frames) - 1)
    load = lambda places: shard_folds(frames[clipped(places)], mesh)
    preprocess_all, append, compare, score = _programs(model, mesh, chunk)
    window = preprocess_all(load(starts + np.arange(-before, after)))
    references = replicate(before - distinct, mesh)
    for first in range(0, -(-len(frames) // mesh.size), chunk):
        new = load(starts + first + after + np.arange(chunk))
        stretch, window = append(window, new)
        inputs = compare(stretch, before, references)
        yield first, [score(network, inputs) for network in turns]


def _margin(longest):
    """The longest skip to one side, rounded up so that near skips share one compiled program."""
    return max(0, -(-int(longest) // 32) * 32)


@cache
def _programs(model: Any, mesh: Mesh, chunk: int):
    """For every device on its own: frames preprocessed; new ones appended; compared; scored."""
    preprocess_all = partial(preprocess_frames, model=model)

    def append(window, new):
        stretch = jnp.concatenate([window, preprocess_all(new)], 1)
        return stretch, stretch[:, chunk:]

    def compare(stretch, place, references):
        one = partial(chunk_inputs, stretch[0], place, model=model, count=chunk)
        return lax.map(one, references)[None]

    def score(networks, inputs):
        def one(network):
            variables, row = network
            return score_chunk(variables, inputs[0, row], model=model)

        return map_folds(one, networks)

    on_mesh = lambda f, shared=0: compile_program(on_each_device(f, mesh, shared=shared))
    return on_mesh(preprocess_all), on_mesh(append), on_mesh(compare, 2), on_mesh(score)


def chunk_inputs(
    frames: jax.Array,
    place: jax.Array | int,
    references: jax.Array,
    *,
    model: TwoStream,
    count: int,
) -> jax.Array:
    """What the network is given of `count` consecutive frames of a stretch: float32 (count, ...).

    `frames` float32 (stretch, height, width) come from `preprocess`. `place` is where the first
    frame is in the stretch, and `references`, int32 (streams,), where its references are.
    """
    part = lambda first: lax.dynamic_slice_in_dim(frames, first, count)
    streams = [part(place)] + [part(references[i]) for i in range(len(references))]
    return stream_inputs(jnp.stack(streams, 1), model)


def score_chunk(variables: dict[str, Any], inputs: jax.Array, *, model: TwoStream) -> jax.Array:
    """The outputs for ME and MaE, float32 (n, 2) in 0..1, of network inputs (n, ...)."""
    logits: Any = model.apply(variables, inputs, train=False)
    return jax.nn.sigmoid(logits)


def to_native(scores: np.ndarray, *, every: int, frames: int) -> np.ndarray:
    """Scores of every so many frames, float (networks, rows, 2), as scores of all `frames`.

    Row j is of frame `every` * j, counted from 0; between rows scores change evenly.
    """
    if every == 1:
        return scores
    place = np.minimum(np.arange(frames) / every, scores.shape[1] - 1)
    before = np.floor(place).astype(int)
    after = np.minimum(before + 1, scores.shape[1] - 1)
    share = (place - before)[:, None].astype(scores.dtype)
    return scores[:, before] * (1 - share) + scores[:, after] * share


def check_frames(frames: np.ndarray | ShownFrames, model: TwoStream) -> None:
    """Refuses other dtypes by a TypeError, other shapes by a ValueError; reads no frame."""
    pixels = frames.frames if isinstance(frames, ShownFrames) else frames
    dtype = getattr(pixels, "dtype", type(pixels).__name__)
    regions = isinstance(model.trunk, RegionMotion)
    if dtype != (np.float32 if regions else np.uint8):
        wanted = "float32, see `region_frames`" if regions else "uint8, 0..255"
        raise TypeError(f"frames must be an array of {wanted}, not {dtype}")
    if pixels.ndim != 3 or not len(pixels):
        raise ValueError(f"frames must have the shape (frames, height, width), not {pixels.shape}")
    check_size(model, *pixels.shape[1:])


def check_skips(skips: ArrayLike, variables: dict[str, Any], *, streams: int) -> None:
    """Refuses skips that are not whole (TypeError), are 0 or have another shape (ValueError)."""
    skips = np.asarray(skips)
    if skips.ndim != 2 or skips.shape[1] != streams or not len(skips):
        raise ValueError(f"skips must have the shape (networks, {streams}), not {skips.shape}")
    if not np.issubdtype(skips.dtype, np.integer):
        raise TypeError(f"skips must be whole frames, not {skips.dtype}")
    if not skips.all():
        raise ValueError("a skip of 0 compares a frame with itself; take 1 or more, or -1 or less")
    if any(np.shape(leaf)[:1] != (len(skips),) for leaf in jax.tree.leaves(variables)):
        raise ValueError(
            f"skips are those of {len(skips)} networks: every leaf of variables must have a first"
            " axis of that length; jax.tree.map(lambda x: x[None], variables) adds it to one's"
        )
