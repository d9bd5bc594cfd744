"""Frames on disk that are read when they are asked for."""

from pathlib import Path

import numpy as np


class FrameFile:
    """Frames (T, height, width) or (T, regions, 2) in a file; memory holds none of them.

    The file has them one after the other as they are in memory, and nothing else.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype=np.uint8):
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    def __len__(self) -> int:
        """How many frames."""
        return self.shape[0]

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Frames (..., height, width) at int places (...)."""
        # Mapped anew each time: pages that were read count as memory until they are unmapped.
        return np.array(np.memmap(self.path, self.dtype, "r", shape=self.shape)[places])
