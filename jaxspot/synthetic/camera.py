"""What stands between a face and its crop: things that pass, blur, a real video codec."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import av
import cv2
import numpy as np

from jaxspot.synthetic.heads import CROP

ENLARGED = 2
"""Crops are encoded at this many times their size: faces in videos are larger than crops."""


@dataclass(frozen=True)
class Passing:
    """A hand or a strand of hair in front of the face.

    `start`, `seconds`; `path` (2, 2): from and to, in crop pixels; `size` (2,): half axes of the
    ellipse, in pixels; `angle` in degrees; `gray` 0..255.
    """

    start: float
    seconds: float
    path: np.ndarray
    size: tuple[float, float]
    angle: float
    gray: float


@dataclass(frozen=True)
class Camera:
    """`blur` (T,) sd in pixels of each frame; what passes at `times` (T,); `crf` of H.264."""

    times: np.ndarray
    blur: np.ndarray
    passing: tuple[Passing, ...]
    crf: int


def film(
    frames: np.ndarray, camera: Camera, which: Sequence[int] | slice = slice(None)
) -> np.ndarray:
    """Frames uint8 (T, 112, 112) as this camera films them; `which` of its times they are."""
    times, blur = camera.times[which], camera.blur[which]
    filmed = [
        soften(cover(frame, camera.passing, time), sd)
        for frame, time, sd in zip(frames, times, blur, strict=True)
    ]
    return through_codec(np.stack(filmed), crf=camera.crf)


def cover(frame: np.ndarray, passing: tuple[Passing, ...], time: float) -> np.ndarray:
    """A frame uint8 with what passes at a time, in seconds, drawn over it."""
    for thing in passing:
        share = (time - thing.start) / thing.seconds
        if not 0 <= share <= 1:
            continue
        ease = np.clip(min(share, 1 - share) * 4, 0, 1)  # comes, stays, goes
        x, y = thing.path[0] + ease * (thing.path[1] - thing.path[0])
        mask = np.zeros((CROP, CROP), np.float32)
        box = ((float(x), float(y)), (2 * thing.size[0], 2 * thing.size[1]), thing.angle)
        cv2.ellipse(mask, box, 1.0, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.2)
        ramp = np.linspace(-12, 12, CROP, dtype=np.float32)[:, None]
        frame = (frame * (1 - mask) + np.clip(thing.gray + ramp, 0, 255) * mask).astype(np.uint8)
    return frame


def soften(frame: np.ndarray, sd: float) -> np.ndarray:
    """A frame after a Gaussian blur of `sd` pixels."""
    return frame if sd < 0.1 else cv2.GaussianBlur(frame, (0, 0), sd)


def through_codec(frames: np.ndarray, *, crf: int, rate: int = 30) -> np.ndarray:
    """Gray frames uint8 (T, h, w) after H.264 at a constant rate factor, in memory.

    Gray levels 16 to 235 of what is encoded are shown as 0 to 255: contrast rises by 16 %, and what
    is darker or brighter is lost, as with a camera of little latitude.
    """
    height, width = (ENLARGED * side for side in frames.shape[1:])
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        gray = np.full((height * 3 // 2, width), 128, np.uint8)
        for frame in frames:
            gray[:height] = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
            for packet in stream.encode(av.VideoFrame.from_ndarray(gray, format="yuv420p")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)
    memory.seek(0)
    with av.open(memory, "r") as encoded:
        shown = [frame.to_ndarray(format="gray") for frame in encoded.decode(video=0)]
    half = lambda image: cv2.resize(image, frames.shape[:0:-1], interpolation=cv2.INTER_AREA)
    return np.stack([half(image) for image in shown])
