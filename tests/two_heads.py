"""Videos of two synthetic heads side by side, which may cross or leave."""

import cv2
import numpy as np

from jaxspot.synthetic.heads import load_heads

SIZE = (260, 560)
SIDE = 180
"""Of a head's picture, in pixels."""


def head(person):
    """A head at rest as a gray picture (180, 180) with values 0..1 of what it covers."""
    face = cv2.resize(load_heads().person(person).neutral, (SIDE, SIDE)).astype(np.float32)
    down, right = np.mgrid[:SIDE, :SIDE] / (SIDE - 1) * 2 - 1
    covers = np.clip((1 - (right**2 + (0.95 * down) ** 2)) * 8, 0, 1).astype(np.float32)
    return face, covers


def two_heads(places, *, people=(0, 1), faces=None):
    """Pictures uint8 (260, 560, 3): `places` has for each frame a list of (x, y), back to front.

    None stands for a head that is not there; `faces` has for each person (T, h, w) pictures.
    """
    heads = [head(person) for person in people]
    rng, pictures = np.random.default_rng(0), []
    for number, frame in enumerate(places):
        canvas = np.full(SIZE, 90, np.float32)
        for who, place in enumerate(frame):
            if place is None:
                continue
            face, covers = heads[who]
            if faces is not None and faces[who] is not None:
                face = cv2.resize(faces[who][number], (SIDE, SIDE)).astype(np.float32)
            shift = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float64)
            size = SIZE[::-1]
            moved = cv2.warpAffine(face, shift, size)
            mask = cv2.warpAffine(covers, shift, size)
            canvas = mask * moved + (1 - mask) * canvas
        canvas = np.clip(canvas + rng.normal(0, 1, SIZE), 0, 255).astype(np.uint8)
        pictures.append(np.repeat(canvas[..., None], 3, 2))
    return pictures
