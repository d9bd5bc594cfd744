"""A folder of pictures as the frames of a video, by the numbers in their names."""

import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from jaxspot.datasets.images import describe_numbers, is_image
from jaxspot.errors import UserError

MOST_LOST = 10
"""Where numbers would make more frames for each picture, they count something else."""


def picture_names(folder: Path) -> tuple[str, ...]:
    """The names of the pictures in a folder, `2.png` before `10.png`."""
    names = (entry.name for entry in os.scandir(folder))
    pictures = [name for name in names if is_image(Path(name))]
    return tuple(sorted(pictures, key=_in_order))


def with_lost(folder: Path, pictures: Sequence[str]) -> tuple[str, ...]:
    """Pictures with "" for those that their numbers lack, counted in the smallest step.

    Those without numbers, or whose numbers cannot count frames, stay as they are. UserError: two of
    one number.
    """
    numbers = _numbers(pictures)
    if len(numbers) < 2:
        return tuple(pictures)
    named = dict(zip(reversed(numbers), reversed(pictures), strict=True))
    for name, number in zip(pictures, numbers, strict=True):
        if named[number] != name:
            raise UserError(
                f"{folder / name}: is picture {number}, as {named[number]} is; keep one"
            )
    ordered = sorted(named)
    places = _places(ordered)
    if numbers != ordered or not places or places[-1] > MOST_LOST * len(pictures):
        return tuple(pictures)
    filled = [""] * (places[-1] + 1)
    for place, name in zip(places, pictures, strict=True):
        filled[place] = name
    return tuple(filled)


def say_lost(folder: Path, pictures: Sequence[str], filled: Sequence[str]) -> list[str]:
    """Lines on lost pictures, and where frames do not count as the numbers of the pictures do.

    `filled` are the pictures as `with_lost` gives them.
    """
    numbers = _numbers(pictures)
    places = [place for place, name in enumerate(filled) if name]
    if len(pictures) > 1 and (not numbers or _places(numbers) != places):
        return [f"{folder}: pictures count as evenly spaced, in order of their names"]
    lines = _say_first(folder, numbers)
    lost = [place for place, name in enumerate(filled, 1) if not name]
    if lost:
        one = len(lost) == 1
        line = "1 picture is missing; frame" if one else f"{len(lost)} pictures are missing; frames"
        lines.append(f"{folder}: {line} {describe_numbers(lost)} count{'s' * one} as lost")
    return lines


def _say_first(folder, numbers):
    """`prepare`, and labels by the number of a picture, count as the pictures do."""
    if len(numbers) < 3:
        return []
    first, second = numbers[0], numbers[0] + _step(numbers)
    if first < 2 and second == first + 1:
        return []
    banks = f"{first + (first == 0)} and {second + (first == 0)}"
    line = f"frames 1 and 2 are pictures {first} and {second}"
    return [f"{folder}: {line}; in a bank of `prepare` they are frames {banks}"]


def _numbers(pictures):
    """The last number in each name; none where one has no number."""
    digits = [re.findall(r"\d+", Path(name).stem) for name in pictures]
    return [int(found[-1]) for found in digits] if all(digits) else []


def _step(numbers):
    return min(after - before for before, after in pairwise(numbers))


def _places(numbers):
    """Which frame each number is, from 0, in the smallest step; none where they are not even."""
    step = _step(numbers)
    if step < 1 or any((number - numbers[0]) % step for number in numbers):
        return []
    return [(number - numbers[0]) // step for number in numbers]


def _in_order(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts names with numbers by their values: `2.png` before `10.png`."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
