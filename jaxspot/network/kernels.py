"""Primitives of the network in the form that XLA runs fast.

Channels come last. A small convolution is written as shifted multiply-adds; batch normalisation is
folded into the matrix that it follows. `pooled_kernels` holds what ends in a pooling.
"""

import functools
import operator
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

_CHUNK = 28 * 28
"""Pixels of an image of 112 x 112 after two poolings, which divide the rows of all its layers."""
_UNROLLED = 32
"""Images that `tap_sums_by_image` unrolls; it goes through more in a loop."""
_TAPS = [(i, j) for i in range(3) for j in range(3)]


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def depthwise(x: jax.Array, kernel: jax.Array, tap_sums: Callable) -> jax.Array:
    """Convolves every channel with its own 3x3 kernel; zeros outside, stride 1.

    Float (images, height, width, channels), (3, 3, channels) -> the shape of `x`. `tap_sums`, for
    the gradient of the kernel, is `tap_sums_whole` or `tap_sums_by_image`.
    """
    del tap_sums
    (height, width), padded = x.shape[1:3], _pad(x)
    shifted = (padded[:, i : i + height, j : j + width] * kernel[i, j] for i, j in _TAPS)
    return functools.reduce(operator.add, shifted)


def _depthwise_forward(x, kernel, tap_sums):
    return depthwise(x, kernel, tap_sums), (x, kernel)


def _depthwise_backward(tap_sums, residual, gradient):
    x, kernel = residual
    return depthwise(gradient, kernel[::-1, ::-1], tap_sums), tap_sums(_pad(x), gradient)


depthwise.defvjp(_depthwise_forward, _depthwise_backward)


def tap_sums_whole(padded: jax.Array, gradient: jax.Array) -> jax.Array:
    """The gradient of a 3x3 depthwise kernel, by nine sums over all images and pixels.

    The layer's input with its border, float (images, height + 2, width + 2, channels), and the
    gradient of its output -> (3, 3, channels).
    """
    height, width, channels = gradient.shape[1:]
    at = lambda i, j: padded[:, i : i + height, j : j + width] * gradient
    return jnp.stack([at(i, j).sum((0, 1, 2)) for i, j in _TAPS]).reshape(3, 3, channels)


def tap_sums_by_image(padded: jax.Array, gradient: jax.Array) -> jax.Array:
    """`tap_sums_whole` as XLA runs it fast on CPU: unrolled over images, added in place.

    `tap_sums_whole` would write nine products of full size there and then reduce them.
    """
    images = len(gradient)
    if images <= _UNROLLED:
        return _unrolled_sums(padded, gradient)
    whole = images - images % _UNROLLED
    cut = lambda x: x[:whole].reshape(-1, _UNROLLED, *x.shape[1:])
    sums = lax.map(lambda part: _unrolled_sums(*part), (cut(padded), cut(gradient))).sum(0)
    if whole == images:
        return sums
    return sums + _unrolled_sums(padded[whole:], gradient[whole:])


def _unrolled_sums(padded, gradient):
    height, width, channels = gradient.shape[1:]
    at = lambda n, i, j: padded[n, i : i + height, j : j + width] * gradient[n]
    products = [sum(at(n, i, j) for n in range(len(gradient))) for i, j in _TAPS]
    sums = jnp.stack([column_sum(p) for p in lax.optimization_barrier(products)])
    return sums.reshape(3, 3, channels)


def _pad(x):
    return lax.optimization_barrier(jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))))


def column_sum(x: jax.Array) -> jax.Array:
    """Sum over all axes but the last: float (..., channels) -> (channels,).

    Chunks of rows by a product with ones, then a short sum: fast, and 1e-7 accurate where one
    long float32 product is 1e-5.
    """
    rows = x.size // x.shape[-1]
    chunk = _chunk(rows)
    ones = jnp.ones((rows // chunk, 1, chunk), x.dtype)
    return (ones @ x.reshape(-1, chunk, x.shape[-1]))[:, 0].sum(0)


def _chunk(rows):
    return _CHUNK if rows % _CHUNK == 0 else rows


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
    """Moments over all axes but the last: float (..., channels) -> mean (channels,), second moment.

    The second moment is the mean of outer products, (channels, channels).
    """
    rows = x.reshape(-1, x.shape[-1])
    return column_sum(x) / rows.shape[0], rows.T @ rows / rows.shape[0]


def _moments_backward(x, gradients):
    mean, second = gradients
    rows = x.reshape(-1, x.shape[-1])
    return (((rows @ (second + second.T) + mean) / rows.shape[0]).reshape(x.shape),)


moments.defvjp(lambda x: (moments(x), x), _moments_backward)


def row_moments(rows: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`moments` of float (channels, n): patches make a product twice as fast in this order."""
    channels, n = rows.shape
    chunk = _chunk(n)
    sums = rows.reshape(channels, -1, chunk) @ jnp.ones((chunk,), rows.dtype)
    return sums.sum(1) / n, rows @ rows.T / n


def projected_statistics(
    mean: jax.Array, second: jax.Array, weights: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Mean and variance (outputs,) of `x @ weights` (inputs, outputs) from the `moments` of `x`."""
    covariance = second - jnp.outer(mean, mean)
    variance = ((covariance @ weights) * weights).sum(0)
    return mean @ weights, jnp.maximum(variance, 0.0)
