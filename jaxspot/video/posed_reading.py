"""A long video as faces seen from the front: read by several workers, kept on disk."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError
from jaxspot.video.align import SIZE
from jaxspot.video.clip import Clip
from jaxspot.video.decode import TICK_S
from jaxspot.video.frame_file import FrameFile
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import known_landmarker
from jaxspot.video.pose import Poses, crop_posed, mean_face, mean_frames, pose_track, take
from jaxspot.video.source import Source
from jaxspot.video.stretches import (
    LANDMARKS,
    LONGER,
    Followed,
    Stretch,
    agree,
    divide,
    follow_stretch,
    join,
    stretch_of,
    unite,
)
from jaxspot.workers import Pool


def ignore(stretch: int) -> None:
    """Does nothing with the number of a stretch."""


@dataclass(frozen=True)
class Reading:
    """How a video is read: all can be sent to another process.

    `open` gives its frames, `folder` is for what is kept on disk, `prefer` as in `track_faces`.
    `on_follow` and `on_crop` are called with each stretch's number after each frame.
    """

    open: Callable[[], Source]
    folder: Path
    prefer: str = "largest"
    on_follow: Callable[[int], object] = ignore
    on_crop: Callable[[int], object] = ignore

    @property
    def landmarks(self) -> Path:
        """The file of all landmarks, float32 (T, 478, 3)."""
        return self.folder / "landmarks"

    @property
    def crops(self) -> Path:
        """The file of all faces, uint8 (T, 112, 112)."""
        return self.folder / "crops"


@dataclass(frozen=True)
class Posed:
    """A face in a stretch: the frames (n,) that show it (from 0), its surface and its poses."""

    frames: np.ndarray
    surface: np.ndarray
    poses: Poses


def read_posed(reading: Reading, pool: Pool) -> Clip:
    """What `posed_clip` reads, by all workers of a pool; memory grows by 1 kB a frame.

    The faces stay in `reading.folder`, an existing folder, 19 kB a frame. The result does not
    depend on the number of workers. Errors as `posed_clip`.
    """
    source = reading.open()
    for file in (reading.landmarks, reading.crops):
        file.write_bytes(b"")
    planned = _times(source) if pool.workers > 1 else ()
    stretches = divide(planned, least=pool.workers)
    parts = pool.map(_follow, [(reading, *pair) for pair in enumerate(stretches)])
    if len(parts) > 1 and not all(_as_planned(part, planned) for part in parts):
        parts = pool.map(_follow, [(reading, 0, Stretch())])  # jumps in this file lose frames
    parts = _mend(reading, list(parts), planned, pool)
    seen = join(parts)
    if not len(seen.times):
        raise UserError(f"{source.path}: no frame could be decoded; copy it again or re-encode it")
    fps = fps_of(seen.times, source.path)
    posed = _pose(reading, seen)
    stretches = [part.stretch for part in parts]
    jobs = [
        (reading, *_alone(number, stretch, seen.times), [_part(face, stretch) for face in posed])
        for number, stretch in enumerate(stretches)
    ]
    if sum(pool.map(_crop, jobs)) != len(seen.times):
        raise UserError(f"{source.path}: changed while it was read; run the command again")
    shown = np.zeros(len(seen.times), bool)
    for face in posed:
        shown[face.frames] = True
    return Clip(
        frames=FrameFile(reading.crops, (len(shown), SIZE, SIZE)),
        quality=np.stack([shown, np.where(shown, seen.confidence, 0)], 1).astype(np.float32),
        times=seen.times,
        fps=fps,
        faces=np.where(shown, seen.faces, -1).astype(np.int32),
        boxes=np.where(shown[:, None], seen.boxes, np.nan).astype(np.float32),
        upside_down=shown & seen.upside_down,
    )


def _times(source):
    try:
        return source.times()
    except UserError:  # reading it tells where it is damaged
        return ()


def _follow(job: tuple[Reading, int, Stretch] | tuple[Reading, int, Stretch, Followed]) -> Followed:
    reading, number, stretch, *known = job
    return follow_stretch(
        reading.open(),
        known_landmarker(),
        stretch,
        prefer=reading.prefer,
        landmarks=reading.landmarks,
        known=known[0] if known else None,
        on_frame=lambda: reading.on_follow(number),
    )


def _as_planned(part, times):
    own = np.array(times[part.stretch.warm : part.stretch.stop])
    return len(own) == len(part.times) and bool((abs(own - part.times) <= TICK_S).all())


def _mend(reading, parts, times, pool):
    """The stretches, each of which agrees with the one before.

    One that does not is followed again from an earlier frame, until it agrees with what it was. If
    that does not help, it is followed together with the one before; and if the next does not agree
    either, with all that come after. Joining them one by one would read a long video many times.
    """
    number, mended = 1, False
    while number < len(parts):
        before, after = parts[number - 1 : number + 1]
        if not agree(before, after):
            earlier = stretch_of(times, after.stretch.first, after.stretch.stop, longer=LONGER)
            parts[number] = pool.map(_follow, [(reading, number, earlier, after)])[0]
        if agree(before, parts[number]):
            number, mended = number + 1, False
            continue
        last = len(parts) if mended else number + 1
        known = [] if mended else [parts[number]]
        both = unite(before.stretch, parts[last - 1].stretch)
        parts[number - 1 : last] = pool.map(_follow, [(reading, number - 1, both, *known)])
        mended = True
    return parts


def _pose(reading: Reading, seen: Followed) -> list[Posed]:
    """Every track of a video, posed."""
    found = []
    for face in np.unique(seen.faces[seen.faces >= 0]):
        own = np.flatnonzero(seen.faces == face)
        file = np.memmap(reading.landmarks, LANDMARKS.base, "r").reshape(-1, *LANDMARKS.shape)
        mean = mean_face(np.array(file[own[mean_frames(len(own))]]))
        track, usable = pose_track(seen.rigid[own], seen.times[own], face=mean)
        found.append(Posed(own[usable], track.surface, track.used))
    return found


def _alone(number, stretch, times):
    """The number of a stretch, the stretch as read from its first frame on, its times."""
    alone = stretch._replace(warm=stretch.first, second=float(times[stretch.first]))
    return number, alone, times[stretch.first : stretch.stop]


def _part(face: Posed, stretch: Stretch) -> Posed:
    stop = np.inf if stretch.stop is None else stretch.stop
    own = (face.frames >= stretch.first) & (face.frames < stop)
    return Posed(face.frames[own], face.surface, take(face.poses, own))


def _crop(job: tuple[Reading, int, Stretch, np.ndarray, list[Posed]]) -> int:
    """Writes the faces of a stretch; returns its frames, of those that have their times."""
    reading, number, stretch, times, faces = job
    source = reading.open()
    ways = (
        source.read_from(stretch.first, stretch.second),
        islice(source.read(), stretch.first, None),  # where a jump loses frames
    )
    count = 0
    for frames in ways:
        count = _write_crops(
            reading, number, stretch.first, zip(times, frames, strict=False), faces
        )
        if count == len(times):
            break
    return count


def _write_crops(reading, number, first, frames, faces):
    """Writes faces of frames until one has another time; returns how many it wrote."""
    at = {frame: (face, i) for face in faces for i, frame in enumerate(face.frames.tolist())}
    count = 0
    with reading.crops.open("r+b") as file:
        file.seek(first * SIZE * SIZE)
        for time_s, (pts_s, image) in frames:
            if pts_s != time_s:
                break
            crop = np.zeros((SIZE, SIZE), np.uint8)
            if image is not None and first + count in at:
                face, i = at[first + count]
                crop = crop_posed(image, face.surface, face.poses, i)
            file.write(crop.tobytes())
            reading.on_crop(number)
            count += 1
    return count
