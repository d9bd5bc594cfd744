"""What exports need to know of a video: its file, the times of its frames, whether it has sound."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxspot.annotations.columns import read_columns
from jaxspot.errors import UserError
from jaxspot.spotting.decision import video_address
from jaxspot.video.container import has_audio, packet_times
from jaxspot.video.frame_times import fps_of, frame_ends


@dataclass(frozen=True)
class Medium:
    """A video to which intervals belong.

    `file` is its path from the folder of the export, or "" if it is not known; `starts` (T,) are
    the times in seconds at which frames start, or None. `audio`: whether the file has sound.
    """

    name: str
    file: str = ""
    starts: np.ndarray | None = None
    audio: bool = False

    @property
    def fps(self) -> float | None:
        """Frames a second, or None."""
        return None if self.starts is None else fps_of(self.starts, self.name)

    @property
    def duration_s(self) -> float | None:
        """When the last frame ends, in seconds, or None."""
        if self.starts is None:
            return None
        return round(float(frame_ends(self.starts)[-1]), 6)


def find_medium(
    name: str, *, out: Path, video: Path | None = None, frames: Path | None = None
) -> Medium:
    """The video called `name`, from its file and the frames.csv of `spot`, each if known.

    `out` is the folder of the export. UserError: a file cannot be read, or carries no times.
    """
    starts = None
    if frames is not None:
        # A frame that shows several faces has a row for each.
        rows = read_columns(frames, {"frame": int, "pts_s": float}).drop_duplicates("frame")
        starts = rows.pts_s.to_numpy(float)
    elif video is not None:
        starts = np.array(packet_times(video))
        if not len(starts):
            raise UserError(f"{video}: its frames carry no times; re-encode it, such as to .mp4")
    if starts is not None:
        fps_of(starts, frames or video or name)
    if video is None:
        return Medium(name, starts=starts)
    audio = video.is_file() and has_audio(video)
    return Medium(name, video_address(video, out), starts, audio)
