"""The frame rate that was named for a video file, beside that of its own times."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.video.container import packet_times, probe
from jaxspot.video.frame_times import fps_of

OTHER_RATE = 0.01
MOST_UNEVEN = 0.1
"""The share of frames that come early or late, above which intervals in frames are off."""


def own_times(path: str | Path) -> np.ndarray | None:
    """When each frame of a video file starts by the file, float64 (T,), in seconds.

    None where nothing can be told by them: it holds none, they do not grow, or it cannot be read.
    """
    try:
        times = np.array(packet_times(path))
        fps_of(times, path)
    except UserError:
        return None
    return times if (np.diff(times) > 0).all() else None


def is_same_rate(fps: float, own: float) -> bool:
    """Whether a rate that was named is that of the file, both in frames a second."""
    return abs(own - fps) <= OTHER_RATE * fps


def say_rate(path: Path, fps: float | None) -> list[str]:
    """A line where `fps` takes the place of other times in a video file."""
    try:
        info = probe(path) if fps else None
    except UserError:  # raised again when it is read
        return []
    if not fps or not info or not info.timed or is_same_rate(fps, info.fps):
        return []
    times = own_times(path)  # a header counts lost frames, too
    own = info.fps if times is None else fps_of(times, path)
    if is_same_rate(fps, own):
        return []
    line = f"plays {own:g} frames a second, counted as {fps:g}"
    return [f"{path}: {line}; in a player, intervals lie at other times than in the results"]


def say_uneven(videos: pd.DataFrame, details: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line on each video of a bank whose frame rate varies much.

    `videos` are those of the bank, and `details` what preparing found of each, by its name.
    """
    rates = dict(zip(videos.video, videos.fps, strict=True))
    return [
        f"{video}: frame rate varies ({found['uneven']:.0%} of its frames come early or late);"
        f" taken as {rates[video]:.2f} fps"
        for video, found in details.items()
        if found["uneven"] > MOST_UNEVEN
    ]
