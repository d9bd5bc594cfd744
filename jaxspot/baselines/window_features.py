"""What `boosting` learns from: how far the regions of a face moved around each frame."""

import numpy as np

from jaxspot.motion.regions import Regions

LAGS = (2 / 30, 5 / 30, 10 / 30, 18 / 30, 32 / 30)
"""Seconds to the frames, earlier and later, that a frame is compared with."""
PATHS = (4 / 30, 16 / 30)
"""Seconds on both sides of a frame over which the length of the path is taken."""
LARGEST = 3
LEAST = 1e-3
"""Pixels; the usual motion of a region that never moves."""


def window_features(motion: np.ndarray, regions: Regions, *, fps: float) -> np.ndarray:
    """How far the regions moved around each row, relative to the video's medians; no label is used.

    These are distances from where a region is to where it is `LAGS` earlier and later, and lengths
    of the path within `PATHS`. Of a region and its mirror image the larger value is taken; the
    LARGEST values of all regions follow. `motion` is float (rows, regions, 2), see `Bank.motion`,
    `fps` rows per second. Returns float32 (rows, features).
    """
    places = np.cumsum(motion, axis=0, dtype=np.float64)
    path = np.cumsum(np.linalg.norm(motion, axis=-1), axis=0, dtype=np.float64)
    rows = np.arange(len(motion))
    at = lambda shift: np.clip(rows + shift, 0, len(rows) - 1)
    frames = lambda seconds: max(1, round(seconds * fps))
    shifts = [side * frames(seconds) for seconds in LAGS for side in (-1, 1)]
    moved = [np.linalg.norm(places[at(shift)] - places, axis=-1) for shift in shifts]
    moved += [path[at(n)] - path[at(-n)] for n in map(frames, PATHS)]
    mirror = np.array(regions.mirror)
    first = np.flatnonzero(np.arange(len(mirror)) <= mirror)
    features = []
    for values in moved:
        relative = values / np.maximum(np.median(values, axis=0), LEAST)
        pairs = np.maximum(relative[:, first], relative[:, mirror[first]])
        features += [pairs, -np.sort(-relative, axis=1)[:, :LARGEST]]
    return np.concatenate(features, axis=1).astype(np.float32)
