"""Frames from a person, unit intensities and a course of head and light."""

from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.synthetic.heads import CANVAS, CROP, Person
from jaxspot.synthetic.motion import Course

MARGIN = (CANVAS - CROP) / 2
NOISE_FRAMES = 24
BLOCK = 64
PIXELS = np.stack(np.meshgrid(*[np.arange(CROP, dtype=np.float32)] * 2), -1)


def noise_bank(rng, sd):
    """Sensor noise (NOISE_FRAMES, 144, 144) float32, read at random places frame by frame."""
    noise = rng.standard_normal((NOISE_FRAMES, CANVAS, CANVAS), dtype=np.float32)
    return np.float32(sd) * noise


def noise_places(rng, count: int):
    """Where in the noise each of `count` frames reads: (count, 3) frame, top and left."""
    return rng.integers((0, 0, 0), (NOISE_FRAMES, CANVAS - CROP, CANVAS - CROP), (count, 3))


class Turns(NamedTuple):
    """Backward offsets `fields` (n, 48, 48, 2) of turns of the head, and `amounts` (T, n)."""

    fields: np.ndarray
    amounts: np.ndarray

    def at(self, frames) -> "Turns":
        """The same at some frames, counted from 0."""
        return Turns(self.fields, self.amounts[frames])


def small_turns(course: Course, size: int) -> Turns:
    """The turns of a course, drawn as a bump that moves the nose most."""
    return Turns(turn_fields(size), np.column_stack([course.yaw, course.pitch]))


def turn_fields(size: int):
    """Backward offsets (2, size, size, 2) of a small yaw and pitch: the nose moves most."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    bump = np.exp(-(x**2 + (y - 0.014) ** 2) / (2 * 0.19**2))
    fields = np.zeros((2, size, size, 2), np.float32)
    fields[0, ..., 0] = fields[1, ..., 1] = bump
    return fields


def canvas_matrix(course: Course, frame: int):
    """Affine (2, 3) from crop pixels to canvas pixels of one frame."""
    cos, sin = (f(course.roll[frame]) * course.zoom[frame] for f in (np.cos, np.sin))
    centre = (CROP - 1) / 2
    x = centre + MARGIN + course.shift_x[frame]
    y = centre + MARGIN + course.shift_y[frame]
    return np.array([[cos, -sin, x - (cos - sin) * centre], [sin, cos, y - (sin + cos) * centre]])


def on_grid(where, size: int):
    """Canvas pixels as positions on a grid (size, size) over the canvas."""
    scale = np.float32(size / CANVAS)
    return where * scale + (scale - 1) / 2


def read(field, where):
    """A field (size, size[, 2]) read at the points `where` (112, 112, 2), exact bilinear."""
    return cv2.remap(
        field,
        where,
        None,  # pyright: ignore[reportArgumentType, reportCallIssue]
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def mix(weights, fields):
    """Sums of `fields` (n, ...) weighted by each row of `weights` (T, n), row by row: (T, ...)."""
    flat = fields.reshape(len(fields), -1)
    for first in range(0, len(weights), BLOCK):
        mixed = weights[first : first + BLOCK] @ flat
        yield from mixed.reshape(-1, *fields.shape[1:])


def compress(image, quality: int):
    """An image (112, 112) uint8 after JPEG of `quality`; 100 leaves it as it is."""
    if quality >= 100:
        return image
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE))


def render(
    person: Person,
    weights: np.ndarray,
    course: Course,
    *,
    turns: Turns | None = None,
    noise: np.ndarray,
    places: np.ndarray,
    contrast: float,
    quality: int,
) -> np.ndarray:
    """Frames uint8 (T, 112, 112), each one backward warp of the neutral picture plus shading.

    `weights` (T, U) are the units' intensities; `noise` and `places` come from `noise_bank` and
    `noise_places`; `contrast`, about 1, is around middle gray. `turns` are those of the course by
    default, see `small_turns`.
    """
    size = person.offsets.shape[1]
    turns = turns or small_turns(course, size)
    offsets = np.concatenate([person.offsets, turns.fields])
    moves = np.column_stack([weights, turns.amounts]).astype(np.float32)
    neutral = np.float32(contrast) * (person.neutral - 120) + 120
    shading = np.float32(contrast) * person.shading
    ramp = np.linspace(-1, 1, CROP, dtype=np.float32)
    light = np.stack([course.gain, course.side_x, course.side_y], 1).astype(np.float32)
    frames = np.empty((len(moves), CROP, CROP), np.uint8)
    fields = zip(mix(moves, offsets), mix(moves[:, : len(shading)], shading), strict=True)
    for f, (offset, shade) in enumerate(fields):
        where = cv2.transform(PIXELS, canvas_matrix(course, f))
        source = where + read(offset, on_grid(where, size))
        image = read(neutral, source)
        image += read(shade, on_grid(where, len(shade)))
        gain, side_x, side_y = light[f]
        image *= gain * (1 + side_y * ramp)[:, None] + gain * side_x * ramp
        n, top, left = places[f]
        image += noise[n, top : top + CROP, left : left + CROP]
        frames[f] = compress(np.clip(image + 0.5, 0, 255).astype(np.uint8), quality)
    return frames
