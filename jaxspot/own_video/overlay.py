"""The video with what was spotted drawn into it: face boxes, running curves, intervals."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from jaxspot.spotting.video_file import FaceCurves, Spotted
from jaxspot.video.container import address
from jaxspot.video.frame_times import frame_ends
from jaxspot.video.source import Source

CODEC = "libx264"
CODEC_OPTIONS = {"crf": "20", "preset": "veryfast", "bf": "0"}  # bf: no edit list, times stay
TICK = Fraction(1, 90_000)
SHOWN_S = 5.0
"""Of the curves, up to the frame that is shown, which is in the middle."""
COLOURS = {"ME": (230, 120, 20), "MaE": (60, 140, 230)}
GRAY, WHITE, BACK = (150, 150, 150), (245, 245, 245), (24, 24, 24)
MIN_WIDTH = 320


def write_overlay(spotted: Spotted, source: Source, path: Path) -> None:
    """Writes a video (H.264, without sound) with the presentation times of the source.

    Below the picture, a strip for each face shows its smoothed curves around the frame and its
    intervals. A frame that is lost is black.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lasts = frame_ends(spotted.times) - spotted.times
    with av.open(address(path), "w", format="mp4") as container:
        stream = container.add_stream(CODEC, rate=30, options=CODEC_OPTIONS)
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = TICK
        stream.codec_context.thread_count = 1
        drawing, size = None, (240, MIN_WIDTH)
        for number, frame in enumerate(source.read()):
            if frame.image is not None and drawing is None:
                size = frame.image.shape[:2]
            drawing = drawing or Drawing(spotted, size)
            picture = drawing(number, frame.image)
            if not number:
                stream.height, stream.width = picture.shape[:2]
            shown = av.VideoFrame.from_ndarray(picture, format="rgb24")
            shown.pts, shown.time_base = round(frame.pts_s / TICK), TICK
            shown.duration = round(lasts[number] / TICK)
            container.mux(stream.encode(shown))
        container.mux(stream.encode())


class Drawing:
    """Draws the frames of a video of one picture size (height, width), one after the other."""

    def __init__(self, spotted: Spotted, size: tuple[int, int]):
        self.spotted, self.size = spotted, size
        self.scale = max(1.0, size[1] / 640)
        self.strip = round(max(56 * self.scale, size[0] / 7))
        faces = {face: rows for face, rows in spotted.intervals.groupby("face")}
        self.rows = faces
        self.width = max(size[1], MIN_WIDTH)
        height = size[0] + self.strip * max(1, len(spotted.curves))
        self.shape = (height + height % 2, self.width + self.width % 2)

    def __call__(self, number: int, image: np.ndarray | None) -> np.ndarray:
        """A frame (from 0) with its picture uint8 (h, w, 3), or black: uint8 (H, W, 3)."""
        canvas = np.full((*self.shape, 3), BACK, np.uint8)
        height, width = self.size
        if image is not None:
            shown = image if image.shape[:2] == self.size else cv2.resize(image, (width, height))
            canvas[:height, :width] = shown
        for place, curves in enumerate(self.spotted.curves):
            at = number - curves.first
            seen = 0 <= at < len(curves.faces) and curves.faces[at] >= 0
            if seen and curves.boxes is not None and image is not None:
                ratio = np.array([width / image.shape[1], height / image.shape[0]])
                box = curves.boxes[at] * np.tile(ratio, 2)
                self._box(canvas, box, int(curves.faces[at]), number)
            top = height + place * self.strip
            self._strip(canvas[top : top + self.strip, : self.width], curves, number)
        return canvas

    def _now(self, face: int, number: int) -> Any:
        rows: Any = self.rows.get(face)
        if rows is None:
            return self.spotted.intervals[:0]
        return rows[(rows.onset <= number + 1) & (number + 1 <= rows.offset)]

    def _box(self, canvas, box, face, number):
        left, top, right, bottom = box.round().astype(int).tolist()
        now = self._now(face, number)
        kind = now.kind.iloc[0] if len(now) else None
        colour, line = COLOURS.get(str(kind), GRAY), max(1, round(2 * self.scale))
        cv2.rectangle(canvas, (left, top), (right, bottom), colour, line)
        words = [f"{row.kind} {row.score:.2f}" for row in now.itertuples()]
        if len(self.spotted.curves) > 1:
            words.insert(0, f"face {face}")
        place = (max(left, 2), max(top - round(5 * self.scale), round(14 * self.scale)))
        self._write(canvas, "  ".join(words), place, colour)

    def _strip(self, strip, curves: FaceCurves, number: int) -> None:
        height, width = strip.shape[0], strip.shape[1]
        times, now = self.spotted.times, self.spotted.times[number]
        x = lambda seconds: ((np.asarray(seconds) - now) / SHOWN_S + 0.5) * width
        y = lambda score: (height - 3) - np.clip(score, 0, 1) * (height - 6)
        tracks = set(curves.faces[curves.faces >= 0].tolist())
        intervals: Any = self.spotted.intervals
        for row in intervals.itertuples():
            if row.face in tracks:
                low, high = x([row.onset_s, row.offset_s]).clip(0, width).astype(int)
                if high > low or 0 < low < width:
                    colour = COLOURS[str(row.kind)]
                    part = strip[:, low : max(high, low + 2)]
                    part[:] = (0.6 * part + 0.4 * np.array(colour)).astype(np.uint8)
        near = np.searchsorted(times, [now - SHOWN_S / 2, now + SHOWN_S / 2])
        near = np.clip(near - curves.first, 0, len(curves.smooth))
        own = slice(*near.tolist())
        at = times[curves.first : curves.first + len(curves.smooth)][own]
        for column, kind in enumerate(COLOURS):
            points = np.column_stack([x(at), y(curves.smooth[own, column])])
            known = np.isfinite(points).all(1)
            for part in np.split(points, np.flatnonzero(~known)):
                line = part[np.isfinite(part).all(1)].round().astype(np.int32)
                if len(line) > 1:
                    colour, wide = COLOURS[kind], max(1, round(1.5 * self.scale))
                    cv2.polylines(strip, [line], False, colour, wide, cv2.LINE_AA)
        cv2.line(strip, (width // 2, 0), (width // 2, height), WHITE, 1)
        first = f"face {min(tracks)}  " if len(self.spotted.curves) > 1 and tracks else ""
        self._write(strip, f"{first}{now:.2f} s", (4, round(14 * self.scale)), WHITE)
        for column, kind in enumerate(COLOURS):
            place = (4 + round(45 * self.scale * column), height - 6)
            self._write(strip, kind, place, COLOURS[kind])

    def _write(self, canvas, text, place, colour):
        font, size = cv2.FONT_HERSHEY_SIMPLEX, 0.42 * self.scale
        for shade, wide in ((BACK, 3), (colour, 1)):
            width = max(1, round(wide * self.scale))
            cv2.putText(canvas, text, place, font, size, shade, width, cv2.LINE_AA)
