"""The 478-point face mesh on a rotated square region of an image."""

from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.video.align import apply_similarity
from jaxspot.video.detector import Detection
from jaxspot.video.landmarker import Landmarker, run_net

SIDE = 256
POINTS = 478
SKIN_POINTS = 468
EYE_CORNERS = (33, 263)
FOREHEAD, CHIN = 10, 152
MIN_PRESENCE = 0.0
MARGIN = 1.5
FAR_BETTER = 6.0  # of a face's presence, when it is fitted the right way up


class Region(NamedTuple):
    """A square that turns with the face: centre x, y and side in pixels, angle in radians."""

    x: float
    y: float
    side: float
    angle: float


class Mesh(NamedTuple):
    """`landmarks` float32 (478, 2) in pixels, `depth` float32 (478,) away from the camera in pixels
    as well, 0 near the middle of the head; `presence` logit: a face when at least 0.
    """

    landmarks: np.ndarray
    depth: np.ndarray
    presence: float


def region_of_detection(face: Detection) -> Region:
    """Square around a detected face, level with its eyes."""
    angle = _angle(face.points[0], face.points[1])
    return Region(float(face.box[0]), float(face.box[1]), MARGIN * float(face.box[2:].max()), angle)


def region_of_mesh(landmarks: np.ndarray) -> Region:
    """Square around landmarks (478, 2), level with the outer eye corners."""
    angle = _angle(*landmarks[list(EYE_CORNERS)])
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    upright = landmarks[:SKIN_POINTS] @ turn
    low, high = upright.min(0), upright.max(0)
    x, y = turn @ ((low + high) / 2)
    return Region(float(x), float(y), MARGIN * float((high - low).max()), angle)


def fit_mesh(landmarker: Landmarker, image: np.ndarray, region: Region) -> Mesh:
    """Fits the mesh to the face in a region of an image uint8 (h, w, 3) RGB."""
    to_crop = region_matrix(region, SIDE)
    crop = cv2.warpAffine(image, to_crop, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    names = ("Identity", "Identity_1")
    points, presence = run_net(landmarker.mesh, crop * np.float32(1 / 255), names)
    if points.size != 3 * POINTS or presence.size != 1:
        raise RuntimeError(f"face mesh gave {points.size} and {presence.size} values")
    to_image = cv2.invertAffineTransform(to_crop)
    points = points.reshape(POINTS, 3)
    landmarks = apply_similarity(to_image, points[:, :2])
    depth = points[:, 2] * (region.side / SIDE)
    return Mesh(landmarks.astype(np.float32), depth.astype(np.float32), float(presence[0]))


def mesh_of_detection(landmarker: Landmarker, image: np.ndarray, face: Detection) -> Mesh:
    """The mesh of a detected face, fitted twice: it is sharper on the region that it drew itself.

    The detector takes a face that is upside down for an upright one. So the mesh is fitted that
    way, too, and kept where it fits far better.
    """
    region = region_of_detection(face)
    found = fit_mesh(landmarker, image, region)
    if found.presence >= MIN_PRESENCE:
        found = fit_mesh(landmarker, image, region_of_mesh(found.landmarks))
    turned = fit_mesh(landmarker, image, region._replace(angle=region.angle + np.pi))
    turned = fit_mesh(landmarker, image, region_of_mesh(turned.landmarks))
    better = turned.presence >= max(found.presence, MIN_PRESENCE) + FAR_BETTER
    return turned if better else found


def region_matrix(region: Region, side: int) -> np.ndarray:
    """Affine map (2, 3) from image pixels to a region's upright square of `side` pixels."""
    cos, sin = np.cos(region.angle), np.sin(region.angle)
    turn = np.array([[cos, sin], [-sin, cos]]) * (side / region.side)
    shift = side / 2 - turn @ [region.x, region.y]
    return np.column_stack([turn, shift])


def _angle(left: np.ndarray, right: np.ndarray) -> float:
    x, y = np.subtract(right, left)
    return float(np.arctan2(y, x))
