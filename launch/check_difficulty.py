"""How much a level of the synthetic videos lets through, before any network is trained.

    python launch/check_difficulty.py --level=default

Prints the frame AUC of gradient boosting on plain block differences, one subject left out at a
time. A level that is worth training on lies between chance (0.5) and certainty (1).
"""

import sys
import tempfile
from pathlib import Path

from absl import app, flags

from jaxspot.errors import UserError
from jaxspot.evaluation.information import information_check
from jaxspot.synthetic.generate import synthetic_bank

LEVEL = flags.DEFINE_list("level", ["default"], "levels: easy, default, hard")
SUBJECTS = flags.DEFINE_integer("subjects", 12, "subjects, each one video")
SECONDS = flags.DEFINE_float("seconds", 30.0, "length of a video")
FPS = flags.DEFINE_float("fps", 30.0, "frames a second")
SEED = flags.DEFINE_integer("seed", 0, "decides the videos")


def main(_):
    """Make a bank of each level in a temporary folder and print its table."""
    try:
        for level in LEVEL.value:
            with tempfile.TemporaryDirectory() as folder:
                bank = synthetic_bank(
                    Path(folder) / "bank",
                    subjects=SUBJECTS.value,
                    seconds=SECONDS.value,
                    fps=FPS.value,
                    level=level,
                    seed=SEED.value,
                )
                table = information_check(bank)
            print(f"level {level}\n{table.to_string(index=False, float_format='%.3f')}")
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    app.run(main)
