"""From scores to intervals by the Manual IoU Method, paper Table 6."""

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import KINDS
from jaxspot.evaluation.protocols import Pair
from jaxspot.spotting.filters import HALF_GAIN, normalise_per_video, savitzky_golay
from jaxspot.spotting.intervals import intervals_table
from jaxspot.spotting.manual_iou import manual_iou_intervals


def decide_manually(
    scores: np.ndarray, *, fps: float, cutoff_hz: Pair, subject: str = "", video: str = ""
) -> pd.DataFrame:
    """Intervals of one video, without a threshold that is learned: its own highest frame decides.

    Args:
      scores: float (T, 2), raw sigmoid outputs for ME and MaE; NaN where a frame has none.
      fps: frames per second.
      cutoff_hz: at which the filter halves, as for `butterworth` (ME, MaE); at or above fps / 2 the
        shortest window is taken.
      subject, video: names for the table.

    Returns:
      as `intervals_table`.
    """
    curves = normalise_per_video(scores)
    smooth, spans = np.empty_like(curves), {}
    for i, kind in enumerate(KINDS):
        window_s = HALF_GAIN / min(cutoff_hz[i], fps / 2)
        smooth[:, i] = savitzky_golay(curves[:, i], fps=fps, window_seconds=window_s)
        spans[kind] = manual_iou_intervals(curves[:, i], fps=fps, window_seconds=window_s)
    return intervals_table(spans, smooth, subject=subject, video=video)
