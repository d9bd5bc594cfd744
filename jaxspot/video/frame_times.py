"""When the frames of a video start and end."""

import numpy as np


def frame_bounds(times: np.ndarray) -> np.ndarray:
    """Bounds of frames that start at `times` (T,) seconds, float64 (T + 1,).

    A frame ends where the next one starts. The last one lasts as long as the median one.
    """
    return np.append(times, times[-1] + np.median(np.diff(times)))
