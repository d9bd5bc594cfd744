"""A folder of numbered images as a video: numbers from file names, gaps kept as lost frames."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from jaxspot.errors import UserError
from jaxspot.video.decode import VideoFrame

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")


def number_images(folder: Path) -> dict[int, Path]:
    """The images of a folder by frame number, the last digits of each name, in order.

    `006_1_0001.jpg`, `006_1_11770.jpg`, `img001.jpg` and `img_1.jpg` are 1, 11770, 1 and 1. A
    folder that begins at 0 is counted from 1 like the others, every number one more.

    Raises:
      UserError: no image, one without a number, or two of one number.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_ENDINGS or path.name[0] == ".":
            continue
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise UserError(f"{path}: has no frame number in its name; rename or remove it")
        number = int(digits[-1])
        if number in found:
            raise UserError(
                f"{path}: is frame {number}, as {found[number].name} is; keep one of them"
            )
        found[number] = path
    if not found:
        kinds = ", ".join(IMAGE_ENDINGS)
        raise UserError(f"{folder}: holds no image ({kinds}); check that it was unpacked")
    shift = int(0 in found)
    return {number + shift: found[number] for number in sorted(found)}


def missing_numbers(images: Mapping[int, Path]) -> list[int]:
    """Frame numbers from 1 to the last that no image has."""
    return sorted(set(range(1, max(images) + 1)) - images.keys())


def image_frames(images: Mapping[int, Path], fps: float) -> Iterator[VideoFrame]:
    """Every frame from 1 to the last number; the image is None where it is lost or unreadable."""
    for number in range(1, max(images) + 1):
        path = images.get(number)
        yield VideoFrame((number - 1) / fps, None if path is None else read_image(path))


def read_image(path: Path) -> np.ndarray | None:
    """An image as uint8 (h, w, 3) RGB; None if it cannot be read or is cut off."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def describe_numbers(numbers: list[int]) -> str:
    """Frame numbers in a few words: '3, 17-19'."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in spans)
