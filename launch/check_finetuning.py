"""Measures F1 before and after fine-tuning on a few synthetic people that the weights never saw.

Weights are trained on some heads, tuned on 1, 3 and 10 of the others by --config=reviewed, and
scored on the rest. Writes DIR/finetuning.csv, a row for each set of people, and prints the means.
The same command goes on with what was cut. Settings of the fine-tuning can be changed by name:
--config.training.epochs=8. The full size takes hours on two cores.

examples:
  jaxspot check_finetuning --out=runs/finetuning
  jaxspot check_finetuning --out=runs/quiet --without=speech,turns --people=1,3,5,10 --draws=5
  jaxspot check_finetuning --out=runs/small --trained=6 --people=1,3 --tested=3 --seconds=20
"""

import sys
from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser
from jaxspot.commands.train import flagged_config


@command
def main(argv: Sequence[str]) -> int:
    """Prints the means of the draws."""
    parser = command_parser("check_finetuning", __doc__)
    flag = parser.add_argument
    flag("--out", required=True, metavar="DIR", help="banks, weights and the table go here")
    flag("--trained", type=int, default=30, help="heads of the weights (default: %(default)s)")
    flag("--people", default="1,3,10", metavar="N,...", help="reviewed (default: %(default)s)")
    flag("--tested", type=int, default=16, help="heads that are scored (default: %(default)s)")
    flag("--draws", type=int, default=3, help="sets of people a count (default: %(default)s)")
    flag("--seconds", type=float, default=40.0, help="of a video (default: %(default)s)")
    flag("--videos", type=int, default=2, help="of each head (default: %(default)s)")
    flag("--without", default="", metavar="NAME,...", help="distractors the weights never see")
    flag("--epochs", type=int, help="of the weights (default: as shipped)")
    flag("--steps", type=int, help="an epoch of the weights (default: as shipped)")
    flag("--groups", type=int, help="networks of the weights (default: as shipped)")
    flag("--seed", type=int, default=21, help="of heads and videos (default: %(default)s)")
    flags, changes = parser.parse_known_args(argv)
    try:
        counts = sorted({int(word) for word in flags.people.split(",")})
    except ValueError:
        parser.error(f"--people: {flags.people!r} are no whole numbers")
    base, tuning = flagged_config("shipped", ()), lambda: flagged_config("reviewed", changes)
    tuning()
    scene = base.data.synthetic
    scene.seconds, scene.videos_per_subject = flags.seconds, flags.videos
    shown = {name: scene[name] for name in ("fps", "me_per_minute", "mae_per_minute", "level")}
    scene.left_out = tuple(filter(None, flags.without.split(",")))
    for name in ("epochs", "steps"):
        if getattr(flags, name) is not None:
            base.training[name] = getattr(flags, name)
    if flags.groups is not None:
        base.weights.groups = flags.groups
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.experiment.finetuning_curve import finetuning_curve, mean_of_draws, split_heads

    split = split_heads(flags.trained, max(counts), flags.tested, seed=flags.seed)
    shown |= dict(seconds=flags.seconds, videos_per_subject=flags.videos, seed=flags.seed)
    table = finetuning_curve(
        base, tuning, flags.out, split=split, counts=counts, most=flags.draws, scene=shown
    )
    print(mean_of_draws(table).to_string(index=False, float_format="%.3f"))
    print(f"open {flags.out}/finetuning.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
