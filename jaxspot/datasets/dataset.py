"""A data set as it lies on disk: its videos, where each is, and its labels."""

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.names import VideoNames
from jaxspot.annotations.repairs import RULES, Labels, join_labels, no_labels
from jaxspot.annotations.timed import FrameTimes
from jaxspot.datasets.label_files import eaf_files, say_beside, say_unread
from jaxspot.datasets.rates import own_times, say_rate
from jaxspot.errors import UserError
from jaxspot.motion.pack import Segments
from jaxspot.motion.regions import TWELVE, Regions
from jaxspot.video.container import timed_packets
from jaxspot.video.frame_times import fps_of, frame_ends
from jaxspot.video.writer import BAD_NAME, is_file_name


@dataclass(frozen=True)
class SourceVideo:
    """One video on disk: its names in the bank, and a video file, images or segments of motion.

    `fps` is that of the release's frames, or 0 for a video file at its own times.
    `table` is the CSV file of OpenFace beside its aligned faces, or the quality of a bank beside
    its frames. Images that are `aligned` are taken as they are. With `motion`, the region motion is
    at hand instead of pictures. `begins` are the first frames of later stays of a face in a bank.
    """

    subject: str
    video: str
    path: Path
    fps: float = 0.0
    table: Path | None = None
    aligned: bool = False
    motion: Segments | None = None
    begins: tuple[int, ...] = ()

    @property
    def is_film(self) -> bool:
        """Whether it is a video file."""
        return not (self.aligned or self.motion or self.path.is_dir())


@dataclass(frozen=True)
class Dataset:
    """A data set before it is prepared; `name` is as `--dataset` takes it.

    `videos` are in the order of the bank, `labels` not yet fitted to their lengths. `rules` are the
    repair rules in force (`repairs.RULES`); `notes` has a line for each thing that was passed over,
    `assumed` one for each that was taken to be so, such as who is in which video, `rates` one for
    each frame rate that was named to be another than that of the files.
    With `measure`, its bank holds the region motion of the pictures in their place. `origin` goes
    into `bank.json`: what the data set was itself made of. `tables` are the files of its labels
    where they are several; `labels.file` is their folder then.
    """

    name: str
    root: Path
    videos: tuple[SourceVideo, ...]
    labels: Labels = field(default_factory=no_labels)
    rules: Collection[str] = RULES
    notes: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    measure: bool = False
    origin: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Path, ...] = ()

    @property
    def regions(self) -> Regions | None:
        """The regions whose motion is at hand; None where there are pictures."""
        motion = self.videos[0].motion if self.videos else None
        return dataclasses.replace(TWELVE, every=motion.every) if motion else None

    @property
    def kept(self) -> Regions | None:
        """The regions whose motion its bank will hold; None: it will hold frames."""
        return self.regions or (TWELVE if self.measure else None)


def make_dataset(
    name: str,
    root: Path,
    videos: Sequence[SourceVideo],
    *,
    labels: str | Path | None,
    rules: Collection[str],
    release: str | None = None,
    notes: Sequence[str] = (),
    assumed: Sequence[str] = (),
    rates: Sequence[str] = (),
) -> Dataset:
    """A data set whose videos have names of their own, with its labels.

    `labels` is their file, by default `annotations.csv` in `root`, if there is one, or a folder of
    .eaf files; `release` is whose label sheet it must be (see `read_labels`). UserError: two videos
    share a name, a name cannot be that of a file, or the labels cannot be read.
    """
    check_names(videos)
    file = Path(labels) if labels else find_table(root, "annotations.csv")
    given = bool(labels) or file.exists()
    files = tuple(eaf_files(file)) if file.is_dir() else ()
    options: Any = dict(rules=rules, dataset=release, times=_frame_times(videos))
    if files:
        tables = [read_labels(path, **options) for path in files]
        found = join_labels(tables, file=str(file))
        shared = _say_shared(found, VideoNames(video.video for video in videos))
        found = found._replace(notes=(*found.notes, *shared))
    else:
        found = read_labels(file, **options) if given else no_labels()
    unread = say_unread(file) if files else [] if given else say_beside(root)
    other = [line for video in videos if video.is_film for line in say_rate(video.path, video.fps)]
    return Dataset(
        name,
        root,
        tuple(videos),
        found,
        rules,
        notes=(*notes, *(f"{file}: {line}" for line in found.notes), *unread),
        assumed=tuple(assumed),
        rates=(*rates, *other),
        tables=files,
    )


def _say_shared(labels, names):
    """A line on each video that several files label, such as an old copy beside the new one."""
    table: Any = labels.annotations
    meant = table.video.map(lambda name: names.find(name) or name)
    for video, files in table.file.groupby(meant, sort=False):
        places = [Path(path).relative_to(labels.file).as_posix() for path in files.unique()]
        if len(places) > 1:
            listed = f"{', '.join(places[:-1])} and {places[-1]}"
            taken = "both" if len(places) == 2 else "all"
            yield f"labels of {video} are in {listed}, {taken} taken"


def check_root(root: str | Path) -> Path:
    """The folder of a data set as a path; raises UserError where there is no such folder."""
    root = Path(root)
    if not root.exists():
        raise UserError(f"{root}: no such folder; check --source")
    if not root.is_dir():
        raise UserError(f"{root}: is a file; --source names the folder that holds the data set")
    return root


def find_table(root: Path, name: str) -> Path:
    """A table in a folder, by its name in any case; where it is not there, where it would be."""
    if not (root / name).exists():
        same = [path for path in sorted(root.iterdir()) if path.name.casefold() == name]
        if len(same) > 1:
            raise UserError(f"{same[0]}: and {same[1].name} are there; keep one, as {name}")
        if same:
            return same[0]
    return root / name


def _frame_times(videos):
    """Video name -> its rate, and when its frames start and end if it is a file; None: no video.

    Programs that play a file give its own times, whatever rate was named for it.
    """
    known = {video.video: video for video in videos}
    names = VideoNames(known)

    @cache
    def times(name):
        video = known.get(names.find(name) or name)
        if video is None:
            return None
        starts = own_times(video.path) if video.is_film else None
        if video.fps and starts is None:
            return FrameTimes(video.fps)
        starts = timed_packets(video.path) if starts is None else starts
        return FrameTimes(fps_of(starts, video.path), starts, frame_ends(starts))

    return times


def check_names(videos: Sequence[SourceVideo]) -> None:
    """Raises UserError where two videos share a name or a file, or a name cannot be a file's."""
    seen: dict[str, SourceVideo] = {}
    files: dict[str, SourceVideo] = {}
    for video in videos:
        if not is_file_name(video.video):
            raise UserError(f"{str(video.path)!r}: video {video.video!r}: {BAD_NAME}")
        if any("\ud800" <= sign <= "\udfff" for sign in video.subject):  # bytes that are no text
            raise UserError(f"{str(video.path)!r}: subject {video.subject!r} is not valid UTF-8")
        if video.video in seen:
            raise UserError(
                f"{video.path}: is called {video.video!r}, as {seen[video.video].path} is; rename"
                " one of them, or name them in a videos.csv (--dataset=csv)"
            )
        seen[video.video] = video
        same = files.setdefault(os.path.realpath(video.path), video)
        if same is not video and not video.motion:
            raise UserError(
                f"{video.path}: video {video.video!r} of {video.subject} is the same file as video"
                f" {same.video!r} of {same.subject}; keep one of them"
            )
