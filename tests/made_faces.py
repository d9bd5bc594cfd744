"""A made-up face of 478 points on a curved surface, and pictures of it from any side."""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial.transform import Rotation

from jaxspot.video.align import mesh_template
from jaxspot.video.pose import CHIN, FOREHEAD, LEFT, MIDLINE, RIGHT, to_front

PICTURE = (300, 320)


def depth_at(x, y):
    """Depth of the surface in crop pixels: a bowl with a nose."""
    bowl = 45 * (((x - 56) / 55) ** 2 + 0.5 * ((y - 56) / 60) ** 2)
    return bowl - 14 * np.exp(-(((x - 56) / 9) ** 2 + ((y - 62) / 14) ** 2) / 2)


def made_face(seed=0):
    """A mesh (478, 3) whose template points are in their places, mirrored points level."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(4, 108, 478), rng.uniform(0, 112, 478)
    index, target = mesh_template()
    x[LEFT], y[LEFT] = rng.uniform(5, 45, len(LEFT)), rng.uniform(5, 70, len(LEFT))
    x[list(MIDLINE)], x[[FOREHEAD, CHIN]], y[[FOREHEAD, CHIN]] = 56, 56, [-5, 110]
    x[index], y[index] = target.T
    x[RIGHT], y[RIGHT] = 112 - x[LEFT], y[LEFT]
    return to_front(np.column_stack([x, y, depth_at(x, y)]))


def turned(points, *, yaw=0.0, pitch=0.0, roll=0.0, scale=1.5, shift=(160, 150, 0)):
    """Points (n, 3) of the face turned about its middle, by degrees, in a picture."""
    turn = Rotation.from_euler("zxy", [roll, pitch, yaw], degrees=True)
    return scale * turn.apply(points - [56, 56, 10]) + shift


def photograph(face, **pose):
    """A picture uint8 (h, w, 3) of the textured surface of `made_face`, in weak perspective."""
    fine = np.arange(-20, 132, 0.4)
    x, y = (grid.ravel() for grid in np.meshgrid(fine, fine))
    texture = gaussian_filter(np.random.default_rng(1).normal(size=(160, 160)), 2.5)
    bright = map_coordinates(texture, [y + 24, x + 24], order=1) * 400 + 128
    # The mesh was put into its place by `to_front`; the surface follows by the same change.
    before = np.column_stack([x, y, depth_at(x, y)])
    at = turned(before + surface_offset(face), **pose)[:, :2].round().astype(int)
    height, width = PICTURE
    inside = (at >= 0).all(1) & (at < [width, height]).all(1)
    place = at[inside, 1] * width + at[inside, 0]
    count = np.bincount(place, minlength=height * width)
    total = np.bincount(place, bright[inside], minlength=height * width)
    gray = np.where(count, total / np.maximum(count, 1), 128).clip(0, 255)
    return np.repeat(gray.reshape(height, width, 1), 3, 2).astype(np.uint8)


def surface_offset(face):
    """What `to_front` added to the depth of the surface (it does not turn this face)."""
    return np.array([0, 0, np.mean(face[:, 2] - depth_at(face[:, 0], face[:, 1]))])
