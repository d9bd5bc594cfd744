"""Where the frames of a video come from: a file, or anything else that can be read again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.container import packet_times, probe, untimed
from jaxspot.video.decode import TICK_S, VideoFrame, read_video

EARLIER_S = (0.0, 10.0)
"""A jump may land behind the last key frame, as in MPEG-TS; then one from earlier is tried."""


@dataclass(frozen=True)
class Source:
    """A video that can be read several times.

    `path` is its place for messages, `count` how many frames it announces (0: not known), `read`
    gives them from the first on. `times` gives the times of all frames in seconds without decoding
    them (empty: they cannot be had so), and `jump` the frames from a time on.
    """

    path: Path
    count: int
    read: Callable[[], Iterable[VideoFrame]]
    times: Callable[[], list[float]] = list
    jump: Callable[[float], Iterable[VideoFrame]] | None = None

    def read_from(self, number: int, second: float) -> Iterable[VideoFrame]:
        """The frames from a number (from 0) on, which is shown at that second of `times`."""
        for early in EARLIER_S if number and self.jump else ():
            frames = self._jumped(max(0.0, second - early), second)
            try:
                first = next(frames, None)
            except UserError:  # it landed where nothing can be decoded
                continue
            if first is not None and abs(first.pts_s - second) <= TICK_S:
                return chain([first], frames)
        return islice(self.read(), number, None)

    def _jumped(self, begin: float, second: float) -> Iterator[VideoFrame]:
        assert self.jump is not None
        return (frame for frame in self.jump(begin) if frame.pts_s >= second - TICK_S)

    def shown(self, name: str, *, progress: bool) -> Iterable[VideoFrame]:
        """The frames, counted by a progress bar."""
        total = self.count or None
        return progress_bar(self.read(), desc=name, total=total, unit="frame", shown=progress)


def as_source(video: str | Path | Source, *, fps: float | None = None) -> Source:
    """The frames of a video file, at its own times or evenly at `fps`.

    UserError: as `probe`; without `fps`, a file that holds no times.
    """
    if isinstance(video, Source):
        return video
    path = Path(video)
    info = probe(path)
    if fps is None and not info.timed:
        raise untimed(path)
    if fps is not None:
        return Source(path, info.frames, lambda: read_video(path, fps=fps))
    jump = lambda second: read_video(path, from_s=second)
    return Source(path, info.frames, lambda: read_video(path), lambda: packet_times(path), jump)
