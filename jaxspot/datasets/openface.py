"""Faces aligned by OpenFace 2: `<video>_aligned/frame_det_00_000001.bmp` and `<video>.csv`."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.datasets.images import IMAGE_ENDINGS, refuse_sparse
from jaxspot.errors import UserError
from jaxspot.video.clip import AlignedFrame
from jaxspot.video.frame_times import whole_rate
from jaxspot.video.picture import read_image
from jaxspot.video.writer import SIZE

ALIGNED = "_aligned"
NAME = re.compile(r"frame_det_(?:(\d+)_)?(\d+)$")
COLUMNS = {"frame": int, "timestamp": float, "confidence": float, "success": float}


def read_openface_csv(path: str | Path) -> pd.DataFrame:
    """What OpenFace writes about a video: frame, timestamp (s), confidence, success, face_id.

    One row a frame and face; frames count from 1. Older files have no `face_id`: all are face 0.
    UserError: no such file, not OpenFace's, no row, or a cell that is no number, with its row.
    """
    table = read_columns(path, COLUMNS, optional={"face_id": int}, program="OpenFace")
    if table.empty:
        raise UserError(f"{path}: holds no frame; run OpenFace again")
    table = table if "face_id" in table else table.assign(face_id=0)
    bad = (table.frame < 0) | ~(table.face_id.fillna(-1) >= 0)
    refuse(path, table, bad, "frame and face_id must be whole numbers from 0")
    return table.astype({"face_id": int})


def aligned_images(folder: Path) -> dict[int, dict[int, Path]]:
    """The aligned images of a video: face -> frame number -> file.

    UserError: no image that is named as OpenFace names them, or numbers that count no frames.
    """
    faces: dict[int, dict[int, Path]] = {}
    for path in sorted(folder.iterdir()):
        match = NAME.search(path.stem)
        if match and path.suffix.lower() in IMAGE_ENDINGS:
            faces.setdefault(int(match[1] or 0), {})[int(match[2])] = path
    if not faces:
        raise UserError(f"{folder}: holds no image such as frame_det_00_000001.bmp")
    for images in faces.values():
        refuse_sparse(images[max(images)], last=max(images), images=len(images))
    return faces


def openface_frames(folder: Path, csv: Path | None) -> Iterator[AlignedFrame]:
    """Every frame of a video that OpenFace has aligned, its faces taken as they are.

    Of several faces it is the one found in the most frames. A frame that OpenFace failed on (its
    image is black or missing, or `success` is 0) has no face. Without `csv`, what is not black is a
    face, with a confidence of 1. UserError: as `aligned_images` and `read_openface_csv`; a frame
    named twice.
    """
    faces = aligned_images(folder)
    face = min(faces, key=lambda number: (-len(faces[number]), number))
    images, rows = faces[face], {}
    if csv is not None:
        table = read_openface_csv(csv)
        table = table.loc[table.face_id == face]
        twice = table.frame.duplicated()
        refuse(csv, table.loc[:, ["frame", "face_id"]], twice, "stands twice; run OpenFace again")
        columns = (table[name].tolist() for name in COLUMNS)
        rows = {frame: rest for frame, *rest in zip(*columns, strict=True)}
        refuse_sparse(csv, last=max(rows, default=0), images=len(rows))
    first = min(*images, *rows, 1)  # 0 where frames count from 0
    for number in range(first, max(*images, *rows, first) + 1):
        time_s, confidence, success = rows.get(number, (0.0, float(csv is None), csv is None))
        image = read_image(images[number]) if number in images else None
        if image is None or not success or not image.any():
            yield AlignedFrame(time_s)
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

    UserError: as `read_openface_csv`, or its times do not increase, as for a folder of images.
    """
    table = read_openface_csv(csv)
    first, last = table.loc[table.frame.idxmin()], table.loc[table.frame.idxmax()]
    steps, seconds = last.frame - first.frame, last.timestamp - first.timestamp
    if not (steps > 0 and seconds > 0):
        raise UserError(f"{csv}: its time stamps do not increase; name the frame rate by --fps")
    return whole_rate(int(steps), float(seconds))
