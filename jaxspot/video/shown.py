"""A video's frames as they are shown where a face is missing."""

import numpy as np

from jaxspot.video.frame_file import FrameFile


class ShownFrames:
    """Frames uint8 (T, height, width); one without a face is shown as `last_usable` names.

    So a frame is always compared with frames that show a face, in scoring as in training. `frames`
    may be memory-mapped or a `FrameFile`; `usable` bool (T,) says whether a face was found.
    """

    def __init__(self, frames: np.ndarray | FrameFile, usable: np.ndarray):
        self.frames, self.usable, self.places = frames, usable, last_usable(usable)

    def __len__(self) -> int:
        """How many frames."""
        return len(self.places)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Frames uint8 (..., height, width) at int places (...)."""
        return self.frames[self.places[places]]


def last_usable(usable: np.ndarray) -> np.ndarray:
    """For each frame the last usable one up to it, else the first usable: int (frames,)."""
    places = np.where(usable, np.arange(len(usable)), -1)
    places = np.maximum.accumulate(places)
    return np.where(places < 0, np.argmax(usable), places)
