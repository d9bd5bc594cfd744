"""One video of a data set into the bank: read, track, align, write."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.datasets.dataset import SourceVideo
from jaxspot.datasets.identity import hash_content
from jaxspot.datasets.images import describe_numbers, image_frames, missing_numbers, number_images
from jaxspot.datasets.openface import openface_frames
from jaxspot.datasets.rates import is_same_rate, own_times
from jaxspot.errors import UserError
from jaxspot.motion.pack import Segments
from jaxspot.motion.pictures import MotionFrame, bank_faces, crop_motion, motion_frames
from jaxspot.motion.regions import TWELVE
from jaxspot.video.clip import AlignedFrame, aligned_frames, posed_frames
from jaxspot.video.decode import read_video
from jaxspot.video.frame_times import even_steps, fps_of, is_gap
from jaxspot.video.jitter import crop_jitter, crop_places
from jaxspot.video.landmarker import known_landmarker
from jaxspot.video.writer import motion_writer, save_motion, video_writer


@dataclass(frozen=True)
class Alignment:
    """How faces are found and aligned: see `track_faces`, `aligned_frames` and `posed_frames`."""

    prefer: str = "largest"
    smooth: bool = True
    posed: bool = False


@dataclass(frozen=True)
class Prepared:
    """What preparing a video found; subject, video, frames and fps are as in `videos.csv`.

    `found`: frames with a face. `stays` of a face in the picture: 1 where one face never left it.
    `begins`: the first frame of each stay but the first; nothing is compared across it.
    `missing`, `unreadable`: frame numbers without an image, or with one that cannot be read, as '3,
    17-19'; empty for none. `uneven`: share of frames more than a quarter too early or too late.
    `upside_down`: frames in which the face is so, and was turned.
    `jitter_px`: noise of the alignment before and after smoothing (`crop_jitter`); None for faces
    aligned before, and where no three frames in a row show one. `content` tells the video from any
    other (`hash_content`).
    """

    subject: str
    video: str
    frames: int
    fps: float
    found: int
    stays: int
    begins: list[int]
    missing: str
    unreadable: str
    uneven: float
    upside_down: int
    jitter_px: tuple[float, float] | None
    content: str


def prepare_video(
    root: Path, source: SourceVideo, alignment: Alignment, *, measure: bool = False
) -> Prepared:
    """Writes a video's frames (or region motion) and quality into the bank at `root`.

    With `measure`, it is the region motion of the pictures. Memory does not grow with a video's
    frames, but by 6 kB a frame for posed faces. UserError: the video cannot be read, naming its
    file; nothing is written then.
    """
    if source.motion:
        return _prepare_motion(root, source, source.motion)
    content = hash_content(source)  # before it is read, as it may change meanwhile
    unreadable: set[int] = set()
    missing: set[int] = set()
    times, faces, places = array("d"), array("l"), array("d")
    upside_down = 0
    regions = len(TWELVE.names)
    writer = motion_writer(root, source.video, regions=regions) if measure else None
    with writer or video_writer(root, source.video) as write:
        for frame in _frames(source, alignment, missing, unreadable, measure=measure):
            moved = isinstance(frame, MotionFrame)
            values = frame.motion if moved else frame.image
            write(values, found=frame.face >= 0, confidence=frame.confidence)
            times.append(frame.pts_s)
            faces.append(frame.face)
            upside_down += frame.upside_down
            if not moved and not source.aligned:
                places.extend(crop_places(frame.measured))
                places.extend(crop_places(frame.similarity))
        filmed = _filmed(np.array(times), source)
        rate = source.fps if filmed is None else fps_of(filmed, source.path)
        _refuse_gap(filmed, source)
        if len(missing) + len(unreadable) == len(times):
            raise UserError(
                f"{source.path}: none of its images can be read; copy them again, or save as PNG"
            )
    seen = np.array(faces)
    return Prepared(
        source.subject,
        source.video,
        frames=len(times),
        fps=source.fps or rate,
        found=int((seen >= 0).sum()),
        stays=len(set(seen[seen >= 0].tolist())),
        begins=_begins(seen),
        missing=describe_numbers(sorted(missing)),
        unreadable=describe_numbers(sorted(unreadable)),
        uneven=0.0 if filmed is None else round(1 - float(even_steps(filmed, rate).mean()), 4),
        upside_down=upside_down,
        jitter_px=None if not places else _jitter(np.array(places).reshape(-1, 2, 4)),
        content=content,
    )


def _begins(faces):
    """The frames, from 1, that show another face than the last one seen."""
    shown = np.flatnonzero(faces >= 0)
    return (shown[1:][np.diff(faces[shown]) != 0] + 1).tolist()


def _filmed(times, source):
    """When frames were filmed by the file, which a named rate that it agrees with does not hide.

    None where no file says so, or its times are no more than those of a player.
    """
    if not source.fps:
        return times
    own = own_times(source.path) if source.is_film else None
    if own is None or len(own) != len(times):
        return None
    return own if is_same_rate(source.fps, fps_of(own, source.path)) else None


def _refuse_gap(times, source):
    """A bank has no times, so nothing would keep what lies before a gap from what lies after."""
    if times is None:
        return
    steps = np.diff(times)
    if is_gap(steps).any():
        at = int(steps.argmax())
        raise UserError(
            f"{source.path}: has no frame from {times[at]:.2f} s to {times[at + 1]:.2f} s (frame"
            f" {at + 2}); cut it there into two videos"
        )


def _prepare_motion(root: Path, source: SourceVideo, segments: Segments) -> Prepared:
    content, motion = hash_content(source), segments.read()
    frames = len(motion) * segments.every
    save_motion(root, source.video, motion, np.ones((frames, 2), np.float32))
    return Prepared(
        source.subject,
        source.video,
        frames=frames,
        fps=source.fps,
        found=frames,
        stays=1,
        begins=[],
        missing="",
        unreadable="",
        uneven=0.0,
        upside_down=0,
        jitter_px=None,
        content=content,
    )


def _frames(
    source: SourceVideo,
    alignment: Alignment,
    missing: set[int],
    unreadable: set[int],
    *,
    measure: bool,
) -> Iterator[AlignedFrame | MotionFrame]:
    """Every frame of a video; the numbers of lost ones go into the two sets."""
    if source.aligned:
        faces = _aligned_faces(source)
        yield from crop_motion(faces, known_landmarker()) if measure else faces
        return
    if source.path.is_dir():
        images = number_images(source.path)
        missing.update(missing_numbers(images))
        read = lambda: _watched(image_frames(images, source.fps), missing, unreadable)
    else:
        read = lambda: read_video(source.path, fps=source.fps or None)
    options: Any = dict(prefer=alignment.prefer, smooth=alignment.smooth)
    if measure:
        yield from motion_frames(read(), known_landmarker(), prefer=alignment.prefer)
    elif alignment.posed:
        yield from posed_frames(read, known_landmarker(), **options)
    else:
        yield from aligned_frames(read(), known_landmarker(), **options)


def _aligned_faces(source):
    if source.path.is_dir():
        return openface_frames(source.path, source.table)
    frames = np.load(source.path, mmap_mode="r")
    return bank_faces(frames, np.load(source.table), source.fps, begins=source.begins)


def _watched(frames, missing, unreadable):
    for number, frame in enumerate(frames, 1):
        if frame.image is None and number not in missing:
            unreadable.add(number)
        yield frame


def _jitter(places):
    measured, used = crop_jitter(places[:, 0]), crop_jitter(places[:, 1])
    return None if np.isnan(measured) else (round(measured, 4), round(used, 4))
