"""LCN, augmentation and the paper's trunk by library functions, for tests and the benchmark.

They have the signatures and parameters of the fast ones and give the same numbers up to rounding.
"""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.ndimage import map_coordinates
from jax.typing import ArrayLike

from jaxspot.network.augment import Augmentation, draw_changes, relight, source_places
from jaxspot.network.blocks import EPSILON, Blocks, Norm, Statistics
from jaxspot.network.convolution import Convolution
from jaxspot.network.lcn import FLAT, SIGMA, TRUNCATE, gaussian_window, unit_range


def local_contrast_normalise(
    images: ArrayLike, *, sigma: float = SIGMA, truncate: float = TRUNCATE
) -> jax.Array:
    """`lcn.local_contrast_normalise` with the library's convolutions."""
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
    """`augment.move` by the library's bilinear interpolation."""
    _, height, width = frames.shape
    source_x, source_y = source_places(height, width, angle, flip)

    def one(frame, shift):
        where = [source_y + shift[1], source_x + shift[0]]
        return map_coordinates(frame.astype(jnp.float32) / 255, where, order=1, mode="nearest")

    return jax.vmap(one)(frames, drift)


def augment(frames: jax.Array, key: jax.Array, ranges: Augmentation) -> jax.Array:
    """`augment.augment` with `move` from here."""
    motion, light = draw_changes(key, ranges, len(frames))
    return relight(move(frames, *motion), *light)


def pair_block(
    pairs: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str
) -> tuple[jax.Array, Statistics]:
    """`blocks.pair_block` with the library's convolution."""
    x = lax.conv_general_dilated(
        pairs[..., None],
        depthwise[:, :, :, None],
        (1, 1, 1),
        ((0, 0), (1, 1), (1, 1)),
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )[:, 0]
    x, statistics = batch_normalise(jnp.matmul(x, pointwise), norm)
    return pool(jax.nn.relu(x), pooling), statistics


def separable_block(
    x: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str | None
) -> tuple[jax.Array, Statistics]:
    """`blocks.separable_block` with the library's grouped convolution."""
    x = lax.conv_general_dilated(
        x,
        depthwise[:, :, None],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )
    x, statistics = batch_normalise(jnp.matmul(x, pointwise), norm)
    return pool(jax.nn.relu(x), pooling), statistics


def batch_normalise(x: jax.Array, norm: Norm) -> tuple[jax.Array, Statistics]:
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


class PlainConvolution(Convolution):
    """`Convolution` with the blocks from here: the same parameters, slow on CPU."""

    blocks: ClassVar[Blocks | None] = Blocks(pair_block, separable_block)
