"""A look at the videos of a data set, before any is read: how many frames there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import VIDEO_COLUMNS
from jaxspot.datasets.dataset import Dataset, SourceVideo
from jaxspot.datasets.images import number_images
from jaxspot.datasets.openface import aligned_images
from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.container import probe
from jaxspot.video.interlaced import say_interlaced
from jaxspot.video.source import as_source


class Look(NamedTuple):
    """A video at a glance: the `frames` that its folder or header announces, 0 if unknown.

    `images` maps frame numbers to files, for a folder of images that are not aligned; `error` says
    why the video cannot be read, or is ""; `fps` is what the header of a video file announces.
    """

    frames: int
    images: Mapping[int, Path]
    error: str = ""
    fps: float = 0.0


def look_over(dataset: Dataset, *, progress: bool = False) -> tuple[pd.DataFrame, list[Look]]:
    """A look at every video, and the table of videos (subject, video, frames, fps) it gives.

    The frame rate of a video file is about that of its frames: the one that its header announces.
    """
    bar = progress_bar(dataset.videos, desc="looking", unit="video", shown=progress)
    looks = [_look_at(video) for video in bar]
    pairs = zip(dataset.videos, looks, strict=True)
    rows = [(v.subject, v.video, look.frames, v.fps or look.fps) for v, look in pairs]
    return pd.DataFrame(rows, columns=list(VIDEO_COLUMNS)), looks


def say_combed(dataset: Dataset) -> list[str]:
    """A line on each video file that is interlaced."""
    return [
        line for video in dataset.videos if video.is_film for line in say_interlaced(video.path)
    ]


def _look_at(video: SourceVideo) -> Look:
    try:
        if video.motion:
            return Look(len(video.motion.read()) * video.motion.every, {})
        if video.aligned and not video.path.is_dir():
            return Look(len(np.load(video.path, mmap_mode="r")), {})
        if video.aligned:
            return Look(max(map(max, aligned_images(video.path).values())), {})
        if not video.path.is_dir():
            info = probe(video.path)
            source = as_source(video.path, fps=video.fps or None)
            return Look(source.count, {}, fps=video.fps or info.fps)
        images = number_images(video.path)
        return Look(max(images), images)
    except UserError as error:
        return Look(0, {}, str(error))
