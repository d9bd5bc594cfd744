"""The network's blocks from `kernels`; each equals its twin in `plain`."""

import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.network import kernels
from jaxspot.network.plain import EPSILON, Norm, Statistics

POOLS = {"max": kernels.relu_max_pool, "average": kernels.relu_average_pool}
PLACES = 4


def pair_block(
    pairs: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str
) -> tuple[jax.Array, Statistics]:
    """`plain.pair_block` as one matrix product.

    Depthwise on one channel and pointwise make one 2x3x3 convolution of rank `multiplier`; with the
    patches around every pooling window as rows it is one product.
    """
    patches = kernels.pair_patches(pairs)
    weights = kernels.patch_weights(depthwise @ pointwise).reshape(patches.shape[-1], -1)
    # Columns are place-major: the four places of a window come behind each other, each with all
    # features, and share one set of statistics.
    scale, shift, statistics = fold_norm(patches, weights, norm, places=PLACES)
    scale, shift = jnp.tile(scale, PLACES), jnp.tile(shift, PLACES)
    y = lax.optimization_barrier(kernels.project(patches, weights * scale) + shift)
    return POOLS[pooling](y.reshape(*y.shape[:-1], PLACES, -1)), statistics


def separable_block(
    x: jax.Array, depthwise: jax.Array, pointwise: jax.Array, norm: Norm, pooling: str | None
) -> tuple[jax.Array, Statistics]:
    """`plain.separable_block` by shifts, with the normalisation folded into the pointwise layer."""
    z = kernels.depthwise(x, depthwise)
    scale, shift, statistics = fold_norm(z, pointwise, norm)
    if pooling is None:
        return jax.nn.relu(kernels.project(z, pointwise * scale) + shift), statistics
    z = lax.optimization_barrier(kernels.split_places(z))
    y = lax.optimization_barrier(kernels.project(z, pointwise * scale) + shift)
    return POOLS[pooling](y), statistics


def fold_norm(
    x: jax.Array, weights: jax.Array, norm: Norm, *, places: int = 1
) -> tuple[jax.Array, jax.Array, Statistics]:
    """Batch normalisation of `x @ weights` as a scale and a shift to fold into the weights.

    Args:
      x: float (..., inputs).
      weights: float (inputs, places * features).
      norm: of the features.
      places: how many groups of columns share one set of statistics.

    Returns:
      scale and shift, each (features,), and the mean and variance used.
    """
    if norm.mean is None or norm.var is None:
        first, second = kernels.moments(x)
        mean, var = kernels.projected_statistics(first, second, weights)
        means, variances = mean.reshape(places, -1), var.reshape(places, -1)
        mean, var = means.mean(0), variances.mean(0) + means.var(0)
    else:
        mean, var = norm.mean, norm.var
    scale = norm.scale * lax.rsqrt(var + EPSILON)
    return scale, norm.bias - mean * scale, (mean, var)
