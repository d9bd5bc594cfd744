"""Measures the speed of every slow part and of its alternatives.

Nothing else may run on the machine. PyTorch is a peer where it is installed (`make bench`).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from jaxspot.commands.running import command, command_parser

EPILOG = """\
FILE holds a list of rows: name, value, unit, peer, peer_value, ratio (above 1: ours is faster) and
bound, what the machine would take for the work that XLA counts, assuming no cache reuse.
FILE.md shows them as a table.

--only=samm_lv makes a bank of noise as large as SAMM-LV (6 GB in the folder for temporary files),
trains one epoch of samm_lv:best on it and scores ten videos. It is not among the others.

--scaling varies the number of folds, of devices and of samples a step, the widths, the length of a
scored video, the size of the bank and the length of a spotted video file instead (about 25 minutes,
most of them for the last; one of them: --scaling=folds). FILE then holds a list of points, and
FILE.png draws them.

--accelerator measures the device that jax takes (GPU, TPU or CPU), in 8 minutes at most: folds
trained at once from 1 to 256, frames a second of LCN, motion and scoring, seconds to compile, peak
memory, and the share of what the device can do. Rows say so where time or memory does not suffice.
--vs-cpu measures the CPU of the machine too.

examples:
  make bench
  jaxspot benchmark --only=lcn --out=runs/lcn.json
  jaxspot benchmark --scaling --out=runs/scaling.json
  jaxspot benchmark --accelerator --vs-cpu --out=runs/gpu.json
"""
NAMES = (
    "lcn",
    "step_1",
    "step_8",
    "loso_epoch",
    "score",
    "methods",
    "synthetic",
    "track",
    "prepare",
    "spot_parts",
    "spot_long",
    "spot_two",
)
ALONE = ("samm_lv",)
LAW_NAMES = ("folds", "devices", "batch", "widths", "video", "bank", "spot")


@command
def main(argv: Sequence[str]) -> int:
    """Prints a table, writes it as JSON and Markdown; returns the exit code."""
    parser = command_parser("benchmark", __doc__, EPILOG)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--only", choices=(*NAMES, *ALONE), help="measure this alone")
    what.add_argument(
        "--scaling",
        nargs="?",
        const="all",
        choices=("all", *LAW_NAMES),
        help="time and memory against what is named, or against everything",
    )
    what.add_argument(
        "--accelerator",
        action="store_true",
        help="measure the device that jax uses",
    )
    parser.add_argument(
        "--vs-cpu", action="store_true", help="with --accelerator: the CPU beside it"
    )
    parser.add_argument(
        "--out",
        default="runs/benchmark.json",
        metavar="FILE.json",
        help="the figures go here (default: %(default)s)",
    )
    flags = parser.parse_args(argv)
    if flags.vs_cpu and not flags.accelerator:
        parser.error("--vs-cpu goes with --accelerator")
    from jaxspot.process import prepare_process

    prepare_process()
    from jaxspot.benchmark.measure import BUSY, cores_of_others, measure_machine, read_clock
    from jaxspot.benchmark.table import describe_machine
    from jaxspot.files import write_text

    # A GPU gives most of its memory to the first process, which is that of the measurements.
    machine, begin = None if flags.accelerator else measure_machine(), read_clock()
    if flags.accelerator:
        rows, shown = measure_device(flags)
    else:
        rows, shown = measure_scaling(flags) if flags.scaling else measure_rows(flags, machine)
    others = cores_of_others(begin, read_clock())
    if others > BUSY:
        line = f"other work took {others:.1f} cores of this machine: do not trust these figures"
        print(line, file=sys.stderr)
    text = f"{describe_machine(machine, others)}\n\n{shown}"
    write_text(flags.out, json.dumps([row._asdict() for row in rows], indent=1) + "\n")
    write_text(f"{flags.out}.md", text)
    print(f"{text}\nopen {flags.out}.md")
    return 0


def measure_device(flags: argparse.Namespace) -> tuple[list, str]:
    """What the device does, and its table."""
    from jaxspot.benchmark.accelerator import ALL, CPU, measure_accelerator, table

    print("measuring the device, up to 8 minutes", file=sys.stderr)
    device, rows = measure_accelerator(ALL, cpu=CPU if flags.vs_cpu else None)
    return rows, f"{device}\n\n{table(rows)}"


def measure_rows(flags: argparse.Namespace, machine: Any) -> tuple[list, str]:
    """The rows asked for, and their table."""
    from jaxspot.benchmark.measure import in_fresh_process
    from jaxspot.benchmark.rows import ROWS
    from jaxspot.benchmark.table import table

    rows = []
    for name in [flags.only] if flags.only else NAMES:
        print(f"measuring {name}", file=sys.stderr)
        found = in_fresh_process(ROWS[name], machine)
        if not found:
            print(f"{name}: left out, its clip is not installed (make setup)", file=sys.stderr)
        rows += found
    if not any("PyTorch" in row.peer for row in rows) and flags.only in (None, "step_1", "score"):
        print("PyTorch is not installed, so it is no peer here (make bench)", file=sys.stderr)
    return rows, table(rows)


def measure_scaling(flags: argparse.Namespace) -> tuple[list, str]:
    """The points of the laws asked for, and their table; draws them beside `--out`."""
    from jaxspot.benchmark.scaling import draw_laws, measure_laws, table
    from jaxspot.report.figures import save_figure

    tell = lambda point: print(
        f"{point.law} {point.size:,}: {point.seconds:.3g} s", file=sys.stderr
    )
    names = LAW_NAMES if flags.scaling == "all" else [flags.scaling]
    points = measure_laws(names, tell)
    save_figure(draw_laws(points), f"{flags.out}.png")
    return points, table(points)
