"""A video as frames in presentation order, with their own times and the right way up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.format import Flags
from av.stream import Disposition
from av.video.stream import VideoStream

from jaxspot.errors import UserError

EARLY_END_S = 0.5
TICK_S = 1e-5
# PyAV 18 has no name for EXIF among a frame's side data; asked for any of it, it crashes.
EXIF_CODECS = ("mjpeg", "png", "apng", "webp", "tiff", "jpegxl")
NO_VIDEO = ("tty", "concat")  # text that FFmpeg draws, and a list of other files


class VideoFrame(NamedTuple):
    """One frame: `pts_s` seconds from the start, `image` uint8 (h, w, 3) RGB or None if lost."""

    pts_s: float
    image: np.ndarray | None


class VideoInfo(NamedTuple):
    """What a file announces: `frames` (estimate, 0 when unknown), size in pixels, mean fps.

    `timed` is false for a bare stream of pictures, whose file cannot hold times.
    """

    frames: int
    height: int
    width: int
    fps: float
    timed: bool = True


def probe(path: str | Path) -> VideoInfo:
    """What the header announces, without decoding; the size is that before rotation.

    UserError: the file is missing, empty, no video or without a video stream.
    """
    with _opened(Path(path)) as (container, stream):
        fps = float(stream.average_rate or 0)
        seconds = _announced_s(stream)
        frames = round(seconds * fps) if seconds else stream.frames
        timed = not container.format.flags & Flags.no_timestamps.value
        return VideoInfo(max(frames, 0), stream.height, stream.width, fps, timed)


def has_audio(path: str | Path) -> bool:
    """Whether a video file has sound. UserError: as `probe`."""
    with _opened(Path(path)) as (container, _):
        return bool(container.streams.audio)


def packet_times(path: str | Path) -> list[float]:
    """Presentation times in seconds that the packets carry, in order, without decoding them.

    As `read_video` gives them, if the file is whole; empty if packets carry none. UserError: the
    file is missing, empty, no video or without a video stream.
    """
    with _opened(Path(path)) as (container, stream):
        start_s = (container.start_time or 0) / av.time_base
        step_s = float(stream.time_base or 0)
        try:
            packets = [packet for packet in container.demux(stream) if packet.size]
        except av.FFmpegError as error:
            raise _damaged(Path(path), 0.0) from error
        times = [packet.pts for packet in packets if not packet.is_discard]
        known = [pts * step_s - start_s for pts in times if pts is not None]
        return sorted(known) if len(known) == len(times) else []


def read_video(path: str | Path, *, from_s: float = 0.0) -> Iterator[VideoFrame]:
    """Yields every frame in presentation order; memory use does not grow with the video.

    Times are the presentation time stamps, counted from where the container starts. They are not
    computed from frame number and fps. The display matrix (rotation, mirroring) is applied.

    Args:
        path: the file.
        from_s: frames before this time are left out. The file is read from the key frame before
            it; one without an index may begin later than asked.

    Raises:
        UserError: the file is missing or empty, is not a video, has no video stream, has a packet
            that cannot be decoded, or ends before the time given in its header.
    """
    path = Path(path)
    with _opened(path) as (container, stream):
        stream.thread_type = "AUTO"
        start_s = (container.start_time or 0) / av.time_base
        codec = stream.codec_context.codec.canonical_name
        step_s = 1 / float(stream.average_rate or 25)
        end_s = 0.0
        if from_s > 0:
            _seek(container, stream, start_s + from_s)
        frames = container.decode(stream)
        while True:
            try:
                frame = next(frames, None)
            except av.FFmpegError as error:
                raise _damaged(path, end_s) from error
            if frame is None:
                break
            if frame.is_corrupt:
                raise _damaged(path, end_s)
            pts_s = end_s if frame.pts is None else frame.time - start_s
            duration_s = float((frame.duration or 0) * (frame.time_base or 0))
            end_s = pts_s + max(step_s, duration_s)
            if pts_s < from_s - TICK_S:
                continue
            image = frame.to_ndarray(format="rgb24")
            yield VideoFrame(pts_s, upright(image, _matrix(frame, codec)))
        first_s = float((stream.start_time or 0) * (stream.time_base or 0)) - start_s
        if end_s + EARLY_END_S < first_s + _announced_s(stream):
            raise _damaged(path, end_s)


def upright(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Turns an image (h, w, ...) as its display matrix (2, 2) asks, to the nearest quarter turn.

    The matrix is FFmpeg's: output x = m[0,0] x + m[1,0] y, output y = m[0,1] x + m[1,1] y.
    """
    if abs(matrix[0, 0]) >= abs(matrix[1, 0]):
        along_x, along_y = matrix[0, 0], matrix[1, 1]
    else:
        image = image.swapaxes(0, 1)
        along_x, along_y = matrix[1, 0], matrix[0, 1]
    if along_x < 0:
        image = image[:, ::-1]
    if along_y < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)


def turn_matrix(degrees: float) -> np.ndarray:
    """Display matrix (2, 2) of a turn by degrees, counterclockwise, without mirroring."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def _seek(container, stream, second: float) -> None:
    try:
        container.seek(int(second / stream.time_base), stream=stream)
    except av.FFmpegError:  # no index: read on from the start
        container.seek(0)


def _matrix(frame: av.VideoFrame, codec: str) -> np.ndarray:
    if codec in EXIF_CODECS:
        return turn_matrix(frame.rotation)
    try:
        side = frame.side_data["DISPLAYMATRIX"]  # pyright: ignore[reportGeneralTypeIssues]
    except KeyError:
        return np.eye(2)
    return np.frombuffer(side, np.int32).reshape(3, 3)[:2, :2]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a video file in it")
    if not path.is_file():
        raise UserError(f"{path}: no such video file; check the path")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; copy it again")
    try:
        container = av.open(str(path))
    except PermissionError as error:
        raise UserError(f"{path}: may not be read; check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        reason = "not a video, or cut off before its index"
        raise UserError(f"{path}: {reason}; copy it again") from error
    with container:
        if container.format.name in NO_VIDEO:
            raise UserError(f"{path}: is text, not a video; name a video file")
        for stream in container.streams.video:
            if not stream.disposition & Disposition.attached_pic and stream.codec_context:
                break
        else:
            raise UserError(f"{path}: holds no video stream; give a file with pictures")
        yield container, stream


def _announced_s(stream: VideoStream) -> float:
    """Duration in seconds that the header announces for the stream; 0 when it does not."""
    container = stream.container
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1
    return (getattr(container, "duration", None) or 0) / av.time_base if alone else 0.0


def _damaged(path: Path, second: float) -> UserError:
    return UserError(f"{path}: damaged or cut off at {second:.2f} s; copy it again or re-encode it")
