"""Dense scores: every frame of a video against its references, in constant memory."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxspot.network.compiling import compile_program
from jaxspot.network.model import TwoStream
from jaxspot.training.parallel import fold_mesh, over_folds, pad_folds, replicate, shard_folds
from jaxspot.training.step import normalise

CHUNK = 16


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
    starts = length * np.arange(parts)[:, None]
    lay = lambda leaf: pad_folds(np.repeat(leaf, parts, 0), mesh)
    part = pad_folds(np.tile(np.arange(parts, dtype=np.int32), networks), mesh)
    stacked = shard_folds((*jax.tree.map(lay, (variables, skips)), part), mesh)
    before = np.clip(starts + np.arange(-_history_length(skips), 0), 0, len(frames) - 1)
    history = replicate(_normalise_program(model.form)(frames[before]), mesh)
    program = _chunk_program(model, mesh)  # pyright: ignore[reportArgumentType]
    scores = np.empty((networks, parts * length, 2), np.float32)
    by_part = scores.reshape(networks, parts, length, 2)
    for first in range(0, length, chunk):
        places = starts + np.arange(first, first + chunk)
        seen = frames[np.minimum(places, len(frames) - 1)]
        history, output = program(stacked, history, replicate(seen, mesh))
        new = by_part[:, :, first : first + chunk]
        output = np.asarray(output)[: networks * parts].reshape(networks, parts, chunk, 2)
        new[:] = output[:, :, : new.shape[2]]
        if on_chunk:
            on_chunk(int((places[:, : new.shape[2]] < len(frames)).sum()))
    return scores[:, : len(frames)]


def score_chunk(
    network: tuple[dict[str, Any], jax.Array], frames: jax.Array, *, model: TwoStream, new: int
) -> jax.Array:
    """Scores the last `new` frames of a stretch by one network.

    Args:
      network: variables, and its skips int32 (streams,).
      frames: float32 (history + new, height, width), normalised.
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
def _normalise_program(form):
    return compile_program(partial(normalise, form=form))


@cache
def _chunk_program(model: Any, mesh: Mesh):
    def run(stacked, history, frames):
        new = frames.shape[1]
        stretches = jnp.concatenate([history, normalise(frames, model.form)], 1)

        def one(item, stretches):
            variables, skips, part = item
            return score_chunk((variables, skips), stretches[part], model=model, new=new)

        return stretches[:, new:], over_folds(one, mesh)(stacked, stretches)

    return compile_program(run)
