"""The faces of a person's video, read by worker processes that need no jax."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError
from jaxspot.motion.pictures import MotionMeasure, motion_clip
from jaxspot.own_video.inputs import Video
from jaxspot.video.clip import Aligner, aligned_clip
from jaxspot.video.container import probe
from jaxspot.video.decode import VideoFrame
from jaxspot.video.face_clips import FaceClips, every_face, every_posed_face, whole_video
from jaxspot.video.landmarker import known_landmarker
from jaxspot.video.picture import read_image, used_bits
from jaxspot.video.posed_reading import Reading, read_posed
from jaxspot.video.source import Source, as_source
from jaxspot.workers import Pool

SHARES = {"aligned": (0.75,), "motion": (0.95,), "posed": (0.65, 0.15)}
"""Of the time of a video: each reading of it; the rest is the networks'."""
COLUMNS = 256


@dataclass(frozen=True)
class Progress:
    """How many frames of each video are done, in a file that several processes share.

    A row a video (`number`), and in it a column for each stretch that may be read at a time.
    """

    path: Path
    number: int

    def add(self, frames: float, column: int = -1) -> None:
        """Counts frames, or parts of them, as done; column -1 is that of the whole video."""
        at = -1 if column < 0 else column % (COLUMNS - 1)
        counts_of(self.path)[self.number, at] += frames


@cache
def counts_of(path: Path) -> np.ndarray:
    """The counts of a file, float64 (videos, COLUMNS)."""
    return np.memmap(path, np.float64, "r+").reshape(-1, COLUMNS)


def new_counts(path: Path, videos: int) -> np.ndarray:
    """Begins the file; gives its counts, all 0."""
    path.write_bytes(bytes(8 * COLUMNS * videos))
    return counts_of(path)


def read_faces(
    video: Video,
    kind: str,
    *,
    face: str,
    fps: float | None,
    folder: Path,
    progress: Progress,
    pool: Pool,
) -> FaceClips:
    """The faces of a video as a spotter takes them; errors as `aligned_clip`.

    `kind` is one of SHARES. `face` is "largest", "left" or "right" for one face at a time, or
    "all". Posed faces of one at a time stay in `folder`, see `read_posed`.
    """
    if kind != "posed" or face == "all":
        return pool.map(_read_whole, [(video, kind, face, fps, progress)])[0]
    follow, crop = (partial(progress.add, share) for share in SHARES[kind])
    open_ = partial(open_video, video, fps=fps)
    return whole_video(read_posed(Reading(open_, folder, face, follow, crop), pool))


def _read_whole(job: tuple[Video, str, str, float | None, Progress]) -> FaceClips:
    video, kind, face, fps, progress = job
    landmarker = known_landmarker()
    source = counted(open_video(video, fps=fps), SHARES[kind], progress.add)
    if face != "all":
        read = motion_clip if kind == "motion" else aligned_clip
        return whole_video(read(source, landmarker=landmarker, prefer=face, progress=False))
    if kind == "posed":
        return every_posed_face(source, landmarker=landmarker)
    measure = MotionMeasure if kind == "motion" else Aligner
    return every_face(source, measure, landmarker=landmarker)


def counted(
    source: Source, shares: tuple[float, ...], on_frame: Callable[[float], object]
) -> Source:
    """A source that tells, as it is read for the first, second ... time, what share that is."""
    left = iter(shares)

    def read() -> Iterator[VideoFrame]:
        share = next(left, 0.0)
        for frame in source.read():
            yield frame
            on_frame(share)

    return replace(source, read=read)


def open_video(video: Video, *, fps: float | None = None) -> Source:
    """A video's frames; of a folder of pictures evenly at `fps`.

    UserError: as `as_source`; pictures without `fps`, or of which none can be read.
    """
    if not video.path.is_dir():
        return as_source(video.path, fps=fps)
    if fps is None:
        raise UserError(f"{video.path}: is a folder of pictures; name its frame rate by --fps")
    rate = fps

    def read() -> Iterator[VideoFrame]:
        seen = False
        bits = used_bits(picture_files(video))
        for number, name in enumerate(video.pictures):
            image = read_image(video.path / name, bits=bits) if name else None
            seen = seen or image is not None
            yield VideoFrame(number / rate, image)
        if not seen:
            raise UserError(
                f"{video.path}: none of its pictures can be read; copy them again, or save as PNG"
            )

    return Source(video.path, len(video.pictures), read)


def picture_files(video: Video) -> list[Path]:
    """The pictures of a video that are not lost."""
    return [video.path / name for name in video.pictures if name]


def stream_lines(video: Video) -> list[str]:
    """A line for a file of several streams, of which one is read."""
    streams = 0 if video.path.is_dir() else probe(video.path).streams
    some = f"{video.path}: holds {streams} video streams; the default one was read"
    return [some] if streams > 1 else []


def load_reader() -> None:
    """Makes this process ready to read; the first video then begins at once."""
    known_landmarker()
