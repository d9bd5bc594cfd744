"""Posed crops while the video goes on: the person's mesh is that of the first seconds.

`posed_frames` takes the mesh from all frames and smooths the pose with later ones. Here the mesh is
that of the first MEAN_S seconds of a stay in the picture, and stays: a mesh that changed would move
the crop, which looks like an expression. Until it is known, a frame counts as one without a face.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from jaxspot.video.clip import AlignedFrame
from jaxspot.video.pose import (
    REACH,
    SMOOTH_S,
    Poses,
    crop_posed,
    fit_poses,
    front_surface,
    mean_face,
    plane_affine,
    smooth_poses,
    take,
    usable_poses,
)
from jaxspot.video.tracker import TrackedFrame

MEAN_S = 2.0
"""From so many seconds of a face its mesh is taken."""
MEAN_FRAMES = 15
"""And from so many frames at least: some streams are slow."""


class _Known(NamedTuple):
    """A face whose mesh is known, and its usable poses of the last REACH * SMOOTH_S seconds."""

    face: np.ndarray
    surface: np.ndarray
    past: deque[tuple[float, Poses]]


def posed_so_far(tracked_frames: Iterable[TrackedFrame]) -> Iterator[AlignedFrame]:
    """Yields every frame as a face seen from the front, each from this frame and earlier ones.

    The pose is smoothed as by `smooth_poses` in a video that ends with the frame.
    """
    number, seen, known = -1, [], None
    for tracked in tracked_frames:
        pts_s, image = tracked.frame
        if image is None or tracked.landmarks is None:
            yield AlignedFrame(pts_s)
            continue
        if tracked.face != number:
            number, seen, known = tracked.face, [], None
        if known is None:
            seen.append((pts_s, tracked.points))
            known = _mesh_of(seen)
            yield AlignedFrame(pts_s)
            continue
        yield _posed(known, tracked)


def _mesh_of(seen):
    if len(seen) < MEAN_FRAMES or seen[-1][0] - seen[0][0] < MEAN_S:
        return None
    face = mean_face(np.stack([points for _, points in seen]))
    return _Known(face, front_surface(face), deque())


def _posed(known, tracked):
    (pts_s, image), points = tracked.frame, tracked.points[None]
    pose = fit_poses(known.face, points)
    if not usable_poses(known.face, pose, points)[0]:
        return AlignedFrame(pts_s)
    known.past.append((pts_s, pose))
    while known.past[0][0] < pts_s - REACH * SMOOTH_S:
        known.past.popleft()
    times, poses = zip(*known.past, strict=True)
    poses = Poses(*map(np.concatenate, zip(*poses, strict=True)))
    used = take(smooth_poses(poses, np.array(times)), np.array([-1]))
    crop = crop_posed(image, known.surface, used, 0)
    similarity, measured = (plane_affine(known.face, one, 0) for one in (used, pose))
    return AlignedFrame(pts_s, crop, tracked.confidence, tracked.face, similarity, measured)
