"""Region motion of a video or of aligned faces, frame by frame, in constant memory."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.motion.measure import (
    TEMPLATE_POINTS,
    box_flow,
    face_box,
    read_regions,
    region_places,
)
from jaxspot.motion.regions import TWELVE
from jaxspot.video.align import apply_similarity, face_similarity, openface_template
from jaxspot.video.bank import Bank
from jaxspot.video.clip import AlignedFrame, Clip, read_clip
from jaxspot.video.decode import VideoFrame
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.mesh import Region, fit_mesh, region_of_mesh
from jaxspot.video.tracker import MIN_PRESENCE, track_faces
from jaxspot.video.writer import SIZE

UPRIGHT = np.eye(2, 3)
WHOLE_CROP = Region(SIZE / 2, SIZE / 2, 1.35 * SIZE, 0.0)
REFIT = 10
"""An aligned face is searched for landmarks in every so many frames."""


class MotionFrame(NamedTuple):
    """Time in seconds, region motion since the frame before, confidence in 0..1, track number.

    `motion` is float32 (12, 2), see `Bank.motion`. It is 0 in the first frame and where this frame
    or the one before shows no face, or another one; but for the first frame, `face` is -1 then.
    """

    pts_s: float
    motion: np.ndarray = np.zeros((len(TWELVE.names), 2), np.float32)
    confidence: float = 0.0
    face: int = -1


class _Seen(NamedTuple):
    """A picture of a face, uint8 gray, where it lies in the 112 crop, and its regions there."""

    image: np.ndarray
    similarity: np.ndarray
    places: np.ndarray
    confidence: float
    face: int


def motion_frames(
    frames: Iterable[VideoFrame], landmarker: Landmarker, *, prefer: str = "largest"
) -> Iterator[MotionFrame]:
    """Yields the region motion of every frame of a video.

    Both frames of a pair are cut out by the place of the face in the first, so that noise of the
    landmarks moves nothing. `prefer` says which of several faces to follow (see `track_faces`).
    """

    def seen():
        for tracked in track_faces(frames, landmarker, prefer=prefer):
            pts_s, image = tracked.frame
            if image is None or tracked.landmarks is None:
                yield pts_s, None
                continue
            similarity = face_similarity(tracked.landmarks)
            places = apply_similarity(similarity, region_places(tracked.landmarks))
            gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
            yield pts_s, _Seen(gray, similarity, places, tracked.confidence, tracked.face)

    yield from _between(seen())


def crop_motion(
    faces: Iterable[AlignedFrame], landmarker: Landmarker, *, refit: int = REFIT
) -> Iterator[MotionFrame]:
    """Yields the region motion of every aligned face.

    Landmarks are found on every `refit`-th face; where none are, the regions are where a neutral
    face has them.
    """

    def seen():
        places, age = None, 0
        for frame in faces:
            if frame.face < 0:
                yield frame.pts_s, None
                continue
            if places is None or age >= refit:
                places, age = crop_places(landmarker, frame.image), 0
            age += 1
            at = _Seen(frame.image, UPRIGHT, places, frame.confidence, frame.face)
            yield frame.pts_s, at

    yield from _between(seen())


def bank_faces(frames: np.ndarray, quality: np.ndarray, fps: float) -> Iterator[AlignedFrame]:
    """The frames uint8 (T, 112, 112) of a bank and their quality (T, 2) as aligned faces."""
    for number, (image, (found, confidence)) in enumerate(zip(frames, quality, strict=True)):
        yield AlignedFrame(number / fps, image, float(confidence), 0 if found > 0 else -1)


def bank_motion(
    bank: Bank, video: str, *, landmarker: Landmarker | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Region motion float32 (frames, 12, 2) of a video of a frame bank, and bool (frames,).

    The second is true where a face was measured, see `MotionFrame`. UserError: `bank` holds no
    frames; as `load_landmarker`.
    """
    faces = bank_faces(bank.frames(video), bank.quality(video), 1.0)
    found = list(crop_motion(faces, landmarker or load_landmarker()))
    return np.stack([frame.motion for frame in found]), np.array([f.face >= 0 for f in found])


def motion_clip(
    path: str | Path, *, landmarker: Landmarker | None = None, progress: bool = True
) -> Clip:
    """Reads a whole video as a clip of region motion; about 100 bytes a frame, errors as there.

    A frame shows a face where its motion was measured, see `MotionFrame`. See `aligned_clip`.
    """
    return read_clip(path, motion_frames, landmarker=landmarker, progress=progress)


def _between(pictures: Iterable[tuple[float, _Seen | None]]) -> Iterator[MotionFrame]:
    """Measures each pair of neighbours; None stands for a frame without a face."""
    flow, before, first = box_flow(), None, True
    for pts_s, now in pictures:
        if now is None:
            yield MotionFrame(pts_s)
        elif first:
            yield MotionFrame(pts_s, confidence=now.confidence, face=now.face)
        elif before is None or before.face != now.face or before.image.shape != now.image.shape:
            yield MotionFrame(pts_s)
        else:
            boxes = (face_box(image, before.similarity) for image in (before.image, now.image))
            motion = read_regions(flow(*boxes), before.places)
            yield MotionFrame(pts_s, motion, now.confidence, now.face)
        before, first = now, False


def crop_places(landmarker: Landmarker, image: np.ndarray) -> np.ndarray:
    """Places (14, 2) of `region_places` on an aligned face uint8 (112, 112).

    They are those of a neutral face where no landmarks are found.
    """
    rgb = np.repeat(image[..., None], 3, axis=2)
    mesh = fit_mesh(landmarker, rgb, WHOLE_CROP)
    if mesh.presence >= MIN_PRESENCE:
        mesh = fit_mesh(landmarker, rgb, region_of_mesh(mesh.landmarks))
    if mesh.presence < MIN_PRESENCE:
        return openface_template()[list(TEMPLATE_POINTS)]
    return region_places(mesh.landmarks)
