"""Local contrast normalisation, paper eq. 1."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

SIGMA = 3.0
TRUNCATE = 3.0
FLAT = 1e-6


def local_contrast_normalise(
    images: jax.Array, *, sigma: float = SIGMA, truncate: float = TRUNCATE
) -> jax.Array:
    """Subtracts the local mean and divides by the local deviation, paper eq. 1.

    `g = (f - m) / max(s, c)`: `m` and `s` are mean and standard deviation under a Gaussian window,
    `c` is the mean of `s` over the image. The paper calls `s` a variance; only with the deviation
    does the result stay the same when the contrast changes. Borders are mirrored about the edge of
    the image. A constant image gives zeros.

    Args:
      images: float32 (..., height, width), range 0..1.
      sigma: standard deviation of the Gaussian window in pixels.
      truncate: the window's radius in units of `sigma`.

    Returns:
      float32 (..., height, width), without unit.
    """
    window = gaussian_window(sigma, truncate)
    difference = lax.optimization_barrier(images - blur(images, window))
    deviation = lax.optimization_barrier(jnp.sqrt(blur(difference * difference, window)))
    floor = deviation.mean((-2, -1), keepdims=True)
    # On a constant image only rounding is left; it must not be divided up into contrast.
    floor = jnp.where(floor > FLAT, floor, jnp.inf)
    return difference / jnp.maximum(deviation, floor)


def gaussian_window(sigma: float, truncate: float) -> tuple[float, ...]:
    """Weights of a Gaussian, radius `round(truncate * sigma)`; they sum to 1."""
    radius = int(truncate * sigma + 0.5)
    x = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (x / sigma) ** 2)
    return tuple(float(w) for w in weights / weights.sum())


def blur(images: jax.Array, window: tuple[float, ...]) -> jax.Array:
    """Separable convolution of (..., height, width) with a symmetric window, mirrored borders.

    Written as shifted sums: XLA on CPU runs a small convolution some 40 times slower. The barriers
    keep it from computing each sum again in every consumer (`compile_program`).
    """
    height, width = images.shape[-2:]
    radius = len(window) // 2
    if min(height, width) < radius:
        raise ValueError(f"images of {height}x{width} are smaller than the window of {radius}")
    border = [(0, 0)] * (images.ndim - 2) + [(radius, radius)] * 2
    x = lax.optimization_barrier(jnp.pad(images, border, mode="symmetric"))
    x = sum(x[..., i : i + height, :] * weight for i, weight in enumerate(window))
    x = lax.optimization_barrier(x)
    x = sum(x[..., i : i + width] * weight for i, weight in enumerate(window))
    return lax.optimization_barrier(x)
