"""Measures how far region motion from pictures is from the true one, on synthetic videos.

Prints a row for each region, in pixels of the 112 crop: error of a frame (rms of a component,
median length, median where the region is at rest), of the displacement over 0.2 and 0.5 s, and
correlations. Writes nothing.

examples:
  jaxspot check_motion --level=easy,default,hard
"""

import sys
from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import choose_people
from jaxspot.synthetic.motion_error import motion_error


@command
def main(argv: Sequence[str]) -> int:
    """Prints a table for each level."""
    parser = command_parser("check_motion", __doc__)
    flag = parser.add_argument
    flag("--level", default="default", metavar="LEVEL,...", help=f"of {', '.join(LEVELS)}")
    flag("--subjects", type=int, default=8, help="each with one video (default: %(default)s)")
    flag("--seconds", type=float, default=20.0, help="of a video (default: %(default)s)")
    flag("--fps", type=float, default=30.0, help="frames a second (default: %(default)s)")
    flag("--seed", type=int, default=0, help="decides the videos (default: %(default)s)")
    flag("--workers", type=int, metavar="N", help="processes; one a core by default")
    flags = parser.parse_args(argv)
    people = [number - 1 for number in choose_people(flags.subjects)]
    scene = dict(seconds=flags.seconds, fps=flags.fps, seed=flags.seed, workers=flags.workers)
    for level in flags.level.split(","):
        table = motion_error(level, people=people, **scene)
        print(f"level {level}, {flags.subjects} subjects of {flags.seconds:g} s, {flags.fps:g} fps")
        print(table.to_string(index=False, float_format="%.3f"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
