"""Builds weights in one file: those that come with jaxspot, or those fine-tuned on your people.

Any setting of the config can be changed by its name: --config.training.epochs=10. Every epoch is
saved: after an interruption, the same command with --resume goes on.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jaxspot.commands.running import command, command_parser
from jaxspot.commands.train import flagged_config
from jaxspot.errors import UserError

EPILOG = """\
It makes synthetic videos of all people, divides the people into groups, and trains one network a
group on all other groups. Thresholds and chances are fitted on the scores of the people that a
network was not trained on.

It writes FILE, card.json beside it (the sha256 of FILE, its data and figures; of causal.npz it is
causal_card.json), and with --card the model card as a page. DIR holds the bank, the epochs,
candidates.csv, reliability.csv and reliability.png (how often intervals are right beside the chance
they were given).

With --config=reviewed it makes no videos. It trains the weights of the package further, with the
people of a bank, see `jaxspot prepare --dataset=reviewed`.

examples:
  jaxspot build_weights --out=spotter.npz
  jaxspot build_weights --out=spotter.npz --resume
  jaxspot build_weights --config=shipped --config.weights.groups=8 --out=spotter.npz
  jaxspot build_weights --config=reviewed --config.data.bank=banks/ours --out=ours/spotter.npz
  jaxspot spot --weights=ours/spotter.npz talk.mp4
  jaxspot build_weights --config=shipped:causal --out=causal.npz
"""


@command
def main(argv: Sequence[str]) -> int:
    """Builds the weights; returns the exit code."""
    parser = command_parser("build_weights", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--config", default="shipped", metavar="NAME", help="settings (default: %(default)s)")
    flag("--out", required=True, metavar="FILE", help="the weights, a file named .npz")
    flag("--card", metavar="FILE", help="also write the model card as a page, a .md file")
    flag("--workdir", default="runs/weights", metavar="DIR", help="default: %(default)s")
    flag("--resume", action="store_true", help="go on with the work in DIR, if there is some")
    given, changes = parser.parse_known_args(argv)
    config = flagged_config(given.config, changes)
    tunes = "finetuning" in config
    if tunes and given.card:
        raise UserError("--card describes the weights that come with jaxspot; leave it out")
    from jaxspot.process import prepare_process

    prepare_process()
    import pandas as pd

    from jaxspot.experiment.build_weights import build_weights
    from jaxspot.experiment.finetuning import finetune_weights
    from jaxspot.report.model_card import write_model_card

    build = finetune_weights if tunes else build_weights
    card = build(config, given.out, given.workdir, resume=given.resume)
    if given.card:
        reliability = pd.read_csv(f"{given.workdir}/reliability.csv")
        write_model_card(given.card, card, reliability)
    for line in describe(card):
        print(line)
    print(f"{given.out}: {card['bytes'] / 1e6:.2f} MB, sha256 {card['sha256'][:12]}")
    return 0


def describe(card: Mapping[str, Any]) -> Iterator[str]:
    """Lines on what a card knows of F1 and chances."""
    in_words = lambda f1: f"MaE {f1['MaE']:.2f}, ME {f1['ME']:.2f}, overall {f1['overall']:.2f}"
    people = card["data"]["people"]
    seen = card.get("start", {}).get("trained_on_this_bank", False)
    aside = " (the start was trained on this bank)" * seen
    if "f1_before" in card:
        yield f"F1 on your {people} people before{aside}: {in_words(card['f1_before'])}"
    if "f1" in card:
        yield f"F1 on people left out{aside}: {in_words(card['f1'])}"
        error = card["calibration_error"]
        yield f"calibration error: MaE {error['MaE']:.3f}, ME {error['ME']:.3f}"
    else:
        yield f"F1 after is not known: nobody is left out of {people}; chances are as before"
