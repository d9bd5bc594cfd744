"""Finds micro- and macro-expressions in video files."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxspot.commands.running import command, command_parser

EPILOG = """\
For each VIDEO it writes DIR/<video name>/
  intervals.csv  one row an expression: kind (ME or MaE), onset, apex and offset as frames from 1
                 (both ends included) and in seconds; score: the chance that the interval is right,
                 0..1 (weights without chances: the height of the curve at the apex); rank: 1 for
                 the highest score of the video
  frames.csv     one row a frame: its time, whether a face was found, the raw scores (0..1)
  scores.png     the scores over time with the intervals
  review.html    opens in a browser: look at each interval in the video, accept, reject, mend, save
  spotted.json   the thresholds, and where the video is

A video that cannot be read gives one line, the others are done; the exit code is 2 then.

Most micro-expressions that any method finds are false: a person must look at each.
Scores say that a face moved, never what a person feels or means.

examples:
  jaxspot spot talk.mp4
  jaxspot spot --min-chance=0.1 --per-minute=3 talk.mp4
  jaxspot train --config=synthetic:best --out=runs/demo
  jaxspot spot --weights=runs/demo --out=spotted talk.mp4
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes intervals, frames and a plot for each video; returns the exit code."""
    parser = command_parser("spot", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--weights", metavar="DIR", help="a run's folder (default: the weights in jaxspot)")
    flag("--out", default="spotted", metavar="DIR", help="results go here (default: %(default)s)")
    flag(
        "--min-chance",
        type=chance,
        metavar="C",
        help="the least chance of an interval, 0..1; lower finds more, and more that is wrong"
        " (default: what gave the best F1 on people that the networks were not trained on)",
    )
    flag(
        "--per-minute",
        type=rate,
        metavar="N",
        help="keep only the N intervals of each kind a minute with the highest scores",
    )
    flag("videos", nargs="+", metavar="VIDEO", help="video files that PyAV can read")
    flags = parser.parse_args(argv)
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.report.clip_plot import plot_clip
    from jaxspot.review.page import write_review
    from jaxspot.spotting.spotter import spot_videos
    from jaxspot.spotting.video_file import BrokenVideos

    try:
        found = spot_videos(
            flags.videos,
            weights=flags.weights,
            out=flags.out,
            min_chance=flags.min_chance,
            per_minute=flags.per_minute,
            plot=plot_clip,
            review=write_review,
        )
    except BrokenVideos as error:
        summarise(error.found, flags.out)
        raise
    summarise(found, flags.out)
    return 0


def chance(text: str) -> float:
    """A number in 0..1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError
    return value


def rate(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def summarise(found: Mapping[str, Any], out: str) -> None:
    """Prints how many of each kind a video has, and what to open: the page, or all folders."""
    for name, intervals in found.items():
        counts = intervals.kind.value_counts()
        print(f"{name}: {counts.get('MaE', 0)} MaE, {counts.get('ME', 0)} ME in {out}/{name}")
    if found:
        print(f"open {out}/{next(iter(found))}/review.html" if len(found) == 1 else f"open {out}")
