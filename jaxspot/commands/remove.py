"""Removes the folder of a run, unless a run is at work in it: `make demo` begins afresh."""

import sys
from collections.abc import Sequence

from jaxspot.commands.running import command_parser, run


def remove(argv: Sequence[str]) -> int:
    """The command itself; raises UserError where a run is at work."""
    flags = command_parser("remove", __doc__, "")
    flags.add_argument("workdir", metavar="DIR", help="the folder of a run")
    from jaxspot.experiment.workdir import remove_run

    remove_run(flags.parse_args(argv).workdir)
    return 0


if __name__ == "__main__":
    sys.exit(run("remove", remove, None))
