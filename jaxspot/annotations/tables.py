"""Tables of videos and intervals: reading with checks, writing whole or not at all.

Files count a video's frames from 1 and include both ends; arrays count from 0.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse

KINDS = ("ME", "MaE")
VIDEO_COLUMNS = ("subject", "video", "frames", "fps")
ANNOTATION_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset")
INTERVAL_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset", "score")


def to_span(onset, offset):
    """Frames `onset..offset` (from 1, both included) as array bounds `start, stop` (from 0).

    Tables and `match_intervals` count the first way, arrays and `find_intervals` the second, half
    open. Takes whole numbers or arrays of them.
    """
    return onset - 1, offset


def from_span(start, stop):
    """Array bounds `start, stop` (from 0, half open) as frames `onset, offset` (from 1).

    What `find_intervals` gives becomes what tables hold and `match_intervals` takes, both ends
    included: `np.column_stack(from_span(*spans.T))`. Takes whole numbers or arrays of them.
    """
    return start + 1, stop


def read_videos(path: str | Path) -> pd.DataFrame:
    """Reads a table of videos: subject (str), video (str), frames (int), fps (float).

    Raises:
      UserError: a missing file or column, a doubled video, frames < 1 or fps <= 0.
    """
    table = read_columns(path, {"subject": str, "video": str, "frames": int, "fps": float})
    refuse(path, table, table.video.duplicated(), "video is listed twice; keep one row")
    refuse(path, table, table.video == "", "video has no name")
    refuse(path, table, table.frames < 1, "frames must be 1 or more")
    refuse(path, table, ~(table.fps > 0), "fps must be above 0")
    return table.reset_index(drop=True)


def read_sources(path: str | Path) -> pd.DataFrame:
    """Reads a table of videos to prepare: subject, video, path (str), fps (float, NaN if blank).

    Also gives `row`, the row in the file.

    Raises:
      UserError: a missing file or column, a doubled video, an empty name or path, fps <= 0.
    """
    columns = {"subject": str, "video": str, "path": str}
    table = read_columns(path, columns, optional={"fps": float})
    if "fps" not in table:
        table["fps"] = np.nan
    refuse(path, table, table.video.duplicated(), "video is listed twice; keep one row")
    for name in columns:
        refuse(path, table, table[name] == "", f"{name} is empty")
    refuse(path, table, table.fps <= 0, "fps must be above 0")
    table["row"] = table.index + 2
    return table.reset_index(drop=True)


def read_annotations(path: str | Path, videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads the labels of a bank: subject, video, kind (ME|MaE), onset, apex, offset.

    They were mended when the bank was made, so nothing is mended here; `read_labels` reads others.

    Args:
      path: a CSV file; frames count from 1, both ends included.
      videos: where given, every interval must lie inside a video of this table.

    Raises:
      UserError: naming file and row.
    """
    columns = dict(subject=str, video=str, kind=str, onset=int, apex=int, offset=int)
    table = read_columns(path, columns)
    _check_spans(path, table, videos)
    outside = (table.apex < table.onset) | (table.apex > table.offset)
    refuse(path, table, outside, "apex lies outside onset..offset")
    return table.reset_index(drop=True)


def read_intervals(path: str | Path, videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads predicted intervals: subject, video, kind, onset, offset; apex and score are optional.

    A blank cell of an optional column is not known: <NA> as apex (Int64), NaN as score.

    Raises:
      UserError: naming file and row.
    """
    columns = dict(subject=str, video=str, kind=str, onset=int, offset=int)
    table = read_columns(path, columns, optional={"apex": int, "score": float})
    _check_spans(path, table, videos)
    return table.reset_index(drop=True)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Writes a CSV (UTF-8, newline endings) under its final name only when whole."""
    write_text(path, table_text(table))


def table_text(table: pd.DataFrame) -> str:
    """A table as CSV with newline endings."""
    return table.to_csv(index=False, lineterminator="\n")


def write_text(path: str | Path, text: str) -> None:
    """Writes text under its final name only when whole; makes the folder."""
    write_bytes(path, text.encode("utf-8"))


def with_tuples(value: Any) -> Any:
    """Lists as tuples, however deep: those that JSON made of tuples, or that a notebook gives."""
    if isinstance(value, dict):
        return {name: with_tuples(inner) for name, inner in value.items()}
    return tuple(map(with_tuples, value)) if isinstance(value, list | tuple) else value


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a file under its final name only when whole; makes the folder."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Gives a path to write to, which becomes `path` only when all went well; makes the folder.

    When it ends the file is on disk. A numbered OSError that names no file, or the partial one,
    names `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        flush(partial)
        os.replace(partial, path)
        flush(path.parent)
    except OSError as error:
        if error.errno and error.filename in (None, str(partial)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Has the disk keep a file or folder as it is now, so that it survives a loss of power."""
    if os.name != "posix":  # elsewhere no folder can be opened, nor a file that is only read
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def frame_labels(annotations: pd.DataFrame, *, frames: int) -> np.ndarray:
    """Per-frame ground truth of one video, paper section 3.1.

    Args:
      annotations: rows of this video only.
      frames: length of the video.

    Returns:
      bool (frames, 2): whether each frame lies in an ME (column 0) or a MaE (column 1).
    """
    labels = np.zeros((frames, len(KINDS)), bool)
    columns = (annotations[name].tolist() for name in ("kind", "onset", "offset"))
    for kind, onset, offset in zip(*columns, strict=True):
        start, stop = to_span(onset, offset)
        labels[start:stop, KINDS.index(kind)] = True
    return labels


def _check_spans(path, table, videos):
    refuse(path, table, ~table.kind.isin(KINDS), "kind must be ME or MaE")
    refuse(path, table, table.onset < 1, "onset is before frame 1 (frames count from 1)")
    refuse(path, table, table.offset < table.onset, "offset is before onset")
    if videos is None:
        return
    frames = table.video.map(videos.set_index("video").frames)
    refuse(path, table, frames.isna(), "video is not in the table of videos")
    refuse(path, table, table.offset > frames, "offset is past the end of the video")
    subject = table.video.map(videos.set_index("video").subject)
    named = table.subject != ""
    refuse(path, table, named & (subject != table.subject), "subject is not that of the video")
