"""The convolution trunk of Figure 1: depthwise separable blocks and what they normalise by."""

from collections.abc import Callable
from typing import Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxspot.network.forms import FORMS, FormName
from jaxspot.network.plain import EPSILON, Norm

NormName = Literal["batch", "none"]


class PairBlock(nn.Module):
    """Block 1, see `plain.pair_block`."""

    features: int
    multiplier: int
    pooling: str
    kernel_init: str
    norm: NormName
    momentum: float
    form: FormName

    @nn.compact
    def __call__(self, pairs: jax.Array, *, train: bool) -> jax.Array:
        """Float (pairs, 2, height, width) -> (pairs, height / 2, width / 2, features)."""
        initialiser = {"random": _fan_in(18), "difference": temporal_difference}[self.kernel_init]
        depthwise = self.param("depthwise", initialiser, (2, 3, 3, self.multiplier))
        pointwise = self.param(
            "pointwise", _fan_in(self.multiplier), (self.multiplier, self.features)
        )
        norm = NORMS[self.norm](self.features, self.momentum)
        block = FORMS[self.form].pair_block
        return norm.within(block, pairs, depthwise, pointwise, self.pooling, train=train)


class SeparableBlock(nn.Module):
    """Blocks 2, 3 and on, see `plain.separable_block`."""

    features: int
    pooling: str | None
    norm: NormName
    momentum: float
    form: FormName

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Float (images, height, width, channels) -> (..., features), pooled or not."""
        channels = x.shape[-1]
        depthwise = self.param("depthwise", _fan_in(9), (3, 3, channels))
        pointwise = self.param("pointwise", _fan_in(channels), (channels, self.features))
        norm = NORMS[self.norm](self.features, self.momentum)
        block = FORMS[self.form].separable_block
        return norm.within(block, x, depthwise, pointwise, self.pooling, train=train)


class BatchNorm(nn.Module):
    """What batch normalisation learns and remembers; the blocks compute with it."""

    features: int
    momentum: float

    def setup(self):
        """Scale and bias are learned, mean and variance are moving averages."""
        self.scale = self.param("scale", nn.initializers.ones, (self.features,))
        self.bias = self.param("bias", nn.initializers.zeros, (self.features,))
        self.mean = self.variable("batch_stats", "mean", jnp.zeros, (self.features,))
        self.var = self.variable("batch_stats", "var", jnp.ones, (self.features,))

    def within(
        self,
        block: Callable,
        x: jax.Array,
        depthwise: jax.Array,
        pointwise: jax.Array,
        pooling: str | None,
        *,
        train: bool,
    ) -> jax.Array:
        """What a block of `plain` or `fast` answers; training moves the averages."""
        averages = (None, None) if train else (self.mean.value, self.var.value)
        y, used = block(x, depthwise, pointwise, Norm(self.scale, self.bias, *averages), pooling)
        if train and not self.is_initializing():
            for average, value in zip((self.mean, self.var), used, strict=True):
                value = jax.lax.stop_gradient(value)
                average.value = self.momentum * average.value + (1 - self.momentum) * value
        return y


class Bias(nn.Module):
    """What stands in place of batch normalisation where there is none; nothing is remembered."""

    features: int
    momentum: float

    def setup(self):
        """Only the bias is learned."""
        self.bias = self.param("bias", nn.initializers.zeros, (self.features,))

    def within(
        self,
        block: Callable,
        x: jax.Array,
        depthwise: jax.Array,
        pointwise: jax.Array,
        pooling: str | None,
        *,
        train: bool,
    ) -> jax.Array:
        """What a block of `plain` or `fast` answers where the pointwise layer has a bias."""
        del train
        # With a mean of 0, and a variance that EPSILON fills up to 1, nothing is normalised.
        one = jnp.ones_like(self.bias)
        return block(
            x, depthwise, pointwise, Norm(one, self.bias, 0 * one, one - EPSILON), pooling
        )[0]


NORMS: dict[NormName, Callable] = {"batch": BatchNorm, "none": Bias}


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
