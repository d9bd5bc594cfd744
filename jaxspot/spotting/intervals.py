"""Score curves cut into intervals: runs at a threshold, or the frames around peaks."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import scipy

from jaxspot.annotations.intervals import INTERVAL_COLUMNS, KINDS, from_span
from jaxspot.errors import one_of


def find_intervals(
    scores: np.ndarray,
    *,
    threshold: float,
    min_frames: int = 1,
    max_frames: int | None = None,
    merge_gap: int = 0,
) -> np.ndarray:
    """Finds runs of frames whose score reaches the threshold (paper section 4.1).

    Args:
      scores: float (T,). A NaN frame has no score. It ends a run, and runs are not merged over it.
      threshold: a frame belongs to a run where score >= threshold.
      min_frames, max_frames: shortest and longest run kept, in frames, after merging.
      merge_gap: runs at most this many frames apart become one.

    Returns:
      int (n, 2): array bounds start, stop (from 0, half open), in order of time. Tables and
      `match_intervals` count frames from 1 with both ends included: `from_span` converts, as in
      `np.column_stack(from_span(*spans.T))`, and `intervals_table` makes the table.

    Raises:
      ValueError: scores have a wrong shape, or the threshold is not a single number.
    """
    scores = one_axis(scores)
    if np.ndim(threshold):
        raise ValueError(f"threshold must be one number, that of one kind, not {threshold!r}")
    above = np.concatenate(([False], scores >= threshold, [False]))
    edges = np.flatnonzero(above[1:] != above[:-1])
    spans = _merged(edges.reshape(-1, 2), np.isnan(scores), merge_gap)
    return spans[_within(spans, min_frames, max_frames)]


def find_around_peaks(
    scores: np.ndarray, *, share: float, min_frames: int = 1, max_frames: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Around each peak the frames above a share of its height; where two overlap, the higher stays.

    Non-maximum suppression: where a curve rests high, or two expressions follow closely, one
    threshold finds a long run and this finds the expressions.

    Args:
      scores: float (T,), finite; a NaN frame has no score and ends what it borders on.
      share: of the height above 0, in 0..1; a peak not above 0 is none.
      min_frames, max_frames: shortest and longest kept; others suppress nothing, so a higher peak
        too narrow to count may be inside one that is kept.

    Returns spans, int (n, 2), array bounds start, stop (from 0, half open), in order of time; and
    heights, float (n,), the scores at the peaks. A peak is never affected by lower ones, so cutting
    the heights at a threshold gives the intervals at that threshold.
    """
    scores = one_axis(scores)
    floor = min(np.nanmin(scores, initial=0.0), 0.0) - 1.0  # below any share of a height
    curve = np.concatenate(([floor], np.nan_to_num(scores, nan=floor), [floor]))
    peaks, _ = scipy.signal.find_peaks(curve, height=np.nextafter(0.0, 1.0))
    heights = curve[peaks]
    around = [_around(curve, peak, share * curve[peak]) for peak in peaks]
    spans = np.array(around, np.int64).reshape(-1, 2) - 1
    kept = _within(spans, min_frames, max_frames)
    spans, heights = spans[kept], heights[kept]
    kept = _highest(spans, heights)
    return spans[kept], heights[kept]


def find_at_peaks(scores: np.ndarray, *, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of one length, each with a peak in its middle; where two overlap, the higher stays.

    Micro-expressions last about equally long. If the length is known, only their place has to be
    found.

    Args:
      scores: float (T,); a NaN frame has no score, and no interval contains one.
      frames: the length, 1 or more.

    Returns spans, int (n, 2), array bounds start, stop (from 0, half open), in order of time; and
    heights, float (n,), the scores at the peaks. Intervals are cut at the ends of the video.
    """
    scores = one_axis(scores)
    curve = np.concatenate(([-np.inf], np.nan_to_num(scores, nan=-np.inf), [-np.inf]))
    peaks, _ = scipy.signal.find_peaks(curve)
    peaks = peaks - 1
    start = np.maximum(peaks - frames // 2, 0)
    spans = np.column_stack([start, np.minimum(start + frames, len(scores))]).reshape(-1, 2)
    missing = np.concatenate(([0], np.cumsum(np.isnan(scores))))
    whole = missing[spans[:, 1]] == missing[spans[:, 0]]
    spans, heights = spans[whole], scores[peaks[whole]]
    kept = _highest(spans, heights)
    return spans[kept], heights[kept]


def intervals_table(
    spans: Mapping[str, np.ndarray], scores: np.ndarray, *, subject: str = "", video: str = ""
) -> pd.DataFrame:
    """Intervals of one video: subject, video, kind, onset, apex, offset, score, by onset.

    Frames count from 1, both ends included; the apex is the frame of the highest score and `score`
    is that score. `spans` is kind -> int (n, 2) array bounds from `find_intervals` or
    `find_around_peaks`; `scores` float (T, 2), ME and MaE, are the curves they were cut from.
    """
    rows = []
    for kind, bounds in spans.items():
        one_of("kind", kind, KINDS)
        curve = np.asarray(scores)[:, KINDS.index(kind)]
        for start, stop in np.asarray(bounds).tolist():
            peak = start + int(np.nanargmax(curve[start:stop]))
            onset, offset = from_span(start, stop)
            rows.append((subject, video, kind, onset, peak + 1, offset, float(curve[peak])))
    rows.sort(key=lambda row: (row[3], row[2]))
    types = dict.fromkeys(("subject", "video", "kind"), "str")
    types |= dict(onset="int64", apex="int64", offset="int64", score="float64")
    return pd.DataFrame(rows, columns=list(INTERVAL_COLUMNS)).astype(types)


def one_axis(scores: np.ndarray) -> np.ndarray:
    """Scores of one kind as float (T,); a ValueError for another shape."""
    scores = np.asarray(scores, float)
    if scores.ndim != 1:
        raise ValueError(
            f"scores must have one axis, those of one kind in one video, not shape {scores.shape}"
        )
    return scores


def _around(curve, peak, limit):
    """The run of frames above a limit that a peak lies in; the ends of the curve lie below it."""
    start = peak - np.argmax(curve[:peak][::-1] <= limit)
    return start, peak + np.argmax(curve[peak:] <= limit)


def _within(spans, shortest, longest):
    length = spans[:, 1] - spans[:, 0]
    return (length >= shortest) & (length <= (np.inf if longest is None else longest))


def _highest(spans, heights):
    """Which spans overlap none with a higher peak that stays: bool (n,)."""
    taken, kept = np.zeros(spans.max(initial=0), bool), np.zeros(len(spans), bool)
    for n in np.argsort(-heights, kind="stable"):
        frames = taken[slice(*spans[n])]
        kept[n] = not frames.any()
        frames[:] |= kept[n]
    return kept


def _merged(spans, missing, gap):
    if gap <= 0 or len(spans) < 2:
        return spans
    before = np.concatenate(([0], np.cumsum(missing)))
    stops, starts = spans[:-1, 1], spans[1:, 0]
    join = (starts - stops <= gap) & (before[starts] == before[stops])
    return np.column_stack((spans[np.r_[True, ~join], 0], spans[np.r_[~join, True], 1]))
