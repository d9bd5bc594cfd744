"""A view in a window: the picture with the face box, and both curves below it."""

import os
import sys
import time

import cv2
import numpy as np

from jaxspot.errors import UserError
from jaxspot.live.curves import latest_latency_ms, recent
from jaxspot.live.record import Record
from jaxspot.live.watch import Shown
from jaxspot.video.tracker import TrackedFrame

TITLE = "jaxspot live"
WIDTH, STRIP = 640, 90
CURVE_S = 10.0
REDRAW_S = 1 / 25
KINDS = (("ME", (14, 127, 255)), ("MaE", (180, 119, 31)))  # blue, green, red
GRAY, WHITE = (90, 90, 90), (255, 255, 255)
FONT = cv2.FONT_HERSHEY_SIMPLEX
ESCAPE = 27


def has_display() -> bool:
    """Whether a window can be opened."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


class WindowView:
    """Shows a window; "q", Escape or closing it ends."""

    def __init__(self):
        self._next_s = 0.0
        try:
            cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE)
        except cv2.error as error:
            raise UserError(f"no window can be opened ({error.err}); take --terminal") from error

    def show(self, shown: Shown) -> bool:
        """Draws the window if it is time; returns whether to go on."""
        now = time.perf_counter()
        if now < self._next_s:
            return True
        self._next_s = now + REDRAW_S
        cv2.imshow(TITLE, draw(shown.tracked, shown.record))
        if cv2.waitKey(1) & 0xFF in (ord("q"), ord("Q"), ESCAPE):
            return False
        return cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()


def draw(tracked: TrackedFrame, record: Record) -> np.ndarray:
    """What the window shows of a frame with a picture: uint8 (h, WIDTH, 3), blue, green, red."""
    image = tracked.frame.image
    assert image is not None
    scale = WIDTH / image.shape[1]
    picture = cv2.resize(image[..., ::-1], (WIDTH, round(scale * image.shape[0])))
    if tracked.landmarks is not None:
        low, high = tracked.landmarks.min(0) * scale, tracked.landmarks.max(0) * scale
        cv2.rectangle(picture, low.astype(int).tolist(), high.astype(int).tolist(), WHITE, 1)
    line = f"{latest_latency_ms(record):.0f} ms   {record.missing} missing"
    line += "" if tracked.landmarks is not None else "   no face"
    cv2.putText(picture, line, (8, 20), FONT, 0.5, WHITE, 1, cv2.LINE_AA)
    curves = recent(record, CURVE_S)
    strips = [strip(curves[:, number], *kind) for number, kind in enumerate(KINDS)]
    return np.concatenate([picture, *strips])


def strip(curve: np.ndarray, kind: str, colour: tuple[int, int, int]) -> np.ndarray:
    """A curve (n,) of 0..1 over the width, NaN left out: uint8 (STRIP, WIDTH, 3)."""
    panel = np.full((STRIP, WIDTH, 3), 30, np.uint8)
    top, bottom = 8, STRIP - 8
    cv2.line(panel, (0, (top + bottom) // 2), (WIDTH, (top + bottom) // 2), GRAY, 1)
    x = np.linspace(0, WIDTH - 1, len(curve))
    known = np.isfinite(curve)
    for part in np.split(np.arange(len(curve)), np.flatnonzero(np.diff(known)) + 1):
        if known[part[0]]:
            y = bottom - curve[part] * (bottom - top)
            points = np.stack([x[part], y], 1).round().astype(np.int32)
            cv2.polylines(panel, [points], False, colour, 2, cv2.LINE_AA)
    last = f"{curve[-1]:.2f}" if known[-1] else "-"
    cv2.putText(panel, f"{kind} {last}", (8, 24), FONT, 0.5, WHITE, 1, cv2.LINE_AA)
    return panel
