"""The convolution trunk of Figure 1: depthwise separable blocks over pairs of frames."""

from collections.abc import Callable
from typing import ClassVar, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxspot.errors import check_fields, check_numbers
from jaxspot.network.blocks import EPSILON, Blocks, Norm, fast_blocks

MOMENTUM = 0.9
"""Of the running statistics of batch normalisation."""


class Convolution(nn.Module):
    """The paper's trunk: three depthwise separable blocks, then spatial averages (Figure 1).

    Attributes:
      widths: channels after each of the three blocks.
      multiplier: filters of the first depthwise layer. Its input is one gray channel, so a single
        filter would learn little.
      pooling: "max" or "average" over 2x2 pixels after blocks 1 and 2.
      pool_grid: n, where each stream is averaged over the cells of an n x n grid: 1, 2, 4, 7, 14
        or 28. The paper's global average pooling is n = 1. With 7, the features keep
        where in the face the movement was.
      kernel_init: "random", or "difference": block 1 starts as current frame minus reference.
      dropout: share of channels dropped in training after every block.
      norm: "batch", or "none": the pointwise layers have a bias instead.
      extra_blocks: number of blocks after the third, with the same width and without pooling. The
        paper counts its three blocks as three layers, so 7 extra blocks make the 10 layers of
        section 4.3.

    Raises:
      ValueError: when the module is built with an option value that is not listed above.
    """

    widths: tuple[int, int, int] = (16, 32, 64)
    multiplier: int = 8
    pooling: Literal["max", "average"] = "max"
    pool_grid: Literal[1, 2, 4, 7, 14, 28] = 1
    kernel_init: Literal["random", "difference"] = "random"
    dropout: float = 0.0
    norm: Literal["batch", "none"] = "batch"
    extra_blocks: int = 0
    multiple: ClassVar[int] = 4
    blocks: ClassVar[Blocks | None] = None

    def __post_init__(self):
        check_fields(self)
        check_numbers(self, "widths", "multiplier", least=1)
        check_numbers(self, "extra_blocks", least=0)
        check_numbers(self, "dropout", least=0, below=1)
        super().__post_init__()

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Float (batch, 1 + streams, height, width) -> (batch * streams, features)."""
        current = jnp.broadcast_to(inputs[:, :1], inputs[:, 1:].shape)
        pairs = jnp.stack([current, inputs[:, 1:]], 2).reshape(-1, 2, *inputs.shape[2:])
        one, two, three = self.widths
        norm = BatchNorm if self.norm == "batch" else Bias
        blocks = self.blocks or fast_blocks()
        first = PairBlock(one, norm, blocks.pair, self.multiplier, self.kernel_init)
        x = self._drop(first(pairs, self.pooling, train=train), train)
        for width, pooling in [(two, self.pooling)] + (1 + self.extra_blocks) * [(three, None)]:
            block = SeparableBlock(width, norm, blocks.separable)
            x = self._drop(block(x, pooling, train=train), train)
        x = regional_average(x, self.pool_grid).reshape(x.shape[0], -1)
        return nn.Dense(three, name="Project")(x) if self.pool_grid > 1 else x

    def _drop(self, x, train):
        if not self.dropout:
            return x
        return nn.Dropout(self.dropout, broadcast_dims=(1, 2))(x, deterministic=not train)


class PairBlock(nn.Module):
    """The weights of block 1; `compute` is a function such as `pair_block`."""

    features: int
    norm: Callable
    compute: Callable
    multiplier: int
    kernel_init: str

    @nn.compact
    def __call__(self, pairs: jax.Array, pooling: str, *, train: bool) -> jax.Array:
        """Float (pairs, 2, height, width) -> (pairs, height / 2, width / 2, features)."""
        init = {"random": _fan_in(18), "difference": temporal_difference}[self.kernel_init]
        depthwise = self.param("depthwise", init, (2, 3, 3, self.multiplier))
        shape = self.multiplier, self.features
        pointwise = self.param("pointwise", _fan_in(self.multiplier), shape)
        compute = lambda norm: self.compute(pairs, depthwise, pointwise, norm, pooling)
        return self.norm(self.features)(compute, train=train)


class SeparableBlock(nn.Module):
    """The weights of blocks 2, 3 and on; `compute` is a function such as `separable_block`."""

    features: int
    norm: Callable
    compute: Callable

    @nn.compact
    def __call__(self, x: jax.Array, pooling: str | None, *, train: bool) -> jax.Array:
        """Float (images, height, width, channels) -> (..., features), pooled or not."""
        channels = x.shape[-1]
        depthwise = self.param("depthwise", _fan_in(9), (3, 3, channels))
        pointwise = self.param("pointwise", _fan_in(channels), (channels, self.features))
        compute = lambda norm: self.compute(x, depthwise, pointwise, norm, pooling)
        return self.norm(self.features)(compute, train=train)


class BatchNorm(nn.Module):
    """What batch normalisation learns and remembers; the block computes with it."""

    features: int

    @nn.compact
    def __call__(self, compute: Callable, *, train: bool) -> jax.Array:
        """`compute`: from a `Norm` to values and the statistics used; training remembers these."""
        scale = self.param("scale", nn.initializers.ones, (self.features,))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        mean = self.variable("batch_stats", "mean", jnp.zeros, (self.features,))
        var = self.variable("batch_stats", "var", jnp.ones, (self.features,))
        y, used = compute(Norm(scale, bias, *((None, None) if train else (mean.value, var.value))))
        if train and not self.is_initializing():
            for average, value in zip((mean, var), used, strict=True):
                value = jax.lax.stop_gradient(value)
                average.value = MOMENTUM * average.value + (1 - MOMENTUM) * value
        return y


class Bias(nn.Module):
    """What stands in place of batch normalisation where there is none; nothing is remembered."""

    features: int

    @nn.compact
    def __call__(self, compute: Callable, *, train: bool) -> jax.Array:
        """As `BatchNorm`, with a bias alone."""
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        one = jnp.ones_like(bias)
        # With a mean of 0, and a variance that EPSILON fills up to 1, nothing is normalised.
        return compute(Norm(one, bias, 0 * one, one - EPSILON))[0]


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
