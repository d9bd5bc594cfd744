"""How far places of a face truly move in a synthetic video, from the warp that draws it."""

import cv2
import numpy as np

from jaxspot.synthetic.generate import Plan
from jaxspot.synthetic.heads import CANVAS
from jaxspot.synthetic.render import canvas_matrix, mix, on_grid, read, turn_fields

STEPS = 8
"""Steps of the inversion of a backward warp; each shrinks the error by the field's slope."""


def true_places(plan: Plan, places: np.ndarray) -> np.ndarray:
    """Where points of the skin lie in every frame of a plan: float64 (T, n, 2).

    `places` (n, 2) are the points in the crop of a resting face: no expression, no shift of the
    head. Everything is in pixels of the 112 crop, right and down.
    """
    fields = np.concatenate([plan.person.offsets, turn_fields(plan.person.offsets.shape[1])])
    moves = np.column_stack([plan.weights, plan.course.yaw, plan.course.pitch])
    rest = np.asarray(places, np.float64) + (CANVAS - 112) / 2
    found = np.empty((len(moves), *rest.shape))
    for frame, field in enumerate(mix(moves.astype(np.float32), fields)):
        now = rest
        for _ in range(STEPS):
            where = on_grid(now.astype(np.float32)[:, None], len(field))
            now = rest - read(field, where)[:, 0].astype(np.float64)
        to_crop = cv2.invertAffineTransform(canvas_matrix(plan.course, frame))
        found[frame] = now @ to_crop[:, :2].T + to_crop[:, 2]
    return found
