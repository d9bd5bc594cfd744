"""The network's blocks from `kernels` and `pooled_kernels`; each equals its twin in `plain`."""

import jax
from jax import lax

from jaxspot.network import kernels, pooled_kernels
from jaxspot.network.plain import EPSILON, Norm, Statistics


def pair_block(
    pairs: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str
) -> tuple[jax.Array, Statistics]:
    """`plain.pair_block` as one convolution.

    Depthwise on one channel and pointwise make one 2x3x3 convolution of rank `multiplier`. Its
    statistics over a batch follow from the moments of the patches that it sees.
    """
    blocks = pooled_kernels.pair_blocks(pairs)
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
    x: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str | None
) -> tuple[jax.Array, Statistics]:
    """`plain.separable_block` by shifts, with the normalisation folded into the pointwise layer."""
    z = lax.optimization_barrier(kernels.depthwise(x, depthwise))
    scale, shift, statistics = fold_norm(kernels.moments(z), pointwise, norm)
    if pooling is None:
        y = jax.nn.relu(kernels.project(z, pointwise * scale) + shift)
        return lax.optimization_barrier(y), statistics
    return pooled_kernels.project_pool(z, pointwise * scale, shift, pooling), statistics


def fold_norm(
    moments: tuple[jax.Array, jax.Array], weights: jax.Array, norm: Norm, *, places: int = 1
) -> tuple[jax.Array, jax.Array, Statistics]:
    """Batch normalisation of `x @ weights` as a scale and a shift to fold into the weights.

    Args:
      moments: of `x`: mean (inputs,) and mean of outer products (inputs, inputs); not looked at
        where `norm` brings its own statistics.
      weights: float (inputs, places * features).
      norm: of the features.
      places: how many groups of columns share one set of statistics.

    Returns:
      scale and shift, each (features,), and the mean and variance used.
    """
    if norm.mean is None or norm.var is None:
        mean, var = kernels.projected_statistics(*moments, weights)
        means, variances = mean.reshape(places, -1), var.reshape(places, -1)
        mean, var = means.mean(0), variances.mean(0) + means.var(0)
    else:
        mean, var = norm.mean, norm.var
    scale = norm.scale * lax.rsqrt(var + EPSILON)
    return scale, norm.bias - mean * scale, (mean, var)
