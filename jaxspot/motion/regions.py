"""The regions of the face whose motion a bank holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxspot.errors import UserError

UNIT = "pixels of the 112 crop"


@dataclass(frozen=True)
class Regions:
    """Names of the regions, the place of each region's mirror image, and frames per row.

    Left and right are those of the picture. Row j of an array of region motion belongs to frame
    `every` * j + 1 of the video (frames count from 1). ValueError: `mirror` is not its own inverse.
    """

    names: tuple[str, ...]
    mirror: tuple[int, ...]
    every: int = 1

    def __post_init__(self) -> None:
        places = range(len(self.names))
        if sorted(self.mirror) != list(places) or any(
            self.mirror[self.mirror[place]] != place for place in places
        ):
            raise ValueError(f"mirror must exchange pairs of the {len(places)} regions")
        if self.every < 1:
            raise ValueError(f"every must be 1 or more, not {self.every}")

    @property
    def meta(self) -> dict[str, Any]:
        """The regions as `bank.json` holds them."""
        names, mirror = list(self.names), list(self.mirror)
        return dict(regions=names, mirror=mirror, unit=UNIT, every=self.every)

    def flip(self, motion: np.ndarray) -> np.ndarray:
        """The motion of the mirrored face; `motion` is (..., regions, 2), right and down."""
        return motion[..., list(self.mirror), :] * np.array([-1, 1], motion.dtype)


# Landmarks 18-20, 23-25, 28, 30, 48, 51, 54 and 57 (from 0) of the 68-point set.
TWELVE = Regions(
    names=(
        "left brow, outer",
        "left brow, middle",
        "left brow, inner",
        "right brow, inner",
        "right brow, middle",
        "right brow, outer",
        "nose bridge",
        "nose tip",
        "left mouth corner",
        "upper lip",
        "right mouth corner",
        "lower lip",
    ),
    mirror=(5, 4, 3, 2, 1, 0, 6, 7, 10, 9, 8, 11),
)


def regions_of(meta: Mapping[str, Any]) -> Regions:
    """The regions that `bank.json` describes under "motion"; raises UserError for anything else."""
    try:
        if meta["unit"] != UNIT:
            raise UserError(f"motion is in {meta['unit']!r}, need {UNIT!r}; prepare it again")
        mirror = tuple(int(place) for place in meta["mirror"])
        return Regions(tuple(map(str, meta["regions"])), mirror, int(meta["every"]))
    except (KeyError, TypeError, ValueError, IndexError):
        raise UserError("does not describe its regions; prepare it again") from None
