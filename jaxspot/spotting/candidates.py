"""Intervals that may be right, each with what the score curves look like inside and around it.

One peak gives several candidates: an expression that starts during speech rises from a high curve
and ends on one, so no single share of the peak's height says where it ends. Which of them is right
is for the judge (`spotting/judge.py`). Everything is in seconds or log odds, so it means the same
at any frame rate.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from jaxspot.annotations.intervals import KINDS, from_span
from jaxspot.spotting.filters import butterworth, fill_gaps, log_odds, running_percentile
from jaxspot.spotting.intervals import find_around_peaks

FEATURES = {
    "height": "the curve at the apex",
    "inside": "mean of the curve in the interval",
    "rise": "`inside` above the mean of half its length before it",
    "fall": "`inside` above the mean of half its length after it",
    "least": "the smaller of `rise` and `fall`",
    "rise_near": "`inside` above the mean of a short time before it",
    "fall_near": "`inside` above the mean of a short time after it",
    "least_near": "the smaller of `rise_near` and `fall_near`",
    "onset_step": "the curve at the onset above that of a short time before",
    "offset_step": "the curve at the offset above that of a short time after",
    "dip": "lowest value in the interval, below the apex",
    "length": "logarithm of the duration in seconds",
    "length_squared": "its square",
    "above_low": "height above the 20th percentile of the curve within 2.5 s",
    "above_high": "height above the 80th percentile of the curve within 2.5 s",
    "above_video": "height above the 95th percentile of the curve of the video, times `known`",
    "above_around": "`inside` above the mean of the curve within 5 s, outside the interval",
    "above_busy": "`inside` above the 90th percentile of the same",
    "other": "highest point of the other kind's curve in the interval",
    "other_inside": "mean of the other kind's curve in the interval",
    "other_rise": "`other_inside` above the mean of that curve within 2.5 s",
    "resting": "median of the curve of the video",
}
"""What is known of a candidate, all in log odds but for the length.

`known` is T / (T + 10 s) of a video of T seconds: of a short one little is known."""
KNOWN_SECONDS = 10.0
FLOOR = -4.0
"""Log odds below are raised to this: scores of .001 and of .01 both say that nothing moves."""
LIMIT = 20.0
"""Features are cut here; log odds differ by less."""


class Search(NamedTuple):
    """Where candidates of a kind are searched.

    Attributes:
      cutoffs_hz: Butterworth cut-offs of the curves in which peaks are searched.
      shares: a candidate surrounds a peak, down to each of these shares of its height.
      baseline_seconds: 0: of the scores; above 0: of log odds above the running baseline, too.
      seconds: shortest and longest candidate.
      near_seconds: the short time of `rise_near` and `onset_step`.
      cutoff_hz: cut-off of the curve that the features are taken from.
    """

    cutoffs_hz: tuple[float, ...]
    shares: tuple[float, ...]
    baseline_seconds: float
    seconds: tuple[float, float]
    near_seconds: float
    cutoff_hz: float


SHARES = (0.4, 0.55, 0.7, 0.85)
SEARCHES = {
    "ME": Search((3.2,), SHARES, 0.0, (0.1, 0.6), 0.25, 4.5),
    "MaE": Search((0.8, 1.6), SHARES, 6.0, (0.4, 6.0), 0.6, 1.6),
}


def find_candidates(scores: np.ndarray, *, fps: float) -> pd.DataFrame:
    """Finds intervals that may be right. They overlap, and most of them are wrong.

    Args:
      scores: float (T, 2), raw scores of ME and MaE in 0..1; NaN where a frame has none.
      fps: frames per second.

    Returns:
      kind, onset, apex, offset (frames from 1, both ends included) and float64 columns of
      `FEATURES`.
    """
    odds = np.maximum(fill_gaps(log_odds(scores)), FLOOR)
    known: Any = np.isfinite(np.asarray(scores, float)).all(axis=1)
    tables = []
    for number, kind in enumerate(KINDS):
        search, other = SEARCHES[kind], SEARCHES[KINDS[1 - number]]
        spans = _spans(odds[:, number], search, fps) if known.any() else np.zeros((0, 2), int)
        spans = spans[[known[start:stop].any() for start, stop in spans.tolist()]]
        curve = butterworth(odds[:, number], fps=fps, cutoff_hz=search.cutoff_hz)
        beside = butterworth(odds[:, 1 - number], fps=fps, cutoff_hz=other.cutoff_hz)
        tables.append(_describe(spans, curve, beside, kind, search, fps))
    return pd.concat(tables, ignore_index=True)


def smooth_odds(scores: np.ndarray, *, fps: float) -> np.ndarray:
    """Scores (T, 2) in 0..1, smoothed as those that features are taken from; NaN stays NaN."""
    odds = fill_gaps(log_odds(scores))
    curves = [
        expit(butterworth(odds[:, number], fps=fps, cutoff_hz=SEARCHES[kind].cutoff_hz))
        for number, kind in enumerate(KINDS)
    ]
    return np.where(np.isnan(scores), np.nan, np.stack(curves, axis=1))


def _spans(odds, search, fps):
    """Array bounds, int (n, 2), of all candidates of a kind, each once."""
    limits = dict(
        min_frames=max(1, round(search.seconds[0] * fps)),
        max_frames=round(search.seconds[1] * fps),
    )
    found = [np.zeros((0, 2), int)]
    for cutoff in search.cutoffs_hz:
        smooth = butterworth(odds, fps=fps, cutoff_hz=cutoff)
        curves = [expit(smooth)]
        if search.baseline_seconds:
            low = running_percentile(smooth, 20, frames=search.baseline_seconds * fps)
            curves.append(np.maximum(smooth - low, 0))
        for curve in curves:
            found += [find_around_peaks(curve, share=s, **limits)[0] for s in search.shares]
    return np.unique(np.concatenate(found), axis=0)


def _describe(spans, curve, other, kind, search, fps):
    """A table of candidates of one kind."""
    near, half, frames = max(2, round(search.near_seconds * fps)), round(2.5 * fps), len(curve)
    low, high = (running_percentile(curve, q, frames=5 * fps) for q in (20, 80))
    resting, highest = np.median(curve), np.percentile(curve, 95)
    known = frames / (frames + KNOWN_SECONDS * fps)
    mean, other_mean = _means(curve), _means(other)
    rows = []
    for start, stop in spans.tolist():
        apex = start + int(curve[start:stop].argmax())
        inside, height = mean(start, stop), curve[apex]
        long = max(2, round((stop - start) / 2))
        sides = [mean(start - n, start) for n in (long, near)]
        sides += [mean(stop, stop + n) for n in (long, near)]
        rise, rise_near, fall, fall_near = (inside - side for side in sides)
        around = np.concatenate(
            [
                curve[max(0, apex - 2 * half) : max(0, start - near)],
                curve[stop + near : apex + 2 * half],
            ]
        )
        around = around if len(around) else np.array([inside])
        length, beside = np.log((stop - start) / fps), other_mean(start, stop)
        onset, apex_frame, offset = start + 1, apex + 1, from_span(start, stop)[1]
        rows.append(
            (kind, onset, apex_frame, offset, height, inside, rise, fall, min(rise, fall),
             rise_near, fall_near, min(rise_near, fall_near),
             curve[start] - curve[max(0, start - near)],
             curve[stop - 1] - curve[min(frames - 1, stop - 1 + near)],
             curve[start:stop].min() - height, length, length**2, height - low[apex],
             height - high[apex], known * (height - highest), inside - around.mean(),
             inside - np.percentile(around, 90), other[start:stop].max(), beside,
             beside - other_mean(start - half, stop + half), resting)
        )  # fmt: skip
    table = pd.DataFrame(rows, columns=["kind", "onset", "apex", "offset", *FEATURES])
    values = table[list(FEATURES)].astype(float).clip(-LIMIT, LIMIT)
    frames = table[["onset", "apex", "offset"]].astype(np.int64)
    return pd.concat([table.kind.astype(str), frames, values], axis=1)


def _means(curve):
    """A function of array bounds to the mean between them; at an end, the curve's value there."""
    total, frames = np.concatenate([[0.0], np.cumsum(curve)]), len(curve)

    def mean(start, stop):
        start, stop = min(max(start, 0), frames), min(max(stop, 0), frames)
        if stop > start:
            return (total[stop] - total[start]) / (stop - start)
        return curve[min(start, frames - 1)]

    return mean
