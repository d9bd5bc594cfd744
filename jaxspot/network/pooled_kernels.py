"""Products and convolutions that end in a shift, ReLU and 2x2 pooling.

The four places of a pooling window are (row, column) = (0, 0), (0, 1), (1, 0), (1, 1). Which of
them passed ReLU and pooling is all that the gradient needs: a bit each, a byte per window.
"""

from collections.abc import Sequence
from functools import partial, reduce
from operator import add

import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.network.kernels import column_sum, project

PLACES = [(0, 0), (0, 1), (1, 0), (1, 1)]
SHARE = {"max": 1.0, "average": 0.25}


def project_pool(x: jax.Array, weights: jax.Array, shift: jax.Array, pooling: str) -> jax.Array:
    """`x @ weights + shift`, ReLU, then the "max" or "average" over 2x2 pixels.

    Float (images, height, width, inputs), (inputs, outputs), (outputs,) -> (images, height / 2,
    width / 2, outputs).
    """
    return _relu_pool(lax.optimization_barrier(project(x, weights)), shift, pooling)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def _relu_pool(y, shift, pooling):
    return _pool(_places_of(y), shift, pooling)[0]


def _places_of(y):
    return [y[:, row::2, column::2] for row, column in PLACES]


def _relu_pool_forward(y, shift, pooling):
    return lax.optimization_barrier(_pool(_places_of(y), shift, pooling))


def _relu_pool_backward(pooling, passed, gradient):
    gradient = lax.optimization_barrier(gradient)
    n, height, width, channels = gradient.shape
    places = jnp.arange(4, dtype=jnp.uint8).reshape(2, 1, 2, 1)
    across = lambda y: y[:, :, None, :, None]
    y_gradient = _unpool(across(passed), across(gradient), places, pooling)
    y_gradient = y_gradient.reshape(n, 2 * height, 2 * width, channels)
    return y_gradient, _passed_sum(passed, gradient, pooling)


_relu_pool.defvjp(_relu_pool_forward, _relu_pool_backward)


def cut_blocks(pairs: jax.Array) -> jax.Array:
    """Pairs of frames cut into blocks of 2x2 pixels, that begin one pixel outside; zeros there.

    Float (pairs, 2, height, width) -> (row in block, column in block, frame, pairs, height / 2 + 1,
    width / 2 + 1).
    """
    n, _, height, width = pairs.shape
    padded = jnp.pad(lax.optimization_barrier(pairs), ((0, 0), (0, 0), (1, 1), (1, 1)))
    blocks = padded.reshape(n, 2, height // 2 + 1, 2, width // 2 + 1, 2)
    return lax.optimization_barrier(blocks.transpose(3, 5, 1, 0, 2, 4))


def pair_patches(blocks: jax.Array) -> jax.Array:
    """The 2x4x4 neighbourhood of every pooling window, pixel by pixel, from `cut_blocks`.

    Float (32, pairs * height / 2 * width / 2), in the order of `patch_weights`.
    """
    h, w = blocks.shape[-2] - 1, blocks.shape[-1] - 1
    corners = [blocks[..., i : i + h, j : j + w] for i in (0, 1) for j in (0, 1)]
    return lax.optimization_barrier(jnp.stack(corners).reshape(32, -1))


def patch_weights(kernel: jax.Array) -> jax.Array:
    """A 2x3x3 kernel set against `pair_patches`, once for each of the four places of the window.

    Float (2, 3, 3, outputs) -> (32, 4, outputs).
    """
    outputs = kernel.shape[-1]
    places = [jnp.pad(kernel, ((0, 0), (a, 1 - a), (b, 1 - b), (0, 0))) for a, b in PLACES]
    # place, frame, row of block, row in it, column of block, column in it, output
    window = jnp.stack(places).reshape(4, 2, 2, 2, 2, 2, outputs)
    return window.transpose(2, 4, 3, 5, 1, 0, 6).reshape(32, 4, outputs)


@partial(jax.custom_vjp, nondiff_argnums=(4,))
def convolve_pool(
    blocks: jax.Array, patches: jax.Array, kernel: jax.Array, shift: jax.Array, pooling: str
) -> jax.Array:
    """2x3x3 convolution of pairs plus a shift, ReLU, then the "max" or "average" over 2x2 pixels.

    From `cut_blocks` and `pair_patches` of the same, a kernel (2, 3, 3, outputs) and a shift
    (outputs,) to float (pairs, height / 2, width / 2, outputs). Values come from the blocks; the
    convolution is never stored. Gradients come from the patches; as those are made of the blocks,
    none is passed to the blocks.
    """
    del patches
    return lax.optimization_barrier(_pool(_convolve_places(blocks, kernel), shift, pooling)[0])


def _convolve_places(blocks, kernel):
    h, w = blocks.shape[-2] - 1, blocks.shape[-1] - 1

    def at(frame, row, column):
        i, j = row // 2, column // 2
        return blocks[row % 2, column % 2, frame, :, i : i + h, j : j + w, None]

    taps = [(t, i, j) for t in range(2) for i in range(3) for j in range(3)]
    place = lambda a, b: reduce(add, (at(t, a + i, b + j) * kernel[t, i, j] for t, i, j in taps))
    return [place(a, b) for a, b in PLACES]


def _convolve_pool_forward(blocks, patches, kernel, shift, pooling):
    places = _convolve_places(blocks, kernel)
    pooled, passed = lax.optimization_barrier(_pool(places, shift, pooling))
    return pooled, (patches, kernel, passed)


def _convolve_pool_backward(pooling, residual, gradient):
    patches, kernel, passed = residual
    gradient = lax.optimization_barrier(gradient)
    weights, transpose = jax.vjp(patch_weights, kernel)
    places = jnp.arange(4, dtype=jnp.uint8)[:, None]
    across = lambda y: y[..., None, :]
    rows = _unpool(across(passed), across(gradient), places, pooling)
    rows = rows.reshape(-1, 4 * kernel.shape[-1])
    (kernel_gradient,) = transpose((patches @ rows).reshape(weights.shape))
    patch_gradient = weights.reshape(32, -1) @ rows.T
    return None, patch_gradient, kernel_gradient, _passed_sum(passed, gradient, pooling)


convolve_pool.defvjp(_convolve_pool_forward, _convolve_pool_backward)


def _pool(places: Sequence[jax.Array], shift, pooling):
    """The pooled values, and in which places of each window the gradient goes on: a bit each."""
    if pooling == "average":
        sums = [place + shift for place in places]
        passed = [(y > 0).astype(jnp.uint8) << number for number, y in enumerate(sums)]
        total = reduce(add, (jnp.maximum(y, 0.0) for y in sums))
        return total * SHARE[pooling], reduce(add, passed)
    peak = reduce(jnp.maximum, places)
    first = jnp.full(peak.shape, 8, jnp.uint8)  # a tie goes to the first place
    for number in (2, 1, 0):
        first = jnp.where(places[number] == peak, jnp.uint8(1 << number), first)
    peak = peak + shift
    return jnp.maximum(peak, 0.0), jnp.where(peak > 0, first, jnp.uint8(0))


def _unpool(passed, gradient, places, pooling):
    """The pooled gradient at every place that passed, 0 at the others."""
    open_ = (passed >> places) & 1 > 0
    return lax.optimization_barrier(jnp.where(open_, gradient * SHARE[pooling], 0.0))


def _passed_sum(passed, gradient, pooling):
    """The gradient of the shift, which is added at every place."""
    count = lax.population_count(passed).astype(gradient.dtype)
    return column_sum(lax.optimization_barrier(gradient * count * SHARE[pooling]))
