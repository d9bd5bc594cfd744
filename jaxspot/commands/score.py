"""Scores a frame bank by existing weights: nothing is trained or fitted on the bank."""

from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser

EPILOG = """\
DIR then holds tables/ (Tables 4 and 5), intervals.csv and scores/, as `train` writes them. Of a
bank that the weights were trained on, the figures are not held out, as the titles then say.

example:
  jaxspot score --weights=runs/synthetic --bank=banks/cas_motion --out=scored
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes and prints the tables; returns the exit code."""
    parser = command_parser("score", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--weights", required=True, metavar="DIR", help="a run of `train`, or a weights file")
    flag("--bank", required=True, metavar="DIR", help="the frame bank to score")
    flag("--out", required=True, metavar="DIR", help="an empty folder for the results")
    flags = parser.parse_args(argv)
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.configs import load_config
    from jaxspot.experiment.score_weights import score_weights
    from jaxspot.experiment.settings import read_settings
    from jaxspot.report.text_tables import markdown

    settings = read_settings(load_config("default"))
    for table in score_weights(flags.weights, flags.bank, flags.out, settings):
        print(markdown(table.cells, title=table.title))
    print(f"open {flags.out}/tables/table5.md")
    return 0
