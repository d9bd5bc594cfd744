"""The loop of live spotting: frame, face, crop, scores, view."""

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from jaxspot.live.newest import Newest
from jaxspot.live.posed import posed_so_far
from jaxspot.live.record import Record, Row, Spent
from jaxspot.live.scorer import LiveScorer
from jaxspot.live.sources import Arrival, Stream
from jaxspot.spotting.spotter import Spotter
from jaxspot.video.clip import AlignedFrame, aligned_faces
from jaxspot.video.decode import VideoFrame
from jaxspot.video.detector import detect_faces
from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import Region, fit_mesh
from jaxspot.video.tracker import TrackedFrame, track_faces

Follow = Callable[[Iterable[VideoFrame]], Iterator[TrackedFrame]]
Align = Callable[[Iterable[TrackedFrame]], Iterator[AlignedFrame]]


class Shown(NamedTuple):
    """What a view is given of a frame: the frame with its landmarks, and all that is recorded."""

    tracked: TrackedFrame
    record: Record


class View(Protocol):
    """Shows frames as they are scored."""

    def show(self, shown: Shown) -> bool:
        """Shows a frame; returns whether to go on."""
        ...


def watch(
    stream: Stream,
    spotter: Spotter,
    landmarker: Landmarker,
    *,
    view: View | None = None,
    prefer: str = "largest",
    seconds: float | None = None,
) -> Record:
    """Scores a stream until it ends, the view ends it, or an interrupt from the keyboard.

    A frame that cannot be taken in time is passed over: its row says that it is missing, and for
    the scores it counts as a frame without a face.

    Args:
      stream: the frames.
      spotter: its references are earlier than the frame, see `LiveScorer`.
      landmarker: finds the face.
      view: called with every frame that is taken.
      prefer: which of several faces, see `track_faces`.
      seconds: ends at this time of the stream.

    Raises:
      UserError: as `LiveScorer`, or of the stream.
    """
    scorer, record = LiveScorer(spotter, stream.fps), Record(stream.name, stream.fps)
    follow = partial(track_faces, landmarker=landmarker, prefer=prefer)
    align = posed_so_far if spotter.alignment == "posed" else aligned_faces
    warm_up(landmarker)
    newest = None if stream.wait else Newest(stream)
    frames = numbered(stream.arrivals if newest is None else newest, stream.fps)
    try:
        for shown in _scored(frames, scorer, record, follow, align):
            taken = shown.tracked.frame
            if view is not None and taken.image is not None and not view.show(shown):
                break
            if seconds is not None and taken.pts_s >= seconds:
                break
    except KeyboardInterrupt:
        pass
    finally:
        if newest is not None:
            newest.close()
            record.dropped = newest.dropped
    return record


def warm_up(landmarker: Landmarker) -> None:
    """Runs the face networks once: their first run takes many times as long as the others."""
    blank = np.zeros((480, 640, 3), np.uint8)
    detect_faces(landmarker, blank)
    fit_mesh(landmarker, blank, Region(320, 240, 200, 0))


def numbered(arrivals: Iterable[Arrival], fps: float) -> Iterator[tuple[float, Arrival | None]]:
    """Yields the time of every frame from number 0 on, with None for those passed over.

    Between two frames times are evenly spaced, before the first by the frame rate.
    """
    number, pts_s = -1, None
    for arrival in arrivals:
        steps = arrival.number - number
        pts_s = arrival.pts_s - steps / fps if pts_s is None else pts_s
        for place in range(1, steps):
            yield pts_s + place / steps * (arrival.pts_s - pts_s), None
        number, pts_s = arrival.number, arrival.pts_s
        yield pts_s, arrival


def _scored(
    frames: Iterable[tuple[float, Arrival | None]],
    scorer: LiveScorer,
    record: Record,
    follow: Follow,
    align: Align,
) -> Iterator[Shown]:
    # Each generator pulls one frame at a time, so what was noted last is of the frame at hand.
    came_s = taken_s = found_s = 0.0
    latest: list[TrackedFrame] = []

    def pictures():
        nonlocal came_s, taken_s
        for pts_s, arrival in frames:
            taken_s = time.perf_counter()
            came_s = taken_s if arrival is None else arrival.came_s
            yield VideoFrame(pts_s, None if arrival is None else arrival.image)

    def followed():
        nonlocal found_s
        for tracked in follow(pictures()):
            found_s = time.perf_counter()
            latest[:] = [tracked]
            yield tracked

    for face in align(followed()):
        aligned_s = time.perf_counter()
        p_me, p_mae = scorer.score(face.image, face.face).tolist()
        marks = (came_s, taken_s, found_s, aligned_s, time.perf_counter())
        missing = latest[0].frame.image is None
        spent = None if missing else Spent(*np.diff(marks).tolist())
        record.add(Row(face.pts_s, face.face, face.confidence, p_me, p_mae, missing, spent))
        yield Shown(latest[0], record)
