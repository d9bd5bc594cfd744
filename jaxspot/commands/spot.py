"""Finds micro- and macro-expressions in video files."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxspot.commands.running import command, command_parser

EPILOG = """\
For each VIDEO it writes DIR/<video name>/
  intervals.csv  one row an expression: kind (ME or MaE), onset, apex and offset as frames from 1
                 (both ends included) and in seconds, and the score at the apex,
                 on the smoothed scale of the threshold
  frames.csv     one row a frame: its time, whether a face was found, the raw scores (0..1)
  scores.png     the scores over time with the intervals

A video that cannot be read gives one line, the others are done; the exit code is 2 then.

Most micro-expressions that any method finds are false: a person must look at each.
Scores say that a face moved, never what a person feels or means.

examples:
  jaxspot spot talk.mp4
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
    flag("videos", nargs="+", metavar="VIDEO", help="video files that PyAV can read")
    flags = parser.parse_args(argv)
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.report.clip_plot import plot_clip
    from jaxspot.spotting.spotter import spot_videos
    from jaxspot.spotting.video_file import BrokenVideos

    try:
        found = spot_videos(flags.videos, weights=flags.weights, out=flags.out, plot=plot_clip)
    except BrokenVideos as error:
        summarise(error.found, flags.out)
        raise
    summarise(found, flags.out)
    return 0


def summarise(found: Mapping[str, Any], out: str) -> None:
    """Prints how many of each kind a video has, and what to open: the plot, or all folders."""
    for name, intervals in found.items():
        counts = intervals.kind.value_counts()
        print(f"{name}: {counts.get('MaE', 0)} MaE, {counts.get('ME', 0)} ME in {out}/{name}")
    if found:
        print(f"open {out}/{next(iter(found))}/scores.png" if len(found) == 1 else f"open {out}")
