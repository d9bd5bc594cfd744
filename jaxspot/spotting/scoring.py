"""Dense scores: every frame of a video against its references, in constant memory."""

from collections.abc import Callable
from functools import cache, partial
from itertools import chain, pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxspot.network.compiling import compile_program
from jaxspot.network.model import TwoStream
from jaxspot.training.parallel import (
    fold_mesh,
    in_turns,
    join_turns,
    map_folds,
    on_each_device,
    pad_folds,
    shard_folds,
)
from jaxspot.training.step import normalise

CHUNK = 32


def score_video(
    model: TwoStream,
    variables: dict[str, Any],
    frames: np.ndarray,
    *,
    skips: np.ndarray,
    chunk: int = CHUNK,
    mesh: Mesh | None = None,
    on_chunk: Callable[[int], object] | None = None,
) -> np.ndarray:
    """Scores every frame of a video by one or more trained networks.

    A frame is compared with those `skips` before it; before the first frame the first frame serves.
    Every frame is normalised once, for all networks and streams; memory does not grow with the
    video. Where there are more devices than networks, stretches of the video are scored side by
    side.

    Args:
      model: the network.
      variables: {"params", "batch_stats"}, every leaf with a leading axis of networks (folds).
      frames: uint8 (frames, height, width), read in order; a memory map will do.
      skips: int (networks, streams), frames; 1 or more.
      chunk: frames a call.
      mesh: the devices; all by default.
      on_chunk: called after each chunk with its number of frames.

    Returns:
      float32 (networks, frames, 2): the sigmoid outputs for ME and MaE, 0..1.
    """
    mesh = mesh or fold_mesh()
    skips = np.asarray(skips, np.int32)
    networks, parts = len(skips), max(1, mesh.size // len(skips))
    length = -(-len(frames) // parts)
    lay = lambda leaf: pad_folds(np.repeat(leaf, parts, 0), mesh)
    turns = in_turns(jax.tree.map(lay, (variables, skips)), mesh)
    starts = length * (np.arange(mesh.size)[:, None] % parts)
    seen = lambda places: shard_folds(frames[np.clip(places, 0, len(frames) - 1)], mesh)
    normalise_all, lengthen, score = _programs(model, mesh, chunk)  # pyright: ignore[reportArgumentType]
    history = normalise_all(seen(starts + np.arange(-_history_length(skips), 0)))
    scores = np.empty((networks, parts, length, 2), np.float32)

    def score_chunks(history):
        for first in range(0, length, chunk):
            stretch, history = lengthen(history, seen(starts + first + np.arange(chunk)))
            yield first, [score(network, stretch) for network in turns]

    # In pairs, so that the next chunk is gathered while this one is scored.
    for (first, outputs), _ in pairwise(chain(score_chunks(history), [(length, [])])):
        found = join_turns(outputs, mesh)[: networks * parts]
        new = scores[:, :, first : first + chunk]
        new[:] = found.reshape(networks, parts, chunk, 2)[:, :, : new.shape[2]]
        if on_chunk:
            places = starts[:parts] + np.arange(first, first + new.shape[2])
            on_chunk(int((places < len(frames)).sum()))
    return scores.reshape(networks, -1, 2)[:, : len(frames)]


def score_chunk(
    network: tuple[dict[str, Any], jax.Array], frames: jax.Array, *, model: TwoStream, new: int
) -> jax.Array:
    """Scores the last `new` frames of a stretch by one network.

    Args:
      network: variables, and its skips int32 (streams,).
      frames: float32 (history + new, height, width), from `normalise`.
      model: the network.
      new: how many to score; the history before them is at least the longest skip.

    Returns:
      float32 (new, 2), 0..1.
    """
    variables, skips = network
    history = len(frames) - new
    reach = lambda skip: jax.lax.dynamic_slice_in_dim(frames, history - skip, new)
    streams = [frames[history:]] + [reach(skips[i]) for i in range(len(skips))]
    logits: Any = model.apply(variables, jnp.stack(streams, 1), train=False)
    return jax.nn.sigmoid(logits)


def _history_length(skips):
    """The longest skip, rounded up so that near skips share one compiled program."""
    return -(-int(skips.max()) // 32) * 32


@cache
def _programs(model: Any, mesh: Mesh, chunk: int):
    """For every device on its own: frames normalised; a stretch made longer; a stretch scored."""
    normalise_all = partial(normalise, form=model.form, lcn=model.lcn)

    def lengthen(history, frames):
        stretch = jnp.concatenate([history, normalise_all(frames)], 1)
        return stretch, stretch[:, chunk:]

    def score(networks, stretch):
        one = lambda network: score_chunk(network, stretch[0], model=model, new=chunk)
        return map_folds(one, networks)

    programs = (normalise_all, lengthen, score)
    return tuple(compile_program(on_each_device(program, mesh)) for program in programs)
