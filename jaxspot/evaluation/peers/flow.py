"""Dense optical flow between two frames."""

import cv2
import numpy as np


def dense_flow(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Where each pixel of `first` has gone to in `second` (dense inverse search).

    Args:
      first, second: uint8 (H, W).

    Returns:
      float32 (H, W, 2): u to the right and v down, in pixels.
    """
    engine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return engine.calc(first, second, None)  # pyright: ignore[reportCallIssue, reportArgumentType]
