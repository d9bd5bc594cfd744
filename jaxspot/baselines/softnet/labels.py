"""SOFTNet's pseudo-labels: how a sliding window overlaps the labelled expressions."""

import numpy as np


def window_iou(spans: np.ndarray, *, frames: int, length: int) -> np.ndarray:
    """Highest IoU of the window of `length` frames from i on with any labelled expression.

    Args:
      spans: int (n, 2), array bounds of the expressions, from 0, half open.
      frames: of the video.
      length: of the window, in frames, 1 or more.

    Returns:
      float32 (frames - length,), one value for each pair of frames i and i + length; 0..1.
    """
    start = np.arange(max(frames - length, 0))[:, None]
    onset, stop = np.reshape(spans, (-1, 2)).T
    both = np.minimum(start + length, stop) - np.maximum(start, onset)
    both = np.maximum(both, 0)
    return (both / (length + (stop - onset) - both)).max(axis=1, initial=0).astype(np.float32)


def pseudo_labels(spans: np.ndarray, *, frames: int, length: int, step: bool = True) -> np.ndarray:
    """What SOFTNet learns to tell: 1 where the IoU is above 0 (as published), or the IoU itself.

    Args and shapes as `window_iou`; `step` false keeps the IoU.
    """
    iou = window_iou(spans, frames=frames, length=length)
    return (iou > 0).astype(np.float32) if step else iou
