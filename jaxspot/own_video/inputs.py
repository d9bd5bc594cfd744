"""What a person names as videos: files, folders, globs and folders of pictures."""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.datasets.dataset import all_folders
from jaxspot.datasets.folders import person_folder, say_unknown
from jaxspot.datasets.images import describe_numbers, is_image
from jaxspot.errors import UserError
from jaxspot.video.container import probe
from jaxspot.video.picture import TIFF_ENDINGS, page_count
from jaxspot.video.writer import LONGEST_NAME

MIN_PICTURES = 2
MOST_LOST = 10
"""Where numbers would make more frames for each picture, they count something else."""
OTHER_RATE = 0.01
BY_FOLDER = "folder"
"""In place of a subject: folders name the people, as `find_videos` says."""


class Video(NamedTuple):
    """A video to be spotted: a file or a folder of `pictures`, "" where one is lost.

    `name` is that of its folder of results, with `/` between folders; `subject` may be empty.
    """

    path: Path
    name: str
    subject: str = ""
    pictures: tuple[str, ...] = ()


class Found(NamedTuple):
    """Videos in the order in which they were named, and lines about what was left out."""

    videos: list[Video]
    notes: list[str]


def find_videos(
    places: Sequence[str | Path], *, fps: float | None = None, subject: str = ""
) -> Found:
    """Finds the videos at places: files, folders searched at any depth, globs.

    A folder that holds pictures and no video is one video, its pictures in order of their names;
    numbers count as numbers, so `2.png` is before `10.png`, and those that are missing between are
    lost frames. It needs `fps`, as a TIFF file of several pictures does, which is a video itself.

    Each video is named as its file without the ending. Where several would share a name, they are
    named with the folders above them: `s1/talk`, `s2/talk`; where that is not enough, with their
    endings. A file that is named twice is taken once.

    With the `subject` "folder", the subject of a video in a folder of `places` is the folder that
    `prepare --dataset=video` takes: that named as BIDS does, else the top one below the place. Of
    any other video, it is the folder that it lies in.

    UserError: a place without a video, a folder of pictures without `fps` or with two of one
    number, or a name that cannot be that of a folder.
    """
    paths: list[Path] = []
    notes: list[str] = []
    roots: dict[Path, Path] = {}
    for place in _unrolled(places):
        found = _below(place, fps, notes) if place.is_dir() else [place]
        roots = dict.fromkeys(found, place) | roots
        paths += found
    once = {os.path.realpath(path): path for path in reversed(paths)}
    unique = [path for path in dict.fromkeys(paths) if once[os.path.realpath(path)] is path]
    names = unique_names(unique)
    videos = []
    for path, name in zip(unique, names, strict=True):
        check_name(path, name)
        who = _person(roots[path], path) if subject == BY_FOLDER else subject
        pictures = _pictures(path) if path.is_dir() else ()
        filled = with_lost(path, pictures)
        notes += _say_lost(path, pictures, filled) if path.is_dir() else _say_times(path, fps)
        videos.append(Video(path, name, who, filled))
    return Found(videos, notes)


def _unrolled(places: Iterable[str | Path]) -> Iterator[Path]:
    """Places with globs replaced by what they match; a file may have such signs in its name."""
    for place in places:
        if Path(place).exists() or not glob.has_magic(str(place)):
            yield Path(place)
            continue
        matches = sorted(glob.glob(str(place), recursive=True))
        matches = [path for path in map(Path, matches) if path.name[0] != "." and _wanted(path)]
        if not matches:
            raise UserError(f"{place}: matches no video; check the pattern")
        yield from matches


def _person(root, path):
    return (person_folder(root, path) if path != root else "") or path.absolute().parent.name


def _wanted(path):
    known = path.suffix.lower() in VIDEO_ENDINGS
    return path.is_dir() or known or page_count(path) >= MIN_PICTURES


def _below(root: Path, fps: float | None, notes: list[str]) -> list[Path]:
    """The videos in a folder at any depth, folders of pictures among them."""
    found, untimed = [], []
    for folder in all_folders(root):
        files = sorted(path for path in folder.iterdir() if path.name[0] != "." and path.is_file())
        videos = [path for path in files if path.suffix.lower() in VIDEO_ENDINGS] or _stacks(files)
        found += videos
        notes += say_unknown(folder, set(files) - set(videos))
        if not videos and len(_pictures(folder)) >= MIN_PICTURES:
            (untimed if fps is None else found).append(folder)
    if not found and untimed:
        raise UserError(f"{untimed[0]}: is a folder of pictures; name its frame rate by --fps")
    if not found:
        raise UserError(f"{root}: is a folder without a video or pictures; check the path")
    if untimed:
        count = f"{len(untimed)} folder{'s' * (len(untimed) > 1)} of pictures"
        notes.append(f"{root}: {count} left out ({untimed[0]}); to take them, name --fps")
    return found


def _stacks(files):
    """TIFF files of several pictures, each a video; none where the first TIFF file is a picture."""
    tiffs = [path for path in files if path.suffix.lower() in TIFF_ENDINGS]
    if not tiffs or page_count(tiffs[0]) < MIN_PICTURES:
        return []
    return [path for path in tiffs if page_count(path) >= MIN_PICTURES]


def _pictures(folder: Path) -> tuple[str, ...]:
    names = (entry.name for entry in os.scandir(folder))
    pictures = [name for name in names if is_image(Path(name))]
    return tuple(sorted(pictures, key=in_order))


def with_lost(folder: Path, pictures: Sequence[str]) -> tuple[str, ...]:
    """Pictures with "" for those that their numbers lack, counted in the smallest step.

    Those without numbers, or whose numbers cannot count frames, stay as they are. UserError: two of
    one number.
    """
    digits = [re.findall(r"\d+", Path(name).stem) for name in pictures]
    numbers = [int(found[-1]) for found in digits if found]
    if len(numbers) < max(2, len(pictures)):
        return tuple(pictures)
    named = dict(zip(reversed(numbers), reversed(pictures), strict=True))
    for name, number in zip(pictures, numbers, strict=True):
        if named[number] != name:
            raise UserError(
                f"{folder / name}: is picture {number}, as {named[number]} is; keep one"
            )
    ordered = sorted(named)
    step = min(after - before for before, after in pairwise(ordered))
    places = [divmod(number - ordered[0], step) for number in ordered]
    even = not any(rest for _, rest in places)
    if numbers != ordered or not even or places[-1][0] > MOST_LOST * len(pictures):
        return tuple(pictures)
    filled = [""] * (places[-1][0] + 1)
    for (place, _), name in zip(places, pictures, strict=True):
        filled[place] = name
    return tuple(filled)


def _say_lost(folder, pictures, filled):
    """A line on lost pictures, or where the numbers of pictures do not tell their places."""
    lost = [place for place, name in enumerate(filled, 1) if not name]
    if lost:
        one = len(lost) == 1
        line = "1 picture is missing; frame" if one else f"{len(lost)} pictures are missing; frames"
        return [f"{folder}: {line} {describe_numbers(lost)} count{'s' * one} as lost"]
    digits = [re.findall(r"\d+", Path(name).stem) for name in pictures]
    steps = {int(b[-1]) - int(a[-1]) for a, b in pairwise(digits) if a and b}
    if all(digits) and len(steps) < 2:
        return []
    return [f"{folder}: pictures count as evenly spaced, in order of their names"]


def _say_times(path, fps):
    """A line where `fps` takes the place of other times in the file."""
    try:
        info = probe(path) if fps else None
    except UserError:  # raised again when it is read
        return []
    if not info or not info.timed or abs(info.fps - fps) <= OTHER_RATE * fps:
        return []
    line = f"plays {info.fps:g} frames a second, counted as {fps:g}"
    return [f"{path}: {line}; in a player, intervals lie at other times than in the results"]


def in_order(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts names with numbers by their values: `2.png` before `10.png`."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]


def unique_names(paths: Sequence[Path]) -> list[str]:
    """A name for each path that no other has in any case: its stem, or folders with it.

    UserError: two paths that differ in nothing but case.
    """
    plain = [(path.absolute().parent, _stem(path)) for path in paths]
    twins = _shared([f"{folder}/{stem}" for folder, stem in plain])  # alike but for their endings
    parts = [(*folder.parts[1:], stem) for folder, stem in plain]
    for number in twins:
        parts[number] = (*parts[number][:-1], paths[number].name)
    depths = [1] * len(paths)
    while True:
        names = ["/".join(part[-depth:]) for part, depth in zip(parts, depths, strict=True)]
        shared = _shared(names)
        if not shared:
            return names
        deeper = [number for number in shared if depths[number] < len(parts[number])]
        if not deeper:
            first, second = (paths[number] for number in shared[:2])
            raise UserError(f"{second}: has the same name as {first} but for case; rename one")
        for number in deeper:
            depths[number] += 1


def _shared(names):
    folded = [name.casefold() for name in names]
    count = Counter(folded)
    return [number for number, name in enumerate(folded) if count[name] > 1]


def _stem(path):
    return path.name if path.is_dir() else path.stem


def check_name(path: Path, name: str) -> None:
    """Refuses, by a UserError, a name that cannot be that of a folder."""
    if any("\ud800" <= sign <= "\udfff" for sign in str(path)):
        raise UserError(f"{str(path)!a}: the name is not valid UTF-8; rename the file")
    for part in name.split("/"):
        if part in ("", ".", ".."):
            raise UserError(f"{path}: no folder can be named after it; rename the file")
        if len(part.encode()) > LONGEST_NAME:
            raise UserError(
                f"{path}: its name is too long for a folder ({LONGEST_NAME} bytes); rename it"
            )
