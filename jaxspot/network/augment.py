"""Augmentation, paper section 3.3: one draw for all frames of a sample, before LCN."""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxspot.errors import check_fields, check_numbers
from jaxspot.files import with_tuples


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Ranges of the random augmentation; the defaults are the paper's.

    Attributes:
      contrast, gain: lowest and highest factor.
      gamma: lowest and highest exponent.
      rotation: largest angle in degrees, in both directions.
      flip: probability of a horizontal flip.
      drift: standard deviation in pixels, along both axes, of a separate translation of each frame.
        It models the remaining error of the alignment. Not in the paper.
      amplitude: lowest and highest factor of how far regions move; pictures ignore it.

    Region motion is turned by `rotation` and mirrored by `flip`; `drift` shifts each region of each
    frame on its own. It has no light.

    Raises:
      ValueError: a value is not valid.
    """

    contrast: tuple[float, float] = (0.5, 1.5)
    gamma: tuple[float, float] = (0.5, 1.5)
    gain: tuple[float, float] = (0.5, 1.5)
    rotation: float = 10.0
    flip: float = 0.5
    drift: float = 0.0
    amplitude: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self):
        for name in ("contrast", "gamma", "gain", "amplitude"):
            object.__setattr__(self, name, with_tuples(getattr(self, name)))
        check_fields(self)
        check_numbers(
            self, *("contrast", "gamma", "gain", "rotation", "drift", "amplitude"), least=0
        )
        check_numbers(self, "flip", least=0, most=1)


def augment(frames: jax.Array, key: jax.Array, ranges: Augmentation = Augmentation()) -> jax.Array:
    """Randomly changes contrast, gamma, gain and pose, in the same way for all frames.

    Args:
      frames: uint8 (frames, height, width).
      key: random key of the sample.
      ranges: ranges of the random changes.

    Returns:
      float32 (frames, height, width), range 0..1.

    Raises:
      TypeError: frames are not uint8.
      ValueError: frames have a wrong shape.
    """
    frames = jnp.asarray(frames)
    if frames.dtype != jnp.uint8:
        raise TypeError(f"frames must be uint8, 0..255, not {frames.dtype}")
    if frames.ndim != 3:
        raise ValueError(
            f"frames must have the shape (frames, height, width), one sample, not {frames.shape};"
            " `jax.vmap` augments several, each by its own key"
        )
    motion, light = draw_changes(key, ranges, len(frames))
    return relight(move(frames, *motion), *light)


def augment_regions(
    frames: jax.Array, key: jax.Array, ranges: Augmentation, mirror: Sequence[int]
) -> jax.Array:
    """Randomly turns, mirrors and stretches region motion, in the same way for all frames.

    Float32 (frames, regions, coordinates) from `region_frames`, one sample -> the same shape.
    `mirror` has the number of each region's mirror image.
    """
    keys = jax.random.split(key, 4)
    angle = jax.random.uniform(keys[0], (), minval=-1.0, maxval=1.0) * jnp.deg2rad(ranges.rotation)
    flip = jax.random.bernoulli(keys[1], ranges.flip)
    low, high = ranges.amplitude
    factor = jax.random.uniform(keys[2], (), minval=low, maxval=high)
    frames = jnp.where(flip, frames[:, np.array(mirror)], frames)
    x, y, path = (frames[..., i] - frames[:1, :, i] for i in range(3))
    x = jnp.where(flip, -x, x)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    noise = ranges.drift * jax.random.normal(keys[3], (*x.shape, 2))
    x, y = cos * x + sin * y + noise[..., 0], cos * y - sin * x + noise[..., 1]
    return jnp.concatenate([factor * jnp.stack([x, y, path], -1), frames[..., 3:]], -1)


def draw_changes(
    key: jax.Array, ranges: Augmentation, frames: int
) -> tuple[tuple[jax.Array, ...], tuple[jax.Array, ...]]:
    """What is drawn for a sample of so many frames: the arguments of `move` and of `relight`."""
    keys = jax.random.split(key, 6)
    contrast, gamma, gain = (
        jax.random.uniform(k, (), minval=low, maxval=high)
        for k, (low, high) in zip(keys, (ranges.contrast, ranges.gamma, ranges.gain), strict=False)
    )
    angle = jax.random.uniform(keys[3], (), minval=-1.0, maxval=1.0) * jnp.deg2rad(ranges.rotation)
    flip = jax.random.bernoulli(keys[4], ranges.flip)
    drift = ranges.drift * jax.random.normal(keys[5], (frames, 2))
    return (angle, flip, drift), (contrast, gamma, gain)


def relight(frames: jax.Array, contrast: jax.Array, gamma: jax.Array, gain: jax.Array) -> jax.Array:
    """`gain * x**gamma`, then contrast about the sample's mean; clipped to 0..1.

    Float32 (frames, height, width), range 0..1, and three factors -> the same shape and range.
    """
    x = gain * jnp.exp(gamma * jnp.log(jnp.maximum(frames, 1e-4)))
    mean = x.mean()
    return jnp.clip((x - mean) * contrast + mean, 0.0, 1.0)


def move(frames: jax.Array, angle: jax.Array, flip: jax.Array, drift: jax.Array) -> jax.Array:
    """Rotates about the centre, bilinear, and mirrors; outside, the nearest border pixel serves.

    Uint8 (frames, height, width) -> float32 of that shape, 0..1. `angle` is in radians, counter-
    clockwise on the screen; `flip` mirrors left and right first; `drift` float32 (frames, 2) is by
    how many pixels (x, y) the source of each frame is displaced.
    """
    n, height, width = frames.shape
    source_x, source_y = source_places(height, width, angle, flip)
    left, right_share = _split(source_x + drift[:, 0, None, None], width)
    top, bottom_share = _split(source_y + drift[:, 1, None, None], height)
    index = (top * width + left).reshape(n, -1)
    packed = _pack_neighbours(frames).reshape(n, -1)
    corners = jnp.take_along_axis(packed, index, 1, mode="promise_in_bounds")
    corners = lax.optimization_barrier(corners)
    value = lambda bits: ((corners >> bits) & 255).astype(jnp.float32).reshape(frames.shape)
    upper = value(0) * (1 - right_share) + value(8) * right_share
    lower = value(16) * (1 - right_share) + value(24) * right_share
    return (upper * (1 - bottom_share) + lower * bottom_share) / 255


def source_places(
    height: int, width: int, angle: jax.Array, flip: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Where in the frame each pixel of the moved one comes from: x and y, (height, width) each."""
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    y, x = jnp.arange(height)[:, None] - centre_y, jnp.arange(width) - centre_x
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    source_x = jnp.where(flip, -1.0, 1.0) * (cos * x - sin * y) + centre_x
    return source_x, sin * x + cos * y + centre_y


def _split(position, size):
    position = jnp.clip(position, 0.0, size - 1)
    whole = jnp.minimum(jnp.floor(position), size - 2)
    return whole.astype(jnp.int32), position - whole


def _pack_neighbours(frames):
    """A pixel and its right and lower neighbours in one word, so that one gather fetches all."""
    x = frames.astype(jnp.uint32)
    right = jnp.concatenate([x[..., 1:], x[..., -1:]], -1)
    row = x | (right << 8)
    below = jnp.concatenate([row[:, 1:], row[:, -1:]], 1)
    return lax.optimization_barrier(row | (below << 16))
