"""What a glance at a data set's videos shows, without decoding them."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.intervals import VIDEO_COLUMNS
from jaxspot.datasets.dataset import Dataset, SourceVideo
from jaxspot.datasets.images import number_images
from jaxspot.datasets.openface import aligned_images
from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.decode import probe


class Look(NamedTuple):
    """A video at a glance.

    Attributes:
      frames: as its folder or header announces them, 0 where that is not known.
      images: file by frame number, for a folder of images that are not aligned.
      error: why the video cannot be read, or "".
    """

    frames: int
    images: Mapping[int, Path]
    error: str = ""


def look_at(video: SourceVideo) -> Look:
    """What a glance at a video shows."""
    try:
        if video.aligned:
            return Look(max(map(max, aligned_images(video.path).values())), {})
        if not video.path.is_dir():
            return Look(probe(video.path).frames, {})
        images = number_images(video.path)
        return Look(max(images), images)
    except UserError as error:
        return Look(0, {}, str(error))


def look_over(dataset: Dataset, *, progress: bool = False) -> tuple[pd.DataFrame, list[Look]]:
    """A look at every video, and the table of videos (subject, video, frames, fps) it gives."""
    videos = progress_bar(dataset.videos, desc="looking", unit="video", shown=progress)
    looks = [look_at(video) for video in videos]
    pairs = zip(dataset.videos, looks, strict=True)
    rows = [(video.subject, video.video, look.frames, video.fps) for video, look in pairs]
    return pd.DataFrame(rows, columns=list(VIDEO_COLUMNS)), looks
