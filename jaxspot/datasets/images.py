"""A folder of numbered images as a video: numbers from file names, gaps kept as lost frames."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from jaxspot.errors import UserError
from jaxspot.video.decode import VideoFrame
from jaxspot.video.picture import read_image, used_bits

IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff")
MOST = 100_000
MOST_EACH = 100
MOST_UNLIKE = 10


def number_images(folder: Path) -> dict[int, Path]:
    """The images of a folder by frame number, the last digits of each name, in order.

    `006_1_0001.jpg`, `006_1_11770.jpg`, `img001.jpg` and `img_1.jpg` are 1, 11770, 1 and 1. Where
    numbers begin at 0, each is raised by one. UserError: no image, one without a number, two of one
    number, or numbers that count no frames.
    """
    found = _by_number(folder)
    shift = int(0 in found)
    return {number + shift: found[number] for number in sorted(found)}


def first_number(folder: Path) -> int:
    """The lowest number of an image as its name gives it; errors as `number_images`."""
    return min(_by_number(folder))


def is_image(path: Path) -> bool:
    """Whether a path is that of an image file, by its name."""
    return path.suffix.lower() in IMAGE_ENDINGS and path.name[0] != "."


def _by_number(folder):
    found: dict[int, Path] = {}
    stems: dict[str, list[Path]] = {}
    for path in filter(is_image, sorted(folder.iterdir())):
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise UserError(f"{path}: has no frame number in its name; rename or remove it")
        number = int(digits[-1])
        stems.setdefault(path.stem[: path.stem.rindex(digits[-1])], []).append(path)
        if number in found:
            other = found[number].name
            raise UserError(f"{path}: is frame {number}, as {other} is; keep one of them")
        found[number] = path
    if not found:
        kinds = ", ".join(IMAGE_ENDINGS)
        raise UserError(f"{folder}: holds no image ({kinds}); check that it was unpacked")
    refuse_unlike(stems)
    refuse_sparse(found[max(found)], last=max(found), images=len(found))
    return found


def refuse_unlike(stems: Mapping[str, Sequence[Path]]) -> None:
    """Raises UserError where a few images of a folder are named unlike the others.

    `stems` maps what stands before the numbers to images. A cover among frames moves no number so.
    """
    most, *others = sorted(stems.values(), key=len, reverse=True)
    few = [path for paths in others if MOST_UNLIKE * len(paths) < len(most) for path in paths]
    if few:
        raise UserError(
            f"{few[0]}: is named unlike the other images ({most[0].name}); if it is a frame,"
            " rename it, else move it away"
        )


def refuse_sparse(where: Path, *, last: int, images: int) -> None:
    """Raises UserError where numbers up to `last` can count no frames, such as dates."""
    if last > max(MOST, MOST_EACH * images):
        raise UserError(
            f"{where}: would be frame {last}, but there are {images} images; numbers must count"
            " frames from 1"
        )


def missing_numbers(images: Mapping[int, Path]) -> list[int]:
    """Frame numbers from 1 to the last that no image has."""
    return sorted(set(range(1, max(images, default=0) + 1)) - images.keys())


def image_frames(images: Mapping[int, Path], fps: float) -> Iterator[VideoFrame]:
    """Every frame from 1 to the last number; the image is None where it is lost or unreadable."""
    bits = used_bits(list(images.values()))
    for number in range(1, max(images) + 1):
        path = images.get(number)
        image = None if path is None else read_image(path, bits=bits)
        yield VideoFrame((number - 1) / fps, image)


def describe_numbers(numbers: list[int]) -> str:
    """Frame numbers in a few words: '3, 17-19'."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}-{b}" if b > a else str(a) for a, b in spans)
