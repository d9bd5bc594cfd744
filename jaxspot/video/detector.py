"""BlazeFace short range: the faces of an image, largest first."""

from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.video.landmarker import Landmarker, run_net

SIDE = 128
GRIDS = ((16, 2), (8, 6))
VALUES = 16
MIN_SCORE = 0.5
SAME_FACE_IOU = 0.3


class Detection(NamedTuple):
    """A face: `box` (4,) centre x, y, width, height; `points` (6, 2), the eyes first; pixels."""

    box: np.ndarray
    points: np.ndarray


def detect_faces(landmarker: Landmarker, image: np.ndarray) -> list[Detection]:
    """Finds the faces of an image uint8 (h, w, 3) RGB, largest first."""
    letterbox, scale, pad = _letterbox(image)
    values, logits = run_net(landmarker.detector, letterbox, ("regressors", "classificators"))
    anchors = blaze_anchors()
    if logits.size != len(anchors) or values.size != VALUES * len(anchors):
        raise RuntimeError(f"detector gave {values.size} and {logits.size} values")
    scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    values = values.reshape(-1, VALUES).copy()
    values[:, :2] += SIDE * anchors
    values[:, 4:] += SIDE * np.tile(anchors, (VALUES - 4) // 2)
    found = []
    for face, _ in weighted_nms(values, scores):
        centre, size = (face[:2] - pad) / scale, face[2:4] / scale
        points = (face[4:].reshape(-1, 2) - pad) / scale
        found.append(Detection(np.concatenate([centre, size]), points))
    return sorted(found, key=lambda face: -face.box[2] * face.box[3])


def blaze_anchors() -> np.ndarray:
    """Anchor centres (896, 2) in 0..1: 16x16 cells with 2 anchors, then 8x8 with 6, by rows."""
    centres = []
    for cells, count in GRIDS:
        y, x = np.mgrid[:cells, :cells]
        grid = (np.stack([x.ravel(), y.ravel()], 1) + 0.5) / cells
        centres.append(np.repeat(grid, count, axis=0))
    return np.concatenate(centres).astype(np.float32)


def weighted_nms(values: np.ndarray, scores: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Merge overlapping detections into their mean weighted by score, best first.

    `values` (n, m) starts with centre x, y, width, height; `scores` (n,) in 0..1. Detections
    under MIN_SCORE are dropped; those that overlap the best one by an IoU above SAME_FACE_IOU
    are one face with it.
    """
    keep = scores >= MIN_SCORE
    values, scores = values[keep], scores[keep]
    faces = []
    while len(scores):
        best = int(scores.argmax())
        same = box_iou(values[:, :4], values[best, :4]) > SAME_FACE_IOU
        same[best] = True
        faces.append((np.average(values[same], 0, scores[same]), float(scores[best])))
        values, scores = values[~same], scores[~same]
    return faces


def box_iou(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """IoU (n,) of boxes (n, 4) with one box (4,), each centre x, y, width, height."""
    low = np.maximum(boxes[:, :2] - boxes[:, 2:] / 2, box[:2] - box[2:] / 2)
    high = np.minimum(boxes[:, :2] + boxes[:, 2:] / 2, box[:2] + box[2:] / 2)
    shared = np.clip(high - low, 0, None).prod(1)
    union = boxes[:, 2:].prod(1) + box[2:].prod() - shared
    return shared / np.maximum(union, 1e-12)


def _letterbox(image: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The network's square float32 (128, 128, 3) in -1..1, its scale and the image's place in it.

    The place is the offset (x, y) of the image.
    """
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = [round(width * scale), round(height * scale)]
    pad = (SIDE - np.array(size)) // 2
    size = [max(1, side) for side in size]
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    square = np.full((SIDE, SIDE, 3), -1, np.float32)
    square[pad[1] : pad[1] + size[1], pad[0] : pad[0] + size[0]] = small / np.float32(127.5) - 1
    return square, scale, pad
