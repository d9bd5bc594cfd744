"""Faces aligned by OpenFace 2: `<video>_aligned/frame_det_00_000001.bmp` and `<video>.csv`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, read_file, refuse
from jaxspot.datasets.images import IMAGE_ENDINGS, refuse_sparse
from jaxspot.errors import UserError
from jaxspot.video.clip import AlignedFrame
from jaxspot.video.frame_times import fps_of, is_gap
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
    data = _with_points(path, read_file(path))
    table = read_columns(path, COLUMNS, optional={"face_id": int}, program="OpenFace", data=data)
    if table.empty:
        raise UserError(f"{path}: holds no frame; run OpenFace again")
    table = table if "face_id" in table else table.assign(face_id=0)
    bad = (table.frame < 0) | ~(table.face_id.fillna(-1) >= 0)
    refuse(path, table, bad, "frame and face_id must be whole numbers from 0")
    return table.astype({"face_id": int})


def _with_points(path, data):
    """The table with decimal points and commas between cells, if it was written otherwise.

    In a country with decimal commas, OpenFace writes `0, 0,033, 0,98`; spreadsheet programs then
    save it with semicolons.
    """
    lines = data.splitlines()
    if len(lines) < 2:
        return data
    header, row = lines[0], lines[1]
    wide = row.count(b",") > header.count(b",")
    if b";" in header:
        between = re.compile(rb";\s*")
    elif wide and len(re.split(rb",\s+", row)) == len(re.split(rb",\s*", header)):
        between = re.compile(rb",\s+")
    elif wide:
        raise UserError(
            f"{path}: its numbers have decimal commas, and commas stand between them; run OpenFace"
            " again, after `export LC_ALL=C`"
        )
    else:
        return data
    titles = b",".join(re.split(rb"[;,]\s*", header))
    cells = (between.split(line) for line in lines[1:])
    return b"\n".join([titles, *(b",".join(c.replace(b",", b".") for c in row) for row in cells)])


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


class StampGap(UserError):
    """Time stamps between which frames are missing; `fps` is their rate elsewhere."""

    def __init__(self, message: str, fps: float):
        super().__init__(message)
        self.fps = fps


class OpenFaceRun(NamedTuple):
    """What OpenFace left of a video.

    `images` and `rows` (timestamp, confidence, success) are by face, then by frame number; `faces`
    are the numbers of the one person who is followed, the longest seen first, and `others` those of
    other people.
    """

    images: dict[int, dict[int, Path]]
    rows: dict[int, dict[int, list[float]]]
    faces: tuple[int, ...]
    others: tuple[int, ...]

    @property
    def frames(self) -> range:
        """All frame numbers; from 0 where frames count from 0."""
        given = [*self.images.values(), *self.rows.values()]
        known = {number for frames in given for number in (min(frames), max(frames))}
        return range(min(*known, 1), max(*known, 1) + 1)


def read_run(folder: Path, csv: Path | None) -> OpenFaceRun:
    """Looks through the images and the table of a video.

    OpenFace gives a face that it lost a new number. So all faces are taken for one that are mostly
    seen while the others of it, which were seen longer, are not. UserError: as `aligned_images` and
    `read_openface_csv`; a frame named twice.
    """
    images, rows = aligned_images(folder), {}
    if csv is not None:
        table = read_openface_csv(csv)
        named = table.loc[:, ["frame", "face_id"]]
        refuse(csv, named, named.duplicated(), "stands twice; run OpenFace again")
        refuse_sparse(csv, last=int(table.frame.max()), images=len(table))
        columns = (table[name].tolist() for name in ("face_id", *COLUMNS))
        for face, frame, *rest in zip(*columns, strict=True):
            rows.setdefault(face, {})[frame] = rest
    seen = {face: _seen(images[face], rows.get(face), csv) for face in images}
    taken, faces = set(), []
    for face in sorted(seen, key=lambda number: (-len(seen[number]), number)):
        if not faces or 2 * len(seen[face] & taken) < len(seen[face]):
            faces.append(face)
            taken |= seen[face]
    others = tuple(face for face in seen if face not in faces and seen[face])
    return OpenFaceRun(images, rows, tuple(faces), others)


def _seen(images, rows, csv):
    """The frames in which OpenFace found a face."""
    if csv is None:
        return set(images)
    return {number for number, (*_, success) in (rows or {}).items() if success} & set(images)


def openface_frames(folder: Path, csv: Path | None) -> Iterator[AlignedFrame]:
    """Every frame of a video that OpenFace has aligned, its faces taken as they are.

    A frame shows the face of `read_run` that was seen longest; each number is a stay of its own. A
    frame that OpenFace failed on (its image is black or missing, or `success` is 0) has no face.
    Without `csv`, what is not black is a face, with a confidence of 1. UserError: as `read_run`.
    """
    run = read_run(folder, csv)
    for number in run.frames:
        yield next(_faces_of(run, number, csv), AlignedFrame(0.0))


def _faces_of(run, number, csv):
    for face in run.faces:
        row = (0.0, float(csv is None), csv is None)
        time_s, confidence, success = run.rows.get(face, {}).get(number, row)
        path = run.images[face].get(number)
        image = read_image(path) if success and path else None
        if image is not None and image.any():
            yield AlignedFrame(time_s, to_face(image), confidence, face)


def to_face(image: np.ndarray) -> np.ndarray:
    """An aligned face uint8 (h, w, 3) RGB as uint8 (112, 112) gray."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if gray.shape == (SIZE, SIZE):
        return gray
    return cv2.resize(gray, (SIZE, SIZE), interpolation=cv2.INTER_AREA)


def openface_fps(csv: Path) -> float:
    """Frames a second from the time stamps of OpenFace's CSV, which are rounded to milliseconds.

    Frames that were lost in the video do not count. StampGap: over a second from one frame to the
    next. UserError: as `read_openface_csv`, or times that do not increase, as for a folder of
    images.
    """
    table = read_openface_csv(csv).drop_duplicates("frame").sort_values("frame")
    frames, times = (table[name].to_numpy(float) for name in ("frame", "timestamp"))
    steps = np.diff(times) / np.diff(frames)
    if not (len(steps) and times[-1] > times[0] and np.median(steps) > 0):
        raise UserError(f"{csv}: its time stamps do not increase; name the frame rate by --fps")
    rate = fps_of(np.append(0, np.cumsum(steps)), csv)
    if is_gap(steps).any():
        at = int(steps.argmax())
        raise StampGap(
            f"{csv}: has no frame from {times[at]:.2f} s to {times[at + 1]:.2f} s (frame"
            f" {frames[at + 1]:.0f}); cut the video there into two and run OpenFace again",
            rate,
        )
    return rate
