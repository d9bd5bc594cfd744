"""Writing a video's results as a job of a worker, so that it alone loads what plots."""

from pathlib import Path
from typing import Any, NamedTuple

from jaxspot.own_video.inputs import Video
from jaxspot.own_video.reading import open_video
from jaxspot.spotting.video_file import Spotted


class Writing(NamedTuple):
    """A video's results and where they go, see `write_results`."""

    spotted: Spotted
    video: Video
    fps: float | None
    folder: Path
    partial: Path
    made_from: dict[str, Any]
    overlay: bool


def write_job(job: Writing) -> None:
    """Writes the results; errors as `write_results`."""
    from jaxspot.own_video.results import write_results

    write_results(
        job.folder,
        job.spotted,
        open_video(job.video, fps=job.fps),
        made_from=job.made_from,
        overlay=job.overlay,
        partial=job.partial,
    )


def load_writer() -> None:
    """Makes this process ready to write."""
    import jaxspot.own_video.results  # noqa: F401
