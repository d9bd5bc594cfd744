"""Measures how much a level of the synthetic videos lets through, before a network is trained.

Prints the frame AUC of gradient boosting on plain block differences, one subject left out at a
time. A level that is worth training on lies between chance (0.5) and certainty (1). Writes nothing.

examples:
  jaxspot check_difficulty --level=default
  jaxspot check_difficulty --benchmark --level=default,uneven --fps=200
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jaxspot.commands.running import command, command_parser
from jaxspot.configs import config_module
from jaxspot.errors import UserError
from jaxspot.evaluation.simple_features import information_check
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import synthetic_bank


@command
def main(argv: Sequence[str]) -> int:
    """Makes a bank of each level in a temporary folder and prints its table."""
    parser = command_parser("check_difficulty", __doc__)
    flag = parser.add_argument
    flag("--level", default="default", metavar="LEVEL,...", help=f"of {', '.join(LEVELS)}")
    flag("--benchmark", action="store_true", help="people, scenes and seed of the benchmark")
    flag("--subjects", type=int, metavar="N", help="each with one video (12, the benchmark: 24)")
    flag("--seconds", type=float, metavar="N", help="of a video (30, the benchmark at 200 fps: 15)")
    flag("--fps", type=float, default=30.0, help="frames a second (default: %(default)s)")
    flag("--seed", type=int, metavar="N", help="decides the videos (0, the benchmark: 1)")
    flags = parser.parse_args(argv)
    for level in flags.level.split(","):
        scene = scene_of(level, flags)
        with tempfile.TemporaryDirectory() as folder:
            table = information_check(synthetic_bank(Path(folder) / "bank", **scene))
        what = f"level {level}, {scene['subjects']} subjects of {scene['seconds']:g} s"
        print(f"{what}, {scene['fps']:g} fps")
        print(table.to_string(index=False, float_format="%.3f"), flush=True)
    return 0


def scene_of(level: str, flags: argparse.Namespace) -> dict:
    """What `synthetic_bank` takes, by the flags; UserError: the benchmark has no such bank."""
    scene: dict = dict(subjects=12, seconds=30.0, fps=flags.fps, level=level, seed=0)
    if flags.benchmark:
        known = config_module("synthetic").benchmarks()
        name = f"benchmark_{level}_{flags.fps:.0f}fps"
        if name not in known:
            raise UserError(f"there is no {name}; take one of {', '.join(known)}")
        scene = known[name]
    given = dict(subjects=flags.subjects, seconds=flags.seconds, seed=flags.seed)
    return scene | {key: value for key, value in given.items() if value is not None}


if __name__ == "__main__":
    sys.exit(main())
