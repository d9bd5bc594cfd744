"""Interlaced video: each picture holds lines of two moments, so that moving edges look combed."""

from itertools import islice
from pathlib import Path

import av

from jaxspot.errors import UserError
from jaxspot.video.container import opened

UNKNOWN, PROGRESSIVE = 0, 1  # of FFmpeg's AVFieldOrder; all others are interlaced
FEW = 3


def is_interlaced(path: str | Path) -> bool:
    """Whether a video file says so of itself, in its header or at its first pictures.

    UserError: as `probe`.
    """
    with opened(Path(path)) as (container, stream):
        order = stream.codec_context.field_order
        if order != UNKNOWN:
            return order != PROGRESSIVE
        try:
            return any(frame.interlaced_frame for frame in islice(container.decode(stream), FEW))
        except (av.FFmpegError, OSError):  # said where it is read
            return False


def say_interlaced(path: Path) -> list[str]:
    """A line on an interlaced video file."""
    try:
        combed = is_interlaced(path)
    except UserError:  # raised again when it is read
        return []
    line = f"{path}: is marked as interlaced; if moving edges look combed, mend it first, such as"
    return [f"{line} by ffmpeg -vf bwdif"] if combed else []
