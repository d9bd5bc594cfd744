"""Dense optical flow and the main direction of its vectors."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np


def dense_flow() -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function from two frames, uint8 (H, W), to the motion between them, float32 (H, W, 2).

    The last axis is (right, down) in pixels: a point at p in the first frame is at p + flow[p] in
    the second. It is Dense Inverse Search (Kroeger et al. 2016) at OpenCV's medium setting, which a
    processor runs at hundreds of pairs a second. The papers used slower kinds: robust local flow
    (MDMD), TV-L1 (SOFTNet); the code released with SP-FD does not say which. It is for one thread.
    """
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return lambda first, second: search.calc(first, second, None)


def direction_bins(flow: np.ndarray, *, bins: int, first: float = 0.0) -> np.ndarray:
    """Which of `bins` equal sectors each vector (..., 2) points into, int (...) in 0..bins-1.

    A vector of length 0 points right. Sector 0 begins at `first`, in radians from right to down.
    """
    angle = np.arctan2(flow[..., 1], flow[..., 0]) - first
    return np.floor(angle * (bins / (2 * np.pi))).astype(np.int64) % bins


def dominant_bin(directions: np.ndarray, *, bins: int, weights=None) -> np.ndarray:
    """The sector with the largest count, or sum of weights (rows, n), of each row: int (rows,).

    `directions` (rows, n) come from `direction_bins`; those below 0 are left out. Of equal sectors
    the lowest is taken.
    """
    rows, keep = len(directions), directions >= 0
    cells = (np.arange(rows)[:, None] * bins + directions)[keep]
    weights = None if weights is None else weights[keep]
    return np.bincount(cells, weights, rows * bins).reshape(rows, bins).argmax(axis=1)
