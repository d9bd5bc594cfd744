"""The trunk of region motion: how far places of the face moved between a frame and its references.

Region motion is what research groups pass on of videos that they may not: the displacement of a few
places of the face from each frame to the next. Its running sum stands in for the picture. The
displacement between a frame and a reference is then a difference, as Figure 1 compares two frames.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

MIRROR = (5, 4, 3, 2, 1, 0, 6, 7, 10, 9, 8, 11)
"""Of the twelve regions: brows, nose, mouth."""
COORDINATES = 3
"""Of a region in a frame: its place to the right, its place down, its path so far."""
LARGEST = 4
"""How many of the largest displacements each stream sees in order, wherever they are."""
SOFT = 0.1
"""Displacements far below this share of the usual one count as none."""
MOMENTUM = 0.98
"""Of the running statistics of the features."""
LIMIT = 5.0
"""Standard deviations beyond which a feature is cut."""
SCALE_SECONDS = 0.5
"""The usual displacement of a region in a video is its median over this time."""


class RegionMotion(nn.Module):
    """A trunk on region motion: one dense layer over the `region_features` of all streams.

    Attributes:
      features: number of features.
      mirror: for each region, the number of its mirror image.
    """

    features: int = 64
    mirror: tuple[int, ...] = MIRROR

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Float (batch, streams, inputs) -> (batch, features)."""
        norm = nn.BatchNorm(not train, momentum=MOMENTUM, use_bias=False, use_scale=False)
        x = norm(inputs.reshape(len(inputs), -1))
        return nn.relu(nn.Dense(self.features, name="Project")(jnp.clip(x, -LIMIT, LIMIT)))


def region_positions(motion: np.ndarray, *, fps: float) -> np.ndarray:
    """Where each region is in each frame, and how long its path so far is: the network's frames.

    Both are running sums of the motion, in units of the region's usual displacement in this video:
    its median over half a second, which needs no label. People and cameras differ in how much a
    face that rests seems to move.

    Args:
      motion: float (frames, regions, 2), how far each region moved since the frame before.
      fps: rows a second.

    Returns:
      float32 (frames, regions, 3): right, down, and the length of the path.
    """
    place = np.cumsum(motion, axis=0, dtype=float)
    path = np.cumsum(np.linalg.norm(motion, axis=2), axis=0, dtype=float)
    ahead = min(max(1, round(SCALE_SECONDS * fps)), len(motion) - 1)
    shift = np.linalg.norm(place[ahead:] - place[: len(place) - ahead], axis=2)
    usual = np.median(shift, axis=0) + 1e-3
    both = np.concatenate([place, path[..., None]], axis=2)
    return (both / usual[:, None]).astype(np.float32)


def region_features(frames: jax.Array, references: Sequence[tuple[str, float]]) -> jax.Array:
    """What the trunk is given of frames and their references.

    Of each stream: the displacement of every region and its length, the `LARGEST` lengths in order
    and their mean, the length of the path between, and the product with the displacement of the
    opposite stream, if there is one: it is above 0 where a region leaves its place and comes back.
    All are compressed by a logarithm.

    Float (batch, 1 + streams, regions, 3) from `region_positions` -> (batch, streams, features).
    """
    change = frames[:, :1] - frames[:, 1:]
    shift, path = change[..., :2], jnp.abs(change[..., 2])
    length = jnp.log(jnp.linalg.norm(shift, axis=-1) + SOFT)
    ordered = jnp.sort(length, axis=-1)[..., ::-1]
    mean = length.mean(-1, keepdims=True)
    apart = _signed_log(shift).reshape(*shift.shape[:2], -1)
    parts = [apart, length, ordered[..., :LARGEST], mean, jnp.log(path + SOFT)]
    opposite = _opposite(references)
    if opposite is not None:
        parts.append(_signed_log((shift * shift[:, opposite]).sum(-1)))
    return jnp.concatenate(parts, axis=-1)


def _opposite(references):
    """For each stream the one whose reference is as far to the other side; None: some have none."""
    references = list(references)
    mirrored = [(kind, -times) for kind, times in references]
    if not set(mirrored) <= set(references):
        return None
    return np.array([references.index(pair) for pair in mirrored])


def _signed_log(x):
    return jnp.sign(x) * jnp.log1p(jnp.abs(x))
