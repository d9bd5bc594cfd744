"""The curves, times and intervals of a video, in few bytes, for the review page."""

import base64
import hashlib
import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.annotations.intervals import KINDS, read_intervals
from jaxspot.errors import UserError
from jaxspot.files import table_text
from jaxspot.report.viewer import quantise, value_range
from jaxspot.spotting.automated_iou import normalise, smooth_scores
from jaxspot.spotting.decision import Decision
from jaxspot.video.frame_times import fps_of, frame_ends, is_gap

MICROSECONDS = 1e6
FRAME_COLUMNS = {"frame": int, "pts_s": float, "success": int}
FRAME_BLANK = {"face": int, "confidence": float, "p_me": float, "p_mae": float}
NO_FACE = -1


def read_frames(path: str | Path) -> pd.DataFrame:
    """Reads a frames.csv as `spot` writes it, one row a frame.

    Of a frame with several faces, which has a row for each, the scores are the highest of all; the
    rest is of the surest face.

    UserError: a missing file or column, frames that do not count from 1, times that do not grow.
    """
    rows = read_columns(path, FRAME_COLUMNS, blank=FRAME_BLANK).reset_index(drop=True)
    highest: Any = rows.groupby("frame", sort=False)[["p_me", "p_mae"]].max()
    table: Any = rows.sort_values("confidence", ascending=False, kind="stable")
    table = table.drop_duplicates("frame").sort_index().reset_index(drop=True)
    table = table.assign(**{name: highest[name].to_numpy() for name in highest})
    if len(table) < 2:
        raise UserError(f"{path}: has {len(table)} frames; spot the video again")
    remedy = "spot the video again"
    refuse(path, table, table.frame != np.arange(1, len(table) + 1), f"frame skipped; {remedy}")
    refuse(path, table, table.pts_s.diff() <= 0, f"pts_s does not grow; {remedy}")
    return table


def read_found(path: str | Path, *, frames: int) -> pd.DataFrame:
    """Reads an intervals.csv as `spot` writes it, with `face`, `score` and `rank` as text.

    UserError: a missing file or column, or an interval that is not inside the video.
    """
    table = read_intervals(path)
    late = table.offset > frames
    refuse(path, table, late, f"offset is past the last frame of frames.csv ({frames})")
    apex = table.apex.fillna(0) if "apex" in table else 0
    outside = (apex < table.onset) | (apex > table.offset)
    refuse(path, table, outside, "apex is empty or outside onset..offset")
    text = read_columns(path, dict.fromkeys(("face", "score", "rank"), str))
    return table.assign(**{name: text[name].to_numpy() for name in text})


def pack_video(
    name: str, frames: pd.DataFrame, intervals: pd.DataFrame, decision: Decision
) -> dict[str, Any]:
    """A spotted video as JSON values.

    name, subject; hash of the intervals; frames, fps; first_us, steps, last_us: when the first
    frame starts, each step to the next, and how long the last frame lasts, in microseconds; gaps:
    when a frame before a gap ends, by its number; faces as [first frame, track or -1]; confidence,
    0..1; kinds, each with its curves (see `_pack_kinds`); rows, the intervals. Arrays are base64 of
    little-endian numbers.
    """
    times = frames.pts_s.to_numpy(float)
    stamps = np.rint(times * MICROSECONDS).astype(np.int64)
    steps = np.diff(stamps)
    ends = np.rint(frame_ends(times) * MICROSECONDS).astype(np.int64)
    small = steps.max() < 2**16
    confidence = frames.confidence.to_numpy(float, na_value=np.nan)
    found = frames.success.to_numpy() > 0
    faces = np.where(found, frames.face.fillna(0).to_numpy(np.int64), NO_FACE)
    changes = [0, *np.flatnonzero(np.diff(faces)) + 1, len(faces)]
    text = name + "\n" + table_text(intervals)
    subjects = intervals.subject.unique().tolist()
    return dict(
        name=name,
        subject=str(subjects[0]) if len(subjects) == 1 else "",
        hash=hashlib.sha256(text.encode()).hexdigest()[:16],
        frames=len(frames),
        fps=round(fps_of(times, "frames.csv"), 6),
        first_us=int(stamps[0]),
        steps=_base64(steps.astype("<u2" if small else "<f8")),
        step_bytes=2 if small else 8,
        gaps={int(at) + 1: int(ends[at]) for at in np.flatnonzero(is_gap(np.diff(times)))},
        last_us=int(ends[-1] - stamps[-1]),
        faces=[[start + 1, int(faces[start])] for start, _ in pairwise(map(int, changes))],
        confidence=_base64(quantise(np.where(found, confidence, 0.0), 0, 1)),
        kinds=_pack_kinds(frames, times, decision),
        rows=[_row(row) for row in intervals.to_dict("records")],
    )


def _pack_kinds(frames, times, decision):
    """Of ME and MaE: low, high (the range of the bytes), raw, smooth, threshold, least_chance."""
    raw = frames[["p_me", "p_mae"]].to_numpy(float, na_value=np.nan)
    curves, thresholds = [raw], [math.inf] * 2
    if decision.rule is not None:
        scale = dict(fps=fps_of(times, "frames.csv"))
        levelled = normalise(raw, fitted=decision.rule, **scale)
        curves = [levelled, smooth_scores(levelled, rule=decision.rule.rule, **scale)]
        thresholds = decision.rule.threshold
    told = []
    for number, kind in enumerate(KINDS):
        low, high = value_range(np.stack([curve[:, number] for curve in curves]))
        low = min(low, 0.0)
        packed = [_base64(quantise(curve[:, number], low, high)) for curve in curves]
        limit, least = float(thresholds[number]), decision.least_chance
        told.append(
            dict(
                kind=kind,
                low=low,
                high=high,
                raw=packed[0],
                smooth=packed[1] if len(packed) > 1 else None,
                threshold=limit if math.isfinite(limit) else None,
                least_chance=least and least[number],
            )
        )
    return told


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    frames = {name: int(row[name]) for name in ("onset", "apex", "offset")}
    words = {name: str(row[name]) for name in ("subject", "face", "kind", "score", "rank")}
    return words | frames


def _base64(values: np.ndarray) -> str:
    return base64.b64encode(values.tobytes()).decode()
