"""A video file as a clip of aligned faces: decode, follow, align, steady."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.video.align import SIZE, face_similarity, warp_face
from jaxspot.video.decode import VideoFrame
from jaxspot.video.frame_file import FrameFile
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.pose import PosedTrack, crop_posed, plane_affine, pose_track
from jaxspot.video.smooth import smooth_similarity
from jaxspot.video.source import Source, as_source
from jaxspot.video.tracker import TrackedFrame, track_faces

Row = tuple[float, np.ndarray, float, int, np.ndarray | None, bool]
Work = Callable[[Iterable[VideoFrame], Landmarker], Iterable[Row]]


class AlignedFrame(NamedTuple):
    """Presentation time in seconds, uint8 (112, 112) gray face, confidence in 0..1, track number.

    `similarity` (2, 3) took the picture to the face, `measured` (2, 3) is that of this frame's
    landmarks alone, before smoothing; of a posed face, they are affine (`plane_affine`). `box`
    (4,) is where the face lies in the picture: left, top, right, bottom in pixels. The defaults are
    those of a frame without a face.
    """

    pts_s: float
    image: np.ndarray = np.zeros((SIZE, SIZE), np.uint8)  # black
    confidence: float = 0.0
    face: int = -1
    similarity: np.ndarray | None = None
    measured: np.ndarray | None = None
    box: np.ndarray | None = None
    upside_down: bool = False

    @property
    def row(self) -> Row:
        """What a clip keeps of it."""
        return self.pts_s, self.image, self.confidence, self.face, self.box, self.upside_down


@dataclass(frozen=True)
class Clip:
    """All T frames of a video, with a face or without.

    `frames` uint8 (T, 112, 112), aligned faces, or float32 (T, 12, 2), region motion since the
    frame before; `quality` float32 (T, 2): face found 0/1, confidence in 0..1;
    `times` float64 (T,) presentation times in seconds; `fps` from the steps between them;
    `faces` int32 (T,) track numbers from 0, -1 without a face; `boxes` float32 (T, 4), where the
    face lies in the picture: left, top, right, bottom in pixels, NaN without a face. `upside_down`
    bool (T,): whether it is so in the picture.
    """

    frames: np.ndarray | FrameFile
    quality: np.ndarray
    times: np.ndarray
    fps: float
    faces: np.ndarray
    boxes: np.ndarray | None = None
    upside_down: np.ndarray | None = None

    @property
    def found(self) -> np.ndarray:
        """Whether each frame holds a face, bool (T,)."""
        return self.quality[:, 0] > 0

    def part(self, frames: slice) -> "Clip":
        """Some of its frames, as a clip."""
        own = ("frames", "quality", "times", "faces", "boxes", "upside_down")
        cut = {name: values[frames] for name in own if (values := getattr(self, name)) is not None}
        return replace(self, **cut)


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
    return map(Aligner(smooth=smooth), tracked_frames)


class Aligner:
    """Aligns the faces of one track after the other, frame by frame, steadied over time."""

    def __init__(self, *, smooth: bool = True):
        self.smooth, self.steady, self.last_face = smooth, None, -1

    def __call__(self, tracked: TrackedFrame) -> AlignedFrame:
        """The aligned face of the next frame."""
        pts_s, image = tracked.frame
        if image is None or tracked.landmarks is None:
            self.steady = None
            return AlignedFrame(pts_s)
        if tracked.face != self.last_face:
            self.steady, self.last_face = None, tracked.face
        measured = similarity = face_similarity(tracked.landmarks)
        if self.smooth:
            self.steady, similarity = smooth_similarity(self.steady, measured, pts_s)
        face = warp_face(image, similarity)
        which = (tracked.confidence, tracked.face, similarity, measured, tracked.box)
        return AlignedFrame(pts_s, face, *which, tracked.upside_down)


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
    tracked = [without_picture(t) for t in track_faces(read(), landmarker, prefer=prefer)]
    posed = pose_faces(tracked, smooth=smooth)
    for number, (pts_s, image) in enumerate(read()):
        face = posed.get(number)
        if face is None or image is None:
            yield AlignedFrame(pts_s)
        else:
            yield face.crop(pts_s, image)


class PosedFace(NamedTuple):
    """A face in one frame: `at` is its place in the poses of its track."""

    tracked: TrackedFrame
    track: PosedTrack
    at: int

    def crop(self, pts_s: float, image: np.ndarray) -> AlignedFrame:
        """The face seen from the front, cut out of its picture."""
        track, seen = self.track, self.tracked
        crop = crop_posed(image, track.surface, track.used, self.at)
        used, measured = (
            plane_affine(track.face, p, self.at) for p in (track.used, track.measured)
        )
        which = (seen.confidence, seen.face, used, measured, seen.box, seen.upside_down)
        return AlignedFrame(pts_s, crop, *which)


def pose_faces(tracked: Sequence[TrackedFrame], *, smooth: bool = True) -> dict[int, PosedFace]:
    """The faces whose pose can be used, by place in `tracked`; see `pose_track`."""
    faces = np.array([t.face for t in tracked], int)
    posed = {}
    for face in np.unique(faces[faces >= 0]):
        own = np.flatnonzero(faces == face)
        points = np.stack([tracked[i].points for i in own.tolist()])
        times = np.array([tracked[i].frame.pts_s for i in own.tolist()])
        track, usable = pose_track(points, times, smooth=smooth)
        for at, number in enumerate(own[usable].tolist()):
            posed[number] = PosedFace(tracked[number], track, at)
    return posed


def without_picture(tracked: TrackedFrame) -> TrackedFrame:
    """What is known of a frame, without its pixels."""
    return tracked._replace(frame=VideoFrame(tracked.frame.pts_s, None))


def aligned_clip(
    video: str | Path | Source,
    *,
    landmarker: Landmarker | None = None,
    prefer: str = "largest",
    progress: bool = True,
) -> Clip:
    """Reads a whole video as a clip of aligned faces; 13 kB a frame whatever the video's size.

    `prefer` is as in `track_faces`. UserError: as `read_video` and `load_landmarker`; under two
    frames, or times that do not increase.
    """
    work = lambda frames, landmarker: (
        frame.row for frame in aligned_frames(frames, landmarker, prefer=prefer)
    )
    return read_clip(video, work, landmarker=landmarker, progress=progress)


def posed_clip(
    video: str | Path | Source,
    *,
    landmarker: Landmarker | None = None,
    prefer: str = "largest",
    progress: bool = True,
) -> Clip:
    """Reads a whole video as a clip of faces seen from the front, see `posed_frames`.

    It reads the file twice and needs 19 kB a frame. `prefer` and errors as in `aligned_clip`.
    """
    source, passes = as_source(video), iter(("landmarks", "faces"))
    read = lambda: source.shown(f"{source.path.name}, {next(passes)}", progress=progress)
    frames = posed_frames(read, landmarker or load_landmarker(), prefer=prefer)
    return as_clip([frame.row for frame in frames], source.path)


def read_clip(
    video: str | Path | Source,
    work: Work,
    *,
    landmarker: Landmarker | None = None,
    progress: bool = True,
) -> Clip:
    """Reads a whole video as a clip of what `work` makes of its frames; errors as `aligned_clip`.

    `work`: (frames, landmarker) -> for each frame its presentation time in seconds, the array that
    stands for it, confidence in 0..1, track number, box (4,) or None, whether it is upside down.
    """
    source = as_source(video)
    frames = source.shown(source.path.name, progress=progress)
    return as_clip(list(work(frames, landmarker or load_landmarker())), source.path)


def as_clip(rows: Sequence[Row], path: str | Path, *, fps: float | None = None) -> Clip:
    """A clip of rows as `read_clip` has them; its rate from their times, where not given.

    UserError: no row, and as `fps_of`.
    """
    if not rows:
        raise UserError(f"{path}: no frame could be decoded; copy it again or re-encode it")
    times, frames, confidence, faces, boxes, upside_down = zip(*rows, strict=True)
    times, faces = np.array(times, np.float64), np.array(faces, np.int32)
    unknown = np.full(4, np.nan, np.float32)
    return Clip(
        frames=np.stack(frames),
        quality=np.stack([faces >= 0, confidence], 1).astype(np.float32),
        times=times,
        fps=fps or fps_of(times, path),
        faces=faces,
        boxes=np.stack([unknown if box is None else box for box in boxes]),
        upside_down=np.array(upside_down, bool),
    )
