"""Finds micro- and macro-expressions in video files."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from jaxspot.commands.running import command_parser, run

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

example:
  make demo
  python launch/spot.py --weights=runs/demo --out=spotted talk.mp4
"""


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = command_parser("spot", __doc__, EPILOG)
    flags.add_argument(
        "--weights", required=True, metavar="DIR", help="a run's folder (or its spotter's)"
    )
    flags.add_argument("--out", required=True, metavar="DIR", help="results go here")
    flags.add_argument("videos", nargs="+", metavar="VIDEO", help="video files that PyAV can read")
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """Writes intervals, frames and a plot for each video; returns the exit code."""
    return run("spot", spot, argv)


def spot(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    flags = parser().parse_args(argv)
    from jaxspot.network.compiling import prepare_process

    prepare_process()
    from jaxspot.report.clip_plot import plot_clip
    from jaxspot.spotting.clip import BrokenVideos
    from jaxspot.spotting.spotter import spot_videos

    try:
        found = spot_videos(flags.videos, weights=flags.weights, out=flags.out, plot=plot_clip)
    except BrokenVideos as error:
        summarise(error.found, flags.out)
        raise
    summarise(found, flags.out)
    return 0


def summarise(found: Mapping[str, Any], out: str) -> None:
    """Prints a line for each video: how many of each kind, and where they are written."""
    for name, intervals in found.items():
        counts = intervals.kind.value_counts()
        print(f"{name}: {counts.get('MaE', 0)} MaE, {counts.get('ME', 0)} ME in {out}/{name}")
