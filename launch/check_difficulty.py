"""How much a level of the synthetic videos lets through, before any network is trained.

    python launch/check_difficulty.py --level=default
    python launch/check_difficulty.py --benchmark --level=default,uneven --fps=200

Prints the frame AUC of gradient boosting on plain block differences, one subject left out at a
time. A level that is worth training on lies between chance (0.5) and certainty (1).
"""

import sys
import tempfile
from pathlib import Path

from absl import app, flags

from configs.synthetic import benchmarks
from jaxspot.errors import UserError
from jaxspot.evaluation.information import information_check
from jaxspot.synthetic.difficulty import LEVELS
from jaxspot.synthetic.generate import synthetic_bank

LEVEL = flags.DEFINE_list("level", ["default"], f"levels: {', '.join(LEVELS)}")
BENCHMARK = flags.DEFINE_bool("benchmark", False, "people, scenes and seed of the benchmark")
SUBJECTS = flags.DEFINE_integer("subjects", None, "each one video (12, the benchmark: 24)")
SECONDS = flags.DEFINE_float("seconds", None, "of a video (30, the benchmark at 200 fps: 15)")
FPS = flags.DEFINE_float("fps", 30.0, "frames a second; the benchmark has 30 and 200")
SEED = flags.DEFINE_integer("seed", None, "decides the videos (0, the benchmark: 1)")


def scene_of(level: str) -> dict:
    """What `synthetic_bank` takes, by the flags; UserError: the benchmark has no such bank."""
    scene: dict = dict(subjects=12, seconds=30.0, fps=FPS.value, level=level, seed=0)
    if BENCHMARK.value:
        known, name = benchmarks(), f"benchmark_{level}_{FPS.value:.0f}fps"
        if name not in known:
            raise UserError(f"there is no {name}; take one of {', '.join(known)}")
        scene = known[name]
    given = dict(subjects=SUBJECTS.value, seconds=SECONDS.value, seed=SEED.value)
    return scene | {key: value for key, value in given.items() if value is not None}


def main(_):
    """Make a bank of each level in a temporary folder and print its table."""
    try:
        for level in LEVEL.value:
            scene = scene_of(level)
            with tempfile.TemporaryDirectory() as folder:
                table = information_check(synthetic_bank(Path(folder) / "bank", **scene))
            what = f"level {level}, {scene['subjects']} subjects of {scene['seconds']:g} s"
            print(f"{what}, {scene['fps']:g} fps")
            print(table.to_string(index=False, float_format="%.3f"), flush=True)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    app.run(main)
