"""Scores a face while it is filmed, from this frame and earlier ones only."""

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jaxspot.commands.running import command, command_parser
from jaxspot.commands.spot import above_zero, chance

FACES = ("largest", "left", "right")
EPILOG = """\
It shows both scores, for micro-expressions (ME) and macro-expressions (MaE), and how long a frame
takes from its arrival to its scores. A frame that comes while older ones are still being scored is
dropped. q or Ctrl-C ends. Then it writes DIR/<video name>/
  frames.csv     one row a frame: its time, whether a face was found, the raw scores (0..1);
                 missing: 1 where the frame was dropped, or the camera left it out
  intervals.csv  the intervals in these scores, as `jaxspot spot` writes them
  scores.png     the scores over time with the intervals
No picture is kept, and nothing leaves this machine.

The weights must compare a frame with earlier ones only; those of `jaxspot spot` do not.

Most micro-expressions that any method finds are false: a person must look at each.
Scores say that a face moved, never what a person feels or means.

examples:
  jaxspot live
  jaxspot live --file=talk.mp4 --terminal
  jaxspot live --file=talk.mp4 --fast --weights=causal.npz --out=live
"""


@command
def main(argv: Sequence[str]) -> int:
    """Scores a camera or a file until it ends; returns the exit code."""
    parser = command_parser("live", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--camera", type=int, metavar="N", help="number of the camera (default: 0)")
    flag("--file", metavar="FILE", help="play a video file in place of a camera")
    flag("--fast", action="store_true", help="play the file without waiting and without drops")
    flag("--weights", metavar="FILE", help="default: causal.npz in jaxspot, where it is")
    flag("--out", default="live", metavar="DIR", help="results go here (default: %(default)s)")
    flag("--terminal", action="store_true", help="no window; the default without a display")
    flag("--face", default="largest", choices=FACES, help="which face (default: %(default)s)")
    flag("--fps", type=above_zero, metavar="N", help="frames a second (default: measured)")
    flag("--seconds", type=above_zero, metavar="N", help="end after so many seconds of the stream")
    flag("--min-chance", type=chance, metavar="C", help="the least chance of an interval, 0..1")
    given = parser.parse_args(argv)
    if given.file is not None and given.camera is not None:
        parser.error("--camera and --file do not go together; leave one out")
    if given.fast and given.file is None:
        parser.error("--fast needs --file; a camera has its own speed")
    from jaxspot.process import prepare_process

    prepare_process()
    return _run(given)


def _run(given: Any) -> int:
    from jaxspot.errors import UserError
    from jaxspot.live.latency import latency_line, missing_line
    from jaxspot.live.scorer import load_causal
    from jaxspot.live.sources import camera_stream, file_stream
    from jaxspot.live.watch import watch
    from jaxspot.own_video.done import check_folder
    from jaxspot.spotting.spotter import NO_JUDGE
    from jaxspot.video.landmarker import load_landmarker

    spotter = load_causal(given.weights)
    if given.min_chance is not None and spotter.judge is None:
        raise UserError(NO_JUDGE)
    if given.file is None:
        stream = camera_stream(given.camera or 0, fps=given.fps)
    else:
        stream = file_stream(given.file, fast=given.fast, fps=given.fps)
    folder = f"{given.out}/{stream.name}"
    check_folder(Path(folder))
    with _view(given.terminal) as view:
        record = watch(
            stream,
            spotter,
            load_landmarker(),
            view=view,
            prefer=given.face,
            seconds=given.seconds,
        )
    print(missing_line(record))
    if not record.rows:
        return 0
    print(latency_line(record.rows))
    found = record.write(given.out, spotter, min_chance=given.min_chance)
    counts = found.kind.value_counts()
    print(f"{counts.get('MaE', 0)} MaE, {counts.get('ME', 0)} ME in {folder}")
    print(f"open {folder}/scores.png")
    return 0


@contextlib.contextmanager
def _view(terminal):
    from jaxspot.live.keys import pressed_keys
    from jaxspot.live.terminal import TerminalView
    from jaxspot.live.window import WindowView, has_display

    if not terminal and has_display():
        with contextlib.closing(WindowView()) as view:
            yield view
    else:
        with pressed_keys() as key, contextlib.closing(TerminalView(sys.stderr, key)) as view:
            yield view
