"""The regions of region motion: which places of the face, and how the numbers are to be read."""

import dataclasses
from typing import Any

from jaxspot.errors import UserError

NAMES = (
    *("left brow, outer", "left brow, middle", "left brow, inner"),
    *("right brow, inner", "right brow, middle", "right brow, outer"),
    *("nose bridge", "nose tip"),
    *("left mouth corner", "upper lip", "right mouth corner", "lower lip"),
)
"""Landmarks 18, 19, 20, 23, 24, 25, 28, 30, 48, 51, 54, 57 of the 68-point set, counted from 0."""
MIRROR = (5, 4, 3, 2, 1, 0, 6, 7, 10, 9, 8, 11)
UNIT = "pixels of the 112 crop"


@dataclasses.dataclass(frozen=True)
class Regions:
    """What the numbers of a bank of region motion are of; left and right are as in the picture.

    Attributes:
      names: the regions, in the order of the arrays.
      mirror: for each region, the number of its mirror image.
      every: frames of the video from one row to the next: row j shows frame every * j + 1 (from 1).
    """

    names: tuple[str, ...] = NAMES
    mirror: tuple[int, ...] = MIRROR
    every: int = 1

    def to_json(self) -> dict[str, Any]:
        """As `bank.json` keeps them."""
        return dataclasses.asdict(self) | {"unit": UNIT}

    @classmethod
    def from_json(cls, values: Any, file: object) -> "Regions":
        """The inverse of `to_json`; a UserError for anything else, naming `file`."""
        try:
            names, mirror, every = values["names"], values["mirror"], values["every"]
            ok = sorted(mirror) == list(range(len(names))) and every >= 1 and every == int(every)
        except (TypeError, KeyError):
            ok = False
        if not ok or values.get("unit") != UNIT:
            raise UserError(f"{file}: does not describe region motion; prepare the bank again")
        return cls(tuple(names), tuple(mirror), int(every))
