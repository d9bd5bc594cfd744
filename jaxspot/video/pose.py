"""A face seen from the front whatever way the head turns: its mean mesh, posed in each picture.

The face of a track is float64 (478, 3): x right and y down in pixels of the 112 crop, z away from
the camera on the same scale. A pose takes it to the pixels of a picture. The face does not change
its shape, so neither landmark noise nor expressions move the crop, except by the pose.
"""

from typing import NamedTuple

import cv2
import numpy as np
import scipy

from jaxspot.video.align import SIZE, apply_similarity, fit_similarity, mesh_template
from jaxspot.video.mesh import CHIN, FOREHEAD, SKIN_POINTS

MIDLINE = (FOREHEAD, 151, 9, 8, 168, 6)
PAIRS = (
    *((33, 263), (133, 362)),  # eye corners
    *((109, 338), (67, 297), (103, 332), (54, 284), (21, 251)),  # forehead
    *((162, 389), (127, 356), (234, 454), (93, 323)),  # temples, down to the ears
    *((156, 383), (139, 368), (34, 264)),  # the bone beside the eyes
)
LEFT, RIGHT = (list(side) for side in zip(*PAIRS, strict=True))
RIGID = [*MIDLINE, *LEFT, *RIGHT]
"""Points that keep their places when the face moves; a smile lifts the cheeks and the nose."""
SIDES = (FOREHEAD, CHIN, 234, 454)
MEAN_FRAMES = 150
MEAN_ROUNDS = 3
SMOOTH_S = 0.067  # standard deviation: two frames at 30 fps
REACH = 4.0  # of the smoothing, in standard deviations
MAX_TURN = np.radians(45)
MAX_ERROR = 4.0  # crop pixels
BEYOND = 60.0  # how far outside the crop its surface ends, in crop pixels


class Poses(NamedTuple):
    """Poses of a face in n frames: a point p of the face lies at scale * rotation @ p + shift.

    `scale` (n,), `rotation` (n, 3, 3), `shift` (n, 3) in pixels of the picture; float64.
    """

    scale: np.ndarray
    rotation: np.ndarray
    shift: np.ndarray


class PosedTrack(NamedTuple):
    """One face over n frames: its `face` (478, 3) and `surface` (112, 112, 3), see `front_surface`.

    `measured` are the poses by the landmarks of each frame alone, `used` those after smoothing.
    """

    face: np.ndarray
    surface: np.ndarray
    measured: Poses
    used: Poses


def pose_track(
    landmarks: np.ndarray,
    times: np.ndarray,
    *,
    face: np.ndarray | None = None,
    smooth: bool = True,
) -> tuple[PosedTrack, np.ndarray]:
    """Poses a track by its landmarks (n, 478, 3) in pixels at times (n,), increasing, in seconds.

    The track holds the frames whose pose can be used (`usable_poses`), which are numbers of frames
    (m,), the second result. If its `face` (478, 3) is known, the landmarks can be the RIGID ones
    alone; by default it is their `mean_face`.
    """
    face = mean_face(landmarks) if face is None else face
    poses = fit_poses(face, landmarks)
    usable = np.flatnonzero(usable_poses(face, poses, landmarks))
    measured = take(poses, usable)
    used = smooth_poses(measured, times[usable]) if smooth else measured
    return PosedTrack(face, front_surface(face), measured, used), usable


def mean_face(landmarks: np.ndarray) -> np.ndarray:
    """The face (478, 3) of a track, seen from the front, from its landmarks (n, 478, 3).

    It is the median over at most MEAN_FRAMES frames, posed alike by the rigid points. Those turned
    away more than the median frame are left out of the last round.
    """
    seen = landmarks[mean_frames(len(landmarks))].astype(np.float64)
    face = to_front(seen[len(seen) // 2])
    for round_ in range(MEAN_ROUNDS):
        poses = fit_poses(face, seen)
        if round_ == MEAN_ROUNDS - 1:
            turns = turn_angles(poses)
            seen, poses = seen[turns <= np.median(turns)], take(poses, turns <= np.median(turns))
        face = to_front(np.median(unposed(poses, seen), axis=0))
    return face


def mean_frames(count: int) -> np.ndarray:
    """The frames of so many by which `mean_face` goes, int (n,), at most MEAN_FRAMES."""
    return np.linspace(0, count - 1, min(count, MEAN_FRAMES)).round().astype(int)


def to_front(points: np.ndarray) -> np.ndarray:
    """Turns a mesh (478, 3) to the front and puts it where the 112 crop has it.

    The mean line between mirrored points becomes level. The nod is that of the template: its ears
    and nose are as high as they can be on a mesh of such depth. The mean depth is 0.
    """
    across = _unit((points[RIGHT] - points[LEFT]).sum(0))
    down = points[CHIN] - points[FOREHEAD]
    down = _unit(down - across * (down @ across))
    index, target = mesh_template()
    level = (points - points.mean(0)) @ np.stack([across, down, np.cross(across, down)]).T
    heights = np.column_stack([level[index, 1:], np.ones(len(index))])
    by_height, by_depth, _ = np.linalg.lstsq(heights, target[:, 1], rcond=None)[0]
    nod = np.arctan2(by_depth, by_height)
    cos, sin = np.cos(nod), np.sin(nod)
    front = level @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]]).T
    similarity = fit_similarity(front[index, :2], target)
    flat = apply_similarity(similarity, front[:, :2])
    return np.column_stack([flat, front[:, 2] * np.sqrt(np.linalg.det(similarity[:, :2]))])


def fit_poses(face: np.ndarray, landmarks: np.ndarray) -> Poses:
    """Least-squares poses of a face (478, 3) in frames, from the rigid points of their landmarks.

    `landmarks` (n, 478, 3), or the RIGID ones alone, are in pixels of the picture.
    """
    source, target = face[RIGID], _rigid(landmarks).astype(np.float64)
    centre, middle = source.mean(0), target.mean(1)
    near, far = source - centre, target - middle[:, None]
    left, values, right = np.linalg.svd(np.swapaxes(far, 1, 2) @ near)
    values[:, 2] *= (mirror := np.sign(np.linalg.det(left @ right)))
    left[:, :, 2] *= mirror[:, None]
    rotation, scale = left @ right, values.sum(1) / (near**2).sum()
    return Poses(scale, rotation, middle - scale[:, None] * (rotation @ centre))


def take(poses: Poses, which: np.ndarray) -> Poses:
    """The poses of some frames, by number or by bool (n,)."""
    return Poses(*(values[which] for values in poses))


def posed(poses: Poses, points: np.ndarray) -> np.ndarray:
    """Where points (k, 3) of the face lie in each picture, (n, k, 3)."""
    turned = points @ np.swapaxes(poses.rotation, 1, 2)
    return poses.scale[:, None, None] * turned + poses.shift[:, None]


def unposed(poses: Poses, landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (n, k, 3) of pictures as points of the face; the inverse of `posed`."""
    return (landmarks - poses.shift[:, None]) @ poses.rotation / poses.scale[:, None, None]


def turn_angles(poses: Poses) -> np.ndarray:
    """How far the face looks past the camera, (n,) in radians; a tilt within the picture is 0."""
    return np.arccos(np.clip(poses.rotation[:, 2, 2], -1, 1))


def usable_poses(face: np.ndarray, poses: Poses, landmarks: np.ndarray) -> np.ndarray:
    """Poses, bool (n,), that turn the face by MAX_TURN at most and fit its landmarks (n, 478, 3).

    The rigid points, which can be given alone, must lie within MAX_ERROR, root mean square.
    """
    apart = unposed(poses, _rigid(landmarks)) - face[RIGID]
    error = np.sqrt((apart**2).sum(2).mean(1))
    return (turn_angles(poses) <= MAX_TURN) & (error <= MAX_ERROR)


def smooth_poses(poses: Poses, times: np.ndarray) -> Poses:
    """Poses smoothed over time (n,), increasing, in seconds: a line fitted around each frame.

    Its weights are Gaussian, SMOOTH_S wide. A line, since a mean would lag at both ends.
    """
    values = np.column_stack([np.log(poses.scale), poses.shift, poses.rotation.reshape(-1, 9)])
    smooth = np.empty_like(values)
    first = np.searchsorted(times, times - REACH * SMOOTH_S)
    last = np.searchsorted(times, times + REACH * SMOOTH_S, side="right")
    for frame, (start, stop) in enumerate(zip(first, last, strict=True)):
        step = (times[start:stop] - times[frame]) / SMOOTH_S
        weight = np.exp(-(step**2) / 2)
        total, bent, wide = weight.sum(), weight @ step, weight @ step**2
        if total * wide - bent**2 > 1e-3:  # else this frame is alone
            weight = weight * (wide - bent * step)
        smooth[frame] = weight @ values[start:stop] / weight.sum()
    left, _, right = np.linalg.svd(smooth[:, 4:].reshape(-1, 3, 3))
    return Poses(np.exp(smooth[:, 0]), left @ right, smooth[:, 1:4])


def front_surface(face: np.ndarray) -> np.ndarray:
    """The face as a surface over the crop: float32 (112, 112, 3), x, y and depth of each pixel.

    Depth is linear in the Delaunay triangles of the skin points and of eight points around the
    crop, which lie as deep as the sides of the face: so the surroundings move with the head.
    """
    ends = (-BEYOND, SIZE / 2, SIZE + BEYOND)
    around = np.array([(x, y) for x in ends for y in ends if (x, y) != (SIZE / 2, SIZE / 2)])
    places = np.concatenate([face[:SKIN_POINTS, :2], around])
    depth = np.append(face[:SKIN_POINTS, 2], np.full(len(around), np.median(face[SIDES, 2])))
    x, y = np.meshgrid(np.arange(SIZE), np.arange(SIZE))
    return np.stack([x, y, scipy.interpolate.LinearNDInterpolator(places, depth)(x, y)], -1).astype(
        np.float32
    )


def crop_posed(image: np.ndarray, surface: np.ndarray, poses: Poses, frame: int) -> np.ndarray:
    """Crops the face of a picture uint8 (h, w, 3) or (h, w) by its pose: gray uint8 (112, 112).

    Beyond the picture, its edge is repeated.
    """
    linear = (poses.scale[frame] * poses.rotation[frame, :2]).astype(np.float32)
    x, y = np.moveaxis(surface @ linear.T + poses.shift[frame, :2].astype(np.float32), 2, 0)
    crop = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)


def plane_affine(face: np.ndarray, poses: Poses, frame: int) -> np.ndarray:
    """Affine (2, 3) from the picture to the crop that is right where the face is as deep as the
    eyes; what a similarity is to `warp_face`.
    """
    linear = poses.scale[frame] * poses.rotation[frame, :2]
    depth = face[[*LEFT[:2], *RIGHT[:2]], 2].mean()
    shift = poses.shift[frame, :2] + linear[:, 2] * depth
    return cv2.invertAffineTransform(np.column_stack([linear[:, :2], shift]))


def _rigid(landmarks):
    return landmarks if landmarks.shape[1] == len(RIGID) else landmarks[:, RIGID]


def _unit(vector):
    return vector / np.linalg.norm(vector)
