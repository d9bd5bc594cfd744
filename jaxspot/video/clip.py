"""A video file as a clip of aligned faces: decode, follow, align, steady."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.align import SIZE, face_similarity, warp_face
from jaxspot.video.decode import VideoFrame, probe, read_video
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.pose import crop_posed, plane_affine, pose_track
from jaxspot.video.smooth import smooth_similarity
from jaxspot.video.tracker import TrackedFrame, track_faces

UNEVEN = 0.25
MILLISECOND = 0.001

Row = tuple[float, np.ndarray, float, int]
Work = Callable[[Iterable[VideoFrame], Landmarker], Iterable[Row]]


class AlignedFrame(NamedTuple):
    """Presentation time in seconds, uint8 (112, 112) gray face, confidence in 0..1, track number.

    `similarity` (2, 3) took the picture to the face, `measured` (2, 3) is that of this frame's
    landmarks alone, before smoothing; of a posed face, they are affine (`plane_affine`). The
    defaults are those of a frame without a face.
    """

    pts_s: float
    image: np.ndarray = np.zeros((SIZE, SIZE), np.uint8)  # black
    confidence: float = 0.0
    face: int = -1
    similarity: np.ndarray | None = None
    measured: np.ndarray | None = None


@dataclass(frozen=True)
class Clip:
    """All T frames of a video, with a face or without.

    `frames` uint8 (T, 112, 112), aligned faces, or float32 (T, 12, 2), region motion since the
    frame before; `quality` float32 (T, 2): face found 0/1, confidence in 0..1;
    `times` float64 (T,) presentation times in seconds; `fps` from the median step between them;
    `faces` int32 (T,) track numbers from 0, -1 without a face.
    """

    frames: np.ndarray
    quality: np.ndarray
    times: np.ndarray
    fps: float
    faces: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Whether each frame holds a face, bool (T,)."""
        return self.quality[:, 0] > 0


def aligned_frames(
    frames: Iterable[VideoFrame],
    landmarker: Landmarker,
    *,
    prefer: str = "largest",
    smooth: bool = True,
) -> Iterator[AlignedFrame]:
    """Yields every frame of a video as an aligned face, in constant memory.

    `prefer` says which of several faces to follow (see `track_faces`), `smooth` whether to steady
    the alignment over time.
    """
    return aligned_faces(track_faces(frames, landmarker, prefer=prefer), smooth=smooth)


def aligned_faces(
    tracked_frames: Iterable[TrackedFrame], *, smooth: bool = True
) -> Iterator[AlignedFrame]:
    """`aligned_frames` of frames whose face is known. A face depends on no later frame."""
    steady, last_face = None, -1
    for tracked in tracked_frames:
        pts_s, image = tracked.frame
        if image is None or tracked.landmarks is None:
            steady = None
            yield AlignedFrame(pts_s)
            continue
        if tracked.face != last_face:
            steady, last_face = None, tracked.face
        measured = similarity = face_similarity(tracked.landmarks)
        if smooth:
            steady, similarity = smooth_similarity(steady, measured, pts_s)
        face = warp_face(image, similarity)
        yield AlignedFrame(pts_s, face, tracked.confidence, tracked.face, similarity, measured)


def posed_frames(
    read: Callable[[], Iterable[VideoFrame]],
    landmarker: Landmarker,
    *,
    prefer: str = "largest",
    smooth: bool = True,
) -> Iterator[AlignedFrame]:
    """Yields every frame of a video as a face seen from the front, whatever way the head turns.

    Each track has a face of its own, `mean_face`. A face that is turned too far counts as none, see
    `usable_poses`. `read` opens the video and is called twice: for the landmarks, which are kept (6
    kB a frame), then for the pictures. `prefer` and `smooth` are as in `aligned_frames`.
    """
    tracked = [_without_picture(t) for t in track_faces(read(), landmarker, prefer=prefer)]
    faces = np.array([t.face for t in tracked], int)
    posed = {}
    for face in np.unique(faces[faces >= 0]):
        own = np.flatnonzero(faces == face)
        points = np.stack([tracked[i].points for i in own])
        times = np.array([tracked[i].frame.pts_s for i in own])
        track, usable = pose_track(points, times, smooth=smooth)
        posed |= {number: (track, at) for at, number in enumerate(own[usable].tolist())}
    for number, (pts_s, image) in enumerate(read()):
        if image is None or number not in posed:
            yield AlignedFrame(pts_s)
            continue
        track, at = posed[number]
        crop = crop_posed(image, track.surface, track.used, at)
        used, measured = (plane_affine(track.face, p, at) for p in (track.used, track.measured))
        face = tracked[number]
        yield AlignedFrame(pts_s, crop, face.confidence, face.face, used, measured)


def _without_picture(tracked: TrackedFrame) -> TrackedFrame:
    return tracked._replace(frame=VideoFrame(tracked.frame.pts_s, None))


def aligned_clip(
    path: str | Path, *, landmarker: Landmarker | None = None, progress: bool = True
) -> Clip:
    """Reads a whole video as a clip of aligned faces; 13 kB a frame whatever the video's size.

    UserError: as `read_video` and `load_landmarker`; under two frames, or times that do not
    increase.
    """
    work = lambda frames, landmarker: (f[:4] for f in aligned_frames(frames, landmarker))
    return read_clip(path, work, landmarker=landmarker, progress=progress)


def posed_clip(
    path: str | Path, *, landmarker: Landmarker | None = None, progress: bool = True
) -> Clip:
    """Reads a whole video as a clip of faces seen from the front, see `posed_frames`.

    It reads the file twice and needs 19 kB a frame. Errors as `aligned_clip`.
    """
    passes = iter(("landmarks", "faces"))
    read = lambda: _read_shown(path, f"{Path(path).name}, {next(passes)}", progress)
    rows = [frame[:4] for frame in posed_frames(read, landmarker or load_landmarker())]
    return _as_clip(rows, path)


def read_clip(
    path: str | Path, work: Work, *, landmarker: Landmarker | None = None, progress: bool = True
) -> Clip:
    """Reads a whole video as a clip of what `work` makes of its frames; errors as `aligned_clip`.

    `work`: (frames, landmarker) -> for each frame its presentation time in seconds, the array that
    stands for it, confidence in 0..1, track number.
    """
    frames = _read_shown(path, Path(path).name, progress)
    return _as_clip(list(work(frames, landmarker or load_landmarker())), path)


def _read_shown(path, name, progress):
    """The frames of a video file, counted by a progress bar."""
    total = probe(path).frames or None
    return progress_bar(read_video(path), desc=name, total=total, unit="frame", shown=progress)


def _as_clip(rows: list[Row], path: str | Path) -> Clip:
    if not rows:
        raise UserError(f"{path}: no frame could be decoded; copy it again or re-encode it")
    times, frames, confidence, faces = zip(*rows, strict=True)
    times, faces = np.array(times, np.float64), np.array(faces, np.int32)
    return Clip(
        frames=np.stack(frames),
        quality=np.stack([faces >= 0, confidence], 1).astype(np.float32),
        times=times,
        fps=median_fps(times, path),
        faces=faces,
    )


def median_fps(times: np.ndarray, path: str | Path) -> float:
    """Frames a second from the steps between presentation times (T,) in seconds.

    It is the mean of the steps within a millisecond of the median: some files round their times.
    UserError: under two frames, or times that do not increase.
    """
    if len(times) < 2:
        raise UserError(f"{path}: {len(times)} frame; a video of at least two frames is needed")
    steps = np.diff(times)
    median = np.median(steps)
    if median <= 0:
        raise UserError(f"{path}: its frames carry no increasing times; re-encode it")
    near = steps[abs(steps - median) <= 1.01 * MILLISECOND]
    return whole_rate(len(near), float(near.sum()))


def usual_steps(times: np.ndarray) -> np.ndarray:
    """Whether each step between times (T,) is within a quarter of the median one, bool (T - 1,)."""
    steps = np.diff(times)
    median = np.median(steps)
    return abs(steps - median) <= UNEVEN * median + MILLISECOND


def whole_rate(steps: int, seconds: float) -> float:
    """Steps a second: a whole number where it explains times rounded to milliseconds as well."""
    whole = max(1, round(steps / seconds))
    return float(whole) if abs(steps / whole - seconds) <= MILLISECOND else steps / seconds
