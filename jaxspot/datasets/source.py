"""What a data set's folders hold: its videos, where each lies, its labels as released."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxspot.annotations.repairs import Labels
from jaxspot.datasets.images import IMAGE_ENDINGS
from jaxspot.errors import UserError
from jaxspot.video.writer import BAD_NAME, is_file_name

VIDEO_ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts")
VIDEO_ENDINGS += (".m2ts", ".3gp", ".flv", ".ogv")


@dataclass(frozen=True)
class SourceVideo:
    """One video as it lies on disk.

    Attributes:
      subject, video: its names in the bank.
      path: a video file, or a folder of images.
      fps: frames a second of a folder of images; 0 for a video file, which carries its own times.
      table: for faces that OpenFace aligned, its CSV file (None where there is none).
      aligned: the images are aligned faces already, to be taken as they are.
    """

    subject: str
    video: str
    path: Path
    fps: float = 0.0
    table: Path | None = None
    aligned: bool = False


@dataclass(frozen=True)
class Source:
    """A data set before it is prepared.

    Attributes:
      dataset: its name, as `--dataset` takes it.
      root: the folder it was found in.
      videos: in the order of the bank.
      labels: as read, not yet fitted to the videos' lengths; None where there are none.
      labels_file: where they were read from; None where there are none.
      notes: a line for each thing that was passed over.
    """

    dataset: str
    root: Path
    videos: tuple[SourceVideo, ...]
    labels: Labels | None
    labels_file: Path | None
    notes: tuple[str, ...] = ()


def sub_folders(root: Path) -> list[Path]:
    """The folders in a folder, by name; hidden ones are passed over."""
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")


def all_folders(root: Path) -> Iterator[Path]:
    """A folder and those in it at any depth, each once, also over links; no hidden ones."""
    seen = set()
    for place, folders, _ in os.walk(root, followlinks=True, onerror=_raise):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(place)


def check_videos(videos: Sequence[SourceVideo]) -> None:
    """Refuses two videos of one name, and names that the files of a bank cannot have.

    Raises:
      UserError: naming the place, or both.
    """
    seen: dict[str, SourceVideo] = {}
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


def fingerprint(video: SourceVideo) -> str:
    """A hash that changes when the video does: its names, and name, size and time of its files.

    Where the data set lies does not matter.

    Raises:
      UserError: a file is gone.
    """
    try:
        places = [video.path]
        if video.path.is_dir():
            inside = sorted(video.path.iterdir())
            places = [path for path in inside if path.suffix.lower() in IMAGE_ENDINGS]
        places += [video.table] if video.table else []
        files = [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in places]
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None
    told = [video.subject, video.video, video.fps, video.aligned, files]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def check_source(root: str | Path) -> Path:
    """The folder of a data set.

    Raises:
      UserError: it is not there, or is no folder.
    """
    root = Path(root)
    if not root.exists():
        raise UserError(f"{root}: no such folder; check --source")
    if not root.is_dir():
        raise UserError(f"{root}: is a file; --source names the folder that holds the data set")
    return root


def _raise(error: OSError) -> None:
    raise error
