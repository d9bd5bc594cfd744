"""Puts the tables of finished runs together, data sets side by side as the paper prints them."""

from collections.abc import Sequence
from pathlib import Path

from jaxspot.commands.running import command, command_parser
from jaxspot.errors import UserError

EPILOG = """\
Writes table2, table4 ... table7 (.csv, .md, .tex), those that any of the runs has. Where several
runs share a data set, ours is called by the name of its folder. Where data sets of one name have
other labels, they are told apart by their runs. Nothing is computed anew.

examples:
  jaxspot tables --out=tables runs/samm_lv runs/cas_me2
  jaxspot tables --out=tables runs/paper runs/best
"""


@command
def main(argv: Sequence[str]) -> int:
    """Writes and prints the tables; returns the exit code."""
    parser = command_parser("tables", __doc__, EPILOG)
    flag = parser.add_argument
    flag("runs", nargs="+", metavar="RUN", help="folder of a run that is done")
    flag("--out", required=True, metavar="DIR", help="the tables go here")
    flags = parser.parse_args(argv)
    from jaxspot.experiment.sweep import read_run
    from jaxspot.experiment.tables import join_tables
    from jaxspot.report.text_tables import markdown

    runs = [read_run(folder) for folder in flags.runs]
    names = [run.name for run in runs]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two of the runs lie in folders called {name}; rename one")
    for table in join_tables(runs, Path(flags.out)):
        print(markdown(table.cells, title=table.title))
    print(f"open {flags.out}/table5.md")
    return 0
