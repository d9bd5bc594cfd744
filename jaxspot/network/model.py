"""The two-stream network, paper section 2.2 and Figure 1.

Every stream is a pair of frames, the current one and a reference some frames away; all streams go
through one trunk with the same weights: the paper's three depthwise separable blocks, or the motion
between the two frames.
"""

from typing import Any, Literal

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxspot.errors import check_fields, check_numbers
from jaxspot.network.checks import check_inputs, check_references
from jaxspot.network.convolution import NormName, PairBlock, SeparableBlock, regional_average
from jaxspot.network.forms import FormName


class TwoStream(nn.Module):
    """Scores a frame against its references, paper Figure 1.

    Attributes:
      widths: channels after each of the three blocks.
      multiplier: filters of the first depthwise layer; on one gray channel, one would learn little.
      pooling: "max" or "average" over 2x2 pixels after blocks 1 and 2.
      pool_grid: side of the grid of regional averages that sums up a stream: 1, 2, 4, 7, 14 or
        28; 1 is the paper's global average pooling, 7 keeps where in the face something moved.
      kernel_init: "random", or "difference": the first block starts as current frame minus
        reference.
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
      skip_rounding_seconds: in scoring, k is rounded to a multiple of this where frames are closer,
        so that folds of near k share their comparisons. 0 keeps k.
      fusion_width: width of a hidden layer that sees all streams together; 0 leaves it out, as in
        the paper.

    Raises:
      ValueError: when built, an option with another value than those named above.
    """

    widths: tuple[int, int, int] = (16, 32, 64)
    multiplier: int = 8
    pooling: Literal["max", "average"] = "max"
    pool_grid: Literal[1, 2, 4, 7, 14, 28] = 1
    kernel_init: Literal["random", "difference"] = "random"
    dropout: float = 0.0
    momentum: float = 0.9
    form: FormName = "fast"
    lcn: bool = True
    norm: NormName = "batch"
    extra_blocks: int = 0
    trunk: Literal["convolution", "motion"] = "convolution"
    references: tuple[tuple[str, float], ...] = (("ME", 1.0), ("MaE", 1.0))
    skip_rounding_seconds: float = 0.0
    fusion_width: int = 0

    def __post_init__(self):
        check_references(self.references)
        check_fields(self)
        check_numbers(self, "widths", "multiplier", least=1)
        check_numbers(self, "dropout", least=0, below=1)
        check_numbers(self, "extra_blocks", "fusion_width", "skip_rounding_seconds", least=0)
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
        if self.trunk == "motion" or self.pool_grid > 1:
            x = nn.Dense(self.widths[2], name="Project")(x)
        x = ResidualDense()(x).reshape(batch, -1)
        if self.trunk == "motion":
            x = nn.Dropout(self.dropout)(x, deterministic=not train)
        if self.fusion_width:
            x = nn.relu(nn.Dense(self.fusion_width, name="Joint")(x))
        return nn.Dense(2, name="Output")(x)

    def _blocks(self, frames, train):
        current = jnp.broadcast_to(frames[:, :1], frames[:, 1:].shape)
        pairs = jnp.stack([current, frames[:, 1:]], 2).reshape(-1, 2, *frames.shape[2:])
        one, two, three = self.widths
        rest: Any = dict(norm=self.norm, momentum=self.momentum, form=self.form)
        x = PairBlock(one, self.multiplier, self.pooling, self.kernel_init, **rest)(
            pairs, train=train
        )
        x = self._drop(x, train)
        x = self._drop(SeparableBlock(two, self.pooling, **rest)(x, train=train), train)
        x = self._drop(SeparableBlock(three, None, **rest)(x, train=train), train)
        for _ in range(self.extra_blocks):
            x = self._drop(SeparableBlock(three, None, **rest)(x, train=train), train)
        return regional_average(x, self.pool_grid).reshape(len(x), -1)

    def _drop(self, x, train):
        return nn.Dropout(self.dropout, broadcast_dims=(1, 2))(x, deterministic=not train)


class ResidualDense(nn.Module):
    """Two dense layers with a skip connection, paper section 2.2."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (streams, features) -> the same shape."""
        hidden = nn.relu(nn.Dense(x.shape[-1])(x))
        return x + nn.Dense(x.shape[-1])(hidden)
