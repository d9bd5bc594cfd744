"""Whether a video file is the one whose frames.csv `spot` wrote, or a copy of it."""

from pathlib import Path

import numpy as np

from jaxspot.datasets.spot_runs import SpotRun, find_run
from jaxspot.errors import UserError
from jaxspot.files import content_of
from jaxspot.video.container import packet_times

REMEDY = "name the video that was spotted"
ROUNDING_S = 0.001
EVEN_S = 2e-5
"""frames.csv has microseconds."""


def run_of(frames: Path) -> SpotRun:
    """What `spot` noted beside a frames.csv."""
    return find_run(frames, frames.parent.resolve().name)


def check_same_video(video: Path, frames: Path) -> list[str]:
    """Compares a video file with a frames.csv and the run.json beside it; returns a line, or none.

    A file of the content that was spotted is it. Any other, such as a copy in another format, needs
    as many frames at the same times, within half a frame; after `spot --fps` the times are others
    on purpose. A folder of pictures, and a file without times, is not compared.

    UserError: the file cannot be read, or is of another video.
    """
    if not video.is_file():
        return []
    run = run_of(frames)
    if run.content and content_of([video]) == run.content:
        return []
    times, starts = np.array(packet_times(video)), np.array(run.starts)
    if len(times) and len(times) != len(starts):
        raise UserError(
            f"{video}: has {len(times)} frames, but {frames} has {len(starts)}; {REMEDY}"
        )
    if len(times) > 1 and not run.fps:
        late = abs(times - starts) > np.median(np.diff(starts)) / 2 + ROUNDING_S
        if late.any() and not (_evenly(starts) and not run.content):
            at = int(np.argmax(late))
            raise UserError(
                f"{video}: frame {at + 1} starts at {times[at]:.3f} s, but in {frames} at"
                f" {starts[at]:.3f} s; {REMEDY}"
            )
    if not run.content:
        return []
    return [f"{video}: is not the file that was spotted; taken as a copy of it (as many frames)"]


def _evenly(starts):
    """As those of `spot --fps`, which no file tells where run.json is gone."""
    return bool(np.ptp(np.diff(starts)) < EVEN_S)
