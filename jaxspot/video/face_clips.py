"""Every face of a video as a clip of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.video.clip import AlignedFrame, Clip, as_clip, pose_faces, without_picture
from jaxspot.video.decode import VideoFrame
from jaxspot.video.every_face import track_every_face
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.source import Source, as_source
from jaxspot.video.tracker import TrackedFrame


class FaceClip(NamedTuple):
    """A face from the frame in which it is first seen to the last: `first` counts from 0."""

    first: int
    clip: Clip


class FaceClips(NamedTuple):
    """A video: `times` (T,) of all its frames in seconds, and its faces by track number."""

    times: np.ndarray
    fps: float
    faces: list[FaceClip]


def whole_video(clip: Clip) -> FaceClips:
    """A video of which one face is followed at a time."""
    return FaceClips(clip.times, clip.fps, [FaceClip(0, clip)] if clip.found.any() else [])


def every_face(
    video: str | Path | Source,
    measure: Callable[[], Callable[[TrackedFrame], Any]],
    *,
    landmarker: Landmarker | None = None,
) -> FaceClips:
    """Reads a video as clips of all its faces, see `track_every_face`.

    `measure` begins a track: it gives a function of its frames, one after the other, such as
    `Aligner` or `MotionMeasure`; a frame in which the face is hidden has no landmarks. Errors as
    `aligned_clip`.
    """
    source = as_source(video)
    times, rows, first, work, seen = [], {}, {}, {}, {}
    tracked = track_every_face(source.read(), landmarker or load_landmarker())
    for number, (frame, found) in enumerate(tracked):
        times.append(frame.pts_s)
        for face in found:
            key = face.face
            if key not in rows:
                rows[key], first[key], work[key], seen[key] = [], number, measure(), number
            for gap in range(seen[key] + 1, number):
                rows[key].append(_row(work[key](_hidden(times[gap]))))
            rows[key].append(_row(work[key](face)))
            seen[key] = number
    return _clips(times, rows, first, source.path)


def every_posed_face(
    video: str | Path | Source, *, landmarker: Landmarker | None = None
) -> FaceClips:
    """Reads a video as clips of all its faces seen from the front, see `posed_frames`.

    It reads the file twice. Errors as `aligned_clip`.
    """
    source = as_source(video)
    times, own = [], {}
    tracked = track_every_face(source.read(), landmarker or load_landmarker())
    for number, (frame, found) in enumerate(tracked):
        times.append(frame.pts_s)
        for face in found:
            own.setdefault(face.face, {})[number] = without_picture(face)
    posed = {key: _by_frame(faces) for key, faces in own.items()}
    stays = {key: range(min(faces), max(faces) + 1) for key, faces in own.items()}
    rows = {key: [] for key in own}
    for number, (pts_s, image) in enumerate(source.read()):
        for key, stay in stays.items():
            if number in stay:
                face, found = posed[key].get(number), AlignedFrame(pts_s)
                if face is not None and image is not None:
                    found = face.crop(pts_s, image)
                rows[key].append(found.row)
    return _clips(times, rows, {key: stay[0] for key, stay in stays.items()}, source.path)


def _by_frame(faces):
    numbers = list(faces)
    return {numbers[at]: face for at, face in pose_faces(list(faces.values())).items()}


def _hidden(pts_s):
    return TrackedFrame(VideoFrame(pts_s, None), None, None, 0.0, -1)


def _row(frame):
    return frame.row if isinstance(frame, AlignedFrame) else tuple(frame)


def _clips(times, rows, first, path):
    if not times:
        raise UserError(f"{path}: no frame could be decoded; copy it again or re-encode it")
    times = np.array(times, np.float64)
    fps = fps_of(times, path)
    clips = [FaceClip(first[key], as_clip(rows[key], path, fps=fps)) for key in sorted(rows)]
    return FaceClips(times, fps, [face for face in clips if face.clip.found.any()])
