"""The table of intervals that all exports start from, read from any intervals CSV."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.annotations.intervals import KINDS, REJECTED, VERDICTS
from jaxspot.errors import UserError
from jaxspot.exports.names import BAD_STEM, UNPRINTABLE, is_stem
from jaxspot.video.frame_times import frame_ends

NEEDED = dict(video=str, kind=str, onset=int, offset=int)
OPTIONAL = dict(subject=str, face=int, apex=int, score=float, rank=int)
OPTIONAL |= dict(onset_s=float, apex_s=float, offset_s=float, verdict=str)
COLUMNS = ("subject", "video", "face", "kind", "onset", "apex", "offset", "score")
COLUMNS += ("rank", "onset_s", "apex_s", "offset_s", "verdict")

MOST_OFF = 1.5
"""Frames: whether seconds are those of a frame's start or end, they are as near."""


class Spans(NamedTuple):
    """Intervals to export.

    `table` has COLUMNS, in the order of videos and onsets: frames from 1, both ends included;
    seconds at which the first and the apex frame start and the last one ends, NaN where the file
    has none; <NA> or NaN for another number, "" for a text that it has not. `videos` are the names
    of all videos in the file. `rejected` rows were left out.
    """

    table: pd.DataFrame
    videos: tuple[str, ...]
    rejected: int


def read_spans(path: str | Path) -> Spans:
    """Reads an intervals.csv, a reviewed.csv, or predictions; rejected rows are left out.

    UserError names file and row: a column is missing, a kind or verdict is unknown, an interval
    ends before it begins.
    """
    table = read_columns(path, NEEDED, optional=OPTIONAL)
    for name, kind in OPTIONAL.items():
        if name not in table:
            table[name] = {str: "", int: pd.NA, float: np.nan}[kind]
            table[name] = table[name].astype({str: str, int: "Int64", float: float}[kind])
    table = table.loc[:, list(COLUMNS)].fillna({"subject": "", "verdict": ""})
    shown = table.loc[:, ["video", "kind", "onset", "offset", "onset_s", "offset_s"]]
    refuse(path, shown, table.video == "", "video has no name")
    refuse(path, shown, ~table.video.map(is_stem), f"the video's name: {BAD_STEM}")
    odd = ~(table.video + table.subject).map(str.isprintable)
    refuse(path, shown, odd, UNPRINTABLE)
    refuse(path, shown, ~table.kind.isin(KINDS), "kind must be ME or MaE")
    refuse(path, shown, table.onset < 1, "onset is before frame 1 (frames count from 1)")
    refuse(path, shown, table.offset < table.onset, "offset is before onset")
    outside = (table.apex < table.onset) | (table.apex > table.offset)
    aside = table.loc[:, ["video", "kind", "onset", "apex", "offset"]]
    refuse(path, aside, outside.fillna(False), "apex is outside onset..offset")
    refuse(path, shown, table.onset_s < 0, "onset_s is below 0")
    refuse(path, shown, table.offset_s <= table.onset_s, "offset_s is not after onset_s")
    known = table.verdict.isin(["", *VERDICTS])
    words = ", ".join(VERDICTS)
    refuse(path, table.loc[:, ["video", "verdict"]], ~known, f"verdict must be one of {words}")
    videos = tuple(dict.fromkeys(table.video))
    kept = table[table.verdict != REJECTED]
    order = kept.video.map({name: at for at, name in enumerate(videos)})
    kept = kept.assign(order=order, row=kept.index + 2)
    kept = kept.sort_values(["order", "onset", "offset", "kind"], kind="stable", ignore_index=True)
    return Spans(kept.drop(columns="order"), videos, len(table) - len(kept))


def with_seconds(
    path: str | Path,
    spans: pd.DataFrame,
    starts: np.ndarray | None,
    *,
    known_by: str | Path | None = None,
) -> pd.DataFrame:
    """Fills in missing seconds of one video's intervals from the times its frames start at.

    `known_by` is the file that has these times. UserError: `starts` is needed and None, an interval
    is past the last of them, or seconds are more than MOST_OFF frames away from their frame.
    """
    name = spans.video.iloc[0] if len(spans) else ""
    if starts is None:
        lacking = spans.onset_s.isna() | spans.offset_s.isna()
        if lacking.any():
            row = spans.loc[lacking, "row"].tolist()[0]
            raise UserError(
                f"{path}, row {row}: has no onset_s and offset_s; name the file of video {name!r}"
                " by --video"
            )
        return spans
    late = spans.offset > len(starts)
    if late.any():
        row, offset = spans.loc[late, ["row", "offset"]].values.tolist()[0]
        raise UserError(
            f"{path}, row {row}: offset is {offset}, but video {name!r} has {len(starts)} frames"
        )
    ends = frame_ends(starts)
    for name, times in (("onset", starts), ("apex", starts), ("offset", ends)):
        _refuse_other_time(path, spans, name, times, known_by)
    apexes = spans.apex.fillna(1).to_numpy(int)
    apex_s = pd.Series(starts[apexes - 1], spans.index).where(spans.apex.notna())
    return spans.assign(
        onset_s=spans.onset_s.fillna(pd.Series(starts[spans.onset - 1], spans.index)),
        apex_s=spans.apex_s.fillna(apex_s),
        offset_s=spans.offset_s.fillna(pd.Series(ends[spans.offset - 1], spans.index)),
    )


def _refuse_other_time(path, spans, name, times, known_by):
    """Seconds that a person forgot to change with the frame, or that are of another video."""
    rows = spans[spans[name].notna() & spans[f"{name}_s"].notna()]
    at = rows[name].to_numpy(int) - 1
    steps = np.diff(times)
    around = np.maximum(np.append(steps, 0), np.append(0, steps))
    most = MOST_OFF * np.maximum(around, np.median(steps))[at]
    wrong = abs(times[at] - rows[f"{name}_s"].to_numpy(float)) > most
    if wrong.any():
        row, frame, given = rows.loc[wrong, ["row", name, f"{name}_s"]].values.tolist()[0]
        verb = "ends" if name == "offset" else "starts"
        by = f" by {known_by}" if known_by else ""
        raise UserError(
            f"{path}, row {int(row)}: {name} is frame {int(frame)}, which {verb} at"
            f" {times[at][wrong][0]:.3f} s{by}, but {name}_s is {given:g}; correct either"
        )
