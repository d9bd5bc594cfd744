"""Where a stream comes from: a camera, or a video file that is played."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.errors import UserError
from jaxspot.video.container import frame_rate
from jaxspot.video.decode import read_video

SETTLE_FRAMES = 10
"""The first frames of a camera come at no steady rate."""
RATE_FRAMES = 30
NEAR_WHOLE = 0.02
"""A measured rate that is this near to a whole number, relative to it, is that number."""
MOST_GAP_S = 5.0
"""A camera that gives nothing for longer has stopped."""


class Arrival(NamedTuple):
    """A frame of a stream.

    `number` counts frame times from 0; one that is passed over has no frame. `pts_s` is the time in
    seconds from the first frame, `image` uint8 (h, w, 3) RGB or None if lost. `came_s` is when it
    arrived, by `time.perf_counter`.
    """

    number: int
    pts_s: float
    image: np.ndarray | None
    came_s: float


class Stream(NamedTuple):
    """A source: its `name` for results, `fps`, whether its frames `wait` until they are taken."""

    name: str
    fps: float
    wait: bool
    arrivals: Iterator[Arrival]


def file_stream(path: str | Path, *, fast: bool = False, fps: float | None = None) -> Stream:
    """A video file as a stream, at its own speed, or as fast as frames are taken.

    Frames are numbered as in the file. `fps` is that of the whole file by default.

    Raises:
      UserError: as `read_video` and `fps_of`; reading goes on while frames are taken.
    """
    rate = fps or frame_rate(path)
    return Stream(Path(path).stem, rate, fast, _played(path, fast, fps))


def _played(path, fast, fps):
    start_s = -np.inf
    for number, (pts_s, image) in enumerate(read_video(path, fps=fps)):
        now = time.perf_counter()
        # Where decoding is late, the rest is played later: frames never come in a burst.
        start_s = max(start_s, now - pts_s)
        if not fast:
            time.sleep(start_s + pts_s - now)
        yield Arrival(number, pts_s, image, time.perf_counter())


def camera_stream(index: int, *, fps: float | None = None) -> Stream:
    """The frames of a camera, opened by OpenCV under its number.

    Its rate is measured over RATE_FRAMES frames unless `fps` is given.

    Raises:
      UserError: there is no such camera, or it gives no frames; later, if it stops giving them.
    """
    pictures = _pictures(_opened(index), index)
    rate = fps
    if rate is None:
        some = [at for at, _ in islice(pictures, SETTLE_FRAMES, SETTLE_FRAMES + RATE_FRAMES + 1)]
        rate = measured_rate(np.array(some))
    name = f"camera{index}-{time.strftime('%Y%m%d-%H%M%S')}"
    return Stream(name, rate, False, on_grid(pictures, rate))


def measured_rate(times: np.ndarray) -> float:
    """Frames per second of frames that arrived at times (n,) in seconds, two or more."""
    rate = (len(times) - 1) / float(times[-1] - times[0])
    near = max(1, round(rate))
    return float(near) if abs(rate - near) <= NEAR_WHOLE * near else rate


def on_grid(pictures: Iterator[tuple[float, np.ndarray]], fps: float) -> Iterator[Arrival]:
    """Numbers pictures (arrival in seconds, image) by the time at which they arrived.

    So a frame that the camera leaves out leaves out its number, and frame skips stay times. A
    picture that arrives up to a frame early takes the next number; one that is earlier still is
    one too many and is left out.
    """
    start_s, last = None, -1
    for came_s, image in pictures:
        start_s = came_s if start_s is None else start_s
        place = (came_s - start_s) * fps
        number = max(round(place), last + 1)
        if number - place < 1:
            last = number
            yield Arrival(number, came_s - start_s, image, came_s)


def _opened(index):
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        camera = cv2.VideoCapture(index)
    finally:
        cv2.utils.logging.setLogLevel(level)
    if not camera.isOpened():
        raise UserError(
            f"camera {index}: cannot be opened; connect it, close other programs that use it, or"
            " name another --camera"
        )
    return camera


def _pictures(camera, index):
    """Arrival and RGB image of each picture of a camera; it is released at the end."""
    seen_s = time.perf_counter()
    try:
        while True:
            here, image = camera.read()
            now = time.perf_counter()
            if here:
                seen_s = now
                yield now, cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            elif now - seen_s > MOST_GAP_S:
                raise UserError(f"camera {index}: gives no more frames; connect it again")
            else:
                time.sleep(0.01)
    finally:
        camera.release()
