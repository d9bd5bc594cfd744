"""The trunk of region motion: how far places of the face moved between a frame and its references.

Research groups pass on region motion of videos that they may not pass on: the displacement of a few
places of the face from each frame to the next. Its running sum stands in for the picture. The
displacement between a frame and a reference is then a difference, as Figure 1 compares two frames.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from jaxspot.motion.regions import TWELVE

MIRROR = TWELVE.mirror
LAGS = (1 / 30, 1 / 10, 1 / 4, 5 / 8, 3 / 2)
"""Seconds over which the usual displacement of a region is measured; between, it is a line."""
COORDINATES = 4 + len(LAGS)
LARGEST = 4
"""How many of the largest displacements each stream sees in order, wherever they are."""
SOFT = 0.1
"""Displacements far below this share of the usual one count as none."""
LEAST = 1e-3
"""Pixels; the usual displacement of a region that never moves."""
MOMENTUM = 0.98
"""Of the running statistics of the features."""
LIMIT = 5.0
"""Standard deviations beyond which a feature is cut."""


class RegionMotion(nn.Module):
    """A trunk on region motion: one dense layer over the `region_features` of all streams.

    Few expressions are labelled in real videos, so networks that start from other weights differ.
    Their mean is better than each. Here several members share what they are given.

    Attributes:
      features: number of features of a member.
      members: number of members, each with its own weights.
      mirror: for each region, the number of its mirror image.
    """

    features: int = 64
    members: int = 3
    mirror: tuple[int, ...] = MIRROR

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Float (batch, streams, inputs) -> (members, batch, features)."""
        norm = nn.BatchNorm(not train, momentum=MOMENTUM, use_bias=False, use_scale=False)
        x = jnp.clip(norm(inputs.reshape(inputs.shape[0], -1)), -LIMIT, LIMIT)
        # One wide product is faster than one a member; the start weights are the same.
        x = nn.relu(nn.Dense(self.members * self.features, name="Project")(x))
        return x.reshape(inputs.shape[0], self.members, -1).swapaxes(0, 1)


def region_frames(motion: np.ndarray, *, fps: float, seen: np.ndarray | None = None) -> np.ndarray:
    """What stands in for the frames of a video: where each region is, and how it usually moves.

    The usual displacement of a region is its median in this video over each of `LAGS`. It needs no
    label. People and cameras differ in how much a face at rest seems to move, and noise and drift
    differ in how that grows with time.

    Args:
      motion: float (frames, regions, 2), how far each region moved since the frame before.
      fps: frames a second.
      seen: bool (frames,), whether the motion is known; elsewhere it must be 0. The usual
        displacement is then taken between frames with no unknown motion between. All are known by
        default.

    Returns:
      float32 (frames, regions, 4 + lags): right and down, both running sums of the motion; the
      length of the path so far, in seconds of usual motion; the time in seconds; and the logarithm
      of the usual displacement over each lag.
    """
    place = np.cumsum(motion, axis=0, dtype=float)
    path = np.cumsum(np.linalg.norm(motion, axis=2), axis=0, dtype=float)
    unknown = np.zeros(len(motion), int) if seen is None else np.cumsum(~seen)
    usual = [_usual(place, unknown, round(lag * fps)) for lag in LAGS]
    rate = fps * _usual(path[..., None], unknown, round(fps)) / max(1, round(fps))
    frames = np.empty((*path.shape, COORDINATES), np.float32)
    frames[..., :2] = place
    frames[..., 2] = path / rate
    frames[..., 3] = np.arange(len(path))[:, None] / fps
    frames[..., 4:] = np.log(usual).T
    return frames


def region_features(frames: jax.Array, references: Sequence[tuple[str, float]]) -> jax.Array:
    """What the trunk is given of frames and their references.

    Of each stream: the displacement of every region and its length, the `LARGEST` lengths in order
    and their mean, the length of the path between, and the product with the displacement of the
    opposite stream, if there is one: it is above 0 where a region leaves its place and comes back.
    Each is a multiple of what is usual in the video over such a time, compressed by a logarithm.

    Float (batch, 1 + streams, regions, coordinates) from `region_frames` -> (batch, streams,
    features).
    """
    change = frames[:, :1] - frames[:, 1:]
    lag = jnp.clip(jnp.abs(change[..., 3]), LAGS[0])
    shift = change[..., :2] / _usual_over(lag, frames[:, :1, :, 4:])[..., None]
    length = jnp.log(jnp.sqrt((shift**2).sum(-1) + 1e-12) + SOFT)
    path = jnp.log(jnp.abs(change[..., 2]) / lag + SOFT)
    ordered = jnp.sort(length, axis=-1)[..., ::-1]
    mean = length.mean(-1, keepdims=True)
    apart = _signed_log(shift).reshape(*shift.shape[:2], -1)
    parts = [apart, length, ordered[..., :LARGEST], mean, path]
    opposite = _opposite(references)
    if opposite is not None:
        parts.append(_signed_log((shift * shift[:, opposite]).sum(-1)))
    return jnp.concatenate(parts, axis=-1)


def _usual(place, unknown, frames):
    """Median displacement over so many frames, or as many as are known, float (regions,).

    `unknown` int (frames,) counts the frames of unknown motion so far.
    """
    longest = int(np.bincount(unknown).max())
    ahead = min(max(1, frames), max(1, longest - 1), len(place) - 1)
    shift = np.linalg.norm(place[ahead:] - place[: len(place) - ahead], axis=2)
    known = unknown[ahead:] == unknown[: len(place) - ahead]
    return np.median(shift[known] if known.any() else shift, axis=0) + LEAST


def _usual_over(lag, log_usual):
    """The usual displacement over a lag, by a line between those of `LAGS` in logarithms."""
    x, knots = jnp.log(lag)[..., None], np.log(LAGS)
    share = jnp.clip((x - knots[:-1]) / np.diff(knots), 0.0, 1.0)
    return jnp.exp(log_usual[..., 0] + (share * jnp.diff(log_usual, axis=-1)).sum(-1))


def _opposite(references):
    """For each stream the one whose reference is as far to the other side; None: some have none."""
    references = list(references)
    mirrored = [(kind, -times) for kind, times in references]
    if not set(mirrored) <= set(references):
        return None
    return np.array([references.index(pair) for pair in mirrored])


def _signed_log(x):
    return jnp.sign(x) * jnp.log1p(jnp.abs(x))
