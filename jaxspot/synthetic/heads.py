"""The committed heads: people and what each expression unit does to their picture."""

import lzma
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError

FILE = Path(__file__).parent / "heads.npz"
CANVAS, CROP = 144, 112
"""Sides of a picture of the heads and of the frames cut from its middle, in pixels."""


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
    """Float32: neutral (144, 144) 0..255; offsets (U, 48, 48, 2), pixels; shading (U, 72, 72)."""

    units: tuple[str, ...]
    neutral: np.ndarray
    offsets: np.ndarray
    shading: np.ndarray


ORDER = dict(neutral=(0, 1, 2), landmarks=(3, 0, 2, 1))
ORDER |= dict(displacement=(4, 1, 0, 2, 3), shading=(1, 0, 2, 3))
"""Axes of the fields as they are stored: similar values are neighbours."""
SMOOTH = {"neutral", "landmarks", "displacement"}
"""Fields that are stored as differences along their last two axes."""


def unpack(data, shape, dtype, *, smooth: bool) -> np.ndarray:
    """An integer array from its compressed bytes; `smooth`: they hold differences (wrapping)."""
    array = np.frombuffer(lzma.decompress(data.tobytes()), dtype).reshape(shape)
    for axis in (-1, -2) if smooth else ():
        array = np.cumsum(array, axis=axis, dtype=dtype)
    return array


@cache
def load_heads(path: Path = FILE) -> Heads:
    """Read the heads; raises UserError when the file is missing."""
    if not Path(path).is_file():
        raise UserError(f"{path}: missing; build it with launch/build_heads.py")
    with np.load(path) as file:
        stored = {name: file[name] for name in file.files}
    people, units = stored["displacement_step"].shape
    shapes = {
        "neutral": ((people, CANVAS, CANVAS), np.uint8),
        "landmarks": ((people, 1 + units, len(stored["points"]), 2), np.float16),
        "displacement": ((people, units, CANVAS // 3, CANVAS // 3, 2), np.int8),
        "shading": ((people, units, CANVAS // 2, CANVAS // 2), np.int8),
    }
    for name, (shape, dtype) in shapes.items():
        order, plain = ORDER[name], np.dtype(f"i{np.dtype(dtype).itemsize}")
        turned = [shape[axis] for axis in order]
        field = unpack(stored[name], turned, plain, smooth=name in SMOOTH)
        stored[name] = np.ascontiguousarray(field.transpose(np.argsort(order))).view(dtype)
    names = {name: tuple(stored.pop(name).tolist()) for name in ("units", "points")}
    return Heads(provenance=str(stored.pop("provenance")), **names, **stored)
