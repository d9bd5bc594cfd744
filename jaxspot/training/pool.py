"""All frames of a bank in a row: what sample indices point into."""

import dataclasses

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8

from jaxspot.annotations.tables import frame_labels
from jaxspot.video.bank import SIZE, Bank


@dataclasses.dataclass(frozen=True)
class FramePool:
    """The frames of all videos behind each other, and what is known of each frame.

    Attributes:
      frames: pixels.
      labels: ME and MaE of each frame, 0 or 1.
      video: number of the video that each frame belongs to.
      first: per video, its first frame's place in the pool.
      fps: per video, frames a second.
      subjects: per video, its subject.
      names: per video, its name.
      usable: whether a face was found.
      reference: the frame to take where this one is asked for as reference: itself, or the last one
        before with a face (the first after, where there is none before).
    """

    frames: UInt8[np.ndarray, "frames height width"]
    labels: Float32[np.ndarray, "frames 2"]
    video: Int32[np.ndarray, " frames"]
    first: Int32[np.ndarray, " videos"]
    fps: Float32[np.ndarray, " videos"]
    subjects: tuple[str, ...]
    names: tuple[str, ...]
    usable: Bool[np.ndarray, " frames"]
    reference: Int32[np.ndarray, " frames"]

    def of_subjects(self, subjects: tuple[str, ...]) -> np.ndarray:
        """Places of the usable frames of these subjects: int (n,)."""
        wanted = np.isin(self.subjects, subjects)
        return np.flatnonzero(wanted[self.video] & self.usable)

    def span(self, video: int) -> slice:
        """Where a video's frames lie in the pool."""
        start = int(self.first[video])
        return slice(start, start + int(video_lengths(self)[video]))


def video_lengths(pool: FramePool) -> np.ndarray:
    """Frames of each video: int (videos,)."""
    return np.bincount(pool.video, minlength=len(pool.first))


def gather_pool(bank: Bank) -> FramePool:
    """Reads a whole bank into memory (12.5 KB a frame)."""
    lengths = bank.videos.frames.to_numpy()
    first = np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int32)
    frames = np.empty((lengths.sum(), SIZE, SIZE), np.uint8)
    labels, found, reference = [], [], []
    for start, length, video in zip(first, lengths, bank.videos.video, strict=True):
        frames[start : start + length] = bank.frames(video)
        labels.append(frame_labels(bank.labels(video), frames=length))
        face = bank.quality(video)[:, 0] > 0
        found.append(face)
        reference.append(start + last_usable(face))
    return FramePool(
        frames=frames,
        labels=np.concatenate(labels).astype(np.float32),
        video=np.repeat(np.arange(len(lengths)), lengths).astype(np.int32),
        first=first,
        fps=bank.videos.fps.to_numpy(np.float32),
        subjects=tuple(bank.videos.subject),
        names=tuple(bank.videos.video),
        usable=np.concatenate(found),
        reference=np.concatenate(reference).astype(np.int32),
    )


def last_usable(usable: np.ndarray) -> np.ndarray:
    """For each frame the last usable one up to it, else the first usable: int (frames,)."""
    places = np.where(usable, np.arange(len(usable)), -1)
    places = np.maximum.accumulate(places)
    return np.where(places < 0, np.argmax(usable), places)
