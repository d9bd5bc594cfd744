"""Faces aligned by OpenFace 2: `<video>_aligned/frame_det_00_000001.bmp` and `<video>.csv`."""

import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from jaxspot.datasets.images import IMAGE_ENDINGS, read_image, refuse_sparse
from jaxspot.errors import UserError
from jaxspot.video.clip import AlignedFrame, whole_rate
from jaxspot.video.writer import SIZE

ALIGNED = "_aligned"
NAME = re.compile(r"frame_det_(?:(\d+)_)?(\d+)$")
NEEDED = ("frame", "timestamp", "confidence", "success")


def read_openface_csv(path: str | Path) -> pd.DataFrame:
    """What OpenFace writes about a video: frame, face_id, timestamp (s), confidence, success.

    One row a frame and face; frames count from 1. Older files have no `face_id`: all are face 0.

    Raises:
      UserError: no such file, not OpenFace's, no row, or a cell that is no number, with its row.
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
    if table.empty:
        raise UserError(f"{path}: holds no frame; run OpenFace again")
    table = table if "face_id" in table else table.assign(face_id=0)
    return pd.DataFrame({name: _numbers(path, table[name]) for name in table})


def _numbers(path, column):
    whole = column.name in ("frame", "face_id")
    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), float)
    bad = ~np.isfinite(numbers) | (whole & ((numbers % 1 != 0) | (numbers < 0)))
    if bad.any():
        row = int(bad.argmax())
        given = "empty" if pd.isna(column.iloc[row]) else repr(str(column.iloc[row]))
        need = "a number of a frame or face" if whole else "a number"
        raise UserError(f"{path}, row {row + 2}: {column.name} is {given}; it must be {need}")
    return pd.Series(numbers.astype(int) if whole else numbers, column.index)


def aligned_images(folder: Path) -> dict[int, dict[int, Path]]:
    """The aligned images of a video: face -> frame number -> file.

    Raises:
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
        twice = table.frame.duplicated()
        if twice.any():
            row = twice.idxmax()
            raise UserError(
                f"{csv}, row {row + 2}: frame {table.frame[row]} of face {face} stands twice"
            )
        columns = (table[name].tolist() for name in NEEDED)
        rows = {frame: rest for frame, *rest in zip(*columns, strict=True)}
        refuse_sparse(csv, last=max(rows, default=0), images=len(rows))
    first = min(*images, *rows, 1)  # 0 where frames count from 0
    for number in range(first, max(*images, *rows, first) + 1):
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

    Raises:
      UserError: as `read_openface_csv`, or its times do not increase, as for a folder of images.
    """
    table = read_openface_csv(csv)
    first, last = table.loc[table.frame.idxmin()], table.loc[table.frame.idxmax()]
    steps, seconds = last.frame - first.frame, last.timestamp - first.timestamp
    if not (steps > 0 and seconds > 0):
        raise UserError(f"{csv}: its time stamps do not increase; name the frame rate by --fps")
    return whole_rate(int(steps), float(seconds))
