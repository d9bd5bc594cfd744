"""Measures how far the thresholds of runs lie from the best ones on held-out subjects.

Prints a row for each run, writes nothing. It looks at test labels; use it to choose settings only
on the people reserved for choices.

examples:
  jaxspot train --config=thresholds --out=runs/thresholds
  jaxspot check_thresholds runs/thresholds/*/
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from jaxspot.commands.running import command, command_parser
from jaxspot.errors import UserError
from jaxspot.evaluation.fitting import ScoredVideo
from jaxspot.evaluation.threshold_error import threshold_error
from jaxspot.experiment.scores import read_scores
from jaxspot.experiment.settings import read_protocol
from jaxspot.experiment.workdir import read_config
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.video.bank import open_bank


def check_run(folder: Path) -> dict:
    """A row of the table for the run in a folder; its bank lies there or one folder up.

    Raises:
      UserError: no run or no bank.
    """
    here = [place for place in (folder / "bank", folder.parent / "bank") if place.is_dir()]
    if not here:
        raise UserError(f"{folder}: has no bank beside it; name a run on synthetic videos")
    bank = open_bank(here[0])
    scores = read_scores(folder / "scores", bank.videos.video)
    rules = load_spotter(folder).rules
    by_subject = dict(zip(sorted(set(bank.videos.subject)), rules, strict=True))
    columns = (bank.videos[name].tolist() for name in ("video", "subject", "fps"))
    held_out, fitted = [], []
    for video, subject, fps in zip(*columns, strict=True):
        held_out.append(ScoredVideo(video, fps, scores[video], bank.labels(video)))
        fitted.append(by_subject[subject])
    protocol, _ = read_protocol(read_config(folder))
    table = threshold_error(held_out, fitted, protocol).set_index("kind")
    row: dict = {"run": folder.name}
    for kind in ("MaE", "ME"):
        row |= {f"{kind} {name}": table.loc[kind, name] for name in table.columns}
    return row


@command
def main(argv: Sequence[str]) -> int:
    """Prints the table of all runs that are named."""
    parser = command_parser("check_thresholds", __doc__)
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        metavar="RUN",
        help="folders; those without scores are ignored",
    )
    folders = parser.parse_args(argv).runs
    rows = [check_run(folder) for folder in folders if (folder / "scores").is_dir()]
    if not rows:
        raise UserError("name the folders of one or more runs that are done")
    print("best_f1 and error look at test labels (oracle); error: thresholds too high by that much")
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.3f"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
