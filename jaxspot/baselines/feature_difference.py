"""What the methods of feature difference analysis share: blocks, distances, contrast, peaks."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.signal import find_peaks

from jaxspot.baselines.by_video import IGNORE, OnFrame


def block_numbers(shape: tuple[int, ...], *, blocks: int) -> np.ndarray:
    """The block of each pixel of a frame (H, W), int (H, W), of blocks x blocks."""
    row, column = (np.arange(n) * blocks // n for n in shape)
    return row[:, None] * blocks + column


def mean_of_top_third(values: np.ndarray) -> float:
    """Mean of the largest third of values (n,), at least of one."""
    return float(np.sort(values)[-max(1, len(values) // 3) :].mean())


def chi_squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of (a - b)^2 / (a + b) over the last axis; empty bins add nothing."""
    both = a + b
    return ((a - b) ** 2 / np.where(both > 0, both, 1)).sum(axis=-1)


def neighbour_distance(
    histograms: Iterator[np.ndarray],
    frames: int,
    *,
    skips: Sequence[int],
    summary: Callable[[np.ndarray], float | np.ndarray],
    on_frame: OnFrame = IGNORE,
) -> np.ndarray:
    """Chi-squared distance of each frame's histograms to the mean of those k before and after.

    The first and the last frame are repeated at the ends. `histograms` yields an array
    (blocks, bins) for each of the `frames`; `summary` is what is kept of the distances (blocks,).
    `skips` holds the k of each column. Returns float64 (frames, len(skips), ...).
    """
    reach = max(skips)
    ring: list[np.ndarray] = [np.zeros(0)] * (2 * reach + 1)
    found: list[list] = [[] for _ in skips]
    for newest in range(frames + reach):
        if newest < frames:
            ring[newest % len(ring)] = next(histograms)
            on_frame(1)
        for column, k in enumerate(skips):
            i = newest - k
            if 0 <= i < frames:
                at = (max(i - k, 0), i, min(i + k, frames - 1))
                before, here, after = (ring[n % len(ring)] for n in at)
                found[column].append(summary(chi_squared(here, (before + after) / 2)))
    return np.stack([np.array(rows, np.float64) for rows in found], axis=1)


def stand_out(curve: np.ndarray, *, distance: int) -> np.ndarray:
    """F_i - (F_(i-d) + F_(i+d)) / 2 of a curve float (T,) whose ends are repeated."""
    around = np.pad(curve, distance, mode="edge") if len(curve) else curve
    return curve - (around[: len(curve)] + around[len(around) - len(curve) :]) / 2


def relative_height(curve: np.ndarray, *, p: float) -> float:
    """The threshold mean + p (max - mean) of a curve (T,), NaN left out (Moilanen et al. 2014)."""
    mean = np.nanmean(curve)
    return float(mean + p * (np.nanmax(curve) - mean))


def peak_spans(curve: np.ndarray, *, k: int, p: float = 0.55) -> np.ndarray:
    """Peaks at least k frames apart above `relative_height`, each widened by k frames.

    The curve, float (T,), is 0 or more, or NaN. Returns int (n, 2), half open, within the video.
    """
    known = np.nan_to_num(curve)
    if not known.any():
        return np.zeros((0, 2), np.int64)
    height = relative_height(curve, p=p)
    peaks = find_peaks(np.pad(known, 1), height=height, distance=max(k, 1))[0] - 1
    return np.column_stack((np.maximum(peaks - k, 0), np.minimum(peaks + k + 1, len(curve))))
