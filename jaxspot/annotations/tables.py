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

from jaxspot.errors import UserError

KINDS = ("ME", "MaE")
VIDEO_COLUMNS = ("subject", "video", "frames", "fps")
ANNOTATION_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset")
INTERVAL_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset", "score")
SEPARATORS = {";": "semicolons", "\t": "tabs"}
LARGEST = 2.0**53  # beyond it float64 skips whole numbers


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
    table = _read(path, {"subject": str, "video": str, "frames": int, "fps": float})
    _refuse(path, table, table.video.duplicated(), "video is listed twice; keep one row")
    _refuse(path, table, table.video == "", "video has no name")
    _refuse(path, table, table.frames < 1, "frames must be 1 or more")
    _refuse(path, table, ~(table.fps > 0), "fps must be above 0")
    return table.reset_index(drop=True)


def read_sources(path: str | Path) -> pd.DataFrame:
    """Reads a table of videos to prepare: subject, video, path (str), fps (float, NaN if blank).

    Also gives `row`, the row in the file.

    Raises:
      UserError: a missing file or column, a doubled video, an empty name or path, fps <= 0.
    """
    columns = {"subject": str, "video": str, "path": str}
    table = _read(path, columns, optional={"fps": float})
    if "fps" not in table:
        table["fps"] = np.nan
    _refuse(path, table, table.video.duplicated(), "video is listed twice; keep one row")
    for name in columns:
        _refuse(path, table, table[name] == "", f"{name} is empty")
    _refuse(path, table, table.fps <= 0, "fps must be above 0")
    table["row"] = table.index + 2
    return table.reset_index(drop=True)


def read_annotations(
    path: str | Path, videos: pd.DataFrame | None = None, *, rows: bool = False
) -> pd.DataFrame:
    """Reads ground-truth intervals: subject, video, kind (ME|MaE), onset, apex, offset.

    Args:
      path: a CSV file; frames count from 1, both ends included.
      videos: where given, every interval must lie inside a video of this table.
      rows: also give `row`, the row in the file.

    Raises:
      UserError: naming file and row.
    """
    columns = dict(subject=str, video=str, kind=str, onset=int, apex=int, offset=int)
    table = _read(path, columns)
    _check_spans(path, table, videos)
    outside = (table.apex < table.onset) | (table.apex > table.offset)
    _refuse(path, table, outside, "apex lies outside onset..offset")
    if rows:
        table["row"] = table.index + 2
    return table.reset_index(drop=True)


def read_intervals(path: str | Path, videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads predicted intervals: subject, video, kind, onset, offset; apex and score are optional.

    A blank cell of an optional column is not known: <NA> as apex (Int64), NaN as score.

    Raises:
      UserError: naming file and row.
    """
    columns = dict(subject=str, video=str, kind=str, onset=int, offset=int)
    table = _read(path, columns, optional={"apex": int, "score": float})
    _check_spans(path, table, videos)
    return table.reset_index(drop=True)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Writes a CSV (UTF-8, newline endings) under its final name only when whole."""
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def write_text(path: str | Path, text: str) -> None:
    """Writes text under its final name only when whole; makes the folder."""
    write_bytes(path, text.encode("utf-8"))


def with_tuples(value: Any) -> Any:
    """JSON's lists as the tuples that were written, however deep."""
    if isinstance(value, dict):
        return {name: with_tuples(inner) for name, inner in value.items()}
    return tuple(map(with_tuples, value)) if isinstance(value, list) else value


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


def _read(path, columns, optional=None):
    try:
        table = pd.read_csv(
            path, dtype=str, skipinitialspace=True, keep_default_na=False, skip_blank_lines=False
        )
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise UserError(
            f"{path}: not a readable CSV table ({reason}); save it as CSV with commas, in UTF-8"
        ) from None
    # pandas takes what is too much in every row for names of the rows.
    if not isinstance(table.index, pd.RangeIndex):
        raise UserError(f"{path}: not a readable CSV table (rows hold more values than the header)")
    missing = [name for name in columns if name not in table]
    if missing:
        have = ", ".join(map(str, table.columns))
        mark = next((word for sign, word in SEPARATORS.items() if sign in have), "")
        remedy = f"; it separates by {mark}: save it with commas" if mark else "; name it there"
        raise UserError(
            f"{path}: column {missing[0]!r} is missing (the header has: {have}){remedy}"
        )
    # Blank lines go, but still count: a mistake is named by its row in the file.
    table = table.fillna("")[lambda rows: (rows != "").any(axis=1)]
    known = {name: _column(path, table[name], kind) for name, kind in columns.items()}
    for name, kind in (optional or {}).items():
        if name in table:
            known[name] = _optional_column(path, table[name], kind)
    return pd.DataFrame(known)


def _column(path, text, kind):
    if kind is str:
        return text.astype(str).str.strip()
    number = np.asarray(pd.to_numeric(text, errors="coerce"), float)
    number = np.where(np.abs(number) < LARGEST, number, np.nan)
    bad = np.isnan(number) if kind is float else ~(number % 1 == 0)
    if bad.any():
        row = text.index[bad][0]
        need = "a number" if kind is float else "a whole number"
        raise UserError(f"{path}, row {row + 2}: {text.name} is {text[row]!r}; it must be {need}")
    return pd.Series(number.astype(kind), text.index)


def _optional_column(path, text, kind):
    given = _column(path, text[text.str.strip() != ""], kind)
    return given.astype("Int64" if kind is int else float).reindex(text.index)


def _check_spans(path, table, videos):
    _refuse(path, table, ~table.kind.isin(KINDS), "kind must be ME or MaE")
    _refuse(path, table, table.onset < 1, "onset is before frame 1 (frames count from 1)")
    _refuse(path, table, table.offset < table.onset, "offset is before onset")
    if videos is None:
        return
    frames = table.video.map(videos.set_index("video").frames)
    _refuse(path, table, frames.isna(), "video is not in the table of videos")
    _refuse(path, table, table.offset > frames, "offset is past the end of the video")
    subject = table.video.map(videos.set_index("video").subject)
    named = table.subject != ""
    _refuse(path, table, named & (subject != table.subject), "subject is not that of the video")


def _refuse(path, table, bad, reason):
    if bad.any():
        row = bad.idxmax()
        values = ", ".join(f"{name}={value}" for name, value in table.loc[row].items())
        raise UserError(f"{path}, row {row + 2}: {reason} ({values})")
