"""The two-stream network, paper section 2.2 and Figure 1: trunk, residual dense layer, output."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxspot.errors import check_numbers, one_of
from jaxspot.network.convolution import Convolution
from jaxspot.network.motion import Motion
from jaxspot.network.streams import Streams

TRUNKS = ("convolution", "motion")


class TwoStream(nn.Module):
    """Scores a frame by comparing it with its reference frames (paper Figure 1).

    Each stream compares the current frame with one reference. All streams share one trunk.
    `TwoStream()` is the paper's network with its dropout turned off.

    Attributes:
      trunk: computes the features of a stream from a frame and a reference: `Convolution` (the
        paper's) or `Motion`.
      streams: what the streams compare. The inputs depend on it, see `stream_inputs`. The network
        has one stream for each of `streams.references`.
      fusion_width: width of a hidden layer that combines all streams. 0 leaves it out, as in the
        paper.
      dropout: share of the stream features dropped in training before the output, with `Motion`
        only. `Convolution` has its own `dropout`.

    Raises:
      ValueError: a value is not valid, or `dropout` is given with a `Convolution`.
    """

    trunk: Convolution | Motion = Convolution()
    streams: Streams = Streams()
    fusion_width: int = 0
    dropout: float = 0.0

    def __post_init__(self):
        check_numbers(self, "fusion_width", least=0)
        check_numbers(self, "dropout", least=0, below=1)
        if self.dropout and isinstance(self.trunk, Convolution):
            raise ValueError("dropout of TwoStream is for Motion; set Convolution.dropout instead")
        super().__post_init__()

    def setup(self):
        """Puts the trunk's weights in this module's scope, so their names have no trunk prefix.

        Saved weights are loaded by these names.
        """
        nn.share_scope(self, self.trunk)

    @nn.compact
    def __call__(self, inputs: jax.Array, *, train: bool) -> jax.Array:
        """Logits of micro- and macro-expression.

        Args:
          inputs: from `stream_inputs`: float (batch, 1 + streams, height, width), the current
            frame, then one reference per stream, height and width multiples of 4; for `Motion`
            float (batch, streams, cells, cells, 2).
          train: normalise by the batch's own statistics and drop features (needs a "dropout" key);
            otherwise by the running statistics.

        Returns:
          float (batch, 2): logits of ME and MaE.

        Raises:
          TypeError: inputs that are not float.
          ValueError: inputs of another shape.
        """
        self._check(inputs)
        x = self.trunk(inputs, train=train)
        x = ResidualDense()(x).reshape(len(inputs), -1)
        if self.dropout:
            x = nn.Dropout(self.dropout)(x, deterministic=not train)
        if self.fusion_width:
            x = nn.relu(nn.Dense(self.fusion_width, name="Joint")(x))
        return nn.Dense(2, name="Output")(x)

    def _check(self, inputs):
        shape, streams = inputs.shape, len(self.streams.references)
        if isinstance(self.trunk, Motion):
            fits = len(shape) == 5 and shape[1] == streams and shape[4] == 2
            wanted = f"(batch, {streams}, cells, cells, 2), see `stream_inputs`"
        else:
            fits = len(shape) == 4 and shape[1] == 1 + streams
            wanted = f"(batch, {1 + streams}, height, width): the current frame first, then its"
            wanted += " references"
        if not fits:
            raise ValueError(f"inputs have the shape {shape}; they must have {wanted}")
        if not jnp.issubdtype(inputs.dtype, jnp.floating):
            raise TypeError(f"inputs are {inputs.dtype}; they must be float, see `preprocess`")
        if len(shape) == 4:
            check_size(self, *shape[2:])


class ResidualDense(nn.Module):
    """Two dense layers with a skip connection, paper section 2.2."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (batch * streams, features) -> the same shape."""
        hidden = nn.relu(nn.Dense(x.shape[-1])(x))
        return x + nn.Dense(x.shape[-1])(hidden)


def check_size(model: TwoStream, height: int, width: int) -> None:
    """Refuses, by a ValueError, sides that are no multiple of 4; for `Motion`, of 8."""
    multiple = model.trunk.multiple
    if height % multiple or width % multiple or not height * width:
        raise ValueError(
            f"frames have {height}x{width} pixels; height and width must be multiples of {multiple}"
        )


def build_model(*, trunk: str = "convolution", **fields: Any) -> TwoStream:
    """The network of flat fields, as configs and saved weights keep them.

    `fields` are those of `Convolution`, `Streams` and `TwoStream`. The trunk "motion" has the last
    of the `widths` as its features and `dropout` on them; it ignores the other fields of
    `Convolution`. A TypeError for another field, a ValueError for a value that a field cannot hold.
    """
    one_of("trunk", trunk, TRUNKS)
    take = lambda kind: {name: fields.pop(name) for name in _fields(kind) if name in fields}
    streams, convolution = Streams(**take(Streams)), Convolution(**take(Convolution))
    if trunk == "convolution":
        return TwoStream(convolution, streams, **fields)
    motion = Motion(convolution.widths[2])
    return TwoStream(motion, streams, dropout=convolution.dropout, **fields)


def model_fields(model: TwoStream) -> dict[str, Any]:
    """The fields from which `build_model` makes the network."""
    if isinstance(model.trunk, Motion):
        own = Convolution(widths=(*Convolution.widths[:2], model.trunk.features))
        own = own.clone(dropout=model.dropout)
    else:
        own = model.trunk
    values = {name: getattr(own, name) for name in _fields(Convolution)}
    values |= {name: getattr(model.streams, name) for name in _fields(Streams)}
    trunk = "motion" if isinstance(model.trunk, Motion) else "convolution"
    return values | dict(trunk=trunk, fusion_width=model.fusion_width)


def _fields(kind):
    return [f.name for f in dataclasses.fields(kind) if f.name not in ("parent", "name")]
