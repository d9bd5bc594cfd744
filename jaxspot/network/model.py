"""The two-stream network, paper section 2.2 and Figure 1.

Every stream is a pair of frames, the current one and a reference some frames away; all streams go
through one trunk with the same weights: the paper's three depthwise separable blocks, or the motion
between the two frames.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from jaxspot.annotations.tables import KINDS
from jaxspot.errors import check_choices
from jaxspot.network.checks import check_inputs, check_references
from jaxspot.network.forms import FORMS, FormName
from jaxspot.network.plain import EPSILON, Norm

NormName = Literal["batch", "none"]


class TwoStream(nn.Module):
    """Scores a frame against its references, paper Figure 1.

    Attributes:
      widths: channels after each of the three blocks.
      multiplier: filters of the first depthwise layer; on one gray channel, one would learn little.
      pooling: "max" or "average" over 2x2 pixels after blocks 1 and 2.
      regions: side of the grid of regional averages that sums up a stream: 1, 2, 4, 7, 14 or 28; 1
        is the paper's global average pooling, 7 keeps where in the face something moved.
      start: "random", or "difference": the first block starts as current frame minus reference.
      dropout: share of channels dropped in training after every block (Figure 1); where the trunk
        is motion, of the stream features.
      momentum: of the running statistics of batch normalisation.
      form: "fast", or "plain" to compute with what `plain` holds: slow, equal up to rounding.
      lcn: whether its frames come through LCN, or as they are (`forms.to_input`).
      norm: "batch", or "none": the pointwise layers have a bias instead.
      extra_blocks: further blocks after the third, of its width, without pooling. The paper counts
        its three blocks as three layers (Figure 1), so that 7 make the 10 of section 4.3.
      trunk: "convolution", the paper's blocks; or "motion": a stream is the motion of each part of
        the face since its reference (`local_motion`), and the options of the blocks are
        ignored.
      references: of each stream, whose frame skip it takes ("ME" or "MaE") and how many times; a
        reference lies that much earlier, or later where the number is below 0.
      grain: seconds, as whole frames, that k is rounded to a multiple of in scoring, where frames
        are closer than that: folds of near k then share their comparisons. 0 keeps k.
      joint: width of a hidden layer that sees all streams together; 0 leaves it out, as the paper.

    Raises:
      ValueError: when built, an option with another value than those named above.
    """

    widths: tuple[int, int, int] = (16, 32, 64)
    multiplier: int = 8
    pooling: Literal["max", "average"] = "max"
    regions: Literal[1, 2, 4, 7, 14, 28] = 1
    start: Literal["random", "difference"] = "random"
    dropout: float = 0.0
    momentum: float = 0.9
    form: FormName = "fast"
    lcn: bool = True
    norm: NormName = "batch"
    extra_blocks: int = 0
    trunk: Literal["convolution", "motion"] = "convolution"
    references: tuple[tuple[str, float], ...] = (("ME", 1.0), ("MaE", 1.0))
    grain: float = 0.0
    joint: int = 0

    def __post_init__(self):
        check_choices(self)
        check_references(self.references)
        super().__post_init__()

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Logits of micro- and macro-expression.

        Args:
          inputs: of `forms.compare`: float (batch, 1 + streams, height, width), the current frame,
            then one reference per stream, height and width multiples of 4; where the trunk is
            motion, float (batch, streams, cells, cells, 2).
          train: normalise by the batch's own statistics and drop channels (needs a "dropout" key);
            otherwise by the running statistics.

        Returns:
          float (batch, 2): logits of ME and MaE.

        Raises:
          TypeError: inputs that are not float.
          ValueError: inputs of another shape.
        """
        streams = len(self.references)
        check_inputs(inputs, streams=streams, trunk=self.trunk)
        batch = len(inputs)
        if self.trunk == "motion":
            x = inputs.reshape(batch * streams, -1)
        else:
            x = self._blocks(inputs, train)
        if self.trunk == "motion" or self.regions > 1:
            x = nn.Dense(self.widths[2], name="Project")(x)
        x = ResidualDense()(x).reshape(batch, -1)
        if self.trunk == "motion":
            x = nn.Dropout(self.dropout)(x, deterministic=not train)
        if self.joint:
            x = nn.relu(nn.Dense(self.joint, name="Joint")(x))
        return nn.Dense(2, name="Output")(x)

    def _blocks(self, frames, train):
        current = jnp.broadcast_to(frames[:, :1], frames[:, 1:].shape)
        pairs = jnp.stack([current, frames[:, 1:]], 2).reshape(-1, 2, *frames.shape[2:])
        one, two, three = self.widths
        rest: Any = dict(norm=self.norm, momentum=self.momentum, form=self.form)
        x = PairBlock(one, self.multiplier, self.pooling, self.start, **rest)(pairs, train=train)
        x = self._drop(x, train)
        x = self._drop(SeparableBlock(two, self.pooling, **rest)(x, train=train), train)
        x = self._drop(SeparableBlock(three, None, **rest)(x, train=train), train)
        for _ in range(self.extra_blocks):
            x = self._drop(SeparableBlock(three, None, **rest)(x, train=train), train)
        return regional_average(x, self.regions).reshape(len(x), -1)

    def _drop(self, x, train):
        return nn.Dropout(self.dropout, broadcast_dims=(1, 2))(x, deterministic=not train)


class PairBlock(nn.Module):
    """Block 1, see `plain.pair_block`."""

    features: int
    multiplier: int
    pooling: str
    start: str
    norm: NormName
    momentum: float
    form: FormName

    @nn.compact
    def __call__(self, pairs: jax.Array, *, train: bool) -> jax.Array:
        """Float (pairs, 2, height, width) -> (pairs, height / 2, width / 2, features)."""
        initialiser = {"random": _fan_in(18), "difference": temporal_difference}[self.start]
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


class ResidualDense(nn.Module):
    """Two dense layers with a skip connection, paper section 2.2."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (streams, features) -> the same shape."""
        hidden = nn.relu(nn.Dense(x.shape[-1])(x))
        return x + nn.Dense(x.shape[-1])(hidden)


def stream_skips(k: ArrayLike, references: Sequence[tuple[str, float]]) -> np.ndarray:
    """The frame skip of each stream, never 0.

    Args:
      k: int (..., 2), frame skips of ME and MaE.
      references: see `TwoStream`.

    Returns:
      int (..., streams), frames; below 0 the reference comes after the frame.
    """
    kinds = [KINDS.index(kind) for kind, _ in references]
    times = np.array([times for _, times in references])
    skips = np.rint(np.asarray(k)[..., kinds] * times)
    return np.where(skips == 0, np.sign(times), skips).astype(np.int64)


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
