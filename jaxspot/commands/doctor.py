"""Checks a frame bank, or a data set's folders, against what should be there."""

import argparse
from collections.abc import Sequence

from jaxspot.commands.prepare import (
    DATASETS,
    add_source_flags,
    check_source_flags,
    find_source,
)
from jaxspot.commands.running import command_parser, run
from jaxspot.errors import UserError

EPILOG = """\
Prints a table: what was looked at, what was found, what the release or the paper says, a verdict
and what to do. Of SAMM-LV and CAS(ME)^2 it knows how many subjects, videos, frames and labels there
are, and what durations (Table 2), k (Table 3) and move-to-neutral ratio the paper gives.

exit code: 0 nothing is broken or differs, 1 something is or does, 2 it could not be looked at

examples:
  python launch/doctor.py --dataset=samm_lv --source=SAMM-LV
  python launch/doctor.py --bank=banks/samm_lv
"""


def parser() -> argparse.ArgumentParser:
    """The flags of this command."""
    flags = command_parser("doctor", __doc__, EPILOG)
    flags.add_argument("--bank", metavar="DIR", help="a frame bank")
    flags.add_argument("--dataset", choices=DATASETS, help="or a data set that is not prepared yet")
    flags.add_argument("--source", metavar="DIR", help="where that lies")
    flags.add_argument(
        "--figure", metavar="FILE.png", help="draw a bank's move-to-neutral ratios (Figure 3)"
    )
    add_source_flags(flags)
    return flags


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the checks; returns the exit code."""
    return run("doctor", doctor, argv)


def doctor(argv: Sequence[str]) -> int:
    """The command itself; raises UserError on a user's mistake."""
    parse = parser()
    flags = parse.parse_args(argv)
    if bool(flags.bank) == bool(flags.dataset) or bool(flags.dataset) != bool(flags.source):
        parse.error("name --bank, or --dataset with --source")
    if flags.figure and not (flags.bank and flags.figure.endswith((".png", ".svg"))):
        parse.error("--figure goes with --bank, and names a .png or .svg file")
    check_source_flags(parse, flags)
    from jaxspot.datasets.checks import format_checks, is_well
    from jaxspot.datasets.doctor import doctor_bank, doctor_source

    if flags.bank:
        checks, title = doctor_bank(flags.bank), f"bank {flags.bank}"
    else:
        checks = doctor_source(find_source(flags))
        title = f"{flags.dataset} in {flags.source}"
    print(f"{title}\n\n{format_checks(checks)}")
    if flags.figure:
        draw(flags.bank, flags.figure)
    return 0 if is_well(checks) else 1


def draw(bank: str, figure: str) -> None:
    """Writes Figure 3 of a bank; raises UserError where it cannot be written."""
    from jaxspot.annotations.durations import move_to_neutral_ratio
    from jaxspot.report.figures import figure3, save_figure
    from jaxspot.video.bank import open_bank

    opened = open_bank(bank)
    pooled, by_subject = move_to_neutral_ratio(opened.annotations, opened.videos)
    title = f"Figure 3. Move-to-neutral ratio by subject ({opened.root.name})"
    try:
        save_figure(figure3(by_subject, pooled, title=title), figure)
    except OSError as error:
        reason = f"cannot be written ({error.strerror}); name another --figure"
        raise UserError(f"{figure}: {reason}") from None
