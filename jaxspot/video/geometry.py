"""How the pixels of a file are shown: square, and the right way up."""

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image

from jaxspot.errors import UserError

MOST_STRETCH = 4
# PyAV 18 has no name for EXIF among a frame's side data; asked for any of it, it crashes.
EXIF_CODECS = ("mjpeg", "png", "apng", "webp", "tiff", "jpegxl")

ORIENTATION = 0x0112
"""The tag of EXIF; its values have these matrices, see `upright`."""
EXIF_MATRICES = {
    1: np.array([[1, 0], [0, 1]]),
    2: np.array([[-1, 0], [0, 1]]),
    3: np.array([[-1, 0], [0, -1]]),
    4: np.array([[1, 0], [0, -1]]),
    5: np.array([[0, 1], [1, 0]]),
    6: np.array([[0, 1], [-1, 0]]),
    7: np.array([[0, -1], [-1, 0]]),
    8: np.array([[0, -1], [1, 0]]),
}

MIRRORED = (2, 4, 5, 7)


def check_pixels(ratio: Fraction | None, path: Path) -> float:
    """Width of a pixel relative to its height, 1 if unknown; UserError: none of a camera."""
    if not ratio or ratio < 0:
        return 1.0
    if not 1 / MOST_STRETCH <= ratio <= MOST_STRETCH:
        raise UserError(
            f"{path}: its pixels are {float(ratio):g} times as wide as high; make them square"
        )
    return float(ratio)


def square_pixels(image: np.ndarray, ratio: float) -> np.ndarray:
    """Stretches an image (h, w, ...) whose pixels are `ratio` times as wide as high."""
    height, width = image.shape[:2]
    size = (round(width * max(ratio, 1)), round(height / min(ratio, 1)))
    return image if size == (width, height) else cv2.resize(image, size)


def display_matrix(frame: av.VideoFrame, codec: str) -> np.ndarray:
    """The matrix (2, 2) that `upright` takes, of a decoded frame."""
    if codec in EXIF_CODECS:
        return turn_matrix(frame.rotation)
    try:
        side = frame.side_data["DISPLAYMATRIX"]  # pyright: ignore[reportGeneralTypeIssues]
    except KeyError:
        return np.eye(2)
    return np.frombuffer(side, np.int32).reshape(3, 3)[:2, :2]


def exif_mirror(picture: bytes) -> np.ndarray | None:
    """The matrix (2, 2) that `upright` takes of a picture whose EXIF mirrors it; else None.

    `display_matrix` knows the turns, but not the mirrors, of such a picture.
    """
    try:
        with Image.open(io.BytesIO(picture)) as image:
            orientation = image.getexif().get(ORIENTATION)
    except (OSError, SyntaxError, ValueError, TypeError, struct.error):  # damaged, or no whole file
        return None
    return EXIF_MATRICES[orientation] if orientation in MIRRORED else None


def upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turns an image (h, w, ...) as its display matrix (2, 2) asks, to the nearest quarter turn.

    The matrix is FFmpeg's: output x = m[0,0] x + m[1,0] y, output y = m[0,1] x + m[1,1] y.
    """
    if abs(matrix[0, 0]) >= abs(matrix[1, 0]):
        along_x, along_y = matrix[0, 0], matrix[1, 1]
    else:
        image = image.swapaxes(0, 1)
        along_x, along_y = matrix[1, 0], matrix[0, 1]
    if along_x < 0:
        image = image[:, ::-1]
    if along_y < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)


def turn_matrix(degrees: float) -> np.ndarray:
    """Display matrix (2, 2) of a turn by degrees, counterclockwise, without mirroring."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])
