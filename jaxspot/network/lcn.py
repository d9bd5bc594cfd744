"""Local contrast normalisation, paper eq. 1."""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.typing import ArrayLike

SIGMA = 3.0
TRUNCATE = 3.0
FLAT = 1e-6


def local_contrast_normalise(
    images: ArrayLike, *, sigma: float = SIGMA, truncate: float = TRUNCATE
) -> jax.Array:
    """Subtracts the local mean and divides by the local standard deviation (paper eq. 1).

    `g = (f - m) / max(s, c)`: `m` and `s` are mean and standard deviation under a Gaussian window,
    `c` is the mean of `s` over the image. The paper calls `s` a variance. With the standard
    deviation, the result does not depend on the contrast. Borders are mirrored about the edge of
    the image. A constant image gives zeros.

    Args:
      images: float32 (..., height, width), range 0..1; or uint8, range 0..255.
      sigma: standard deviation of the Gaussian window in pixels.
      truncate: the window's radius in units of `sigma`.

    Returns:
      float32 (..., height, width), dimensionless.

    Raises:
      TypeError: images are neither float nor uint8.
      ValueError: fewer than two axes, or a side shorter than the window's radius.
    """
    images = unit_range(images)
    window = gaussian_window(sigma, truncate)
    difference = lax.optimization_barrier(images - blur(images, window))
    deviation = lax.optimization_barrier(jnp.sqrt(blur(difference * difference, window)))
    floor = deviation.mean((-2, -1), keepdims=True)
    # On a constant image only rounding is left; it must not be divided up into contrast.
    floor = jnp.where(floor > FLAT, floor, jnp.inf)
    return difference / jnp.maximum(deviation, floor)


def unit_range(images: ArrayLike) -> jax.Array:
    """Images (..., height, width) in the range 0..1: uint8 is divided by 255, floats stay.

    A TypeError for another dtype, a ValueError for fewer than two axes.
    """
    images = jnp.asarray(images)
    if images.ndim < 2:
        raise ValueError(f"images must have the shape (..., height, width), not {images.shape}")
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) / 255
    if not jnp.issubdtype(images.dtype, jnp.floating):
        raise TypeError(f"images must be uint8 or float in the range 0..1, not {images.dtype}")
    return images


def gaussian_window(sigma: float, truncate: float) -> tuple[float, ...]:
    """Weights of a Gaussian, radius `round(truncate * sigma)`; they sum to 1."""
    radius = int(truncate * sigma + 0.5)
    x = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    return tuple(float(w) for w in weights / weights.sum())


def blur(images: jax.Array, window: tuple[float, ...]) -> jax.Array:
    """Separable convolution of (..., height, width) with a symmetric window, mirrored borders.

    Written as shifted sums: XLA on CPU runs a small convolution some 40 times slower. The barriers
    keep it from computing each sum again in every consumer (`compile_program`); the last one is the
    caller's, so that what follows is done in the same pass over memory.
    """
    radius = len(window) // 2
    height, width = images.shape[-2:]
    if min(height, width) < radius:
        raise ValueError(
            f"images of {height}x{width} are smaller than the window's radius of {radius}"
        )
    return _slide(lax.optimization_barrier(_slide(images, window, -2)), window, -1)


def _slide(x, window, axis):
    radius, size = len(window) // 2, x.shape[axis]
    border = [(0, 0)] * x.ndim
    border[axis] = (radius, radius)
    padded = lax.optimization_barrier(jnp.pad(x, border, mode="symmetric"))
    at = lambda place: lax.slice_in_dim(padded, place, place + size, axis=axis)
    pairs = (at(radius - i) + at(radius + i) for i in range(1, radius + 1))
    weighted = (pair * weight for pair, weight in zip(pairs, window[radius + 1 :], strict=True))
    return functools.reduce(operator.add, weighted, at(radius) * window[radius])
