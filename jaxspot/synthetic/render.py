"""Frames from a person, unit intensities and a course of head and light."""

import cv2
import numpy as np

from jaxspot.synthetic.heads import Person
from jaxspot.synthetic.motion import Course

CROP = 112
CANVAS = 144
MARGIN = (CANVAS - CROP) / 2
COARSE = 48
STEP = CANVAS / COARSE
NOISE_FRAMES = 24


def noise_bank(rng, sd):
    """Sensor noise (NOISE_FRAMES, 144, 144) float32, read at random places frame by frame."""
    noise = rng.standard_normal((NOISE_FRAMES, CANVAS, CANVAS), dtype=np.float32)
    return np.float32(sd) * noise


def turn_fields():
    """Backward fields (2, 48, 48, 3) of a small yaw and pitch: the nose moves most."""
    y, x = (np.mgrid[:COARSE, :COARSE] + 0.5) * STEP
    bump = np.exp(-((x - 72) ** 2 + (y - 74) ** 2) / (2 * 27**2))
    fields = np.zeros((2, COARSE, COARSE, 3), np.float32)
    fields[0, ..., 0] = fields[1, ..., 1] = bump
    return fields


def canvas_matrix(course: Course, frame: int):
    """Affine (2, 3) from crop pixels to canvas pixels of one frame."""
    cos, sin = (f(course.roll[frame]) * course.zoom[frame] for f in (np.cos, np.sin))
    centre = (CROP - 1) / 2
    x = centre + MARGIN + course.shift_x[frame]
    y = centre + MARGIN + course.shift_y[frame]
    return np.array([[cos, -sin, x - (cos - sin) * centre], [sin, cos, y - (sin + cos) * centre]])


def coarse_matrix(matrix):
    """The same affine to the coarse grid, whose pixel centres lie STEP apart."""
    to_coarse = np.array([[1 / STEP, 0, 0.5 / STEP - 0.5], [0, 1 / STEP, 0.5 / STEP - 0.5]])
    return to_coarse @ np.vstack([matrix, [0, 0, 1]])


def compress(image, quality: int):
    """An image (112, 112) uint8 after JPEG of `quality`; 100 leaves it as it is."""
    if quality >= 100:
        return image
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def render(
    person: Person,
    weights: np.ndarray,
    course: Course,
    *,
    noise: np.ndarray,
    contrast: float,
    quality: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Frames uint8 (T, 112, 112).

    weights: (T, U) intensity of each unit. noise: as `noise_bank` makes it. contrast: about 1,
    around middle gray. Each frame is one backward warp of the neutral picture plus shading.
    """
    fields = np.concatenate([person.fields, turn_fields()])
    flat = fields.reshape(len(fields), -1)
    total = np.column_stack([weights, course.yaw, course.pitch]).astype(np.float32)
    grid_y, grid_x = np.mgrid[:CROP, :CROP].astype(np.float32)
    side_x, side_y = (2 * g / (CROP - 1) - 1 for g in (grid_x, grid_y))
    place = rng.integers((0, 0, 0), (NOISE_FRAMES, CANVAS - CROP, CANVAS - CROP), (len(total), 3))
    neutral = np.float32(contrast) * (person.neutral - 120) + 120
    frames = np.empty((len(total), CROP, CROP), np.uint8)
    light = np.empty((CROP, CROP), np.float32)
    for f, row in enumerate(total):
        active = np.flatnonzero(np.abs(row) > 1e-4)
        coarse = np.einsum("u,up->p", row[active], flat[active]).reshape(COARSE, COARSE, 3)
        matrix = canvas_matrix(course, f)
        fine = cv2.warpAffine(coarse, coarse_matrix(matrix), (CROP, CROP),
                              flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                              borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        a, b, c, d, e, g = matrix.astype(np.float32).ravel()
        x = fine[..., 0] + (a * grid_x[0] + c) + (b * grid_y[:, :1])
        y = fine[..., 1] + (d * grid_x[0] + g) + (e * grid_y[:, :1])
        image = cv2.remap(neutral, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        image += fine[..., 2]
        gain = np.float32(course.gain[f])
        np.multiply(side_x, gain * np.float32(course.side_x[f]), out=light)
        light += gain * np.float32(course.side_y[f]) * side_y[:, :1] + gain
        image *= light
        n, top, left = place[f]
        image += noise[n, top : top + CROP, left : left + CROP]
        frames[f] = compress(cv2.convertScaleAbs(np.maximum(image, 0)), quality)
    return frames
