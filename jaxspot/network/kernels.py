"""Primitives of the network in the form that XLA runs fast, on CPU above all.

Channels come last. A small convolution is written as shifted multiply-adds or as one matrix
product; batch normalisation is folded into the matrix that it follows.
"""

import functools
import operator

import jax
import jax.numpy as jnp
from jax import lax

_TAPS = [(i, j) for i in range(3) for j in range(3)]


@jax.custom_vjp
def depthwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolves every channel with its own 3x3 kernel; zeros outside, stride 1.

    Args:
      x: float (images, height, width, channels).
      kernel: float (3, 3, channels).

    Returns:
      float (images, height, width, channels).
    """
    height, width = x.shape[1:3]
    padded = _pad(x)
    shifted = (padded[:, i : i + height, j : j + width] * kernel[i, j] for i, j in _TAPS)
    return functools.reduce(operator.add, shifted)


def _depthwise_forward(x, kernel):
    return depthwise(x, kernel), (x, kernel)


def _depthwise_backward(residual, gradient):
    x, kernel = residual
    height, width, channels = x.shape[1:]
    padded = _pad(x)
    # Summed over images first, by adds in place; autodiff would reduce nine full-size products.
    products = [
        sum(
            padded[n, i : i + height, j : j + width] * gradient[n] for n in range(gradient.shape[0])
        )
        for i, j in _TAPS
    ]
    sums = jnp.stack([column_sum(p) for p in lax.optimization_barrier(products)])
    return depthwise(gradient, kernel[::-1, ::-1]), sums.reshape(3, 3, channels)


depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def _pad(x):
    return lax.optimization_barrier(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))


def column_sum(x: jax.Array) -> jax.Array:
    """Sum over all axes but the last: float (..., channels) -> (channels,).

    Chunks of 784 rows by a product with ones, then a short sum: fast, and 1e-7 accurate where one
    long float32 product is 1e-5.
    """
    rows = x.size // x.shape[-1]
    chunk = 784 if rows % 784 == 0 else rows
    ones = jnp.ones((rows // chunk, 1, chunk), x.dtype)
    return (ones @ x.reshape(-1, chunk, x.shape[-1]))[:, 0].sum(0)


@jax.custom_vjp
def project(x: jax.Array, weights: jax.Array) -> jax.Array:
    """`x @ weights`: float (..., inputs), (inputs, outputs) -> (..., outputs).

    The gradient of the weights is one product of two tall matrices as they lie; the derived form
    copies the larger of them to its transpose first.
    """
    return (x.reshape(-1, x.shape[-1]) @ weights).reshape(*x.shape[:-1], weights.shape[-1])


def _project_backward(residual, gradient):
    x, weights = residual
    rows = lax.optimization_barrier(gradient).reshape(-1, weights.shape[-1])
    return (rows @ weights.T).reshape(x.shape), x.reshape(-1, x.shape[-1]).T @ rows


project.defvjp(lambda x, weights: (project(x, weights), (x, weights)), _project_backward)


@jax.custom_vjp
def moments(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """First and second moments over all axes but the last.

    Args:
      x: float (..., channels).

    Returns:
      mean (channels,) and mean of outer products (channels, channels).
    """
    rows = x.reshape(-1, x.shape[-1])
    return column_sum(x) / len(rows), rows.T @ rows / len(rows)


def _moments_backward(x, gradients):
    mean, second = gradients
    rows = x.reshape(-1, x.shape[-1])
    return (((rows @ (second + second.T) + mean) / len(rows)).reshape(x.shape),)


moments.defvjp(lambda x: (moments(x), x), _moments_backward)


def projected_statistics(
    mean: jax.Array, second: jax.Array, weights: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Mean and variance of `x @ weights` from the moments of `x`.

    Args:
      mean: float (inputs,).
      second: float (inputs, inputs), mean of outer products.
      weights: float (inputs, outputs).

    Returns:
      mean and variance, each (outputs,).
    """
    covariance = second - jnp.outer(mean, mean)
    variance = ((covariance @ weights) * weights).sum(0)
    return mean @ weights, jnp.maximum(variance, 0.0)


def split_places(x: jax.Array) -> jax.Array:
    """Puts the four places of every 2x2 pooling window on an axis of their own.

    Args:
      x: (images, height, width, channels), even sizes.

    Returns:
      (images, height / 2, width / 2, 4, channels).
    """
    n, height, width, channels = x.shape
    windows = x.reshape(n, height // 2, 2, width // 2, 2, channels).swapaxes(2, 3)
    return windows.reshape(n, height // 2, width // 2, 4, channels)


@jax.custom_vjp
def relu_max_pool(x: jax.Array) -> jax.Array:
    """Largest of four places, 0 where all are negative: (..., 4, channels) -> (..., channels).

    Which place won is kept in one byte; a tie goes to the first.
    """
    return jnp.maximum(_largest_place(x), 0.0)


def _largest_place(x):
    return functools.reduce(jnp.maximum, (x[..., place, :] for place in range(4)))


def _relu_max_pool_forward(x):
    peak = _largest_place(x)
    winner = jnp.full(peak.shape, 3, jnp.uint8)
    for place in (2, 1, 0):
        winner = jnp.where(x[..., place, :] == peak, jnp.uint8(place), winner)
    winner = jnp.where(peak > 0, winner, jnp.uint8(4))
    return lax.optimization_barrier((jnp.maximum(peak, 0.0), winner))


def _relu_max_pool_backward(winner, gradient):
    gradient = lax.optimization_barrier(gradient)
    places = jnp.arange(4, dtype=jnp.uint8)[:, None]
    return (jnp.where(winner[..., None, :] == places, gradient[..., None, :], 0.0),)


relu_max_pool.defvjp(_relu_max_pool_forward, _relu_max_pool_backward)


@jax.custom_vjp
def relu_average_pool(x: jax.Array) -> jax.Array:
    """Mean of the four places after ReLU: (..., 4, channels) -> (..., channels)."""
    first, second, third, fourth = (jnp.maximum(x[..., place, :], 0.0) for place in range(4))
    return (first + second + third + fourth) / 4


def _relu_average_pool_backward(x, gradient):
    gradient = lax.optimization_barrier(gradient)
    return (jnp.where(x > 0, gradient[..., None, :] / 4, 0.0),)


relu_average_pool.defvjp(lambda x: (relu_average_pool(x), x), _relu_average_pool_backward)


def pair_patches(pairs: jax.Array) -> jax.Array:
    """The 2x4x4 neighbourhood of every 2x2 pixels, zeros outside.

    With them a 2x3x3 convolution at the four places of a 2x2 pooling window is one matrix product
    (`patch_weights`).

    Args:
      pairs: float (pairs, 2, height, width), even sizes.

    Returns:
      float (pairs, height / 2, width / 2, 32).
    """
    n, _, height, width = pairs.shape
    h, w = height // 2 + 1, width // 2 + 1
    padded = jnp.pad(pairs, ((0, 0), (0, 0), (1, 1), (1, 1)))
    blocks = padded.reshape(n, 2, h, 2, w, 2).transpose(0, 2, 4, 1, 3, 5).reshape(n, h, w, 8)
    blocks = lax.optimization_barrier(blocks)
    corners = [blocks[:, i : i + h - 1, j : j + w - 1] for i in (0, 1) for j in (0, 1)]
    return lax.optimization_barrier(jnp.concatenate(corners, -1))


def patch_weights(kernel: jax.Array) -> jax.Array:
    """A 2x3x3 kernel set against `pair_patches`, once for each of the four places of the window.

    Args:
      kernel: float (2, 3, 3, outputs).

    Returns:
      float (32, 4, outputs).
    """
    outputs = kernel.shape[-1]
    places = [
        jnp.pad(kernel, ((0, 0), (a, 1 - a), (b, 1 - b), (0, 0))) for a in (0, 1) for b in (0, 1)
    ]
    # place, frame, row of block, row in it, column of block, column in it, output
    window = jnp.stack(places).reshape(4, 2, 2, 2, 2, 2, outputs)
    blocks = window.transpose(2, 4, 1, 3, 5, 0, 6)
    return blocks.reshape(32, 4, outputs)
