"""Dense optical flow and the main direction of its vectors."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np


def dense_flow() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function from two frames, uint8 (H, W), to the motion between them, float32 (H, W, 2).

    The last axis is (right, down) in pixels: what is at p in the first frame is at p + flow[p] in
    the second. It is Dense Inverse Search (Kroeger et al. 2016) at OpenCV's medium setting, which a
    processor runs at hundreds of pairs a second. The papers used slower kinds: robust local flow
    (MDMD), TV-L1 (SOFTNet); the code released with SP-FD does not say which.

    The function is for one thread at a time.
    """
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda first, second: search.calc(first, second, None)


def direction_bins(flow: np.ndarray, *, bins: int, first: float = 0.0) -> np.ndarray:
    """Which of `bins` equal sectors each vector points into, int (...) in 0..bins-1.

    flow: float (..., 2), right and down; a vector of length 0 counts as pointing right. first:
    where sector 0 begins, in radians from right towards down.
    """
    angle = np.arctan2(flow[..., 1], flow[..., 0]) - first
    return np.floor(angle * (bins / (2 * np.pi))).astype(np.int64) % bins


def dominant_bin(directions: np.ndarray, *, bins: int, weights=None) -> np.ndarray:
    """The sector with the largest count, or sum of weights, of each row: int (rows,).

    directions: int (rows, n), from `direction_bins`; below 0 is left out. weights: float (rows, n)
    or None. Of equal sectors the lowest is taken.
    """
    rows, keep = len(directions), directions >= 0
    cells = (np.arange(rows)[:, None] * bins + directions)[keep]
    weights = None if weights is None else weights[keep]
    return np.bincount(cells, weights, rows * bins).reshape(rows, bins).argmax(axis=1)
