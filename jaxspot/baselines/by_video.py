"""What every peer is called with, and a bank spotted video by video."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from jaxspot.spotting.intervals import intervals_table
from jaxspot.video.bank import Bank


class Peer(Protocol):
    """A method that results are held against, on a whole bank."""

    def __call__(
        self,
        bank: Bank,
        *,
        folds: Sequence[Any],
        k: Callable[[str, float], Mapping[str, int]],
        seed: int,
        on_frame: Callable[[int], object],
    ) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
        """Spots every video; what is learned for a subject is learned from the others.

        Args:
          bank: the videos.
          folds: jaxspot.training.folds.Fold of every subject, for peers that train.
          k: (subject, fps) -> kind -> k in frames, from the labels of the *other* subjects.
          seed: of whatever is random.
          on_frame: called with the number of frames done since the last call.

        Returns:
          scores: video -> float32 (T, 2), ME and MaE; NaN where a frame has none.
          intervals: of all videos, one table.
        """
        ...


class SpotVideo(Protocol):
    """A method on one video."""

    def __call__(
        self,
        frames: np.ndarray,
        *,
        fps: float,
        subject: str,
        video: str,
        on_frame: Callable[[int], object],
    ) -> tuple[np.ndarray, pd.DataFrame]:
        """Scores float32 (T, 2) and intervals of frames uint8 (T, H, W)."""
        ...


def spot_each(
    spot: SpotVideo, bank: Bank, *, on_frame: Callable[[int], object]
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """A method on every video of a bank, one after the other; returns what a `Peer` returns."""
    scores, tables = {}, [intervals_table({}, np.zeros((0, 2)))]
    for row in bank.videos.to_dict("records"):
        names = dict(subject=row["subject"], video=row["video"])
        frames = bank.frames(row["video"])
        scores[row["video"]], table = spot(frames, fps=row["fps"], **names, on_frame=on_frame)
        tables.append(table)
    return scores, pd.concat(tables, ignore_index=True)
