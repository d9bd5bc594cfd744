"""What a network cannot take is refused in one sentence, by shape and dtype alone."""

import math

import jax
import jax.numpy as jnp

from jaxspot.annotations.intervals import KINDS
from jaxspot.network.flow import SIDE


def check_references(references: object) -> None:
    """Refuses what `TwoStream.references` cannot be.

    Raises:
      ValueError: not a tuple of pairs (kind, number), or none, or a number that is 0.
    """
    if not are_references(references):
        raise ValueError(
            "references must be a tuple of pairs such as ('ME', 1.0), of ME or MaE and a number"
            f" that is not 0; not {references!r}"
        )


def are_references(references: object) -> bool:
    """Whether `TwoStream.references` can be these."""
    return (
        isinstance(references, tuple) and bool(references) and all(map(_is_reference, references))
    )


def check_size(height: int, width: int, *, trunk: str) -> None:
    """Refuses frames that the network cannot halve twice, or that motion cannot cut into cells.

    Raises:
      ValueError: height or width is no multiple of 4; where the trunk is motion, of 8.
    """
    multiple = SIDE if trunk == "motion" else 4
    if height % multiple or width % multiple or not height * width:
        raise ValueError(
            f"frames have {height}x{width} pixels; height and width must be multiples of {multiple}"
        )


def check_inputs(inputs: jax.Array, *, streams: int, trunk: str) -> None:
    """Refuses inputs that are not as `TwoStream` takes them.

    Raises:
      TypeError: not float.
      ValueError: another shape.
    """
    shape = inputs.shape
    if trunk == "motion":
        fits = len(shape) == 5 and shape[1] == streams and shape[4] == 2
        wanted = f"(batch, {streams}, cells, cells, 2), see `forms.compare`"
    else:
        fits = len(shape) == 4 and shape[1] == 1 + streams
        wanted = (
            f"(batch, {1 + streams}, height, width), each frame before its {streams} references"
        )
    if not fits:
        raise ValueError(f"inputs have the shape {shape}; they must have {wanted}")
    if not jnp.issubdtype(inputs.dtype, jnp.floating):
        raise TypeError(
            f"inputs are {inputs.dtype}; they must be float, see `local_contrast_normalise`"
        )
    if trunk != "motion":
        check_size(*shape[2:], trunk=trunk)


def _is_reference(pair):
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    kind, times = pair
    return kind in KINDS and isinstance(times, int | float) and 0 < abs(times) < math.inf
