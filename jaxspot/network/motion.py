"""The trunk "motion": how far each part of a face moved between a frame and its references.

It is not in the paper.
"""

from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

SIDE = 8
"""Pixels of a cell's side."""
STIFFNESS = 0.05
"""Share of a frame's mean texture that holds a part without texture in its place."""


class Motion(nn.Module):
    """A trunk that sees only motion: one dense layer over the grid of `local_motion`.

    Attributes:
      features: number of features of each stream.
    """

    features: int = 64
    multiple: ClassVar[int] = SIDE

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Float (batch, streams, cells, cells, 2) -> (batch * streams, features)."""
        del train
        batch, streams = inputs.shape[:2]
        return nn.Dense(self.features, name="Project")(inputs.reshape(batch * streams, -1))


def local_motion(frames: jax.Array) -> jax.Array:
    """Motion from each reference to the current frame on a grid (Lucas and Kanade 1981).

    In every window it is the shift that best explains the difference of the two frames by their
    mean gradient. It is one step of least squares, so shifts over about two pixels are
    underestimated. Windows are triangles, two cells to either side, and overlap. Nothing is
    learned.

    Float (batch, 1 + streams, height, width) from LCN, the current frame first, then its
    references, sides multiples of 8 (else a ValueError) -> (batch, streams, height / 8,
    width / 8, 2): right and down, in pixels.
    """
    down, across = (jnp.asarray(windows(size)) for size in frames.shape[-2:])
    keep = lax.optimization_barrier
    gather = lambda x: keep(down @ keep(keep(x) @ across.T))
    current, references = frames[:, :1], frames[:, 1:]
    x, y = keep(gradient(keep((current + references) / 2)))
    change = current - references
    xx, xy, yy = gather(x * x), gather(x * y), gather(y * y)
    xt, yt = gather(x * change), gather(y * change)
    # On a constant image all is 0, and nothing moves.
    hold = STIFFNESS * (xx + yy).mean((-2, -1), keepdims=True) / 2 + 1e-6
    xx, yy = xx + hold, yy + hold
    scale = 1 / (xx * yy - xy * xy)
    return jnp.stack([scale * (xy * yt - yy * xt), scale * (xy * xt - xx * yt)], -1)


def windows(size: int) -> np.ndarray:
    """Weight of each pixel of a row in each window: float32 (size / 8, size)."""
    if size % SIDE:
        raise ValueError(f"{size} pixels cannot be cut into cells of {SIDE}")
    centre = SIDE * (np.arange(size // SIDE)[:, None] + 0.5)
    distance = np.abs(np.arange(size) + 0.5 - centre) / SIDE
    return np.maximum(1 - distance / 2, 0).astype(np.float32)


def gradient(images: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Central differences along x and y, each of the images' shape; the border is repeated."""
    padded = jnp.pad(images, [(0, 0)] * (images.ndim - 2) + [(1, 1), (1, 1)], mode="edge")
    right, left = padded[..., 1:-1, 2:], padded[..., 1:-1, :-2]
    below, above = padded[..., 2:, 1:-1], padded[..., :-2, 1:-1]
    return (right - left) / 2, (below - above) / 2
