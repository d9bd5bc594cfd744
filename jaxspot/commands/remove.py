"""Removes the folder of a run, unless a run is at work in it: `make demo` begins afresh."""

import sys
from collections.abc import Sequence

from jaxspot.commands.running import command, command_parser


@command
def main(argv: Sequence[str]) -> int:
    """Removes it; raises UserError where a run is at work."""
    flags = command_parser("remove", __doc__)
    flags.add_argument("out", metavar="DIR", help="the folder of a run")
    from jaxspot.experiment.workdir import remove_run

    remove_run(flags.parse_args(argv).out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
