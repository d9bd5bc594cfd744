"""How much a level of the synthetic videos lets through, before any network is trained.

    python launch/check_difficulty.py --level=default
    python launch/check_difficulty.py --benchmark --level=default,uneven --fps=200

Prints the frame AUC of gradient boosting on plain block differences, one subject left out at a
time. A level that is worth training on lies between chance (0.5) and certainty (1).
"""

import sys
import tempfile
from pathlib import Path

from configs.synthetic import benchmarks
from jaxspot.commands.running import command_parser, run
from jaxspot.errors import UserError
from jaxspot.evaluation.information import information_check
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import synthetic_bank


def scene_of(level, flags) -> dict:
    """What `synthetic_bank` takes, by the flags; UserError: the benchmark has no such bank."""
    scene: dict = dict(subjects=12, seconds=30.0, fps=flags.fps, level=level, seed=0)
    if flags.benchmark:
        known, name = benchmarks(), f"benchmark_{level}_{flags.fps:.0f}fps"
        if name not in known:
            raise UserError(f"there is no {name}; take one of {', '.join(known)}")
        scene = known[name]
    given = {name: getattr(flags, name) for name in ("subjects", "seconds", "seed")}
    return scene | {name: value for name, value in given.items() if value is not None}


def check(argv):
    """Make a bank of each level in a temporary folder and print its table."""
    parser = command_parser("check_difficulty", __doc__, "")
    add = parser.add_argument
    add("--level", default="default", help=f"one or more of {','.join(LEVELS)}")
    add("--benchmark", action="store_true", help="people, scenes and seed of the benchmark")
    add("--subjects", type=int, help="each one video (12, the benchmark: 24)")
    add("--seconds", type=float, help="of a video (30, the benchmark at 200 fps: 15)")
    add("--fps", type=float, default=30.0, help="frames a second; the benchmark has 30 and 200")
    add("--seed", type=int, help="decides the videos (0, the benchmark: 1)")
    flags = parser.parse_args(argv)
    for level in flags.level.split(","):
        scene = scene_of(level, flags)
        with tempfile.TemporaryDirectory() as folder:
            table = information_check(synthetic_bank(Path(folder) / "bank", **scene))
        what = f"level {level}, {scene['subjects']} subjects of {scene['seconds']:g} s"
        print(f"{what}, {scene['fps']:g} fps")
        print(table.to_string(index=False, float_format="%.3f"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(run("check_difficulty", check, sys.argv[1:]))
