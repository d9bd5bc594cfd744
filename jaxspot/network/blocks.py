"""The blocks of Figure 1 as XLA runs them fast, from `kernels` and `pooled_kernels`.

`plain` holds the same blocks written with the library's convolutions. They need more memory, and
over a stack of folds they become convolutions of many groups.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
from jax import lax

from jaxspot.devices import on_cpu
from jaxspot.network import kernels, pooled_kernels

EPSILON = 1e-5
Statistics = tuple[jax.Array, jax.Array]


class Norm(NamedTuple):
    """Batch normalisation: scale and bias (features,); mean and var, or None for the batch's own.

    The batch's own are taken over images and pixels, the variance without Bessel's correction.
    """

    scale: jax.Array
    bias: jax.Array
    mean: jax.Array | None
    var: jax.Array | None


class Blocks(NamedTuple):
    """One form of the blocks; signatures as of `pair_block` and `separable_block`."""

    pair: Callable
    separable: Callable


def pair_block(
    pairs: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str
) -> tuple[jax.Array, Statistics]:
    """Block 1: 2x3x3 depthwise over the pair, pointwise, BatchNorm, ReLU, 2x2 pooling.

    Depthwise on one channel and pointwise make one 2x3x3 convolution of rank `multiplier`. Its
    statistics over a batch follow from the moments of the patches that it sees.

    `pairs` (pairs, 2, height, width), even sizes, the current frame first, then its reference;
    `depthwise` (2, 3, 3, multiplier); `pointwise` (multiplier, features); `pooling` "max" or
    "average" -> (pairs, height / 2, width / 2, features), and the mean and variance used.
    """
    blocks = pooled_kernels.cut_blocks(pairs)
    patches = pooled_kernels.pair_patches(blocks)
    kernel = depthwise @ pointwise
    weights = pooled_kernels.patch_weights(kernel)
    # A column for each place of a pooling window and feature; the places share their statistics.
    columns = weights.reshape(len(weights), -1)
    scale, shift, statistics = fold_norm(
        kernels.row_moments(patches), columns, norm, places=weights.shape[1]
    )
    y: jax.Array = pooled_kernels.convolve_pool(blocks, patches, kernel * scale, shift, pooling)
    return y, statistics


def separable_block(
    x: jax.Array,
    depthwise: jax.Array,
    pointwise: jax.Array,
    norm: Norm,
    pooling: str | None,
    *,
    tap_sums: Callable,
) -> tuple[jax.Array, Statistics]:
    """Blocks 2, 3 and on: 3x3 depthwise, pointwise, BatchNorm, ReLU and, if asked, 2x2 pooling.

    Depthwise is done by shifts, and the normalisation is folded into the pointwise layer.

    `x` (images, height, width, channels), `depthwise` (3, 3, channels), `pointwise` (channels,
    features) -> (images, height, width, features), pooled or not, and the mean and variance used.
    `tap_sums` see `kernels.depthwise`.
    """
    z = lax.optimization_barrier(kernels.depthwise(x, depthwise, tap_sums))
    scale, shift, statistics = fold_norm(kernels.moments(z), pointwise, norm)
    if pooling is None:
        y = jax.nn.relu(kernels.project(z, pointwise * scale) + shift)
        return lax.optimization_barrier(y), statistics
    return pooled_kernels.project_pool(z, pointwise * scale, shift, pooling), statistics


ON_CPU = Blocks(pair_block, partial(separable_block, tap_sums=kernels.tap_sums_by_image))
ELSEWHERE = Blocks(pair_block, partial(separable_block, tap_sums=kernels.tap_sums_whole))


def fast_blocks() -> Blocks:
    """The blocks in the form for the backend of this process."""
    return ON_CPU if on_cpu() else ELSEWHERE


def fold_norm(
    moments: tuple[jax.Array, jax.Array], weights: jax.Array, norm: Norm, *, places: int = 1
) -> tuple[jax.Array, jax.Array, Statistics]:
    """Batch normalisation of `x @ weights` as scale and shift (features,) to fold into the weights.

    `moments` of `x` as in `kernels.moments`, unused where `norm` has its own statistics; `weights`
    (inputs, places * features), of which the groups of columns, `places`, share statistics.
    """
    if norm.mean is None or norm.var is None:
        mean, var = kernels.projected_statistics(*moments, weights)
        means, variances = mean.reshape(places, -1), var.reshape(places, -1)
        mean, var = means.mean(0), variances.mean(0) + means.var(0)
    else:
        mean, var = norm.mean, norm.var
    scale = norm.scale * lax.rsqrt(var + EPSILON)
    return scale, norm.bias - mean * scale, (mean, var)
