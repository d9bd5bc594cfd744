"""What a data set's folders hold: its videos, where each lies, its labels as released."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxspot.annotations.repairs import Labels
from jaxspot.errors import UserError

VIDEO_ENDINGS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".mts")


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


def refuse_doubles(videos: Sequence[SourceVideo]) -> None:
    """Refuses two videos of one name.

    Raises:
      UserError: naming both places.
    """
    seen: dict[str, SourceVideo] = {}
    for video in videos:
        if video.video in seen:
            raise UserError(
                f"{video.path}: is called {video.video!r}, as {seen[video.video].path} is; rename"
                " one of them"
            )
        seen[video.video] = video


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
