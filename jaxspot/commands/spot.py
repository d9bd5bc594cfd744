"""Finds micro- and macro-expressions in videos."""

import argparse
import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jaxspot.commands.running import command, command_parser

EPILOG = """\
A VIDEO is a file, a folder (searched at any depth), a pattern such as 'day1/*.mp4', or a folder of
pictures, which are taken in order of their names (it needs --fps).

For each video it writes DIR/<video name>/
  intervals.csv  one row an expression: face, kind (ME or MaE), onset, apex and offset as frames
                 from 1 (both ends included) and in seconds (offset: when its last frame ends);
                 score: the chance that the interval is right, 0..1 (weights without chances: the
                 height of the curve at the apex); rank: 1 for the highest score of the video
  frames.csv     one row a frame and face: its time, whether a face was found, the raw scores (0..1)
  scores.png     the scores over time with the intervals
  review.html    opens in a browser: look at each interval in the video, accept, reject, mend, save
  overlay.mp4    with --overlay: the video with face boxes, curves and intervals
  run.json, spotted.json  what they were made from: content, weights, options, thresholds
and with --export the same intervals as files of annotation tools, see `jaxspot export --help`

Where several videos have one name, they are named with their folders: s1/talk, s2/talk.
A video that was done before, by the same weights and options, is not done again: the same command
goes on where it was stopped. A video that cannot be read gives one line, the others are done; the
exit code is 2 then.

Most micro-expressions that any method finds are false: a person must look at each.
Scores say that a face moved, never what a person feels or means.

examples:
  jaxspot spot talk.mp4
  jaxspot spot --min-chance=0.1 --per-minute=3 talk.mp4
  jaxspot spot --subject=folder --out=spotted recordings
  jaxspot spot --face=all --overlay interview.mp4
  jaxspot spot --fps=200 SAMM_longvideos/006_1
  jaxspot train --config=synthetic:best --out=runs/demo
  jaxspot spot --weights=runs/demo --out=spotted talk.mp4
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes the results of each video; returns the exit code."""
    parser = command_parser("spot", __doc__, EPILOG)
    add_flags(parser)
    flags = parser.parse_args(argv)
    import cv2  # noqa: F401  (a library that it misses is told here, once)

    from jaxspot.own_video import WORK
    from jaxspot.workers import core_count, worker_pool

    with worker_pool(flags.workers or core_count(), preload=WORK) as pool:
        pool.start(core_count)  # so that they load while this process loads jax
        return spot(pool, flags)


def spot(pool: Any, flags: Any) -> int:
    """Spots the videos of the command line by the workers of a pool; returns the exit code."""
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.exports.formats import parse_formats
    from jaxspot.own_video.one import Options
    from jaxspot.own_video.videos import BrokenVideos, Stopped, spot_by

    formats = parse_formats(flags.export, labels=False) if flags.export is not None else ()
    chosen = (flags.face, flags.fps, flags.threshold, flags.min_chance, flags.per_minute)
    try:
        found = spot_by(
            pool,
            flags.videos,
            weights=flags.weights,
            out=flags.out,
            options=Options(*chosen),
            subject=flags.subject,
            formats=formats,
            overlay=flags.overlay,
            again=flags.again,
        )
    except (BrokenVideos, Stopped) as error:
        summarise(error.found, flags.out)
        raise
    summarise(found, flags.out)
    return 0


def add_flags(parser: Any) -> None:
    """Declares the flags."""
    flag = parser.add_argument
    flag(
        "--weights",
        metavar="DIR",
        help="a run's folder or a file of weights (default: those in jaxspot)",
    )
    flag("--out", default="spotted", metavar="DIR", help="results go here (default: %(default)s)")
    flag(
        "--face",
        choices=("largest", "left", "right", "all"),
        default="largest",
        help="which face of the picture to follow; all: each by itself (default: %(default)s)",
    )
    flag(
        "--fps",
        type=above_zero,
        metavar="N",
        help="take the frames as N a second, in place of the times in the file; for folders of"
        " pictures and files without times",
    )
    flag(
        "--subject",
        default="",
        metavar="NAME",
        help="fills the column subject; 'folder': the folders below VIDEO name the people",
    )
    flag(
        "--min-chance",
        type=chance,
        metavar="C",
        help="the least chance of an interval, 0..1; lower finds more, and more that is wrong"
        " (default: what gave the best F1 on people that the networks were not trained on)",
    )
    flag(
        "--threshold",
        type=pair,
        metavar="ME,MAE",
        help="for weights without chances: the least height of a peak of the smoothed, normalised"
        " curve (default: what was fitted in training)",
    )
    flag(
        "--per-minute",
        type=above_zero,
        metavar="N",
        help="keep only the N intervals of each kind a minute with the highest scores",
    )
    flag("--export", metavar="FORMATS", help="such as elan,boris: write these formats, too")
    flag("--overlay", action="store_true", help="write overlay.mp4, too")
    flag("--again", action="store_true", help="do videos again that were done before")
    flag(
        "--workers",
        type=count,
        metavar="N",
        help="processes that read videos, and stretches of a long one (default: one a core)",
    )
    flag("videos", nargs="+", metavar="VIDEO", help="see below")


def numbers(text: str, what: str, read: Callable[[str], Any], fits: Callable[[Any], bool]) -> Any:
    """What `read` makes of a flag's text; an error that names `what` where that does not fit."""
    with contextlib.suppress(ValueError):
        if fits(value := read(text)):
            return value
    raise argparse.ArgumentTypeError(f"must be {what}, not {text!r}")


def chance(text: str) -> float:
    """A number in 0..1."""
    return numbers(text, "a number from 0 to 1", float, lambda value: 0 <= value <= 1)


def above_zero(text: str) -> float:
    """A number above 0."""
    return numbers(text, "a number above 0", float, lambda value: 0 < value < math.inf)


def pair(text: str) -> tuple[float, float]:
    """Two numbers."""
    read = lambda text: tuple(map(float, text.split(",")))
    fits = lambda values: len(values) == 2 and all(map(math.isfinite, values))
    return numbers(text, "two numbers such as 0.4,0.3", read, fits)


def count(text: str) -> int:
    """A whole number, 1 or more."""
    return numbers(text, "a whole number, 1 or more", int, lambda value: value >= 1)


def summarise(found: Mapping[str, Any], out: str) -> None:
    """Prints how many of each kind a video has, and what to open: the page, or all folders."""
    for name, intervals in found.items():
        counts = intervals.kind.value_counts()
        print(f"{name}: {counts.get('MaE', 0)} MaE, {counts.get('ME', 0)} ME in {out}/{name}")
    if found:
        print(f"open {out}/{next(iter(found))}/review.html" if len(found) == 1 else f"open {out}")
