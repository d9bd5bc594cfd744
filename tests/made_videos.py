"""Video files as cameras and programs write them, good and odd."""

from fractions import Fraction

import av
import numpy as np


def ramp(count, height=48, width=64):
    """Pictures uint8 (count, height, width, 3): each brighter than the last, its left half more."""
    levels = np.linspace(20, 200, count).astype(np.uint8)[:, None, None, None]
    pictures = np.broadcast_to(levels, (count, height, width, 3)).copy()
    pictures[:, :, : width // 2] += 40
    return pictures


def write_video(
    path,
    pictures,
    *,
    codec="libx264",
    rate=30,
    tick=None,
    ticks=None,
    pixels="yuv420p",
    aspect=None,
    rotation=None,
    **options,
):
    """Writes pictures uint8 (n, h, w, 3), the n-th at `ticks[n]` times `tick` seconds."""
    tick = Fraction(tick or Fraction(1, 1) / rate)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.time_base = stream.codec_context.time_base = tick
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number if ticks is None else ticks[number], tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
