"""Sliding windows over the rows of a video, in seconds."""

import dataclasses

import numpy as np

from jaxspot.baselines.recurrent.features import ROWS_A_SECOND


@dataclasses.dataclass(frozen=True)
class Windows:
    """How a window is cut into steps, and for which times a network answers.

    Attributes:
      seconds: length of a window.
      steps: that it is cut into; a step is the mean of the rows in it.
      outputs: a network answers at so many of the last steps.
      delay: steps from the time that an answer is for to the step that it is given at.
    """

    seconds: float
    steps: int = 16
    outputs: int = 1
    delay: int = 0

    @property
    def slot(self) -> float:
        """Seconds of a step."""
        return self.seconds / self.steps

    def places(self, anchors: np.ndarray, rate: float) -> np.ndarray:
        """Rows of windows whose last answer is for `anchors`, seconds (n,): int (n, steps, pooled).

        `rate` is in rows per second. Places may lie beyond the ends of the video.
        """
        pooled = max(1, round(self.slot * ROWS_A_SECOND))
        inside = (np.arange(pooled) + 0.5) / pooled - 0.5
        steps = np.arange(self.steps) - (self.steps - 1) + self.delay
        times = anchors[:, None, None] + self.slot * (steps[:, None] + inside)
        return np.floor(times * rate + 0.5).astype(np.int64)

    def answered(self, anchors: np.ndarray) -> np.ndarray:
        """The times that the answers of windows are for: seconds (n, outputs)."""
        return anchors[:, None] + self.slot * (np.arange(self.outputs) - (self.outputs - 1))

    def tiling(self, duration: float) -> np.ndarray:
        """Anchors of windows whose answers are for 0, slot, 2 slots... up to `duration` seconds."""
        count = -(-(int(duration / self.slot) + 1) // self.outputs)
        return self.slot * (self.outputs * (np.arange(count) + 1) - 1)
