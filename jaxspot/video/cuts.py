"""Hard cuts to another face at the same place, by what the picture and the face show there."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.video.align import face_similarity, warp_face
from jaxspot.video.mesh import Region

LOOK_SIZE = 28
PICTURE_SIZE = 32
READABLE = (8, 247)  # darker and brighter pixels are those of a flash, or of no light
# Distances are 1 - correlation. Measured between neighbours: within clips of talking people, pairs
# reach .28 (face) and .11 (picture), a head at 40 pixels a frame .14 and .97; cuts between people
# begin at .19 and .20.
FACE, PICTURE = 0.16, 0.14
USUAL = 3.0  # times the steps before
GAP_S = 0.25  # over a longer gap a face may turn: up to .48 and .76 in two seconds
AFTER_GAP = 0.55, 0.3
# Over half a second, 625 pairs of eight people who talk and turn reach none of these, and 96 % of
# the pairs of different people both (89 % by the above).
SHORT_GAP_S, AFTER_SHORT_GAP = 0.5, (0.4, 0.4)


class Steps(NamedTuple):
    """How much the face and the picture at its place changed from one frame to the next."""

    face: float
    picture: float


@dataclass(frozen=True)
class Glance:
    """A face as last seen: its place, what it and the picture there look like, and the last steps.

    `look` (28, 28) is its aligned crop, `picture` (32, 32) what lies at `region`, both gray.
    """

    region: Region
    look: np.ndarray
    picture: np.ndarray
    seen_s: float
    steps: tuple[Steps, ...] = ()


def glance_at(image: np.ndarray, landmarks: np.ndarray, region: Region, pts_s: float) -> Glance:
    """A glance at a face in a picture uint8 (h, w, 3)."""
    crop = warp_face(image, face_similarity(landmarks))
    look = cv2.resize(crop, (LOOK_SIZE, LOOK_SIZE), interpolation=cv2.INTER_AREA)
    return Glance(region, look.astype(np.float64), _picture_at(image, region), pts_s)


def look_again(before: Glance, now: Glance, image: np.ndarray) -> tuple[Glance, bool]:
    """The glance to go on with, and whether a cut lies between.

    `image` is the picture of `now`. Where a flash or darkness hides most of a face, nothing can be
    said; then the glance before stays.
    """
    steps = Steps(
        _distance(before.look, now.look),
        _distance(before.picture, _picture_at(image, before.region)),
    )
    if np.isnan(steps).any():
        return before, False
    if (gap_s := now.seen_s - before.seen_s) > GAP_S:
        limits = AFTER_SHORT_GAP if gap_s <= SHORT_GAP_S else AFTER_GAP
        cut = steps.face > limits[0] and steps.picture > limits[1]
    else:
        face = max([FACE, *(USUAL * step.face for step in before.steps)])
        picture = max([PICTURE, *(USUAL * step.picture for step in before.steps)])
        cut = steps.face > face and steps.picture > min(picture, 0.5)
    last = () if cut else (*before.steps[-1:], steps)
    return Glance(now.region, now.look, now.picture, now.seen_s, last), cut


def _picture_at(image, region):
    """What lies in the upright square of a region, gray; beyond the picture its edge goes on."""
    size = 2 * PICTURE_SIZE
    scale = size / region.side
    matrix = np.array([[scale, 0, size / 2], [0, scale, size / 2]])
    matrix[:, 2] -= scale * np.array([region.x, region.y])
    found = cv2.warpAffine(image, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    small = cv2.resize(found, (PICTURE_SIZE, PICTURE_SIZE), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64)


def _distance(one, two):
    """1 - correlation of the pixels that can be read in both; NaN where most cannot."""
    low, high = READABLE
    both = np.minimum(one, two) > low
    both &= np.maximum(one, two) < high
    if 2 * both.sum() < both.size:
        return float("nan")
    a, b = one[both] - one[both].mean(), two[both] - two[both].mean()
    return 1 - float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-9))
