"""Random frame skips of training and validation, paper section 3.3 and Table 3.

Table 3 has two other frame skips. One is k: of a fold, half of its `mean_durations`
(`experiment/heldout.py`); of a whole data set, `k_frame` (`annotations/durations.py`). The other is
the manual frame skip (`experiment/manual_skips.py`).
"""

import numpy as np

Ranges = tuple[tuple[float, float], tuple[float, float]]
"""Shortest and longest skip of ME, then of MaE, in seconds."""

CAS_ME2: Ranges = ((3 / 30, 9 / 30), (16 / 30, 50 / 30))
"""3~9 and 16~50 frames at 30 fps."""
SAMM_LV: Ranges = ((25 / 200, 75 / 200), (200 / 200, 400 / 200))
"""25~75 and 200~400 frames at 200 fps."""


def draw_skips(ranges: Ranges, fps: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draws a frame skip of ME and of MaE for each sample, every whole number equally likely.

    `fps` is float (n,), of each sample's video. Returns float (n, 2), whole frames, 1 or more.
    """
    skips = []
    for shortest, longest in ranges:
        low, high = np.rint(shortest * fps), np.rint(longest * fps)
        skips.append(np.maximum(np.floor(rng.uniform(low, high + 1)), 1))
    return np.stack(skips, -1)
