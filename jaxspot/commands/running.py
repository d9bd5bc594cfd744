"""How a command begins and ends: help as written; a mistake is one line and exit code 2."""

import argparse
import sys
from collections.abc import Callable, Sequence

from jaxspot.errors import UserError


def command_parser(name: str, about: str | None, epilog: str) -> argparse.ArgumentParser:
    """A parser whose help keeps the lines of its texts; flags cannot be cut short."""
    return argparse.ArgumentParser(
        prog=name,
        description=about,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def run(name: str, function: Callable[[Sequence[str]], int], argv: Sequence[str] | None) -> int:
    """Runs a command on its arguments (those of the process by default); returns the exit code."""
    try:
        return function(sys.argv[1:] if argv is None else argv)
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
