"""The Manual IoU Method, paper section 4.2 and Table 6.

Peaks of a smoothed curve, grown to their feet and merged.
"""

import numpy as np
import pandas as pd
import scipy

from jaxspot.annotations.intervals import KINDS
from jaxspot.spotting.automated_iou import Pair
from jaxspot.spotting.filters import HALF_GAIN, normalise_per_video, savitzky_golay
from jaxspot.spotting.intervals import find_intervals, intervals_table, one_axis


def manual_iou_intervals(
    scores: np.ndarray,
    *,
    fps: float,
    window_seconds: float,
    order: int = 3,
    band: float = 0.8,
    floor: float = 0.3,
    merge_seconds: float = 2 / 30,
) -> np.ndarray:
    """Intervals of one kind by the Manual IoU Method (paper Table 6, after Zhang et al. 2020).

    The curve is smoothed by `savitzky_golay`, then cut by `find_peak_intervals`.

    Zhang et al. work on optical flow at 30 fps. Three things in their code are not kept here: it
    passes over the highest frame of a video, merges only the first interval with the second, the
    third with the fourth and so on, and drops runs of more than 8 frames.

    `scores` float (T,), normalised to about [0, 1], and the result are as in `find_peak_intervals`.
    `window_seconds` and `order` are the filter's; one window for all videos, such as the kind's
    mean duration. `merge_seconds` is the longest gap that is closed, to the nearest frame: 2 frames
    between two intervals at 30 fps, 13 at 200 fps.
    """
    smooth = savitzky_golay(scores, fps=fps, window_seconds=window_seconds, order=order)
    gap = round(merge_seconds * fps)
    return find_peak_intervals(smooth, band=band, floor=floor, merge_gap=gap)


def find_peak_intervals(
    scores: np.ndarray, *, band: float = 0.8, floor: float = 0.3, merge_gap: int = 0
) -> np.ndarray:
    """Peaks near the highest of a curve, each grown down both sides for as long as it falls.

    A peak is a frame, or a run of equal ones, with a lower frame on both sides: what the end of the
    video or a missing score cuts at its height is not found. As peaks are measured against the
    highest frame, something is found in nearly every video that passes the floor.

    Args:
      scores: float (T,), smooth; a NaN frame has no score: it ends an interval and is never merged
        over.
      band: a peak reaches this share of the highest frame.
      floor: a peak lies above it; the curve is taken to be in about [0, 1].
      merge_gap: intervals at most this many frames apart become one; those that meet always do.

    Returns:
      int (n, 2): array bounds start, stop (from 0, half open), in order of time.
    """
    scores = one_axis(scores)
    top = np.fmax.reduce(scores, initial=-np.inf)
    if not top > max(floor, 0):
        return np.zeros((0, 2), np.int64)
    # Rounded, or the rounding noise of a flat top would be full of peaks.
    curve = np.round(scores / top, 9)
    _, edges = scipy.signal.find_peaks(curve, plateau_size=1)
    first, last = edges["left_edges"], edges["right_edges"]
    high = (curve[first] >= band) & (curve[first] * top > floor)
    starts, stops = _left_foot(curve)[first[high]], _right_foot(curve)[last[high]] + 1
    inside = np.where(np.isnan(curve), np.nan, 0.0)
    for start, stop in zip(starts, stops, strict=True):
        inside[start:stop] = 1
    return find_intervals(inside, threshold=1, merge_gap=merge_gap)


def _left_foot(curve):
    """For each frame the first of the frames that rise up to it, int (T,)."""
    rises = np.concatenate(([False], curve[1:] > curve[:-1]))
    return np.maximum.accumulate(np.where(rises, 0, np.arange(len(curve))))


def _right_foot(curve):
    """For each frame the last of the frames that fall from it, int (T,)."""
    return len(curve) - 1 - _left_foot(curve[::-1])[::-1]


def apply_manual_iou(
    scores: np.ndarray, *, fps: float, cutoff_hz: Pair, subject: str = "", video: str = ""
) -> pd.DataFrame:
    """Intervals of one video, without a threshold that is learned: its own highest frame decides.

    `scores` float (T, 2) are raw sigmoid outputs for ME and MaE, NaN where a frame has none. The
    filter halves at `cutoff_hz` (ME, MaE), as in `butterworth`; at or above fps / 2 the shortest
    window is taken. The table is that of `intervals_table`.
    """
    curves = normalise_per_video(scores)
    smooth, spans = np.empty_like(curves), {}
    for i, kind in enumerate(KINDS):
        window_s = HALF_GAIN / min(cutoff_hz[i], fps / 2)
        smooth[:, i] = savitzky_golay(curves[:, i], fps=fps, window_seconds=window_s)
        spans[kind] = manual_iou_intervals(curves[:, i], fps=fps, window_seconds=window_s)
    return intervals_table(spans, smooth, subject=subject, video=video)
