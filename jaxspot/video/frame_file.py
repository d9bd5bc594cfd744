"""Frames on disk that are read when they are asked for."""

from pathlib import Path
from typing import Any

import numpy as np


class FrameFile:
    """Frames (T, height, width) or (T, regions, 2) in a file; memory holds none of them.

    The file has them one after the other as they are in memory, and nothing else.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: Any = np.uint8, *, first: int = 0
    ):
        self.path, self.shape, self.dtype, self.first = path, shape, np.dtype(dtype), first

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    def __len__(self) -> int:
        """How many frames."""
        return self.shape[0]

    def __getitem__(self, places: Any) -> Any:
        """Frames (..., height, width) at int places (...); for a slice, a file of these frames."""
        if isinstance(places, slice):
            start, stop, step = places.indices(len(self))
            if step != 1:
                raise ValueError(f"frames of a file can be cut out in steps of 1, not {step}")
            shape = (max(0, stop - start), *self.shape[1:])
            return FrameFile(self.path, shape, self.dtype, first=self.first + start)
        # Mapped anew each time: pages that were read count as memory until they are unmapped.
        each = int(np.prod(self.shape[1:])) * self.dtype.itemsize
        place = self.first * each
        return np.array(np.memmap(self.path, self.dtype, "r", place, self.shape)[places])
