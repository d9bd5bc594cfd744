"""Score curves made comparable and smooth before they are cut into intervals."""

import numpy as np
import scipy

LEAST_CHANCE = 1e-4
"""Scores nearer than this to 0 and 1 have no larger log odds."""
BASELINE = 20
"""Percentile of the log odds around a frame that is its baseline."""
HALF_GAIN = 1.28
"""At order 3 `savitzky_golay` halves at this many periods a window."""


def normalise_per_video(scores: np.ndarray) -> np.ndarray:
    """Min-max to [0, 1] over one video and each column (paper section 4.1).

    Float (T, ...) -> the same shape. NaN (a frame without a score) stays NaN; a column without
    range becomes 0. The highest frame becomes 1 also in a video in which nothing moves.
    """
    scores = np.asarray(scores, float)
    if len(scores) == 0:
        return scores.copy()
    low = np.fmin.reduce(scores, axis=0)
    high = np.fmax.reduce(scores, axis=0)
    return normalise_by(scores, low=low, high=high)


def normalise_by(scores: np.ndarray, *, low, high) -> np.ndarray:
    """(scores - low) / (high - low) with fixed ends, such as quantiles of training subjects.

    Nothing is clipped, so the order of frames (and the AUC) is kept. With ends from other videos, a
    frame's value does not depend on the rest of its own. `scores` float (T, ...); `low` and `high`
    a number, or one for each column; see `scale_of`.
    """
    low, high = np.asarray(low, float), np.asarray(high, float)
    return (np.asarray(scores, float) - low) / scale_of(low, high)


def scale_of(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """What `normalise_by` divides by: high - low, or 1 where high <= low."""
    return np.where(high > low, high - low, 1.0)


def above_baseline(scores: np.ndarray, *, fps: float, seconds: float) -> np.ndarray:
    """Log odds of scores above their baseline, the BASELINE-th percentile over so many seconds.

    Where a head drifts, scores rest near 1 for seconds. An expression still rises above that. Float
    (T, ...) in 0..1 -> the same shape; NaN (a frame without a score) stays NaN. The first and last
    half window repeat the score at that end. A ValueError if `seconds` is not above 0.
    """
    if seconds <= 0:
        raise ValueError(f"seconds ({seconds}) must be above 0")
    scores = np.array(scores, float)
    if len(scores) == 0:
        return scores
    odds = fill_gaps(log_odds(scores))
    low = running_percentile(odds, BASELINE, frames=seconds * fps)
    return np.where(np.isnan(scores), np.nan, odds - low)


def log_odds(scores: np.ndarray) -> np.ndarray:
    """log(p / (1 - p)) of scores p in 0..1, cut at LEAST_CHANCE and 1 - LEAST_CHANCE; NaN stays."""
    clipped = np.clip(np.asarray(scores, float), LEAST_CHANCE, 1 - LEAST_CHANCE)
    return np.log(clipped / (1 - clipped))


def running_percentile(curve: np.ndarray, percent: float, *, frames: float) -> np.ndarray:
    """The percentile of float (T, ...) along time over about so many frames around each."""
    window = (2 * round(frames / 2) + 1, *(1 for _ in curve.shape[1:]))
    return scipy.ndimage.percentile_filter(curve, percent, size=window, mode="nearest")


def butterworth(scores: np.ndarray, *, fps: float, cutoff_hz: float, order: int = 2) -> np.ndarray:
    """Zero-phase Butterworth low-pass along time (paper section 4.1, Figure 4).

    The filter runs forward and back, so the gain is 1/2 at `cutoff_hz` and peaks stay in place.
    The ends are mirrored over one period of the cut-off, or as far as a short video allows.
    Frames without a score (NaN) are bridged by a straight line for filtering and are NaN again
    after it. Float (T, ...) -> the same shape; nothing is filtered at a `cutoff_hz` of fps / 2 or
    more. `order` is that of the filter before it is run twice.
    """
    scores = np.array(scores, float)
    if cutoff_hz <= 0 or fps <= 0:
        raise ValueError(f"cutoff_hz ({cutoff_hz}) and fps ({fps}) must be above 0")
    if len(scores) < 2 or cutoff_hz >= fps / 2:
        return scores
    missing = np.isnan(scores)
    sos = scipy.signal.butter(order, cutoff_hz, fs=fps, output="sos")
    pad = min(len(scores) - 1, int(np.ceil(fps / cutoff_hz)))
    smooth = scipy.signal.sosfiltfilt(sos, fill_gaps(scores), 0, "even", pad)
    return np.where(missing, np.nan, smooth)


def savitzky_golay(
    scores: np.ndarray, *, fps: float, window_seconds: float, order: int = 3
) -> np.ndarray:
    """Savitzky-Golay filter along time: each frame's value on a polynomial fitted around it.

    The first and last half window hold the values of the polynomial of the window at that end.
    Frames without a score (NaN) are treated as in `butterworth`. Float (T, ...) -> the same shape.

    `window_seconds` is rounded to an odd number of frames, at least order + 2 and at most as many
    as the video has. At order 3 the gain is 1/2 at about HALF_GAIN / window_seconds Hz (that of
    `butterworth` at its cut-off). A video too short for `order`, the polynomial's, stays as it is.
    """
    scores = np.array(scores, float)
    if window_seconds <= 0 or fps <= 0:
        raise ValueError(f"window_seconds ({window_seconds}) and fps ({fps}) must be above 0")
    half = max(round((window_seconds * fps - 1) / 2), order // 2 + 1)
    window = 2 * min(half, (len(scores) - 1) // 2) + 1
    if window <= order:
        return scores
    missing = np.isnan(scores)
    smooth = scipy.signal.savgol_filter(fill_gaps(scores), window, order, axis=0, mode="interp")
    return np.where(missing, np.nan, np.asarray(smooth))


def fill_gaps(scores: np.ndarray) -> np.ndarray:
    """Scores (T, ...) with gaps (NaN) filled linearly; the ends hold the nearest score, or 0."""
    missing = np.isnan(scores)
    if not missing.any():
        return scores
    frame = np.arange(len(scores))
    columns, gaps = scores.reshape(len(scores), -1), missing.reshape(len(scores), -1)
    filled = np.zeros_like(columns)
    for i in range(columns.shape[1]):
        known = ~gaps[:, i]
        if known.any():
            filled[:, i] = np.interp(frame, frame[known], columns[known, i])
    return filled.reshape(scores.shape)
