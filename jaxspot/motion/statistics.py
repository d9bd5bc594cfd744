"""Numbers that describe region motion: displacement, spectra, the shape of an expression, the lips.

`motion` is (rows, regions, 2) as in `Bank.motion`; row t is the motion from row t - 1 to row t. All
lengths are in its unit. Rows count from 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import periodogram


class Shape(NamedTuple):
    """The course of an expression, see `expression_shape`."""

    peak: float
    region: int
    rows_to_peak: int
    left: float


def displacement(motion: np.ndarray, rows: int) -> np.ndarray:
    """How far each region moves from row t to row t + rows: float64 (T - rows, regions, 2)."""
    places = np.cumsum(motion, axis=0, dtype=np.float64)
    return places[rows:] - places[:-rows]


def free_spans(free: np.ndarray, rows: int) -> np.ndarray:
    """Whether all rows from t to t + rows are free: bool (T - rows,), from bool (T,)."""
    if len(free) <= rows:
        return np.zeros(0, bool)
    return np.asarray(sliding_window_view(free, rows + 1).all(1))


def free_windows(free: np.ndarray, rows: int, *, step: int | None = None) -> np.ndarray:
    """First rows of windows of `rows` free rows, `step` or more apart (by default `rows`)."""
    starts, following = [], 0
    for start in np.flatnonzero(free_spans(free, rows - 1)):
        if start >= following:
            starts.append(start)
            following = start + (step or rows)
    return np.array(starts, int)


def place_spectra(
    motion: np.ndarray, free: np.ndarray, rate: float, *, seconds: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Power spectra of where the regions are, in windows of free rows that overlap by half.

    Args:
      motion: see above.
      free: bool (rows,), the rows that may be used.
      rate: rows a second.
      seconds: length of a window. In each, a straight line is taken off and a Hann window applied.

    Returns:
      Frequencies in Hz, float64 (f,), without 0 and half of `rate`, and the density of both
      components together, float64 (windows, f, regions), in squared units of `motion` per Hz: its
      integral over the frequencies is the variance.
    """
    rows = max(4, round(seconds * rate))
    starts = free_windows(free, rows, step=rows // 2)
    kept = slice(1, (rows + 1) // 2)
    frequencies = np.fft.rfftfreq(rows, 1 / rate)[kept]
    if not len(starts):
        return frequencies, np.zeros((0, len(frequencies), motion.shape[1]))
    places = np.cumsum(motion, axis=0, dtype=np.float64)
    windows = places[starts[:, None] + np.arange(rows)]
    _, density = periodogram(windows, fs=rate, window="hann", detrend="linear", axis=1)
    return frequencies, density[:, kept].sum(-1)


def expression_shape(motion: np.ndarray, onset: int, offset: int) -> Shape:
    """How the face moves between two rows, both included.

    Returns:
      `peak`, the largest displacement from `onset` of any region, that `region`, the rows from
      `onset` to it, and `left`: the part of the peak that is still there at `offset`, measured
      along the direction of the peak. It is 0 where the region is back and 1 where it has stayed;
      NaN without any motion.
    """
    places = _from_onset(motion, onset, offset)
    lengths = np.hypot(places[..., 0], places[..., 1])
    row, region = np.unravel_index(np.argmax(lengths), lengths.shape)
    peak = float(lengths[row, region])
    left = places[-1, region] @ places[row, region] / peak**2 if peak else np.nan
    return Shape(peak, int(region), int(row), float(left))


def shapes_at_rest(motion: np.ndarray, free: np.ndarray, rows: int) -> list[Shape]:
    """The shapes of all windows of `rows` free rows, without overlap, as if they were labels."""
    starts = free_windows(free, rows).tolist()
    return [expression_shape(motion, start, start + rows - 1) for start in starts]


def gap_range(motion: np.ndarray, upper: int, lower: int, rows: int) -> np.ndarray:
    """By how much the vertical gap between two regions changes within rows t to t + rows.

    float64 (T - rows,): the largest gap minus the smallest.
    """
    gap = np.cumsum(motion[:, lower, 1] - motion[:, upper, 1], dtype=np.float64)
    windows = sliding_window_view(gap, rows + 1)
    return windows.max(1) - windows.min(1)


def _from_onset(motion, onset, offset):
    moved = np.array(motion[onset : offset + 1], np.float64)
    moved[0] = 0
    return np.cumsum(moved, axis=0)
