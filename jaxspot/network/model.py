"""The two-stream network, paper section 2.2 and Figure 1.

Every stream is a pair of frames, the current one and a reference some frames away; all streams go
through one trunk of three depthwise separable blocks with the same weights.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.network import kernels

EPSILON = 1e-5


class TwoStream(nn.Module):
    """Scores a frame against its references, paper Figure 1.

    Attributes:
      widths: channels after each of the three blocks.
      multiplier: filters of the first depthwise layer; on one gray channel, one would learn little.
      pooling: "max" or "average" over 2x2 pixels after blocks 1 and 2.
      regions: side of the grid of regional averages that sums up a stream; 1 is the paper's global
        average pooling, 7 keeps where in the face something moved.
      start: "random", or "difference": the first block starts as current frame minus reference.
      dropout: share of channels dropped after blocks 1 and 2 in training.
      momentum: of the running statistics of batch normalisation.
    """

    widths: tuple[int, int, int] = (16, 32, 64)
    multiplier: int = 8
    pooling: str = "max"
    regions: int = 1
    start: str = "random"
    dropout: float = 0.0
    momentum: float = 0.9

    @nn.compact
    def __call__(self, frames: jax.Array, *, train: bool) -> jax.Array:
        """Logits of micro- and macro-expression.

        Args:
          frames: float (batch, 1 + streams, height, width), normalised by LCN: the current frame,
            then one reference per stream. Height and width are multiples of 4.
          train: normalise by the batch's own statistics and drop channels (needs a "dropout" key);
            otherwise by the running statistics.

        Returns:
          float (batch, 2): logits of ME and MaE.
        """
        batch, streams = frames.shape[0], frames.shape[1] - 1
        current = jnp.broadcast_to(frames[:, :1], frames[:, 1:].shape)
        pairs = jnp.stack([current, frames[:, 1:]], 2).reshape(-1, 2, *frames.shape[2:])

        x = PairBlock(self.widths[0], self.multiplier, self.pooling, self.start, self.momentum)(
            pairs, train=train
        )
        x = self._drop(x, train)
        x = SeparableBlock(self.widths[1], self.pooling, self.momentum)(x, train=train)
        x = self._drop(x, train)
        x = SeparableBlock(self.widths[2], None, self.momentum)(x, train=train)
        x = regional_average(x, self.regions).reshape(len(x), -1)
        if self.regions > 1:
            x = nn.Dense(self.widths[2], name="Project")(x)
        x = ResidualDense()(x)
        return nn.Dense(2, name="Output")(x.reshape(batch, streams * x.shape[-1]))

    def _drop(self, x, train):
        return nn.Dropout(self.dropout, broadcast_dims=(1, 2))(x, deterministic=not train)


class PairBlock(nn.Module):
    """Block 1: 2x3x3 depthwise over the pair, pointwise, BatchNorm, ReLU, 2x2 pooling.

    Depthwise on one channel and pointwise make one 2x3x3 convolution of rank `multiplier`, computed
    as one product with the patches around every pooling window.
    """

    features: int
    multiplier: int
    pooling: str
    start: str
    momentum: float

    @nn.compact
    def __call__(self, pairs: jax.Array, *, train: bool) -> jax.Array:
        """Float (pairs, 2, height, width) -> (pairs, height / 2, width / 2, features)."""
        initialiser = {"random": _fan_in(18), "difference": temporal_difference}[self.start]
        depthwise = self.param("depthwise", initialiser, (2, 3, 3, self.multiplier))
        pointwise = self.param(
            "pointwise", _fan_in(self.multiplier), (self.multiplier, self.features)
        )
        patches = kernels.pair_patches(pairs)
        weights = kernels.patch_weights(depthwise @ pointwise).reshape(patches.shape[-1], -1)
        # Columns are place-major: the four places of a window come behind each other, each with all
        # features, and share one set of statistics.
        scale, shift = FoldedBatchNorm(self.features, places=4, momentum=self.momentum)(
            patches, weights, train=train
        )
        scale, shift = jnp.tile(scale, 4), jnp.tile(shift, 4)
        y = lax.optimization_barrier(kernels.project(patches, weights * scale) + shift)
        return _pool(self.pooling)(y.reshape(*y.shape[:-1], 4, -1))


class SeparableBlock(nn.Module):
    """Blocks 2 and 3: 3x3 depthwise, pointwise, BatchNorm, ReLU and, if asked for, 2x2 pooling."""

    features: int
    pooling: str | None
    momentum: float

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Float (images, height, width, channels) -> (..., features), pooled or not."""
        channels = x.shape[-1]
        kernel = self.param("depthwise", _fan_in(9), (3, 3, channels))
        weights = self.param("pointwise", _fan_in(channels), (channels, self.features))
        z = kernels.depthwise(x, kernel)
        scale, shift = FoldedBatchNorm(self.features, momentum=self.momentum)(
            z, weights, train=train
        )
        if self.pooling is None:
            return nn.relu(kernels.project(z, weights * scale) + shift)
        z = lax.optimization_barrier(kernels.split_places(z))
        y = lax.optimization_barrier(kernels.project(z, weights * scale) + shift)
        return _pool(self.pooling)(y)


class FoldedBatchNorm(nn.Module):
    """Batch normalisation of `x @ weights`, as a scale and a shift to fold into the weights."""

    features: int
    places: int = 1
    momentum: float = 0.9

    @nn.compact
    def __call__(
        self, x: jax.Array, weights: jax.Array, *, train: bool
    ) -> tuple[jax.Array, jax.Array]:
        """Float (..., inputs), (inputs, places * features) -> scale, shift, each (features,)."""
        gain = self.param("scale", nn.initializers.ones, (self.features,))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        running = (
            self.variable("batch_stats", "mean", jnp.zeros, (self.features,), weights.dtype),
            self.variable("batch_stats", "var", jnp.ones, (self.features,), weights.dtype),
        )
        if train:
            mean, var = self._batch_statistics(x, weights)
            if not self.is_initializing():
                for variable, value in zip(running, (mean, var), strict=True):
                    value = lax.stop_gradient(value)
                    variable.value = self.momentum * variable.value + (1 - self.momentum) * value
        else:
            mean, var = (variable.value for variable in running)
        scale = gain * lax.rsqrt(var + EPSILON)
        return scale, bias - mean * scale

    def _batch_statistics(self, x, weights):
        first, second = kernels.moments(x)
        mean, var = kernels.projected_statistics(first, second, weights)
        means, variances = mean.reshape(self.places, -1), var.reshape(self.places, -1)
        return means.mean(0), variances.mean(0) + means.var(0)


class ResidualDense(nn.Module):
    """Two dense layers with a skip connection, paper section 2.2."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (streams, features) -> the same shape."""
        hidden = nn.relu(nn.Dense(x.shape[-1])(x))
        return x + nn.Dense(x.shape[-1])(hidden)


def regional_average(x: jax.Array, regions: int) -> jax.Array:
    """Averages over a grid: (images, height, width, channels) -> (images, regions**2, channels)."""
    n, height, width, channels = x.shape
    if height % regions or width % regions:
        raise ValueError(
            f"{height}x{width} features cannot be cut into {regions}x{regions} regions"
        )
    cells = x.reshape(n, regions, height // regions, regions, width // regions, channels)
    return cells.mean((2, 4)).reshape(n, regions * regions, channels)


def temporal_difference(key: jax.Array, shape: tuple[int, ...], dtype=jnp.float32) -> jax.Array:
    """Initial (2, 3, 3, filters): random taps on the current frame, minus them on the reference."""
    taps = jax.random.normal(key, shape[1:], dtype) / jnp.sqrt(jnp.asarray(18, dtype))
    return jnp.stack([taps, -taps])


def _fan_in(inputs: int) -> Callable:
    return nn.initializers.normal((1 / inputs) ** 0.5)


def _pool(name: str) -> Callable[[jax.Array], jax.Array]:
    return {"max": kernels.relu_max_pool, "average": kernels.relu_average_pool}[name]
