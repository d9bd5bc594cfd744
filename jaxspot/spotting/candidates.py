"""Intervals that may be right, each with what its surroundings in the score curves look like.

The features describe one candidate by the curves of its own video. They are in seconds or on the
scale of the scores, so they mean the same at any frame rate.
"""

import dataclasses

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, to_span
from jaxspot.spotting.automated_iou import FittedRule, Pair, apply_rule

FEATURES = {
    "height": "smoothed curve at the apex",
    "raw": "log odds of the highest raw score in the interval",
    "above_low": "height above the 20th percentile of the curve within 2.5 s",
    "above_high": "height above the 80th percentile of the curve within 2.5 s",
    "above_video": "height above the 95th percentile of the curve of the whole video",
    "fullness": "mean of the curve in the interval divided by the height",
    "length": "logarithm of the duration in seconds",
    "other": "highest point of the other kind's curve in the interval",
    "other_above_low": "`other` above the 20th percentile of that curve within 2.5 s",
    "outside": "mean of the curve within 2.5 s but outside the interval",
    "rivals": "other candidates of the kind within 2 s of the apex, at least half as high",
}
"""What is known of a candidate; of the curves of its video alone."""
AROUND = 2.5
NEAR = 2.0
"""Seconds before and after the apex."""
LEAST_ODDS = 1e-4


def find_candidates(
    scores: np.ndarray, *, fps: float, fitted: FittedRule, lowest: Pair
) -> pd.DataFrame:
    """Finds intervals at low thresholds; most of them are wrong.

    Args:
      scores: float (T, 2), raw scores of ME and MaE in 0..1; NaN where a frame has none.
      fps: frames per second.
      fitted: the rule. Its thresholds are not used.
      lowest: thresholds of ME and MaE in their place.

    Returns:
      subject, video (both empty), kind, onset, apex, offset, score (see `intervals_table`), and
      float64 columns of `FEATURES`. Micro-expressions inside macro-expressions are among them.
    """
    rule = dataclasses.replace(fitted.rule, keep_nested=True)
    low = dataclasses.replace(fitted, rule=rule, threshold=lowest)
    smooth, table = apply_rule(scores, fps=fps, fitted=low)
    columns = np.zeros((len(table), len(FEATURES)))
    for number, kind in enumerate(KINDS):
        rows = np.flatnonzero(table.kind == kind)
        if not len(rows):
            continue
        bounds = [table[name].to_numpy()[rows] for name in ("onset", "apex", "offset")]
        raw, own, other = np.asarray(scores)[:, number], smooth[:, number], smooth[:, 1 - number]
        columns[rows] = _features(raw, own, other, bounds, fps)
    return table.join(pd.DataFrame(columns, columns=list(FEATURES), index=table.index))


def _features(raw, curve, other, bounds, fps):
    """Of candidates of one kind: float (n, features)."""
    onset, apex, offset = bounds
    starts, stops = to_span(onset, offset)
    heights, rows = curve[apex - 1], []
    highest = np.nanpercentile(curve, 95)
    for start, stop, top, height in zip(starts, stops, apex - 1, heights, strict=True):
        near = slice(max(0, top - round(AROUND * fps)), top + round(AROUND * fps) + 1)
        low, high = np.nanpercentile(curve[near], (20, 80))
        beside = _largest(other[start:stop])
        outside = curve[near].copy()
        outside[max(start - near.start, 0) : stop - near.start] = np.nan
        close = (np.abs(apex - 1 - top) <= NEAR * fps) & (heights >= height / 2)
        odds = np.clip(_largest(raw[start:stop]), LEAST_ODDS, 1 - LEAST_ODDS)
        rows.append(
            dict(
                height=height,
                raw=np.log(odds / (1 - odds)),
                above_low=height - low,
                above_high=height - high,
                above_video=height - highest,
                fullness=np.nanmean(curve[start:stop]) / max(height, 1e-6),
                length=np.log((stop - start) / fps),
                other=beside,
                other_above_low=beside - _low(other[near]),
                outside=low if np.isnan(outside).all() else np.nanmean(outside),
                rivals=close.sum() - 1,
            )
        )
    return np.array([[row[name] for name in FEATURES] for row in rows])


def _largest(values):
    return 0.0 if np.isnan(values).all() else np.nanmax(values)


def _low(values):
    return 0.0 if np.isnan(values).all() else np.nanpercentile(values, 20)
