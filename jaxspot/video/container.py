"""A video file as a container: its one stream of pictures, and what its header announces."""

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
from jaxspot.video.frame_times import fps_of
from jaxspot.video.picture import page_count

NO_VIDEO = ("tty", "concat")  # text that FFmpeg draws, and a list of other files
PICTURES = ("_pipe", "image2")
NO_FILM = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image


class VideoInfo(NamedTuple):
    """What a file announces: `frames` (estimate, 0 when unknown), size in pixels, mean fps.

    `timed` is false for a bare stream of pictures, whose file cannot hold times. `streams` counts
    the streams of moving pictures, of which one is read.
    """

    frames: int
    height: int
    width: int
    fps: float
    timed: bool = True
    streams: int = 1


def probe(path: str | Path) -> VideoInfo:
    """What the header announces, without decoding; the size is that before it is turned.

    A TIFF file of several pictures is a video without times. UserError: the file is missing, empty,
    no video or without a video stream.
    """
    with opened(Path(path)) as (container, stream):
        rates = (stream.average_rate, stream.base_rate)  # either may be that of the ticks
        fps = float(min((rate for rate in rates if rate), default=0))
        seconds = announced_s(stream)
        frames = round(seconds * fps) if seconds else stream.frames
        pages = page_count(Path(path))
        timed = is_timed(container) and pages < 2
        size, films = (stream.height, stream.width), len(moving_streams(container))
        return VideoInfo(max(frames, pages, 0), *size, fps, timed, films)


def frame_rate(path: str | Path) -> float:
    """Frames a second of a video file as `fps_of` its frames' times, without decoding them.

    UserError: it cannot be read, holds no times, or has under two frames.
    """
    return fps_of(timed_packets(path), path)


def timed_packets(path: str | Path) -> np.ndarray:
    """`packet_times` as float64 (T,). UserError: as there, or there are none."""
    times = packet_times(path)
    if not times:
        raise untimed(Path(path))
    return np.array(times)


def has_audio(path: str | Path) -> bool:
    """Whether a video file has sound. UserError: as `probe`."""
    with opened(Path(path)) as (container, _):
        return bool(container.streams.audio)


def packet_times(path: str | Path) -> list[float]:
    """Presentation times in seconds that the packets carry, in order, without decoding them.

    As `read_video` gives them, if the file is whole; empty if packets carry none. UserError: the
    file is missing, empty, no video or without a video stream.
    """
    with opened(Path(path)) as (container, stream):
        start_s = (container.start_time or 0) / av.time_base
        step_s = float(stream.time_base or 0)
        if not is_timed(container) or page_count(Path(path)) > 1:
            return []
        try:
            packets = [  # no packet itself, which would keep its pictures in memory
                (packet.pts, packet.duration or 0)
                for packet in container.demux(stream)
                if packet.size and not packet.is_discard
            ]
        except av.FFmpegError as error:
            raise damaged(Path(path), 0.0) from error
        ticks = sorted(pts for pts, _ in packets if pts is not None)
        if not ticks or len(ticks) < len(packets):
            return []
        if ticks[-1] in ticks[-2:-1]:  # see `read_video`
            ticks[-1] += packets[-1][1]
        return [pts * step_s - start_s for pts in ticks]


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A video file and the stream to read: the default one, else the first; never a cover.

    UserError: as `probe`.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a video file in it")
    if not path.is_file():
        raise UserError(f"{path}: no such video file; check the path")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty; copy it again")
    try:
        container = av.open(address(path), metadata_errors="replace")
    except PermissionError as error:
        raise UserError(f"{path}: may not be read; check its permissions") from error
    except (av.FFmpegError, OSError) as error:
        reason = "not a video, or cut off before its index"
        raise UserError(f"{path}: {reason}; copy it again") from error
    with container:
        if container.format.name in NO_VIDEO:
            raise UserError(f"{path}: is text, not a video; name a video file")
        streams = moving_streams(container)
        if not streams:
            raise UserError(f"{path}: holds no video stream; give a file with pictures")
        default = lambda one: (bool(one.disposition & Disposition.default), one.frames != 1)
        yield container, max(streams, key=default)


def address(path: Path) -> str:
    """A path as FFmpeg takes it: what stands before a colon is no protocol."""
    return f"file:{path}"


def moving_streams(container: InputContainer) -> list[VideoStream]:
    """The streams of moving pictures that can be decoded."""
    streams = container.streams.video
    return [one for one in streams if one.codec_context and not one.disposition & NO_FILM]


def is_timed(container: InputContainer) -> bool:
    """Whether the file can hold times of its frames; pictures one after the other have none."""
    bare = container.format.flags & Flags.no_timestamps.value
    return not bare and not container.format.name.endswith(PICTURES)


def announced_s(stream: VideoStream) -> float:
    """Duration in seconds that the header announces for the stream; 0 when it does not."""
    container = stream.container
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    alone = len(container.streams) == 1
    return (getattr(container, "duration", None) or 0) / av.time_base if alone else 0.0


def untimed(path: Path) -> UserError:
    """The error of a file without times."""
    rate = "name their rate (--fps, or fps in a videos.csv)"
    return UserError(f"{path}: holds pictures without times; {rate}")


def damaged(path: Path, second: float) -> UserError:
    """The error of a file that cannot be read to its end."""
    return UserError(f"{path}: damaged or cut off at {second:.2f} s; copy it again or re-encode it")
