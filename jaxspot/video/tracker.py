"""Follows one face through a video by position; lets go when it is gone, then looks again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from jaxspot.video.cuts import Glance, glance_at, look_again
from jaxspot.video.decode import VideoFrame
from jaxspot.video.detector import detect_faces
from jaxspot.video.frame_times import MOST_GAP_S, is_gap
from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import (
    CHIN,
    FOREHEAD,
    MIN_PRESENCE,
    Mesh,
    Region,
    fit_mesh,
    mesh_of_detection,
    region_of_mesh,
)

FACE_CHOICES = {
    "largest": lambda face: -face.box[2] * face.box[3],
    "left": lambda face: face.box[0],
    "right": lambda face: -face.box[0],
}
MAX_SHIFT = 0.25
MAX_GROWTH = 1.3
CANDIDATES = 4
GRID = 512
MEMORY_S = MOST_GAP_S  # how long the place of a lost face is remembered


class TrackedFrame(NamedTuple):
    """A frame and its face.

    `landmarks` float32 (478, 2) in pixels and `depth` float32 (478,) away from the camera, in
    pixels as well, or None; `confidence` in 0..1 (0 without a face); `face` counts the tracks from
    0, -1 without a face. A number stands for one stay of a face in the picture: a face that is away
    for longer than MEMORY_S comes back under a new number, and a hard cut to another face at the
    same place begins one, too.
    """

    frame: VideoFrame
    landmarks: np.ndarray | None
    depth: np.ndarray | None
    confidence: float
    face: int

    @property
    def points(self) -> np.ndarray:
        """Landmarks and depth of a frame with a face, float32 (478, 3)."""
        assert self.landmarks is not None and self.depth is not None
        return np.column_stack([self.landmarks, self.depth])

    @property
    def upside_down(self) -> bool:
        """Whether the chin lies above the forehead, within 45 degrees."""
        if self.landmarks is None:
            return False
        across, down = self.landmarks[CHIN] - self.landmarks[FOREHEAD]
        return bool(-down > abs(across))

    @property
    def box(self) -> np.ndarray | None:
        """Where the face lies: left, top, right, bottom in pixels, float32 (4,)."""
        if self.landmarks is None:
            return None
        return np.concatenate([self.landmarks.min(0), self.landmarks.max(0)])


@dataclass(frozen=True)
class Track:
    """Where the followed face is or was: `region` (None at first), `alive`, when last seen.

    `glance` is what it looked like then.
    """

    region: Region | None = None
    alive: bool = False
    seen_s: float = 0.0
    face: int = -1
    glance: Glance | None = None


def track_faces(
    frames: Iterable[VideoFrame], landmarker: Landmarker, *, prefer: str = "largest"
) -> Iterator[TrackedFrame]:
    """Yields every frame with the landmarks of one face, at first the preferred one.

    The face is followed by position and never exchanged for another while its track lives. After it
    is lost, only a face at its old place is taken up for MEMORY_S seconds. Then the preferred
    face starts a new track, as it does after a gap in time and where pictures change in size. A
    frame without an image has no face. `prefer` is one of FACE_CHOICES; left and right are those of
    the picture.
    """
    track, size, last_s = Track(), None, np.inf
    for frame in frames:
        mesh = None
        if is_gap(frame.pts_s - last_s):
            track = Track(face=track.face)
        last_s = frame.pts_s
        if frame.image is not None:
            if size not in (None, frame.image.shape):  # the old place means nothing in it
                track = Track(face=track.face)
            size = frame.image.shape
            track, mesh = follow(track, frame, landmarker, prefer=prefer)
        if mesh is None:
            yield TrackedFrame(frame, None, None, 0.0, -1)
        else:
            confidence = 1 / (1 + float(np.exp(-mesh.presence)))
            yield TrackedFrame(frame, mesh.landmarks, mesh.depth, confidence, track.face)


def follow(
    track: Track, frame: VideoFrame, landmarker: Landmarker, *, prefer: str
) -> tuple[Track, Mesh | None]:
    """The track after a frame with an image, and the face's mesh or None."""
    assert frame.image is not None
    if track.alive and track.region is not None:
        mesh = fit_mesh(landmarker, frame.image, track.region)
        region = region_of_mesh(mesh.landmarks)
        if mesh.presence >= MIN_PRESENCE and is_same_place(track.region, region):
            return _seen(track, frame, mesh), mesh
    remembered = track.region is not None and frame.pts_s - track.seen_s <= MEMORY_S
    near = track.region if remembered else None
    mesh = _find(landmarker, frame.image, near=near, prefer=prefer)
    if mesh is None:
        return replace(track, alive=False), None
    return _seen(track if remembered else Track(face=track.face), frame, mesh), mesh


def _seen(track, frame, mesh):
    """The track after its face was seen; a new one after a cut, or where there was none."""
    region = region_of_mesh(mesh.landmarks)
    now = glance_at(frame.image, mesh.landmarks, region, frame.pts_s)
    new = track.glance is None
    if track.glance is not None:
        now, new = look_again(track.glance, now, frame.image)
    return Track(coarse_region(region), True, frame.pts_s, track.face + new, now)


def coarse_region(region: Region) -> Region:
    """The region on a grid of 1/GRID to 2/GRID of its side, half a pixel of the mesh's crop.

    The tracker keeps no more of a frame than this. So it soon forgets where it began: two that
    follow one face from different frames on find the same to the last bit after some frames.
    """
    step = 2.0 ** np.floor(np.log2(region.side / GRID))
    x, y, side = (float(np.round(value / step) * step) for value in region[:3])
    return Region(x, y, side, float(np.round(region.angle * GRID / 2) * 2 / GRID))


def is_same_place(old: Region, new: Region) -> bool:
    """Whether a region may be that of the same face: moved and grown no more than one can."""
    shift = float(np.hypot(new.x - old.x, new.y - old.y))
    growth = max(new.side / old.side, old.side / new.side)
    return shift <= MAX_SHIFT * old.side and growth <= MAX_GROWTH


def _find(landmarker, image, *, near, prefer):
    """Mesh of the preferred real face, or of the one at an old place."""
    faces = detect_faces(landmarker, image)[:CANDIDATES]
    for face in sorted(faces, key=FACE_CHOICES[prefer]):
        mesh = mesh_of_detection(landmarker, image, face)
        if mesh.presence < MIN_PRESENCE:
            continue
        if near is None or is_same_place(near, region_of_mesh(mesh.landmarks)):
            return mesh
    return None
