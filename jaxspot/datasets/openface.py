"""Faces aligned by OpenFace 2: `<video>_aligned/frame_det_00_000001.bmp` and `<video>.csv`."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from jaxspot.datasets.images import IMAGE_ENDINGS, read_image
from jaxspot.errors import UserError
from jaxspot.video.clip import AlignedFrame
from jaxspot.video.writer import SIZE

ALIGNED = "_aligned"
NAME = re.compile(r"frame_det_(?:(\d+)_)?(\d+)$")
NEEDED = ("frame", "timestamp", "confidence", "success")


def read_openface_csv(path: str | Path) -> pd.DataFrame:
    """What OpenFace writes about a video: frame, face_id, timestamp (s), confidence, success.

    One row a frame and face; frames count from 1. Older files have no `face_id`: all are face 0.

    Raises:
      UserError: no such file, not OpenFace's, or a cell that is no number, with its row.
    """
    try:
        wanted = lambda name: name.strip() in (*NEEDED, "face_id")
        table = pd.read_csv(path, skipinitialspace=True, usecols=wanted)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, OSError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise UserError(f"{path}: not a readable CSV table ({reason})") from None
    table.columns = table.columns.str.strip()
    for name in NEEDED:
        if name not in table:
            raise UserError(f"{path}: column {name!r} is missing; is it a CSV file of OpenFace?")
        numbers = np.asarray(pd.to_numeric(table[name], errors="coerce"), float)
        if np.isnan(numbers).any():
            row = int(np.isnan(numbers).argmax())
            raise UserError(f"{path}, row {row + 2}: {name} is {table[name].iloc[row]!r}")
        table[name] = numbers
    return table if "face_id" in table else table.assign(face_id=0)


def aligned_images(folder: Path) -> dict[int, dict[int, Path]]:
    """The aligned images of a video: face -> frame number -> file.

    Raises:
      UserError: no image that is named as OpenFace names them.
    """
    faces: dict[int, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        match = NAME.search(path.stem)
        if match and path.suffix.lower() in IMAGE_ENDINGS:
            faces.setdefault(int(match[1] or 0), {})[int(match[2])] = path
    if not faces:
        raise UserError(f"{folder}: holds no image such as frame_det_00_000001.bmp")
    return faces


def openface_frames(folder: Path, csv: Path | None) -> Iterator[AlignedFrame]:
    """Every frame of a video that OpenFace has aligned, its faces taken as they are.

    Of several faces it is the one found in the most frames. A frame that OpenFace failed on (its
    image is black or missing, or `success` is 0) has no face.

    Args:
      folder: `<video>_aligned`.
      csv: `<video>.csv`; None: found is what is not black, with a confidence of 1.

    Raises:
      UserError: as `aligned_images` and `read_openface_csv`; the CSV names the same frame twice.
    """
    faces = aligned_images(folder)
    face = min(faces, key=lambda number: (-len(faces[number]), number))
    images, rows = faces[face], {}
    if csv is not None:
        table = read_openface_csv(csv)
        table = table[table.face_id == face]
        if table.frame.duplicated().any():
            row = int(table.frame.duplicated().to_numpy().argmax())
            raise UserError(f"{csv}: frame {table.frame.iloc[row]} of face {face} stands twice")
        columns = (table[name].tolist() for name in NEEDED)
        rows = {int(frame): rest for frame, *rest in zip(*columns, strict=True)}
    for number in range(1, max(*images, *rows, 1) + 1):
        time_s, confidence, success = rows.get(number, (0.0, float(csv is None), csv is None))
        image = read_image(images[number]) if number in images else None
        if image is None or not success or not image.any():
            yield AlignedFrame(time_s, np.zeros((SIZE, SIZE), np.uint8), 0.0, -1)
        else:
            yield AlignedFrame(time_s, to_face(image), confidence, face)


def to_face(image: np.ndarray) -> np.ndarray:
    """An aligned face uint8 (h, w, 3) RGB as uint8 (112, 112) gray."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if gray.shape == (SIZE, SIZE):
        return gray
    return cv2.resize(gray, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def openface_fps(csv: Path) -> float:
    """Frames a second from the time stamps of OpenFace's CSV, which are rounded to milliseconds.

    A whole number is taken where it explains the times as well.

    Raises:
      UserError: as `read_openface_csv`, or its times do not increase, as for a folder of images.
    """
    table = read_openface_csv(csv)
    first, last = table.loc[table.frame.idxmin()], table.loc[table.frame.idxmax()]
    steps, seconds = last.frame - first.frame, last.timestamp - first.timestamp
    if not (steps > 0 and seconds > 0):
        raise UserError(f"{csv}: its time stamps do not increase; name the frame rate by --fps")
    whole = max(1.0, float(round(steps / seconds)))
    return whole if abs(steps / whole - seconds) <= 0.001 else float(steps / seconds)
