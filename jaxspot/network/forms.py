"""What the network is given; and two forms of everything costly, equal up to rounding."""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from jaxspot.network import fast, plain
from jaxspot.network.augment import augment
from jaxspot.network.lcn import local_contrast_normalise

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
