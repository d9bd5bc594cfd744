"""How a command ends: a user's mistake is one line and exit code 2."""

import sys
from collections.abc import Callable, Sequence

from jaxspot.errors import UserError


def run(name: str, function: Callable[[Sequence[str]], int], argv: Sequence[str] | None) -> int:
    """Runs a command on its arguments (those of the process by default); returns the exit code."""
    try:
        return function(sys.argv[1:] if argv is None else argv)
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
