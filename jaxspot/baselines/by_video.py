"""How every peer is called, and how a method on one video becomes a peer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from jaxspot.spotting.intervals import intervals_table
from jaxspot.video.bank import Bank

FrameCounts = Callable[[str, float], Mapping[str, int]]
"""(held-out subject, fps) -> kind -> k in frames, from the labels of the *other* subjects."""
OnFrame = Callable[[int], object]
"""Called with the number of frames done since the last call."""
IGNORE: OnFrame = lambda count: None
VideoResult = tuple[np.ndarray, pd.DataFrame]
"""Scores float32 (T, 2) of one video, ME and MaE, and its intervals."""


class Peer(Protocol):
    """A method that results are compared with, on a whole bank."""

    def __call__(
        self, bank: Bank, *, folds: Sequence[Any], k: FrameCounts, seed: int, on_frame: OnFrame
    ) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
        """Spots every video; what is learned for a subject is learned from the others.

        `folds` has the `Fold` of every subject, for peers that train. `k` is k in frames by kind,
        for a subject and a frame rate. Returns scores, video -> float32 (T, 2), ME and MaE, NaN
        where a frame has none; and the intervals of all videos, one table.
        """
        ...


def by_video(spot: Callable[..., VideoResult], *, takes: Sequence[str] = ("fps",)) -> Any:
    """A `Peer` that calls `spot` on one video after the other.

    `spot` takes frames uint8 (T, H, W), which may be memory-mapped, and by name what `takes` says,
    "fps" and "k" (kind -> frames), subject and video for its table, and on_frame.
    """

    def spot_bank(bank, *, folds=(), k: Any = None, seed=0, on_frame=IGNORE):
        scores, tables = {}, [intervals_table({}, np.zeros((0, 2)))]
        for row in bank.videos.to_dict("records"):
            subject, video, fps = row["subject"], row["video"], row["fps"]
            given = {"fps": fps} if "fps" in takes else {}
            given |= {"k": k(subject, fps)} if "k" in takes else {}
            names = dict(subject=subject, video=video)
            scores[video], table = spot(bank.frames(video), **given, **names, on_frame=on_frame)
            tables.append(table)
        return scores, pd.concat(tables, ignore_index=True)

    return spot_bank


def share_of_frames(
    on_frame: OnFrame, frames: int
) -> Callable[[float, float], Callable[[float], None]]:
    """Progress of a peer whose work is not done frame by frame.

    Returns a function from two shares of all work, each in 0..1, to a callback that takes the share
    done of the work between them. All work counts as `frames`.
    """
    told = 0

    def between(first, last):
        def reach(share):
            nonlocal told
            due = round(frames * min(first + (last - first) * share, 1.0)) - told
            if due > 0:
                told += due
                on_frame(due)

        return reach

    return between


def count_steps(reach: Callable[[float], None], total: int) -> Callable[..., None]:
    """A callback with the number of steps done, by default 1; calls `reach` with their share."""
    done = 0

    def step(count=1):
        nonlocal done
        done += count
        reach(done / total)

    return step
