"""The committed heads as a source of expressions for other faces."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from jaxspot.synthetic.heads import CANVAS, CROP, load_heads
from jaxspot.synthetic.render import on_grid, read
from jaxspot.video.align import face_similarity
from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import Region, fit_mesh, region_of_mesh

WHOLE_HEAD = Region(CANVAS / 2, CANVAS / 2, 1.35 * CROP, 0.0)


@dataclass(frozen=True)
class Head:
    """A head at rest and what its units do, in pixels of its canvas.

    `units` names U units; `landmarks` float32 (478, 2) of the resting picture; `offsets`
    (U, 48, 48, 2) backward and `shading` (U, 72, 72) gray levels, as in `Person`; `to_crop` is the
    scale from the canvas to the 112 crop, `gray` the median gray level of the face.
    """

    units: tuple[str, ...]
    landmarks: np.ndarray
    offsets: np.ndarray
    shading: np.ndarray
    to_crop: float
    gray: float


@lru_cache(1)
def measured_head(number: int, landmarker: Landmarker) -> Head:
    """A head by its number from 0, with the landmarks that the face mesh finds on it."""
    person = load_heads().person(number)
    image = np.repeat(np.round(person.neutral).astype(np.uint8)[..., None], 3, 2)
    mesh = fit_mesh(landmarker, image, WHOLE_HEAD)
    for _ in range(2):
        mesh = fit_mesh(landmarker, image, region_of_mesh(mesh.landmarks))
    scale = np.sqrt(np.linalg.det(face_similarity(mesh.landmarks)[:, :2]))
    middle = slice((CANVAS - CROP) // 2, (CANVAS + CROP) // 2)
    gray = float(np.median(person.neutral[middle, middle]))
    return Head(person.units, mesh.landmarks, person.offsets, person.shading, float(scale), gray)


def read_fields(
    head: Head, weights: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Backward offsets (n, m, 2) and shading (n, m), float32, of weighted units at `places`.

    `weights` float32 (U,); `places` float32 (n, m, 2), pixels of the head's canvas.
    """
    offsets = np.tensordot(weights, head.offsets, 1).astype(np.float32)
    shading = np.tensordot(weights, head.shading, 1).astype(np.float32)
    moved = read(offsets, on_grid(places, len(offsets)))
    return moved, read(shading, on_grid(places, len(shading)))
