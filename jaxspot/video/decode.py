"""A video as frames in presentation order, with their own times and the right way up."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from jaxspot.video.container import announced_s, damaged, is_timed, opened, untimed
from jaxspot.video.frame_times import in_order
from jaxspot.video.geometry import (
    EXIF_CODECS,
    check_pixels,
    display_matrix,
    exif_mirror,
    square_pixels,
    upright,
)
from jaxspot.video.picture import page_count, read_pages

EARLY_END_S = 0.5
TICK_S = 1e-5
MOST_DELAY = 16  # frames; no codec delays a picture by more
NO_PRESENTATION = "avi"  # the container that keeps times for decoding only


class VideoFrame(NamedTuple):
    """One frame: `pts_s` seconds from the start, `image` uint8 (h, w, 3) RGB or None if lost."""

    pts_s: float
    image: np.ndarray | None


def read_video(
    path: str | Path, *, fps: float | None = None, from_s: float = 0.0
) -> Iterator[VideoFrame]:
    """Yields every frame in presentation order; memory use does not grow with the video.

    Times are the presentation time stamps, counted from where the container starts. They are not
    computed from frame number and fps; with `fps`, they are, and those of the file do not count.
    Pictures are as they are shown: with square pixels, turned and mirrored by the display matrix.
    Of several streams, the default one is read. A TIFF file of several pictures is a video, too.

    Frames before `from_s` seconds are left out. The file is read from the key frame before; one
    without an index may begin later than asked. It does not go with `fps`.

    Raises:
        UserError: the file is missing or empty, is not a video, has no video stream, has a packet
            that cannot be decoded, or ends before the time given in its header; without `fps`, it
            holds no times, or they do not increase.
    """
    path = Path(path)
    if page_count(path) > 1:
        if fps is None:
            raise untimed(path)
        yield from (VideoFrame(n / fps, image) for n, image in enumerate(read_pages(path)))
        return
    with opened(path) as (container, stream):
        if fps is None and not is_timed(container):
            raise untimed(path)
        ratio = check_pixels(stream.sample_aspect_ratio, path)
        codec = stream.codec_context.codec.canonical_name
        mirrored = exif_mirror(_first_packet(path)) if codec in EXIF_CODECS else None
        if from_s > 0:
            _seek(container, stream, from_s)
        frames = _decoded(path, container, stream)
        if fps is None:
            swapped = container.format.name == NO_PRESENTATION and stream.codec_context.has_b_frames
            frames = in_order(frames, path, late=MOST_DELAY if swapped else 0)
        for number, (pts_s, frame) in enumerate(frames):
            if pts_s < from_s - TICK_S:
                continue
            image = square_pixels(frame.to_ndarray(format="rgb24"), ratio)
            matrix = display_matrix(frame, codec) if mirrored is None else mirrored
            shown = upright(image, matrix)
            yield VideoFrame(pts_s if fps is None else number / fps, shown)


def _first_packet(path):
    with opened(path) as (container, stream):
        try:
            return next((bytes(one) for one in container.demux(stream) if one.size), b"")
        except av.FFmpegError as error:
            raise damaged(path, 0.0) from error


def _seek(container, stream, second):
    tick = (container.start_time or 0) / av.time_base + second
    try:
        container.seek(int(tick / stream.time_base), stream=stream)
    except av.FFmpegError:  # no index
        container.seek(0)


def _decoded(path, container, stream) -> Iterator[tuple[float, av.VideoFrame]]:
    """Each frame with the time that stands at it."""
    stream.thread_type = "AUTO"
    start_s = (container.start_time or 0) / av.time_base
    step_s = 1 / float(stream.guessed_rate or 25)
    end_s, last_s = 0.0, -np.inf
    frames = container.decode(stream)
    while True:
        try:
            frame = next(frames, None)
        except av.FFmpegError as error:
            raise damaged(path, end_s) from error
        if frame is None:
            break
        if frame.is_corrupt:
            raise damaged(path, end_s)
        pts_s = end_s if frame.pts is None else frame.time - start_s
        # No packet follows the last one; FFmpeg may guess that it has the time of the one before.
        if frame.dts is None and pts_s == last_s:
            pts_s = end_s
        last_s = max(last_s, pts_s)
        duration_s = float((frame.duration or 0) * (frame.time_base or 0))
        end_s = max(end_s, pts_s + max(step_s, duration_s))
        yield pts_s, frame
    first_s = float((stream.start_time or 0) * (stream.time_base or 0)) - start_s
    if end_s + EARLY_END_S < first_s + announced_s(stream):
        raise damaged(path, end_s)
