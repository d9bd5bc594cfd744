"""What the network is given; and two forms of everything costly, equal up to rounding."""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import jax

from jaxspot.network import fast, plain
from jaxspot.network.augment import augment
from jaxspot.network.lcn import local_contrast_normalise, unit_range
from jaxspot.network.motion import local_motion

FormName = Literal["fast", "plain"]


class Form(NamedTuple):
    """One form of LCN, augmentation and the network's blocks; signatures as in `plain`."""

    local_contrast_normalise: Callable
    augment: Callable
    pair_block: Callable
    separable_block: Callable


FORMS: dict[FormName, Form] = {
    "fast": Form(local_contrast_normalise, augment, fast.pair_block, fast.separable_block),
    "plain": Form(
        plain.local_contrast_normalise,
        partial(augment, mover=plain.move),
        plain.pair_block,
        plain.separable_block,
    ),
}


def compare(frames: jax.Array, *, trunk: str) -> jax.Array:
    """What the network is given of a frame and its references, each from `to_input`.

    Args:
      frames: float (batch, 1 + streams, height, width).
      trunk: see `TwoStream`.

    Returns:
      The frames as they are, or where the trunk is motion `local_motion` of them.
    """
    return local_motion(frames) if trunk == "motion" else frames


def to_input(images: jax.Array, *, form: FormName = "fast", lcn: bool = True) -> jax.Array:
    """Images as the network sees them: the one place that knows of networks without LCN.

    Without LCN they are put on the range -1..1, the same for all images: what light and skin do to
    brightness and contrast stays in, mid-gray is the 0 that convolutions pad with, and the size
    of the values is about that of LCN's, which the learning rate was chosen for.

    Args:
      images: float (..., height, width), range 0..1; or uint8, range 0..255.
      form: see `FORMS`.
      lcn: see `TwoStream`.

    Returns:
      float (..., height, width).
    """
    return FORMS[form].local_contrast_normalise(images) if lcn else 2 * unit_range(images) - 1
