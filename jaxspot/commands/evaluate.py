"""Scores predicted intervals against labels; needs neither a bank nor jax."""

import argparse
from collections.abc import Sequence

from jaxspot.commands.running import command_parser, run
from jaxspot.evaluation.files import evaluate_files, format_scores
from jaxspot.evaluation.matching import MATCHING_RULES

EPILOG = """\
Frames count from 1 and intervals include both ends. kind is ME (micro) or MaE (macro).

  videos.csv       subject,video,frames,fps            every video scored, also unlabelled ones
  annotations.csv  subject,video,kind,onset,apex,offset
  intervals.csv    subject,video,kind,onset,offset     further columns are ignored

protocols:
  one_to_one  an interval is used once; as many pairs as possible
  megc2020    the organisers' rule: one prediction may find several labels, so F1 can pass 1

example:
  python launch/evaluate.py --videos=videos.csv --annotations=annotations.csv \\
      --intervals=mine.csv --protocol=one_to_one --out=scores
"""


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = command_parser("evaluate", __doc__, EPILOG)
    flags.add_argument("--videos", required=True, metavar="CSV", help="table of all videos")
    flags.add_argument("--annotations", required=True, metavar="CSV", help="ground truth")
    flags.add_argument("--intervals", required=True, metavar="CSV", help="predictions to score")
    flags.add_argument("--protocol", choices=MATCHING_RULES, default="one_to_one")
    flags.add_argument("--out", required=True, metavar="DIR", help="scores.json goes here")
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """Writes scores.json and prints the table; returns the exit code."""
    return run("evaluate", evaluate, argv)


def evaluate(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    flags = parser().parse_args(argv)
    scores = evaluate_files(
        flags.videos,
        flags.annotations,
        flags.intervals,
        protocol=flags.protocol,
        out=flags.out,
    )
    print(format_scores(scores))
    return 0
