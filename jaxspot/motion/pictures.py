"""Region motion of a video or of aligned faces, frame by frame, in constant memory."""

from collections.abc import Iterable, Iterator, Sequence
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
from jaxspot.video.mesh import MIN_PRESENCE, Region, fit_mesh, region_of_mesh
from jaxspot.video.source import Source
from jaxspot.video.tracker import TrackedFrame, track_faces
from jaxspot.video.writer import SIZE

UPRIGHT = np.eye(2, 3)
WHOLE_CROP = Region(SIZE / 2, SIZE / 2, 1.35 * SIZE, 0.0)
STILL = np.zeros((len(TWELVE.names), 2), np.float32)
REFIT = 10
"""An aligned face is searched for landmarks in every so many frames."""


class MotionFrame(NamedTuple):
    """Time in seconds, region motion since the frame before, confidence in 0..1, track number.

    `motion` is float32 (12, 2), see `Bank.motion`. It is 0 in the first frame and where this frame
    or the one before shows no face, or another one; but for the first frame, `face` is -1 then.
    `box` and `upside_down` are as in `AlignedFrame`.
    """

    pts_s: float
    motion: np.ndarray = STILL
    confidence: float = 0.0
    face: int = -1
    box: np.ndarray | None = None
    upside_down: bool = False


class _Seen(NamedTuple):
    """A picture of a face, uint8 gray, where it lies in the 112 crop, and its regions there."""

    image: np.ndarray
    similarity: np.ndarray
    places: np.ndarray
    confidence: float
    face: int
    box: np.ndarray | None = None
    upside_down: bool = False


def motion_frames(
    frames: Iterable[VideoFrame], landmarker: Landmarker, *, prefer: str = "largest"
) -> Iterator[MotionFrame]:
    """Yields the region motion of every frame of a video.

    Both frames of a pair are cut out by the place of the face in the first, so that noise of the
    landmarks moves nothing. `prefer` says which of several faces to follow (see `track_faces`).
    """

    measure = MotionMeasure()
    for tracked in track_faces(frames, landmarker, prefer=prefer):
        yield measure(tracked)


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

    pairs = _Pairs()
    for pts_s, now in seen():
        yield pairs(pts_s, now)


def bank_faces(
    frames: np.ndarray, quality: np.ndarray, fps: float, *, begins: Sequence[int] = ()
) -> Iterator[AlignedFrame]:
    """The frames uint8 (T, 112, 112) of a bank and their quality (T, 2) as aligned faces.

    `begins` are the frames, from 1, at which other stays of a face begin.
    """
    stays = np.searchsorted(begins, np.arange(1, len(frames) + 1), side="right").tolist()
    rows = zip(frames, quality, stays, strict=True)
    for number, (image, (found, confidence), stay) in enumerate(rows):
        yield AlignedFrame(number / fps, image, float(confidence), stay if found > 0 else -1)


def bank_motion(
    bank: Bank, video: str, *, landmarker: Landmarker | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Region motion float32 (frames, 12, 2) of a video of a frame bank, and bool (frames,).

    The second is true where a face was measured, see `MotionFrame`. UserError: `bank` holds no
    frames; as `load_landmarker`.
    """
    pixels, quality = bank.frames(video), bank.quality(video)
    faces = bank_faces(pixels, quality, 1.0, begins=bank.begins(video))
    found = list(crop_motion(faces, landmarker or load_landmarker()))
    return np.stack([frame.motion for frame in found]), np.array([f.face >= 0 for f in found])


def motion_clip(
    video: str | Path | Source,
    *,
    landmarker: Landmarker | None = None,
    prefer: str = "largest",
    progress: bool = True,
) -> Clip:
    """Reads a whole video as a clip of region motion; about 100 bytes a frame, errors as there.

    A frame shows a face where its motion was measured, see `MotionFrame`. See `aligned_clip`.
    """
    work = lambda frames, landmarker: motion_frames(frames, landmarker, prefer=prefer)
    return read_clip(video, work, landmarker=landmarker, progress=progress)


class MotionMeasure:
    """Measures the region motion of the faces of one track after the other, frame by frame."""

    def __init__(self):
        self.pairs = _Pairs()

    def __call__(self, tracked: TrackedFrame) -> MotionFrame:
        """The region motion of the next frame."""
        pts_s, image = tracked.frame
        if image is None or tracked.landmarks is None:
            return self.pairs(pts_s, None)
        similarity = face_similarity(tracked.landmarks)
        places = apply_similarity(similarity, region_places(tracked.landmarks))
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        which = (tracked.confidence, tracked.face, tracked.box, tracked.upside_down)
        return self.pairs(pts_s, _Seen(gray, similarity, places, *which))


class _Pairs:
    """Measures each pair of neighbours; None stands for a frame without a face."""

    def __init__(self):
        self.flow, self.before, self.first = box_flow(), None, True

    def __call__(self, pts_s: float, now: _Seen | None) -> MotionFrame:
        before, first = self.before, self.first
        self.before, self.first = now, False
        if now is None:
            return MotionFrame(pts_s)
        which = (now.confidence, now.face, now.box, now.upside_down)
        if first:
            return MotionFrame(pts_s, STILL, *which)
        if before is None or before.face != now.face or before.image.shape != now.image.shape:
            return MotionFrame(pts_s)
        boxes = (face_box(image, before.similarity) for image in (before.image, now.image))
        motion = read_regions(self.flow(*boxes), before.places)
        return MotionFrame(pts_s, motion, *which)


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
