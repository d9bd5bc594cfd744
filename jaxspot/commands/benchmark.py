"""Measures the speed of everything costly beside what one would use in its place.

Nothing else may run on the machine. PyTorch is a peer where it is installed (`make bench`).
"""

import argparse
import json
import sys
from collections.abc import Sequence

from jaxspot.commands.running import command_parser, run

EPILOG = """\
FILE holds a list of rows: name, value, unit, peer, peer_value, ratio (above 1: ours is faster) and
bound, what the machine would take for the work that XLA counts. FILE.md shows them as a table.

example:
  make bench
  python launch/benchmark.py --only=lcn --out=runs/lcn.json
"""
NAMES = ("lcn", "step_1", "step_8", "loso_epoch", "score", "synthetic", "track")


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = command_parser("benchmark", __doc__, EPILOG)
    flags.add_argument("--only", choices=NAMES, help="measure this alone; everything by default")
    flags.add_argument("--out", default="runs/benchmark.json", metavar="FILE.json")
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a table, writes it as JSON and Markdown; returns the exit code."""
    return run("benchmark", benchmark, argv)


def benchmark(argv: Sequence[str]) -> int:
    """The command itself."""
    flags = parser().parse_args(argv)
    from jaxspot.network.compiling import prepare_process

    prepare_process()
    from jaxspot.annotations.tables import write_text
    from jaxspot.benchmark.measure import BUSY, measure_machine, other_load
    from jaxspot.benchmark.rows import ROWS
    from jaxspot.benchmark.table import describe_machine, table

    load = other_load()
    if load > BUSY:
        line = f"other work ran on this machine (load {load:.1f}): do not trust these figures"
        print(line, file=sys.stderr)
    machine = measure_machine()
    rows = []
    for name in [flags.only] if flags.only else NAMES:
        print(f"measuring {name}", file=sys.stderr)
        found = ROWS[name](machine)
        if not found:
            print(f"{name}: left out, its clip is not installed (make setup)", file=sys.stderr)
        rows += found
    if not any("PyTorch" in row.peer for row in rows) and flags.only in (None, "step_1", "score"):
        print("PyTorch is not installed, so it is no peer here (make bench)", file=sys.stderr)
    text = f"{describe_machine(machine, load)}\n\n{table(rows)}"
    write_text(flags.out, json.dumps([row._asdict() for row in rows], indent=1) + "\n")
    write_text(f"{flags.out}.md", text)
    print(text)
    return 0
