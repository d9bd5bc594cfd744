"""Warps an expression of a head into a picture of somebody else's face."""

from typing import NamedTuple

import cv2
import numpy as np
from scipy.spatial import Delaunay

from jaxspot.faces.heads import Head, read_fields
from jaxspot.video.mesh import SKIN_POINTS

GRID = 60
"""The warp is computed at about so many points across the face."""
RING, RING_POINTS = 1.35, 24
"""The warp ends at this many face radii around the middle of the face."""
SMOOTH = 2.0
"""Smoothing of the warp, standard deviation in pixels of the 112 crop."""


class FaceGrid(NamedTuple):
    """Points across a face in a picture, at every `step`-th pixel of a rectangle.

    Attributes:
      top, left, shape: the rectangle, `shape` (h, w).
      step: pixels from point to point.
      points: float (p, 2), the face's landmarks and a ring around them.
      corners: int16 (n, m, 3), which three of `points` each grid point lies between.
      shares: float32 (n, m, 3), how much of each: they sum to 1, outside of the ring to 0.
    """

    top: int
    left: int
    shape: tuple[int, int]
    step: int
    points: np.ndarray
    corners: np.ndarray
    shares: np.ndarray


class Place(NamedTuple):
    """Where a head's canvas lies in a picture: on the rectangle of `grid`.

    `canvas` float32 (n, m, 2), pixels of the canvas at every point of the grid; `weight` float32
    (n, m), 1 on the face and 0 at the border.
    """

    grid: FaceGrid
    canvas: np.ndarray
    weight: np.ndarray


def face_grid(landmarks: np.ndarray, size: tuple[int, int]) -> FaceGrid:
    """The grid of a face with landmarks (478, 2) in a picture of `size` (h, w)."""
    face = landmarks[:SKIN_POINTS]
    middle, side = (face.min(0) + face.max(0)) / 2, float(np.ptp(face, 0).max())
    step = max(1, round(side / GRID))
    angles = np.linspace(0, 2 * np.pi, RING_POINTS, endpoint=False)
    ring = middle + np.stack([np.cos(angles), np.sin(angles)], 1) * (RING / 2 * side)
    left, top = np.maximum(np.floor(ring.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(ring.max(0)).astype(int) + 1, size[::-1])
    x, y = (np.arange(low, high + step, step) for low, high in ((left, right), (top, bottom)))
    points = np.vstack([face, ring])
    corners, shares = _between(points, np.stack(np.meshgrid(x, y), -1).astype(float))
    shape = (int(bottom - top), int(right - left))
    return FaceGrid(int(top), int(left), shape, step, points, corners, shares)


def place_head(head: Head, grid: FaceGrid) -> Place:
    """Finds where a head's points lie on the grid of somebody else's face."""
    target = head.landmarks[:SKIN_POINTS]
    face, ring = np.split(grid.points, [SKIN_POINTS])
    fit = np.linalg.lstsq(_affine(face), target, rcond=None)[0]
    canvas = np.vstack([target, _affine(ring) @ fit])
    weight = np.repeat([1.0, 0.0], [len(face), len(ring)])
    values = np.column_stack([canvas, weight]).astype(np.float32)
    found = np.einsum("nmk,nmkc->nmc", grid.shares, values[grid.corners])
    return Place(grid, found[..., :2], found[..., 2])


def warp_expression(
    image: np.ndarray,
    head: Head,
    weights: np.ndarray,
    place: Place,
    pose: np.ndarray,
    *,
    shade: float = 1.0,
    resampled: bool = False,
) -> np.ndarray:
    """A picture uint8 (h, w, 3) RGB with the head's units at `weights` (U,) added to its face.

    `pose` (2, 2) takes offsets on the head's canvas to pixels of the picture; `shade` multiplies
    the shading. `resampled`: warped there and back, without shading, so that only the resampling is
    left.
    """
    moved, light = read_fields(head, weights, place.canvas)
    moved = (moved * place.weight[..., None]) @ pose.T.astype(np.float32)
    grid, (h, w) = place.grid, place.grid.shape
    sigma = SMOOTH * float(np.sqrt(abs(np.linalg.det(pose)))) / grid.step
    moved = _dense(cv2.GaussianBlur(moved, (0, 0), sigma), grid)
    inside = slice(grid.top, grid.top + h), slice(grid.left, grid.left + w)
    warped = _backward(image[inside], moved)
    if resampled:
        warped = _backward(warped, _inverse(moved))
    else:
        light = cv2.GaussianBlur(light * place.weight * np.float32(shade), (0, 0), sigma)
        light = np.round(_dense(light, grid)).astype(np.int16)
        warped = np.clip(warped + light[..., None], 0, 255)
    out = image.copy()
    out[inside] = warped
    return out


def _affine(points):
    return np.column_stack([points, np.ones(len(points))])


def _between(points, places):
    """Of places (n, m, 2) the corners of their Delaunay triangle and the share of each corner."""
    mesh = Delaunay(points)
    triangle = mesh.find_simplex(places)
    to_shares = mesh.transform[triangle]
    offset = places - to_shares[..., 2, :]
    two = np.einsum("nmij,nmj->nmi", to_shares[..., :2, :], offset)
    shares = np.concatenate([two, 1 - two.sum(-1, keepdims=True)], -1)
    shares[triangle < 0] = 0
    return mesh.simplices[triangle].astype(np.int16), shares.astype(np.float32)


def _dense(field, grid):
    """A field on the points of a grid as one on all pixels (h, w)."""
    return cv2.warpAffine(
        field,
        np.array([[1 / grid.step, 0, 0], [0, 1 / grid.step, 0]]),
        grid.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _grid(shape):
    return np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), -1).astype(np.float32)


def _backward(image, offsets):
    x, y = np.moveaxis(_grid(offsets.shape) + offsets, 2, 0)
    return cv2.remap(image, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE)


def _inverse(offsets, steps=6):
    """Backward offsets that undo a warp by `offsets`."""
    grid, back = _grid(offsets.shape), -offsets
    for _ in range(steps):
        x, y = np.moveaxis(grid + back, 2, 0)
        back = -cv2.remap(offsets, x, y, cv2.INTER_LINEAR)
    return back
