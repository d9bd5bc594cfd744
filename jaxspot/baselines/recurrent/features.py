"""Features of a bank on disk: a row about every 1/30 s of each video."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from jaxspot.baselines.by_video import IGNORE, OnFrame
from jaxspot.video.bank import Bank

ROWS_A_SECOND = 30
PART = 256
LEAST = 1e-6
Extract = Callable[[Bank, str, int], Iterator[np.ndarray]]
"""(bank, video, frames from one row to the next) -> float (width,) for each row, in order."""


@dataclasses.dataclass(frozen=True)
class Features:
    """Features of every video, on disk.

    `rows` is float32 (rows, width); `starts`, `counts` and `rates` hold the first row, the number
    of rows and the rows per second of each video.
    """

    rows: np.ndarray
    starts: dict[str, int]
    counts: dict[str, int]
    rates: dict[str, float]

    def gather(self, video: str, places: np.ndarray) -> np.ndarray:
        """The mean of rows over the last axis of `places`, int (..., pooled), of a video.

        Places beyond an end stand for the row at that end. Returns float32 (..., width).
        """
        at = self.starts[video] + np.clip(places, 0, self.counts[video] - 1)
        total = self.rows[at[..., 0]]
        for i in range(1, at.shape[-1]):
            total = total + self.rows[at[..., i]]
        return total / np.float32(at.shape[-1])


def frames_a_row(bank: Bank, fps: float) -> int:
    """Frames of a video of a bank from one row of features to the next."""
    return bank.every * max(1, round(fps / bank.every / ROWS_A_SECOND))


def write_features(
    bank: Bank, extract: Extract, path: str | Path, *, width: int, on_frame: OnFrame = IGNORE
) -> Features:
    """Writes the features of every video to the file `path`, each by its video's mean and spread.

    A feature that does not change in a video is 0. Memory does not grow with the bank.
    """
    starts, counts, rates, total = {}, {}, {}, 0
    for row in bank.videos.to_dict("records"):
        video, every = row["video"], frames_a_row(bank, row["fps"])
        starts[video], counts[video] = total, -(-int(row["frames"]) // every)
        rates[video] = row["fps"] / every
        total += counts[video]
    rows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(total, width))
    if hasattr(os, "posix_fallocate"):  # a disk that fills up later would end the process
        with open(path, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
    for row in bank.videos.to_dict("records"):
        video, every, done = row["video"], frames_a_row(bank, row["fps"]), 0
        own = rows[starts[video] : starts[video] + counts[video]]
        for i, values in enumerate(extract(bank, video, every)):
            own[i] = values
            reached = min((i + 1) * every, int(row["frames"]))
            on_frame(reached - done)
            done = reached
        standardise(own)
    return Features(rows, starts, counts, rates)


def standardise(rows: np.ndarray) -> None:
    """Brings every column of float32 (n, width) to mean 0 and deviation 1, in place, by parts."""
    parts = [rows[first : first + PART] for first in range(0, len(rows), PART)]
    mean = sum(part.sum(axis=0, dtype=np.float64) for part in parts) / len(rows)
    square = sum(((part - mean) ** 2).sum(axis=0) for part in parts) / len(rows)
    deviation = np.sqrt(square)
    scale = np.where(deviation > LEAST, 1 / np.maximum(deviation, LEAST), 0)
    for part in parts:
        part[:] = (part - mean) * scale
