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


def pack_b_frames(path, pictures):
    """Writes pictures as XviD does: a P frame and its first B frame share a chunk of an AVI file.

    An empty frame stands for the last of a group.
    """
    chunks = []
    for data in _mpeg4(path.with_suffix(".m4v"), pictures):
        if _kind(data) != B_FRAME:
            chunks.append(data)
        elif chunks[-1] == EMPTY_FRAME:
            chunks.insert(-1, data)
        else:
            chunks[-1] += data
            chunks.append(EMPTY_FRAME)
    start = chunks[0].index(FRAME)
    chunks[0] = chunks[0][:start] + b"\0\0\1\xb2DivX503b1393p" + chunks[0][start:]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.codec_context.codec_tag = "yuv420p", "XVID"
        for number, data in enumerate(chunks):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 30)
            packet.pts = packet.dts = number
            packet.is_keyframe = not number
            container.mux(packet)
    return path


FRAME = b"\0\0\1\xb6"
EMPTY_FRAME = FRAME + bytes([0b01010000, 0b00101111])
B_FRAME = 2


def _kind(data):
    return data[data.index(FRAME) + 4] >> 6


def _mpeg4(path, pictures):
    options = dict(bf="2", b_strategy="0", g="600")
    write_video(path, pictures, codec="mpeg4", **options)
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]
