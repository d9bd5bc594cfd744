"""Score curves of all videos, small enough to lie inside one page."""

import base64
import json
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, from_span
from jaxspot.evaluation.matching import MatchingRule, match_intervals
from jaxspot.spotting.intervals import find_intervals

COLUMNS = 1500
FEWEST = 64
STEPS = 254
MISSING = 255


class VideoCurves(NamedTuple):
    """One video as the viewer draws it; `fps` in frames per second.

    `raw` and `smoothed` are float (T, 2), ME and MaE, on one scale; NaN where a frame has no score.
    `thresholds` are those of the smoothed curves; inf finds nothing. `truth` and `predicted` have
    kind, onset, offset (frames from 1, both ends included).
    """

    video: str
    subject: str
    fps: float
    raw: np.ndarray
    smoothed: np.ndarray
    thresholds: Sequence[float]
    truth: pd.DataFrame
    predicted: pd.DataFrame


def viewer_json(
    videos: Sequence[VideoCurves],
    *,
    room: int,
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
) -> str:
    """The data of the viewer as JSON that may stand inside a page's script element.

    `room` is the bytes that the text should take at most; curves get fewer columns the more videos
    there are, `COLUMNS` at most and `FEWEST` at least, whatever the room. `matching` and `iou`
    decide which interval is right, as in `match_intervals`.
    """
    write = lambda columns: _script_text(
        [describe_video(v, columns=columns, matching=matching, iou=iou) for v in videos]
    )
    # Two kinds, two curves, two ends of a column's range: 8 bytes, 4/3 of that in base64.
    a_column = len(KINDS) * 2 * 2 * 4 / 3
    longest = max((len(video.raw) for video in videos), default=1)
    free = room - len(write(1)) - 32 * len(videos)
    columns = int(free / max(len(videos), 1) / a_column)
    return write(min(max(columns, FEWEST), COLUMNS, longest))


def describe_video(
    video: VideoCurves, *, columns: int, matching: MatchingRule = "one_to_one", iou: float = 0.5
) -> dict[str, Any]:
    """One video as JSON values: name, subject, frames, fps, columns, gaps and kinds.

    Gaps are frames without any score, as [onset, offset]. Kinds are ME and MaE, each with low, high
    (the range of the bytes 0 to 254), threshold (or null), raw and smooth (base64 of `quantise`:
    all lowest, then all highest values), truth and predicted as [onset, offset, 1 if found or
    right], and labels, found, predictions and false as counted by `score_intervals`.
    """
    frames = len(video.raw)
    columns = min(columns, frames)
    gaps = find_intervals(np.isnan(video.raw).all(axis=1).astype(float), threshold=1)
    kinds = []
    for i, kind in enumerate(KINDS):
        curves = np.stack([video.raw[:, i], video.smoothed[:, i]])
        low, high = value_range(curves)
        bytes_of = lambda curve, low=low, high=high: _base64(
            quantise(reduce_curve(curve, columns), low, high)
        )
        limit = float(video.thresholds[i])
        kinds.append(
            dict(
                low=low,
                high=high,
                threshold=limit if math.isfinite(limit) else None,
                raw=bytes_of(curves[0]),
                smooth=bytes_of(curves[1]),
            )
            | _matched(video, kind, matching=matching, iou=iou)
        )
    return dict(
        name=str(video.video),
        subject=str(video.subject),
        frames=frames,
        fps=float(video.fps),
        columns=columns,
        gaps=np.stack(from_span(*gaps.T), axis=1).tolist(),
        kinds=kinds,
    )


def reduce_curve(curve: np.ndarray, columns: int) -> np.ndarray:
    """The lowest and highest value of each of `columns` runs of frames, float (2, columns).

    `curve` is float (T,), T >= columns >= 1; NaN frames do not count, and a run of them gives NaN.
    Column c holds the frames from c T // columns on.
    """
    starts = np.arange(columns) * len(curve) // columns
    return np.stack([f.reduceat(curve, starts) for f in (np.fmin, np.fmax)])


def value_range(values: np.ndarray) -> tuple[float, float]:
    """The lowest and highest finite value, never equal; 0 and 1 where there is none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    low, high = float(known.min()), float(known.max())
    return (low, high) if high > low else (low, low + 1.0)


def quantise(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Values of [low, high] as uint8 of 0 to 254; 255 where there is none.

    `low + byte * (high - low) / 254` gives a value back within half a step.
    """
    known = np.isfinite(values)
    scaled = np.clip((np.where(known, values, low) - low) / (high - low), 0, 1)
    return np.where(known, np.rint(STEPS * scaled), MISSING).astype(np.uint8)


def _matched(video, kind, **rule):
    """Both tables' intervals of a kind, what matched, and the counts."""
    tables = (video.predicted, video.truth)
    spans = [
        table.loc[table.kind == kind, ["onset", "offset"]].to_numpy(np.int64) for table in tables
    ]
    hits = [index >= 0 for index in match_intervals(*spans, **rule)]
    predicted, truth = (
        np.column_stack([span, hit.astype(int)]).tolist()
        for span, hit in zip(spans, hits, strict=True)
    )
    counts = dict(labels=len(truth), found=int(hits[1].sum()))
    counts |= dict(predictions=len(predicted), false=int((~hits[0]).sum()))
    return dict(truth=truth, predicted=predicted) | counts


def _base64(values):
    return base64.b64encode(values.tobytes()).decode()


def _script_text(value):
    """JSON in which no name of a video can end the script element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
