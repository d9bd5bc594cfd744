"""Any other set: a table of videos, a folder of video files, a folder of OpenFace's output."""

import math
from collections.abc import Iterable
from pathlib import Path

from jaxspot.annotations.intervals import read_sources
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.repairs import RULES
from jaxspot.datasets.openface import ALIGNED, openface_fps
from jaxspot.datasets.source import (
    VIDEO_ENDINGS,
    Source,
    SourceVideo,
    all_folders,
    check_source,
    check_videos,
)
from jaxspot.errors import UserError
from jaxspot.video.writer import BAD_NAME, is_file_name


def csv_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """A set as tables: `videos.csv` (subject, video, path, fps) and `annotations.csv` in `root`.

    A path is that of a video file or of a folder of numbered images, relative to `root`. fps may be
    blank for a video file.

    Args:
      root: the folder of the tables.
      labels: another file of labels, see `read_labels`.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: naming file and row.
    """
    root = check_source(root)
    file = root / "videos.csv"
    table = read_sources(file)
    if table.empty:
        raise UserError(f"{file}: lists no video")
    videos = []
    for subject, video, path, fps, row in table.itertuples(index=False):
        place = root / path
        where = f"{file}, row {row}"
        if not is_file_name(video):
            raise UserError(f"{where}: video {video!r}: {BAD_NAME}")
        if not place.exists():
            raise UserError(f"{where}: {place} is not there; paths start from {root}")
        if place.is_dir() and not fps > 0:
            raise UserError(f"{where}: fps is blank; a folder of images has no times of its own")
        videos.append(SourceVideo(subject, video, place, float(fps) if fps > 0 else 0.0))
    return _source("csv", root, videos, labels, rules)


def video_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """All video files under a folder; a video is called as its file, without the ending.

    Its subject is the folder that it lies in; for files in `root` itself, what stands before the
    first `_` of the name. `annotations.csv` in `root` holds the labels, if there are any.

    Args:
      root: the folder; links in it are followed.
      labels: another file of labels, see `read_labels`.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: no video file, or two of one name.
    """
    root = check_source(root)
    paths = [path for folder in all_folders(root) for path in folder.iterdir()]
    files = [path for path in sorted(paths) if path.suffix.lower() in VIDEO_ENDINGS]
    files = [path for path in files if path.is_file() and path.name[0] != "."]
    if not files:
        raise UserError(f"{root}: holds no video file ({', '.join(VIDEO_ENDINGS)})")
    videos = [SourceVideo(_subject(root, path, path.stem), path.stem, path) for path in files]
    return _source("video", root, videos, labels, rules)


def openface_source(
    root: str | Path,
    *,
    labels: str | Path | None = None,
    rules: tuple[str, ...] = RULES,
    fps: float | None = None,
) -> Source:
    """OpenFace's output: `<video>_aligned/` and `<video>.csv` beside it, anywhere under a folder.

    Subjects and labels are found as by `video_source`.

    Args:
      root: the folder.
      labels: another file of labels, see `read_labels`.
      rules: of `repairs.RULES`, to mend labels by.
      fps: frames a second; by default from the time stamps of each CSV.

    Raises:
      UserError: no aligned folder, two videos of one name, or a frame rate that cannot be known.
    """
    root = check_source(root)
    if fps is not None and not 0 < fps < math.inf:
        raise UserError(f"--fps is {fps:g}; it must be above 0")
    videos = []
    for folder in sorted(path for path in all_folders(root) if path.name.endswith(ALIGNED)):
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
    return _source("openface", root, videos, labels, rules)


def _subject(root: Path, path: Path, name: str) -> str:
    subject = path.parent.name if path.parent != root else name.partition("_")[0]
    return subject.strip() or name


def _source(
    dataset: str,
    root: Path,
    videos: Iterable[SourceVideo],
    labels: str | Path | None,
    rules: tuple[str, ...],
) -> Source:
    videos = tuple(videos)
    check_videos(videos)
    file = Path(labels) if labels else root / "annotations.csv"
    if not labels and not file.exists():
        return Source(dataset, root, videos, None, None)
    return Source(dataset, root, videos, read_labels(file, rules=rules), file)
