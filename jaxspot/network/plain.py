"""The network's parts as one would write them down: what the fast ones are compared with.

LCN, the movement of frames and the two blocks have fast twins of the same signature, which give the
same numbers up to rounding; `forms` pairs them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.ndimage import map_coordinates
from jax.typing import ArrayLike

from jaxspot.network.augment import source_places
from jaxspot.network.lcn import FLAT, SIGMA, TRUNCATE, gaussian_window, unit_range

EPSILON = 1e-5


class Norm(NamedTuple):
    """Batch normalisation: scale and bias (features,); mean and var, or None for the batch's own.

    The batch's own are taken over images and pixels, the variance without Bessel's correction.
    """

    scale: jax.Array
    bias: jax.Array
    mean: jax.Array | None
    var: jax.Array | None


Statistics = tuple[jax.Array, jax.Array]


def local_contrast_normalise(
    images: ArrayLike, *, sigma: float = SIGMA, truncate: float = TRUNCATE
) -> jax.Array:
    """`(f - m) / max(s, c)` of paper eq. 1, with library convolutions.

    `m` and `s` are mean and standard deviation under a Gaussian window, `c` the mean of `s` over
    the image; borders are mirrored, a constant image gives zeros. `lcn` is the fast twin.

    Args:
      images: float (..., height, width), range 0..1; or uint8, range 0..255.
      sigma: standard deviation of the window in pixels.
      truncate: the window's radius in units of `sigma`.

    Returns:
      float (..., height, width), without unit.

    Raises:
      TypeError: images of another dtype.
      ValueError: fewer than two axes.
    """
    images = unit_range(images)
    window = jnp.asarray(gaussian_window(sigma, truncate), images.dtype)
    difference = images - blur(images, window)
    deviation = jnp.sqrt(blur(difference**2, window))
    floor = deviation.mean((-2, -1), keepdims=True)
    return jnp.where(floor > FLAT, difference / jnp.maximum(deviation, floor), 0.0)


def blur(images: jax.Array, window: jax.Array) -> jax.Array:
    """Separable convolution of (..., height, width) with a symmetric window, mirrored borders."""
    radius = len(window) // 2
    flat = images.reshape(-1, 1, *images.shape[-2:])
    flat = jnp.pad(flat, ((0, 0), (0, 0), (radius, radius), (radius, radius)), mode="symmetric")
    for kernel in (window[:, None], window[None, :]):
        flat = lax.conv_general_dilated(
            flat, kernel[None, None], (1, 1), "VALID", precision=lax.Precision.HIGHEST
        )
    return flat.reshape(images.shape)


def move(frames: jax.Array, angle: jax.Array, flip: jax.Array, drift: jax.Array) -> jax.Array:
    """Rotates about the centre, mirrors and shifts by a library's bilinear interpolation.

    Args:
      frames: uint8 (frames, height, width).
      angle: radians, counter-clockwise on the screen.
      flip: bool, whether to mirror left and right first.
      drift: float (frames, 2), by how many pixels (x, y) the source of each frame is displaced.

    Returns:
      float32 (frames, height, width), range 0..1; outside, the nearest border pixel serves.
    """
    _, height, width = frames.shape
    source_x, source_y = source_places(height, width, angle, flip)

    def one(frame, shift):
        where = [source_y + shift[1], source_x + shift[0]]
        return map_coordinates(frame.astype(jnp.float32) / 255, where, order=1, mode="nearest")

    return jax.vmap(one)(frames, drift)


def pair_block(
    pairs: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str
) -> tuple[jax.Array, Statistics]:
    """Block 1: 2x3x3 depthwise over the pair, pointwise, BatchNorm, ReLU, 2x2 pooling.

    Args:
      pairs: float (pairs, 2, height, width), even sizes: the current frame, then its reference.
      depthwise: float (2, 3, 3, multiplier).
      pointwise: float (multiplier, features).
      norm: of the features.
      pooling: "max" or "average".

    Returns:
      float (pairs, height / 2, width / 2, features), and the mean and variance used.
    """
    x = lax.conv_general_dilated(
        pairs[..., None],
        depthwise[:, :, :, None],
        (1, 1, 1),
        ((0, 0), (1, 1), (1, 1)),
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )[:, 0]
    x, statistics = normalise(jnp.matmul(x, pointwise), norm)
    return pool(jax.nn.relu(x), pooling), statistics


def separable_block(
    x: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str | None
) -> tuple[jax.Array, Statistics]:
    """Blocks 2 and 3: 3x3 depthwise, pointwise, BatchNorm, ReLU and, if asked for, 2x2 pooling.

    Args:
      x: float (images, height, width, channels).
      depthwise: float (3, 3, channels).
      pointwise: float (channels, features).
      norm: of the features.
      pooling: "max", "average" or None.

    Returns:
      float (images, height, width, features), pooled or not, and the mean and variance used.
    """
    x = lax.conv_general_dilated(
        x,
        depthwise[:, :, None],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )
    x, statistics = normalise(jnp.matmul(x, pointwise), norm)
    return pool(jax.nn.relu(x), pooling), statistics


def normalise(x: jax.Array, norm: Norm) -> tuple[jax.Array, Statistics]:
    """Batch normalisation over all axes but the last, and the mean and variance used."""
    if norm.mean is None or norm.var is None:
        mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    else:
        mean, var = norm.mean, norm.var
    return (x - mean) * lax.rsqrt(var + EPSILON) * norm.scale + norm.bias, (mean, var)


def pool(x: jax.Array, pooling: str | None) -> jax.Array:
    """The "max" or "average" over 2x2 pixels of (images, height, width, features); None: as is."""
    if pooling is None:
        return x
    n, height, width, features = x.shape
    windows = x.reshape(n, height // 2, 2, width // 2, 2, features)
    return windows.max((2, 4)) if pooling == "max" else windows.mean((2, 4))
