"""What `spot` notes in the folder of a video: which file it was, and by which options."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxspot.annotations.columns import read_columns
from jaxspot.files import read_note

RUN, DECISION, FRAMES = "run.json", "spotted.json", "frames.csv"
FOUND, OVERLAY = "intervals.csv", "overlay.mp4"


def is_spotted(folder: Path) -> bool:
    """Whether `spot` wrote its results into a folder."""
    return (folder / RUN).is_file() and (folder / FOUND).is_file()


def is_overlay(path: Path) -> bool:
    """Whether a file is the overlay that `spot` wrote beside its results."""
    return path.name == OVERLAY and is_spotted(path.parent)


class SpotRun(NamedTuple):
    """A run of `spot` on a video; fields are empty where its folder does not tell.

    `video` is its file, which may be gone, `content` the hash of it (`content_of`), `fps` the rate
    that `--fps` gave it (0: its own times), `starts` when each frame starts, in seconds.
    """

    video: Path | None = None
    content: str = ""
    face: str = ""
    fps: float = 0.0
    starts: tuple[float, ...] = ()


def find_run(table: Path, video: str) -> SpotRun:
    """The run whose intervals a table reviews: in its folder, or in the one of the video beside."""
    folder = table.parent if table.parent.resolve().name == video else table.parent / video
    run, decision = read_note(folder / RUN), read_note(folder / DECISION)
    options = run.get("options")
    options = options if isinstance(options, dict) else {}
    named = decision.get("video")
    fps = options.get("fps")
    return SpotRun(
        folder / named if isinstance(named, str) and named else None,
        str(run.get("video_sha256") or ""),
        str(options.get("face") or ""),
        float(fps) if isinstance(fps, int | float) else 0.0,
        _starts(folder / FRAMES),
    )


def other_times(onsets: np.ndarray, seconds: np.ndarray, starts: tuple[float, ...]) -> np.ndarray:
    """Which frames (from 1) start at other seconds than those; bool. NaN and no frame: none."""
    frames = np.where((onsets >= 1) & (onsets <= len(starts)), onsets, np.nan)
    known = ~np.isnan(frames) & ~np.isnan(seconds) & (len(starts) > 1)
    wrong = np.zeros(len(frames), bool)
    times = np.asarray(starts)[frames[known].astype(int) - 1]
    wrong[known] = np.abs(times - seconds[known]) > 0.5 * np.median(np.diff(starts or (0.0, 0.0)))
    return wrong


def _starts(file: Path) -> tuple[float, ...]:
    if not file.is_file():
        return ()
    rows = read_columns(file, {"frame": int, "pts_s": float}).drop_duplicates("frame")
    return tuple(rows.pts_s.tolist())
