"""All frames of a bank in a row: what sample indices point into."""

import dataclasses
from itertools import pairwise
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float32, Int32

from jaxspot.annotations.intervals import frame_labels
from jaxspot.devices import aligned_array
from jaxspot.errors import UserError
from jaxspot.network.region_motion import COORDINATES, region_frames
from jaxspot.network.streams import reference_places
from jaxspot.video.bank import SIZE, Bank
from jaxspot.video.shown import last_usable


class Frames(Protocol):
    """Frames in a row, see `network_frames`: an array, or what reads them when asked."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(frames, height, width), or (frames, regions, coordinates)."""
        ...

    def __getitem__(self, places: np.ndarray, /) -> np.ndarray:
        """Frames (..., height, width) or (..., regions, coordinates) at int places (...)."""
        ...


@dataclasses.dataclass(frozen=True)
class BankFrames:
    """The frames of a bank in a row, on disk until they are asked for.

    Attributes:
      bank: whose.
      first: int (videos + 1,), each video's first frame's place; the last is the number of all.
    """

    bank: Bank
    first: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """(frames, 112, 112), or (frames, regions, coordinates)."""
        regions = self.bank.regions
        return int(self.first[-1]), *(
            (len(regions.names), COORDINATES) if regions else (SIZE, SIZE)
        )

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Frames at int places (...), in any order, as `network_frames` gives them.

        A video's file is mapped only while its frames are copied, so what was read takes no memory.
        An IndexError for places outside the bank, a UserError for a file that is gone or cut.
        """
        order = np.argsort(places, axis=None)
        ranked = places.ravel()[order]
        if len(ranked) and not 0 <= ranked[0] <= ranked[-1] < self.first[-1]:
            raise IndexError(f"places {ranked[0]}..{ranked[-1]} of {self.first[-1]} frames")
        kind = np.float32 if self.bank.regions else np.uint8
        frames = aligned_array((len(ranked), *self.shape[1:]), kind)
        parts = pairwise(np.searchsorted(ranked, self.first))
        starts = zip(self.bank.videos.video, self.first[:-1], parts, strict=True)
        for video, first, (start, stop) in starts:
            if start < stop:
                frames[order[start:stop]] = self._open(video)[ranked[start:stop] - first]
        return frames.reshape(*places.shape, *self.shape[1:])

    def _open(self, video):
        try:
            return network_frames(self.bank, video)
        except (OSError, ValueError, EOFError) as error:
            folder = "motion" if self.bank.regions else "frames"
            raise UserError(
                f"{self.bank.root}/{folder}/{video}.npy: gone or damaged since the run began"
                f" ({error}); put it back and go on with --resume"
            ) from None


def network_frames(bank: Bank, video: str) -> np.ndarray:
    """What networks are given of a video's frames: uint8 (frames, 112, 112), a memory map.

    Of a bank of region motion float32 (rows, regions, coordinates), see `region_frames`.
    """
    if not bank.regions:
        return bank.frames(video)
    rate = float(bank.videos.fps[bank.videos.video == video].item()) / bank.every
    seen = bank.faces(video)[:: bank.every]
    return region_frames(bank.motion(video), fps=rate, seen=seen)


@dataclasses.dataclass(frozen=True)
class FramePool:
    """The frames of all videos behind each other, and what is known of each frame.

    Attributes:
      frames: pixels, in memory or on disk.
      labels: ME and MaE of each frame, 0 or 1.
      video: number of the video that each frame belongs to.
      first: per video, its first frame's place in the pool.
      fps: per video, frames a second.
      subjects: per video, its subject.
      usable: whether a face was found.
      reference: the frame to take where this one is asked for as reference: itself, or the last one
        before with a face (the first after, where there is none before).
      bounds: first and last place of the stay of a face that a frame belongs to, where videos have
        several; beyond it nothing is compared. None: every video is one stay.
    """

    frames: Frames
    labels: Float32[np.ndarray, "frames 2"]
    video: Int32[np.ndarray, " frames"]
    first: Int32[np.ndarray, " videos"]
    fps: Float32[np.ndarray, " videos"]
    subjects: tuple[str, ...]
    usable: Bool[np.ndarray, " frames"]
    reference: Int32[np.ndarray, " frames"]
    bounds: Int32[np.ndarray, "frames 2"] | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Frames of each video: int (videos,)."""
        return np.diff(self.first, append=len(self.video))

    def of_subjects(self, subjects: tuple[str, ...]) -> np.ndarray:
        """Places of the usable frames of these subjects: int (n,)."""
        wanted = np.isin(self.subjects, subjects)
        return np.flatnonzero(wanted[self.video] & self.usable)

    def references(self, current: np.ndarray, skips: np.ndarray) -> np.ndarray:
        """Places of the frames `skips` before each, in its stay and with a face: int (...).

        `current` and `skips` int of shapes that broadcast.
        """
        if self.bounds is not None:
            first, last = np.moveaxis(self.bounds[current], -1, 0)
            return self.reference[reference_places(current - skips, first, last)]
        video = self.video[current]
        first = self.first[video]
        last = first + self.lengths[video] - 1
        return self.reference[reference_places(current - skips, first, last)]


def gather_pool(bank: Bank) -> FramePool:
    """Reads the metadata of every frame of a bank; the pixels stay on disk."""
    every = bank.every
    lengths = -(-bank.videos.frames.to_numpy() // every)
    ends = np.cumsum(lengths)
    first = np.concatenate([[0], ends[:-1]]).astype(np.int32)
    labels, found, reference = [], [], []
    rows = zip(first, bank.videos.frames.tolist(), bank.videos.video.tolist(), strict=True)
    for start, length, video in rows:
        labels.append(frame_labels(bank.labels(video), frames=length)[::every])
        face = bank.faces(video)[::every]
        found.append(face)
        reference.append(start + last_usable(face))
    return FramePool(
        frames=BankFrames(bank, np.concatenate([[0], ends])),
        labels=np.concatenate(labels).astype(np.float32),
        video=np.repeat(np.arange(len(lengths)), lengths).astype(np.int32),
        first=first,
        fps=(bank.videos.fps / every).to_numpy(np.float32),
        subjects=tuple(bank.videos.subject),
        usable=np.concatenate(found),
        reference=np.concatenate(reference).astype(np.int32),
        bounds=_bounds(bank, first, lengths),
    )


def _bounds(bank, first, lengths):
    """`FramePool.bounds`; None where every video is one stay."""
    videos = bank.videos.video.tolist()
    if not any(bank.begins(video) for video in videos):
        return None
    parts = []
    for start, length, video in zip(first.tolist(), lengths.tolist(), videos, strict=True):
        begins = [0, *((frame - 1) // bank.every for frame in bank.begins(video)), length]
        pairs = [(start + a, start + b - 1) for a, b in pairwise(begins)]
        parts.append(np.repeat(np.array(pairs, np.int32), np.diff(begins), axis=0))
    return np.concatenate(parts)


def as_pool(source: FramePool | Bank) -> FramePool:
    """The pool of a bank; a pool as it is; a TypeError for anything else."""
    if isinstance(source, FramePool):
        return source
    if isinstance(source, Bank):
        return gather_pool(source)
    raise TypeError(
        "training takes a bank, from `open_bank(path)`, or its pool, from `gather_pool(bank)`;"
        f" not {type(source).__name__}"
    )
