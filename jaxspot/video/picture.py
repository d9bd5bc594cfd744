"""Pictures from their files: as they are shown, 8 bits a channel."""

import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from jaxspot.errors import UserError
from jaxspot.video.geometry import EXIF_MATRICES, ORIENTATION, upright

TIFF_ENDINGS = (".tif", ".tiff")
LARGEST_SIDE = 32_766  # of what OpenCV warps
DEEPEST = 16
SOME = 9
DAMAGED = (OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, EOFError)
DAMAGED += (struct.error, cv2.error)
"""What Pillow and OpenCV raise of files whose headers are damaged."""


def read_image(path: Path, *, bits: int = DEEPEST) -> np.ndarray | None:
    """A picture as it is shown, uint8 (h, w, 3) RGB; None if it is damaged or cut off.

    EXIF's orientation is applied. Of 16 bits a channel, the upper 8 of the lowest `bits` are taken,
    see `used_bits`. UserError: the disk does not give the file, or the picture is too large, holds
    fractions, or is one of several in its file.
    """
    image = _read(path)
    return None if image is None else _to_bytes(image, bits)


def used_bits(paths: Sequence[Path]) -> int:
    """How many bits of 16 the channels of a folder's pictures use, 8..16; 16 if they have 8.

    Cameras of 10 or 12 bits write files of 16. A few pictures tell for all, so that all are equally
    bright. UserError: as `read_image`.
    """
    return _used_bits(_read(paths[place]) for place in _some(len(paths)))


def page_count(path: Path) -> int:
    """How many pictures of one size a TIFF file holds; 0: it is no TIFF, or damaged."""
    if path.suffix.lower() not in TIFF_ENDINGS or not path.is_file():
        return 0
    try:
        with _opened(path) as image:
            return _pages(image)
    except DAMAGED:
        return 0


def read_pages(path: Path) -> Iterator[np.ndarray]:
    """The pictures of a TIFF file, as `read_image` gives them.

    UserError: as there, or one is damaged.
    """
    with _opened(path) as image:
        count = _pages(image)

        def page(number: int) -> np.ndarray:
            try:
                image.seek(number)
                return _pixels(image, path)
            except DAMAGED:
                raise UserError(f"{path}: picture {number + 1} is damaged; copy it again") from None

        bits = _used_bits(page(number) for number in _some(count))
        for number in range(count):
            yield _to_bytes(page(number), bits)


def _read(path: Path) -> np.ndarray | None:
    """A picture (h, w, 3), uint8 or uint16; None if it is damaged."""
    try:
        with _opened(path) as image:
            if path.suffix.lower() in TIFF_ENDINGS and _pages(image) > 1:
                raise UserError(
                    f"{path}: holds {_pages(image)} pictures; name the file itself as a video, or"
                    " save each picture as a file"
                )
            return _pixels(image, path)
    except DAMAGED as error:
        if isinstance(error, OSError) and error.errno:  # not the image but the disk fails
            raise UserError(f"{path}: cannot be read ({error.strerror})") from None
        return None


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of metadata that nobody uses, and of many pixels
            # From an open file, since Pillow maps gray TIFFs that are turned the wrong way.
            with open(path, "rb") as file, Image.open(file) as image:
                if max(image.size) > LARGEST_SIDE:
                    raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
                yield image
    except Image.DecompressionBombError as error:
        raise UserError(f"{path}: is too large ({error}); make it smaller") from None


def _pixels(image: Image.Image, path: Path) -> np.ndarray:
    """The open page of an image as it is shown: (h, w, 3), uint8 or uint16."""
    if image.mode == "F":
        raise UserError(f"{path}: holds fractions (float); save it with 8 or 16 bits a channel")
    deep_colour = ";16" in str(getattr(image, "tile", "")) and not image.mode.startswith("I")
    page = image.tell()
    image.load()  # which turns a TIFF
    orientation = image.getexif().get(ORIENTATION, 1)
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        if deep.max() >= 2**DEEPEST or deep.min() < 0:
            raise UserError(f"{path}: holds numbers of over 16 bits; save it with 8 or 16")
        pixels = np.repeat(deep[..., None].astype(np.uint16), 3, axis=-1)
    elif deep_colour:  # of which Pillow gives the upper 8 bits
        pages = cv2.imreadmulti(str(path), page, 1, flags=cv2.IMREAD_UNCHANGED)[1]
        if not pages:
            raise ValueError("cut off")
        pixels = pages[0][..., 2::-1]
    else:
        pixels = np.asarray(image.convert("RGB"))
    return upright(pixels, EXIF_MATRICES.get(orientation, EXIF_MATRICES[1]))


def _pages(image: Image.Image) -> int:
    """Pictures of a TIFF file; a second one of another size is a small copy of the first."""
    count, size = getattr(image, "n_frames", 1), image.size
    if count > 1:
        image.seek(1)
        count = count if image.size == size else 1
        image.seek(0)
    return count


def _some(count: int) -> list[int]:
    return np.linspace(0, count - 1, min(SOME, count)).round().astype(int).tolist()


def _used_bits(images: Iterable[np.ndarray | None]) -> int:
    most = 0
    for image in images:
        if image is not None and image.dtype == np.uint8:
            return DEEPEST
        most = max(most, 0 if image is None else int(image.max()))
    return max(8, most.bit_length()) if most else DEEPEST


def _to_bytes(image: np.ndarray, bits: int) -> np.ndarray:
    if image.dtype == np.uint8:
        return image
    return np.minimum(image >> (bits - 8), 255).astype(np.uint8)
