"""Where the frames of a video come from: a file, or anything else that can be read again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from jaxspot.progress import progress_bar
from jaxspot.video.container import probe, untimed
from jaxspot.video.decode import VideoFrame, read_video


@dataclass(frozen=True)
class Source:
    """A video that can be read several times.

    `path` is its place for messages, `count` how many frames it announces (0: not known), `read`
    gives them from the first on.
    """

    path: Path
    count: int
    read: Callable[[], Iterable[VideoFrame]]

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
    return Source(path, info.frames, lambda: read_video(path, fps=fps))
