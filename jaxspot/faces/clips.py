"""Clips of people, and the stretches of them into which expressions are warped."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.errors import UserError
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import POINTS
from jaxspot.video.tracker import track_faces

LONGEST_SIDE = 720
"""Larger pictures are shrunk to this many pixels."""
SECONDS = (20.0, 30.0)
"""A stretch shorter than the first is played to and fro; of a longer one the second is used."""


@dataclass(frozen=True)
class Stretch:
    """Frames `first` to `last` (from 1, both included) of a file, of one person.

    `stratum` is one of STRATA.
    """

    path: Path
    person: str
    first: int
    last: int
    stratum: str

    @property
    def name(self) -> str:
        """Name of the stretch, from its clip and first frame."""
        return f"{self.path.stem}-{self.first}"


@dataclass(frozen=True)
class Tracked:
    """Pictures of a stretch, uint8 RGB, and landmarks with depth float32 (T, 478, 3) in them."""

    images: list[np.ndarray]
    points: np.ndarray
    fps: float


def find_clips(paths: Sequence[str | Path]) -> dict[str, Path]:
    """Video files by their names without ending, from files and folders (not those below).

    UserError: nothing there, or two files of one name.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = [p for p in sorted(path.iterdir()) if p.suffix.lower() in VIDEO_ENDINGS]
            if not inside:
                raise UserError(f"{path}: no video file in this folder")
            files += inside
        else:
            files.append(path)
    found: dict[str, Path] = {}
    for path in files:
        if not path.is_file():
            raise UserError(f"{path}: no such video file; check the path")
        if path.stem in found and found[path.stem] != path:
            raise UserError(f"{path}: has the same name as {found[path.stem]}; rename one")
        found[path.stem] = path.absolute()
    return found


def read_stretch(stretch: Stretch, landmarker: Landmarker) -> Tracked:
    """Reads and tracks the frames of a stretch; UserError: a frame without a face, or too few."""
    images, times, points = [], [], []
    for tracked in track_faces(_frames(stretch.path, stretch.first, stretch.last), landmarker):
        if tracked.landmarks is None or tracked.depth is None:
            raise UserError(f"{stretch.path}: no face at {tracked.frame.pts_s:.2f} s; shorten it")
        images.append(tracked.frame.image)
        times.append(tracked.frame.pts_s)
        points.append(tracked.points)
    if len(images) < stretch.last - stretch.first + 1:
        raise UserError(f"{stretch.path}: ends before frame {stretch.last}")
    return Tracked(images, np.array(points), fps_of(np.array(times), stretch.path))


def track_clip(path: Path, landmarker: Landmarker) -> tuple[np.ndarray, float]:
    """Landmarks with depth float32 (T, 478, 3) of a whole clip, NaN without a face, and its fps."""
    times, points = [], []
    for tracked in track_faces(_frames(path), landmarker):
        times.append(tracked.frame.pts_s)
        if tracked.landmarks is None or tracked.depth is None:
            points.append(np.full((POINTS, 3), np.nan, np.float32))
        else:
            points.append(tracked.points)
    return np.array(points), fps_of(np.array(times), path)


def played(frames: int, fps: float) -> np.ndarray:
    """Numbers of the frames of a stretch in the order in which a take shows them.

    A stretch shorter than 20 s runs to and fro until 20 s are full; of one longer than 30 s, the
    first 30 s are shown.
    """
    least, most = (round(seconds * fps) for seconds in SECONDS)
    if frames >= least:
        return np.arange(min(frames, most))
    return np.resize(np.concatenate([np.arange(frames), np.arange(frames - 2, 0, -1)]), least)


def _frames(path: Path, first: int = 1, last: int | None = None) -> Iterable[VideoFrame]:
    for number, frame in enumerate(read_video(path), 1):
        if last is not None and number > last:
            return
        if number >= first and frame.image is not None:
            yield frame._replace(image=_shrunk(frame.image))


def _shrunk(image):
    """A picture of at most LONGEST_SIDE pixels with even sides, as H.264 takes them."""
    h, w = image.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(h, w))
    size = (2 * round(w * scale / 2), 2 * round(h * scale / 2))
    return image if size == (w, h) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
