"""Motion of the twelve regions between two pictures of a face."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from jaxspot.video.writer import SIZE

SIDE = 448
"""Side in pixels of the face box in which flow is measured; it shows what the 112 crop shows."""
SCALE = SIDE / SIZE
METHOD = "dense inverse search, fast, 448"
"""Its name in `bank.json`."""
PATCH = 5
"""Pixels of the box that a region reaches to each side of its landmark."""
NOSE_REACH = 4.6
"""Pixels of the 112 crop that the nose reaches beyond its two landmarks."""

# The points of the 478-point mesh whose middles lie nearest the regions of `TWELVE`.
POINTS = (
    *((63, 105), (105, 66), (66, 107), (336, 296), (296, 334), (334, 293)),
    *((197, 197), (4, 4), (61, 61), (0, 0), (291, 291), (17, 17)),
)
NOSE_POINTS = (5, 4)
TEMPLATE_POINTS = (18, 19, 20, 23, 24, 25, 28, 30, 48, 51, 54, 57, 29, 30)
"""The same twelve regions and two nose points in the 68-point set."""

Flow = Callable[[np.ndarray, np.ndarray], np.ndarray]


def box_flow() -> Flow:
    """A function from two face boxes uint8 (SIDE, SIDE) to the flow between them.

    The flow is float32 (SIDE, SIDE, 2), right and down, in pixels of the box. It is Dense Inverse
    Search (Kroeger et al. 2016) at OpenCV's fast setting. It is for one thread.
    """
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return lambda first, second: search.calc(first, second, None)


def face_box(image: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """The face box uint8 (SIDE, SIDE) of a gray image uint8 (h, w); outside, its border repeats.

    `similarity` (2, 3) takes pixels of the image to the 112 crop.
    """
    to_box = similarity * SCALE
    to_box[:, 2] += (SCALE - 1) / 2  # the middle of pixel 0 of the crop lies there
    shrink = int(1 / np.hypot(to_box[0, 0], to_box[1, 0]))
    if shrink > 1:  # else bilinear reading would leave pixels out
        height, width = (max(1, side // shrink) for side in image.shape)
        image = image[: height * shrink, : width * shrink]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        to_box[:, 2] += to_box[:, :2].sum(1) * (shrink - 1) / 2
        to_box[:, :2] *= shrink
    return cv2.warpAffine(
        image, to_box, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def region_places(landmarks: np.ndarray) -> np.ndarray:
    """Places of the twelve regions and the two nose points, (14, 2), from a mesh (478, 2)."""
    regions = landmarks[np.array(POINTS)].mean(1)
    return np.concatenate([regions, landmarks[list(NOSE_POINTS)]])


def nose_rectangle(places: np.ndarray) -> np.ndarray:
    """Low and high corner (2, 2) of the patch of the nose, from the places (14, 2)."""
    return np.stack([places[12:].min(0) - NOSE_REACH, places[12:].max(0) + NOSE_REACH])


def read_regions(flow: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Motion of the twelve regions relative to the nose, float32 (12, 2), in pixels of the crop.

    `flow` is that of `box_flow`; `places` (14, 2) of `region_places`, in pixels of the crop.
    """
    nose = _mean(flow, *_to_box(nose_rectangle(places)))
    regions = [_mean(flow, at - PATCH, at + PATCH) for at in _to_box(places[:12])]
    return ((np.array(regions) - nose) / SCALE).astype(np.float32)


def _to_box(points):
    return points * SCALE + (SCALE - 1) / 2


def _mean(flow, low, high):
    """Mean flow of a rectangle; where it leaves the box, of the nearest pixels inside."""
    left, top = np.clip(np.round(low).astype(int), 0, SIDE - 1)
    right, bottom = np.clip(np.round(high).astype(int), 0, SIDE - 1)
    return flow[top : bottom + 1, left : right + 1].mean((0, 1))
