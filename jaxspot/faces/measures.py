"""What moves in a tracked face, from its landmarks alone."""

import numpy as np

from jaxspot.video.align import apply_similarity, face_similarity
from jaxspot.video.pose import fit_poses, mean_face, unposed

NOSE_TIP, NOSE_BASE = 4, 2
CORNERS, INNER_BROWS = (61, 291), (55, 285)
LIPS = ((13, 82, 312), (14, 87, 317))
LIDS = ((159, 145), (386, 374))
BROWS = ((105, 33, 133), (334, 263, 362))
"""Each brow's middle and the corners of its eye."""


def face_measures(points: np.ndarray) -> dict[str, np.ndarray]:
    """Curves float64 (T,) from landmarks and depth (T, 478, 3) of one person, in crop pixels.

    Without the pose of the head: `lip_gap`, `mouth_width`, `corner_lift` (mouth corners against the
    nose, up is more), `brow` (brows above the eyes), `brow_gap`, `lids` (their gap). In the aligned
    picture: `nose_x` and `nose_y`. `yaw` and `pitch` of the head in degrees. NaN where a frame has
    no face.
    """
    seen = np.isfinite(points[:, 0, 0])
    curves = _measures(points[seen]) if seen.any() else dict.fromkeys(NAMES, np.zeros(0))
    found = {}
    for name, values in curves.items():
        found[name] = np.full(len(points), np.nan)
        found[name][seen] = values
    return found


def _measures(points):
    face = mean_face(points)
    poses = fit_poses(face, points)
    front = unposed(poses, points)[..., :2]
    at = lambda *index: front[:, list(index)].mean(1)
    apart = lambda one, other: np.linalg.norm(at(*one) - at(*other), axis=1)
    brows = [at(*eye)[:, 1] - at(brow)[:, 1] for brow, *eye in BROWS]
    crop = [apply_similarity(face_similarity(p), p[[NOSE_TIP]])[0] for p in points[..., :2]]
    nose, turn = np.array(crop), poses.rotation
    return dict(
        lip_gap=apart(*LIPS),
        mouth_width=apart(CORNERS[:1], CORNERS[1:]),
        corner_lift=at(NOSE_BASE)[:, 1] - at(*CORNERS)[:, 1],
        brow=np.mean(brows, 0),
        brow_gap=apart(INNER_BROWS[:1], INNER_BROWS[1:]),
        lids=np.mean([apart((upper,), (lower,)) for upper, lower in LIDS], 0),
        nose_x=nose[:, 0],
        nose_y=nose[:, 1],
        yaw=np.degrees(np.arctan2(-turn[:, 2, 0], np.hypot(turn[:, 0, 0], turn[:, 1, 0]))),
        pitch=np.degrees(np.arctan2(turn[:, 2, 1], turn[:, 2, 2])),
    )


NAMES = ("lip_gap", "mouth_width", "corner_lift", "brow", "brow_gap", "lids")
NAMES += ("nose_x", "nose_y", "yaw", "pitch")
