"""Tables of videos and intervals: read with checks, or checked where made by hand.

Files count a video's frames from 1 and include both ends; arrays count from 0.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.errors import UserError

KINDS = ("ME", "MaE")
ACCEPTED, REJECTED, OPEN = VERDICTS = ("accepted", "rejected", "open")
VIDEO_COLUMNS = ("subject", "video", "frames", "fps")
ANNOTATION_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset")
WHOSE = {"face": str, "onset_s": str}  # of optional columns that only `say_table` looks at
INTERVAL_COLUMNS = ("subject", "video", "kind", "onset", "apex", "offset", "score")


def to_span(onset, offset):
    """Converts frames `onset..offset` (from 1, inclusive) to array bounds `start, stop` (from 0).

    Tables and `match_intervals` use frames. Arrays and `find_intervals` use array bounds, which are
    half open. Takes integers or integer arrays.
    """
    return onset - 1, offset


def from_span(start, stop):
    """Converts array bounds `start, stop` (from 0, half open) to frames `onset, offset` (from 1).

    Use it to convert the result of `find_intervals` for tables and `match_intervals`, which include
    both ends: `np.column_stack(from_span(*spans.T))`. Takes integers or integer arrays.
    """
    return start + 1, stop


def read_videos(path: str | Path) -> pd.DataFrame:
    """Reads a table of videos: subject (str), video (str), frames (int), fps (float).

    UserError: a missing file or column, a doubled video, frames < 1 or fps <= 0.
    """
    table = read_columns(path, {"subject": str, "video": str, "frames": int, "fps": float})
    refuse(path, table, table.video.duplicated(), "video is listed twice; keep one row")
    refuse(path, table, table.video == "", "video has no name")
    refuse(path, table, table.frames < 1, "frames must be 1 or more")
    refuse(path, table, ~(table.fps > 0), "fps must be above 0")
    return table.reset_index(drop=True)


def read_annotations(path: str | Path, videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads the labels of a bank: subject, video, kind (ME|MaE), onset, apex, offset.

    They were mended when the bank was made, so nothing is mended here; `read_labels` reads others.
    Frames count from 1, both ends included. With `videos`, every interval must lie inside one.
    UserError names file and row.
    """
    table = _read_spans(path, videos, {"apex": int})
    outside = (table.apex < table.onset) | (table.apex > table.offset)
    refuse(path, table, outside, "apex lies outside onset..offset")
    return table.loc[:, list(ANNOTATION_COLUMNS)].reset_index(drop=True)


def read_intervals(path: str | Path, videos: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads predicted intervals: subject, video, kind, onset, offset; apex and score are optional.

    A blank cell of an optional column is not known: <NA> as apex (Int64), NaN as score. Rows that
    a review rejected (column verdict) are left out. UserError names file and row.
    """
    table, _ = read_unrejected(path, videos)
    return table.drop(columns=[*WHOSE], errors="ignore").reset_index(drop=True)


def read_unrejected(
    path: str | Path, videos: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, int]:
    """The table of `read_intervals`, with WHOSE too, and how many rows were left out as rejected.

    The index of a row + 2 is its number in the file.
    """
    optional = {"apex": int, "score": float, "verdict": str, **WHOSE}
    table = _read_spans(path, videos, {}, optional)
    if "verdict" in table:
        table["verdict"] = table.verdict.fillna("")
        check_verdicts(path, table, table.verdict.isin(["", *VERDICTS]))
        kept: Any = table[table.verdict != REJECTED].drop(columns="verdict")
        return kept, len(table) - len(kept)
    return table, 0


def check_verdicts(path: str | Path, table: pd.DataFrame, known: pd.Series) -> None:
    """Raises UserError for the first row whose verdict is not `known` (a bool for each)."""
    shown: Any = table[["video", "kind", "onset", "offset", "verdict"]]
    refuse(path, shown, ~known, f"verdict must be {', '.join(VERDICTS)}")


def frame_labels(annotations: pd.DataFrame, *, frames: int) -> np.ndarray:
    """Per-frame ground truth of one video, paper section 3.1: bool (frames, 2), ME and MaE.

    `annotations` are the rows of this video only; `frames` is its length.
    """
    labels = np.zeros((frames, len(KINDS)), bool)
    columns = (annotations[name].tolist() for name in ("kind", "onset", "offset"))
    for kind, onset, offset in zip(*columns, strict=True):
        start, stop = to_span(onset, offset)
        labels[start:stop, KINDS.index(kind)] = True
    return labels


def check_table(table: pd.DataFrame, columns: Sequence[str], *, what: str) -> None:
    """Refuses what is no table (TypeError), or lacks one of the columns (UserError).

    `what` names the table in the error.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame, not {type(table).__name__}")
    missing = [name for name in columns if name not in table]
    if missing:
        have = ", ".join(map(str, table.columns))
        raise UserError(f"{what}: column {missing[0]!r} is missing (the table has: {have})")


def check_intervals(
    table: pd.DataFrame, *more: str, what: str = "annotations", first: int | None = None
) -> None:
    """Refuses a table that lacks kind (ME or MaE), onset, offset (whole frames) or `more` columns.

    `what` names it in the error; `first` is the lowest frame of an onset, any by default.
    TypeError: not a table. UserError: a missing column, or a bad row, named by its index.
    """
    check_table(table, ("kind", "onset", "offset", *more), what=what)
    number = lambda name: pd.Series(pd.to_numeric(table[name], errors="coerce"))
    onset, offset = (number(n).to_numpy(float, na_value=np.nan) for n in ("onset", "offset"))
    shown = [name for name in ("video", "kind", "onset", "offset") if name in table]
    check = partial(refuse, what, table.loc[:, shown], by_index=True)
    check(~table.kind.isin(KINDS).to_numpy(), "kind must be ME or MaE")
    check((onset % 1 != 0) | (offset % 1 != 0), "onset and offset must be whole frames")
    check(offset < onset, "offset is before onset")
    if first is not None:
        check(onset < first, f"onset is before frame {first} (frames count from {first})")


def _read_spans(path, videos, more, optional=None):
    columns = dict(subject=str, video=str, kind=str, onset=int, offset=int) | more
    table = read_columns(path, columns, optional=optional)
    refuse(path, table, ~table.kind.isin(KINDS), "kind must be ME or MaE")
    refuse(path, table, table.onset < 1, "onset is before frame 1 (frames count from 1)")
    refuse(path, table, table.offset < table.onset, "offset is before onset")
    if videos is not None:
        of_video = videos.set_index("video").reindex(table.video).set_index(table.index)
        refuse(path, table, of_video.frames.isna(), "video is not in the table of videos")
        late = table.offset > of_video.frames
        refuse(path, table, late, "offset is past the end of the video")
        other = (table.subject != "") & (of_video.subject != table.subject)
        refuse(path, table, other, "subject is not that of the video")
    return table
