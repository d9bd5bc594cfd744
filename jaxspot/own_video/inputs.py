"""What a person names as videos: files, folders, globs and folders of pictures."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.datasets.folders import person_folder
from jaxspot.datasets.left_out import say_unknown, without_overlays
from jaxspot.datasets.rates import say_rate
from jaxspot.datasets.spot_runs import is_overlay
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.own_video.numbered import picture_names, say_lost, with_lost
from jaxspot.video.interlaced import say_interlaced
from jaxspot.video.picture import TIFF_ENDINGS, page_count
from jaxspot.video.writer import LONGEST_NAME

MIN_PICTURES = 2
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
    endings. A file that is named twice is taken once, and the overlays of `spot` only by name.

    With the `subject` "folder", the subject of a video in a folder of `places` is the folder that
    `prepare --dataset=video` takes: that named as BIDS does, else the top one below the place. Of
    any other video, it is the folder that it lies in.

    UserError: a place without a video, a folder of pictures without `fps` or with two of one
    number, or a name that cannot be that of a folder.
    """
    paths: list[Path] = []
    notes: list[str] = []
    roots: dict[Path, Path] = {}
    for place in _unrolled(places, notes):
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
        pictures = picture_names(path) if path.is_dir() else ()
        filled = with_lost(path, pictures)
        if path.is_dir():
            notes += say_lost(path, pictures, filled)
        else:
            notes += [*say_rate(path, fps), *say_interlaced(path)]
        videos.append(Video(path, name, who, filled))
    return Found(videos, notes)


def _unrolled(places: Iterable[str | Path], notes: list[str]) -> Iterator[Path]:
    """Places with globs replaced by what they match; a file may have such signs in its name."""
    for place in places:
        if Path(place).exists() or not glob.has_magic(str(place)):
            yield Path(place)
            continue
        matches = sorted(glob.glob(str(place), recursive=True))
        matches = [path for path in map(Path, matches) if path.name[0] != "." and _wanted(path)]
        matches, ours = without_overlays(place, matches)
        notes += ours
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
    found, untimed, overlays = [], [], []
    for folder in all_folders(root):
        files = sorted(path for path in folder.iterdir() if path.name[0] != "." and path.is_file())
        videos = [path for path in files if path.suffix.lower() in VIDEO_ENDINGS] or _stacks(files)
        overlays += [path for path in videos if is_overlay(path)]
        found += [path for path in videos if path not in overlays]
        notes += say_unknown(folder, set(files) - set(videos))
        if not videos and len(picture_names(folder)) >= MIN_PICTURES:
            (untimed if fps is None else found).append(folder)
    ours = without_overlays(root, overlays)[1]
    if not found and ours:
        raise UserError(ours[0])
    notes += ours
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
