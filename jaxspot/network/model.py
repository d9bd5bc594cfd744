"""The two-stream network, paper section 2.2 and Figure 1: trunk, residual dense layer, output."""

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxspot.errors import check_numbers, one_of
from jaxspot.network.convolution import Convolution
from jaxspot.network.motion import Motion
from jaxspot.network.region_motion import COORDINATES, RegionMotion
from jaxspot.network.streams import Streams

TRUNKS = ("convolution", "motion", "regions")


class TwoStream(nn.Module):
    """Scores a frame by comparing it with its reference frames (paper Figure 1).

    Each stream compares the current frame with one reference. All streams share one trunk.
    `TwoStream()` is the paper's network with its dropout turned off.

    Attributes:
      trunk: computes the features of a stream from a frame and a reference: `Convolution` (the
        paper's), `Motion` or `RegionMotion`.
      streams: what the streams compare. The inputs depend on it, see `stream_inputs`. The network
        has one stream for each of `streams.references`.
      fusion_width: width of a hidden layer that combines all streams. 0 leaves it out, as in the
        paper.
      dropout: share of the stream features dropped in training before the output, with `Motion`
        only. `Convolution` has its own `dropout`.

    Raises:
      ValueError: a value is not valid, or `dropout` is given with a `Convolution`.
    """

    trunk: Convolution | Motion | RegionMotion = Convolution()
    streams: Streams = Streams()
    fusion_width: int = 0
    dropout: float = 0.0

    def __post_init__(self):
        if not isinstance(self.trunk, Convolution | Motion | RegionMotion):
            raise ValueError(
                "trunk must be a Convolution, Motion or RegionMotion, such as"
                f" TwoStream(trunk=Motion()), not {self.trunk!r}"
            )
        check_numbers(self, "fusion_width", least=0)
        check_numbers(self, "dropout", least=0, below=1)
        if self.dropout and isinstance(self.trunk, Convolution):
            raise ValueError("dropout of TwoStream: set Convolution.dropout instead")
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
            float (batch, streams, cells, cells, 2), for `RegionMotion` (batch, streams, features).
          train: normalise by the batch's own statistics and drop features (needs a "dropout" key);
            otherwise by the running statistics.

        Returns:
          float (batch, 2): logits of ME and MaE. Of `RegionMotion`, the mean over its members; in
          training those of each member, (batch, members, 2).

        Raises:
          TypeError: inputs that are not float.
          ValueError: inputs of another shape.
        """
        self._check(inputs)
        x = self.trunk(inputs, train=train)
        if isinstance(self.trunk, RegionMotion):
            logits = _each_member(MemberHead)(self.dropout, train, name="Members")(x)
            return logits.swapaxes(0, 1) if train else logits.mean(0)
        x = ResidualDense()(x).reshape(inputs.shape[0], -1)
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
        elif isinstance(self.trunk, RegionMotion):
            fits = len(shape) == 3 and shape[1] == streams
            wanted = f"(batch, {streams}, features), see `stream_inputs`"
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


class MemberHead(nn.Module):
    """Residual dense layer and output of one member of `RegionMotion`."""

    dropout: float
    train: bool

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (batch, features) -> logits (batch, 2)."""
        x = nn.Dropout(self.dropout, deterministic=not self.train)(ResidualDense()(x))
        return nn.Dense(2, name="Output")(x)


def _each_member(head: type[nn.Module]) -> Any:
    """A module applied along the first axis, with its own weights and dropout at each place."""
    return nn.vmap(head, variable_axes={"params": 0}, split_rngs={"params": True, "dropout": True})


class ResidualDense(nn.Module):
    """Two dense layers with a skip connection, paper section 2.2."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Float (batch * streams, features) -> the same shape."""
        hidden = nn.relu(nn.Dense(x.shape[-1])(x))
        return x + nn.Dense(x.shape[-1])(hidden)


def frame_shape(model: TwoStream, size: int) -> tuple[int, ...]:
    """The shape of what stands for a frame: (size, size) pixels, or regions and coordinates."""
    if isinstance(model.trunk, RegionMotion):
        return len(model.trunk.mirror), COORDINATES
    return size, size


def check_size(model: TwoStream, height: int, width: int) -> None:
    """Refuses, by a ValueError, sides that are no multiple of 4; for `Motion`, of 8.

    For `RegionMotion`, other regions and coordinates than `frame_shape`.
    """
    if isinstance(model.trunk, RegionMotion):
        if (height, width) != frame_shape(model, 0):
            raise ValueError(
                f"frames have {height} regions of {width} coordinates; this network takes"
                f" {len(model.trunk.mirror)} of {COORDINATES}, see `region_frames`"
            )
        return
    multiple = model.trunk.multiple
    if height % multiple or width % multiple or not height * width:
        raise ValueError(
            f"frames have {height}x{width} pixels; height and width must be multiples of {multiple}"
        )


def build_model(*, trunk: str = "convolution", **fields: Any) -> TwoStream:
    """The network of flat fields, as configs and saved weights keep them.

    `fields` are those of `Convolution`, `Streams` and `TwoStream`. The trunks "motion" and
    "regions" have the last of the `widths` as their features and `dropout` on them; they ignore the
    other fields of `Convolution`. A TypeError for another field, a
    ValueError for a value that a field cannot hold.
    """
    one_of("trunk", trunk, TRUNKS)
    take = lambda kind: {name: fields.pop(name) for name in _fields(kind) if name in fields}
    streams, convolution = Streams(**take(Streams)), Convolution(**take(Convolution))
    if trunk == "convolution":
        return TwoStream(convolution, streams, **fields)
    motion = (RegionMotion if trunk == "regions" else Motion)(convolution.widths[2])
    return TwoStream(motion, streams, dropout=convolution.dropout, **fields)


def model_fields(model: TwoStream) -> dict[str, Any]:
    """The fields from which `build_model` makes the network."""
    trunk = "convolution"
    if isinstance(model.trunk, Convolution):
        own = model.trunk
    else:
        trunk = "regions" if isinstance(model.trunk, RegionMotion) else "motion"
        own = Convolution(widths=(*Convolution.widths[:2], model.trunk.features))
        own = own.clone(dropout=model.dropout)
    values = {name: getattr(own, name) for name in _fields(Convolution)}
    values |= {name: getattr(model.streams, name) for name in _fields(Streams)}
    return values | dict(trunk=trunk, fusion_width=model.fusion_width)


def _fields(kind):
    return [f.name for f in dataclasses.fields(kind) if f.name not in ("parent", "name")]
