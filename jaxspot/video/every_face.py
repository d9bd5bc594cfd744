"""Follows every face of a video: by place, and by looks where faces meet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import scipy

from jaxspot.video.cuts import Glance, glance_at, look_again
from jaxspot.video.decode import VideoFrame
from jaxspot.video.detector import detect_faces
from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import (
    MARGIN,
    MIN_PRESENCE,
    Mesh,
    Region,
    fit_mesh,
    mesh_of_detection,
    region_of_detection,
    region_of_mesh,
)
from jaxspot.video.tracker import (
    MAX_GROWTH,
    MAX_SHIFT,
    MEMORY_S,
    TrackedFrame,
    is_same_place,
)

MOST_FACES = 8
SAME_FACE = 0.35  # distance of two meshes of one face, in widths of the face
MIN_LIKE = 0.6  # correlation with a face's own looks, where faces meet or one comes back
LEARN = 0.05  # share of a new frame in a face's looks
REACH_PER_S = 1.0  # how much farther a lost face may be, in sides a second
DISTANCE_COST = 0.3  # of one side, in units of correlation


@dataclass(frozen=True)
class _Track:
    """A face: where it was last, when, its speed in pixels a second, and its looks."""

    face: int
    region: Region
    seen_s: float
    alive: bool
    speed: np.ndarray
    look: np.ndarray
    glance: Glance

    def expected(self, now: float) -> Region:
        """Where it should be: a lost face goes on as it moved."""
        x, y = np.array(self.region[:2]) + self.speed * (now - self.seen_s)
        return self.region._replace(x=float(x), y=float(y))


@dataclass(frozen=True)
class _Seen:
    """A face of one frame."""

    mesh: Mesh
    region: Region
    look: np.ndarray
    glance: Glance


def track_every_face(
    frames: Iterable[VideoFrame], landmarker: Landmarker
) -> Iterator[tuple[VideoFrame, list[TrackedFrame]]]:
    """Yields every frame with all its faces, by track number; at most MOST_FACES.

    Tracks count from 0 in order of appearance, then from left to right. Where two faces come near
    each other, each is told by its looks: the mean of its aligned crops while it was apart. A face
    that is hidden or away for up to MEMORY_S keeps its number, after that it gets a new one. After
    a hard cut all faces are new.
    """
    tracks: list[_Track] = []
    size, count = None, 0
    for frame in frames:
        found: list[TrackedFrame] = []
        if frame.image is not None:
            if size not in (None, frame.image.shape):  # old places mean nothing in it
                tracks = []
            size = frame.image.shape
            tracks, count, found = _step(tracks, count, frame, landmarker)
        yield frame, found


def _step(tracks, count, frame, landmarker):
    """Tracks after a frame, how many there were so far, and the frame's faces."""
    now = frame.pts_s
    tracks = [track for track in tracks if now - track.seen_s <= MEMORY_S]
    seen = _faces(tracks, frame, landmarker)
    near = _near_others(tracks, now)
    if _is_cut(tracks, seen, near, frame.image):
        tracks, near = [], []
    likes, allowed = _compare(tracks, seen, near, now)
    after = {track.face: replace(track, alive=False) for track in tracks}
    found, used = [], set()
    for row, column in zip(*scipy.optimize.linear_sum_assignment(-likes), strict=True):
        if not allowed[row, column]:
            continue
        track, face = tracks[row], seen[column]
        used.add(column)
        after[track.face] = _moved(track, face, frame, learn=not near[row])
        found.append((track.face, face.mesh))
    waits = [track for track in tracks if not after[track.face].alive]
    new = [face for number, face in enumerate(seen) if number not in used]
    for face in sorted(new, key=lambda face: face.region.x):
        if any(_within_reach(track, face.region, now) for track in waits):
            continue  # half hidden, a face does not look like itself yet
        if len(after) >= MOST_FACES:
            break
        after[count] = _Track(count, face.region, now, True, np.zeros(2), face.look, face.glance)
        found.append((count, face.mesh))
        count += 1
    faces = [_tracked(frame, *pair) for pair in sorted(found, key=lambda pair: pair[0])]
    return list(after.values()), count, faces


def _faces(tracks, frame, landmarker) -> list[_Seen]:
    """Every face of a frame once: where tracks were, and where the detector finds others."""
    seen: list[_Seen] = []

    def look_at(mesh: Mesh, region: Region) -> _Seen:
        glance = glance_at(frame.image, mesh.landmarks, region, frame.pts_s)
        return _Seen(mesh, region, _unit(glance.look), glance)

    def add(mesh: Mesh) -> None:
        region = region_of_mesh(mesh.landmarks)
        for number, other in enumerate(seen):
            if _is_same_face(region, other.region):
                if mesh.presence > other.mesh.presence:
                    seen[number] = look_at(mesh, region)
                return
        seen.append(look_at(mesh, region))

    for track in tracks:
        if track.alive:
            mesh = fit_mesh(landmarker, frame.image, track.region)
            region = region_of_mesh(mesh.landmarks)
            if mesh.presence >= MIN_PRESENCE and is_same_place(track.region, region):
                add(mesh)
    for face in detect_faces(landmarker, frame.image)[:MOST_FACES]:
        region = region_of_detection(face)
        if any(_is_same_face(region, other.region) for other in seen):
            continue
        mesh = mesh_of_detection(landmarker, frame.image, face)
        if mesh.presence >= MIN_PRESENCE:
            add(mesh)
    return seen


def _is_cut(tracks, seen, near, image):
    """Whether another face stands where a lone one stood."""
    for track, close in zip(tracks, near, strict=True):
        for face in seen if track.alive and not close else ():
            at_place = is_same_place(track.region, face.region)
            if at_place and look_again(track.glance, face.glance, image)[1]:
                return True
    return False


def _compare(tracks, seen, near, now):
    """How well each face fits each track, (tracks, faces), and whether it may be its face."""
    likes = np.full((len(tracks), len(seen)), -10.0)
    allowed = np.zeros(likes.shape, bool)
    for row, track in enumerate(tracks):
        place = track.expected(now)
        for column, face in enumerate(seen):
            if not _within_reach(track, face.region, now):
                continue
            like = float((track.look * face.look).sum())
            away = np.hypot(face.region.x - place.x, face.region.y - place.y) / place.side
            likes[row, column] = like - DISTANCE_COST * away
            allowed[row, column] = like >= MIN_LIKE or (track.alive and not near[row])
    likes[~allowed] = -10.0
    return likes, allowed


def _near_others(tracks, now):
    """Whether each track is so near another that one face may be taken for the other."""
    places = [track.expected(now) for track in tracks]
    touching = lambda a, b: np.hypot(a.x - b.x, a.y - b.y) < (a.side + b.side) / 2
    return [any(touching(a, b) for b in places if b is not a) for a in places]


def _within_reach(track, region, now):
    place = track.expected(now)
    away = np.hypot(region.x - place.x, region.y - place.y) / place.side
    growth = max(region.side / place.side, place.side / region.side)
    reach = MAX_SHIFT + (0 if track.alive else REACH_PER_S * (now - track.seen_s))
    return away <= reach and growth <= MAX_GROWTH


def _is_same_face(a: Region, b: Region) -> bool:
    return np.hypot(a.x - b.x, a.y - b.y) < SAME_FACE * min(a.side, b.side) / MARGIN


def _moved(track, face, frame, *, learn):
    now = frame.pts_s
    step = now - track.seen_s
    speed = track.speed
    if step > 0 and track.alive:
        moved = np.subtract(face.region[:2], track.region[:2]) / step
        speed = speed + 0.3 * (moved - speed)
    look = _unit(track.look + LEARN * (face.look - track.look)) if learn else track.look
    glance = look_again(track.glance, face.glance, frame.image)[0]
    return _Track(track.face, face.region, now, True, speed, look, glance)


def _unit(values):
    values = values - values.mean()
    return values / max(float(np.sqrt((values**2).sum())), 1e-9)


def _tracked(frame, face, mesh):
    confidence = 1 / (1 + float(np.exp(-mesh.presence)))
    return TrackedFrame(frame, mesh.landmarks, mesh.depth, confidence, face)
