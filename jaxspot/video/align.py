"""Aligned gray faces in OpenFace's geometry, from a 478-point mesh or from 68 points."""

import io
from functools import cache
from importlib.resources import files

import cv2
import numpy as np

from jaxspot.video.writer import SIZE

RIGID_POINTS = (1, 2, 3, 4, *range(12, 16), 27, 28, 29, *range(31, 37), *range(39, 43), 45, 46, 47)


def align_face(image: np.ndarray, landmarks: np.ndarray, *, size: int = SIZE) -> np.ndarray:
    """Warps a face upright into a gray square, uint8 (size, size); black outside the image.

    `image` is uint8 (h, w, 3) RGB or (h, w) gray; `landmarks` (n, 2) pixels, n = 478 (MediaPipe
    mesh) or 68 (OpenFace).

    Raises:
        ValueError: the number of landmarks is neither 478 nor 68.
    """
    return warp_face(image, face_similarity(landmarks), size=size)


def warp_face(image: np.ndarray, similarity: np.ndarray, *, size: int = SIZE) -> np.ndarray:
    """Warp an image by a similarity (2, 3) from its pixels to the 112-pixel face, made gray."""
    scaled = similarity * (size / SIZE)
    face = cv2.warpAffine(image, scaled, (size, size), flags=cv2.INTER_LINEAR)
    return face if face.ndim == 2 else cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)


def face_similarity(landmarks: np.ndarray) -> np.ndarray:
    """Similarity float64 (2, 3) from pixels to the 112-pixel face; ValueError: not 478 or 68."""
    if len(landmarks) == 68:
        return openface_similarity(landmarks)
    if len(landmarks) == 478:
        index, target = mesh_template()
        return fit_similarity(landmarks[index], target)
    raise ValueError(f"{len(landmarks)} landmarks; 478 (face mesh) or 68 (OpenFace) are known")


def openface_similarity(points: np.ndarray) -> np.ndarray:
    """OpenFace 2's similarity (2, 3) from 68 points (68, 2) to its 112-pixel aligned face.

    Rotation and scale come from the 24 rigid points, the centre is the mean of all points.
    """
    template = openface_template()
    rigid = list(RIGID_POINTS)
    source = _complex(points[rigid] - points[rigid].mean(0))
    target = _complex(template[rigid] - template[rigid].mean(0))
    turn = np.vdot(source, target)
    scale = np.sqrt(np.mean(np.abs(target) ** 2) / np.mean(np.abs(source) ** 2))
    linear = _matrix(scale * turn / abs(turn))
    return np.column_stack([linear, SIZE / 2 - linear @ points.mean(0)])


def fit_similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares similarity (2, 3) without reflection that takes source to target (n, 2)."""
    centre, goal = source.mean(0), target.mean(0)
    z, w = _complex(source - centre), _complex(target - goal)
    linear = _matrix(np.vdot(z, w) / np.vdot(z, z).real)
    return np.column_stack([linear, goal - linear @ centre])


def apply_similarity(similarity: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (n, 2) by a similarity (2, 3)."""
    return points @ similarity[:, :2].T + similarity[:, 2]


@cache
def mesh_template() -> tuple[np.ndarray, np.ndarray]:
    """Indices (20,) of steady points of the 478-point mesh, and their places (20, 2) at 112 px."""
    arrays = _asset("openface112_template_mediapipe20.npz")
    return arrays["idx"], arrays["T"]


@cache
def openface_template() -> np.ndarray:
    """Places (68, 2) of a neutral face's 68 points in OpenFace's 112-pixel geometry."""
    return _asset("openface112_template_68.npy")


def _asset(name):
    return np.load(io.BytesIO(files("jaxspot.video").joinpath("assets", name).read_bytes()))


def _complex(points):
    return np.asarray(points, np.float64) @ [1, 1j]


def _matrix(number):
    return np.array([[number.real, -number.imag], [number.imag, number.real]])
