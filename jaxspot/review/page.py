"""Writes review.html: one page without network, on which a person checks the intervals."""

import json
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path

import jinja2
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.files import write_text
from jaxspot.review.packed import pack_video, read_found, read_frames
from jaxspot.review.pictures import interval_pictures
from jaxspot.spotting.decision import Decision, read_decision, video_address
from jaxspot.spotting.same_video import check_same_video, run_of
from jaxspot.video.landmarker import Landmarker

PAGE = "review.html"
SCRIPTS = ("data", "rows", "player", "curves", "picture", "pointer", "panels", "exports", "main")
"""In this order they become one script."""


def write_review(
    folder: str | Path,
    video: str | Path | None = None,
    *,
    place: str | Path | None = None,
    include_frames: bool = False,
    landmarker: Landmarker | None = None,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> Path:
    """Writes FOLDER/review.html from what `spot_videos` wrote there; it appears only when whole.

    The page holds the curves and intervals. It links the video and shows no face by itself.

    Args:
      folder: holds frames.csv and intervals.csv, and spotted.json, which has the thresholds and
        where the video is.
      video: the video file, if it is no longer where spotted.json says.
      place: where the folder will be at last, by default where it is: links start there.
      include_frames: whether the page itself holds small pictures of the face at onset, apex and
        offset of each interval, which takes as long as following the face through the video.
      landmarker: follows the face; by default loaded from the installed model.
      progress: whether to show frames done.
      say: is given a line where the video is not the file that was spotted.

    Returns:
      The path of the page.

    Raises:
      UserError: a table is missing or wrong, the video is another one than was spotted, or
        `include_frames` and it cannot be read.
    """
    folder, new = Path(folder), place is not None
    place = Path(place) if place is not None else folder
    frames = read_frames(folder / "frames.csv")
    intervals = read_found(folder / "intervals.csv", frames=len(frames))
    decision, address = read_decision(folder)
    if video is not None:
        if not Path(video).exists():
            raise UserError(f"{video}: no such video file; check the path")
        address = video_address(video, place)
    film = Path(video) if video is not None else place / address
    if address and not new:  # else `spot` has just read it
        for line in check_same_video(film, folder / "frames.csv"):
            say(line)
    told = pack_video(place.absolute().name, frames, intervals, decision)
    told |= dict(video=address, pictures=[])
    if include_frames:
        if not film.is_file():
            raise UserError(f"{film}: no such video file; name it by --video")
        fps = run_of(folder / "frames.csv").fps or None
        told["pictures"] = interval_pictures(
            film, frames, intervals, fps=fps, landmarker=landmarker, progress=progress
        )
    path = folder / PAGE
    write_text(path, _render(told, expected_sentences(intervals, decision)))
    return path


def expected_sentences(intervals: pd.DataFrame, decision: Decision) -> list[str]:
    """What to expect of the intervals, in plain sentences."""
    first = "Most micro-expressions that any method finds are false: a person must look at each."
    if decision.least_chance is None:
        return [first]
    chances = intervals.score.astype(float)
    counts = [int((intervals.kind == kind).sum()) for kind in KINDS]
    right = [float(chances[intervals.kind == kind].sum()) for kind in KINDS]
    among = " and ".join(
        f"about {sure:.0f} of the {count} {kind}"
        for kind, count, sure in zip(KINDS, counts, right, strict=True)
        if count
    )
    second = "The chance says how likely an interval is right"
    second += f": {among}." if among else "."
    third = "It was fitted on computer-made faces; expect fewer on real ones."
    return [first, second, third]


def script() -> str:
    """The page's JavaScript, all parts in one function of their own."""
    folder = files("jaxspot.review")
    parts = [folder.joinpath(f"{name}.js").read_text("utf-8") for name in SCRIPTS]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();"


def _render(told, expected: Sequence[str]) -> str:
    loader = jinja2.PackageLoader("jaxspot.review", ".")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    # No name may end the script element.
    data = json.dumps(told, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return environment.get_template("review.html.jinja").render(
        name=told["name"],
        chances=told["kinds"][0]["least_chance"] is not None,
        expected=expected,
        style=files("jaxspot.review").joinpath("review.css").read_text("utf-8"),
        script=script(),
        data=data,
    )
