"""Any other set: a table of videos, a folder of video files, a folder of OpenFace's output."""

from collections.abc import Iterable
from pathlib import Path

from jaxspot.annotations.tables import read_sources
from jaxspot.datasets.labels import read_labels
from jaxspot.datasets.openface import ALIGNED, openface_fps
from jaxspot.datasets.source import (
    VIDEO_ENDINGS,
    Source,
    SourceVideo,
    check_source,
    refuse_doubles,
)
from jaxspot.errors import UserError


def csv_source(root: str | Path, *, labels: str | Path | None = None) -> Source:
    """A set as tables: `videos.csv` (subject, video, path, fps) and `annotations.csv` in `root`.

    A path is that of a video file or of a folder of numbered images, relative to `root`. fps may be
    blank for a video file.

    Args:
      root: the folder of the tables.
      labels: another table of annotations.

    Raises:
      UserError: naming file and row.
    """
    root = check_source(root)
    table = read_sources(root / "videos.csv")
    videos = []
    for row, (subject, video, path, fps) in enumerate(table.itertuples(index=False), 2):
        place = root / path
        where = f"{root / 'videos.csv'}, row {row}"
        if not place.exists():
            raise UserError(f"{where}: {place} is not there; paths start from {root}")
        if place.is_dir() and not fps > 0:
            raise UserError(f"{where}: fps is blank; a folder of images has no times of its own")
        videos.append(SourceVideo(subject, video, place, float(fps) if fps > 0 else 0.0))
    file = Path(labels) if labels else root / "annotations.csv"
    return _source("csv", root, videos, file if labels or file.exists() else None)


def video_source(root: str | Path, *, labels: str | Path | None = None) -> Source:
    """All video files under a folder; a video is called as its file, without the ending.

    Its subject is the folder that it lies in; for files in `root` itself, what stands before the
    first `_` of the name. `annotations.csv` in `root` holds the labels, if there are any.

    Raises:
      UserError: no video file, or two of one name.
    """
    root = check_source(root)
    files = [path for path in sorted(root.rglob("*")) if path.suffix.lower() in VIDEO_ENDINGS]
    files = [path for path in files if path.is_file() and path.name[0] != "."]
    if not files:
        raise UserError(f"{root}: holds no video file ({', '.join(VIDEO_ENDINGS)})")
    videos = [SourceVideo(_subject(root, path, path.stem), path.stem, path) for path in files]
    file = Path(labels) if labels else root / "annotations.csv"
    return _source("video", root, videos, file if labels or file.exists() else None)


def openface_source(
    root: str | Path, *, labels: str | Path | None = None, fps: float | None = None
) -> Source:
    """OpenFace's output: `<video>_aligned/` and `<video>.csv` beside it, anywhere under a folder.

    Subjects and labels are found as by `video_source`.

    Args:
      root: the folder.
      labels: another table of annotations.
      fps: frames a second; by default from the time stamps of each CSV.

    Raises:
      UserError: no aligned folder, two videos of one name, or a frame rate that cannot be known.
    """
    root = check_source(root)
    videos = []
    for folder in sorted(path for path in root.rglob(f"*{ALIGNED}") if path.is_dir()):
        name = folder.name.removesuffix(ALIGNED)
        csv = folder.with_name(f"{name}.csv")
        if not csv.exists() and not fps:
            raise UserError(f"{csv}: is not there, so name the frame rate by --fps")
        table = csv if csv.exists() else None
        rate = fps or openface_fps(csv)
        subject = _subject(root, folder, name)
        videos.append(SourceVideo(subject, name, folder, rate, table, aligned=True))
    if not videos:
        raise UserError(f"{root}: holds no folder such as <video>{ALIGNED}; was OpenFace run here?")
    file = Path(labels) if labels else root / "annotations.csv"
    return _source("openface", root, videos, file if labels or file.exists() else None)


def _subject(root: Path, path: Path, name: str) -> str:
    return path.parent.name if path.parent != root else name.partition("_")[0]


def _source(
    dataset: str, root: Path, videos: Iterable[SourceVideo], annotations: Path | None
) -> Source:
    videos = tuple(videos)
    refuse_doubles(videos)
    labels = None if annotations is None else read_labels(annotations)
    return Source(dataset, root, videos, labels, annotations)
