"""Checks a frame bank, or a data set's folders, against what should be there."""

from collections.abc import Sequence

from jaxspot.commands.prepare import DATASETS, find_source, parse_source_flags
from jaxspot.commands.running import command, command_parser
from jaxspot.errors import UserError

EPILOG = """\
Prints a table: what was looked at, what was found, what the release or the paper says, a verdict
and what to do. Of SAMM-LV and CAS(ME)^2 it knows how many subjects, videos, frames and labels there
are, and what durations (Table 2), k (Table 3) and move-to-neutral ratio the paper gives.

exit code: 0 nothing is broken or differs, 1 something is or does, 2 it could not be looked at

examples:
  jaxspot doctor --dataset=samm_lv --source=SAMM-LV
  jaxspot doctor --bank=banks/samm_lv
"""


@command
def main(argv: Sequence[str]) -> int:
    """Prints the checks; returns the exit code."""
    parser = command_parser("doctor", __doc__, EPILOG)
    flag = parser.add_argument
    flag("--bank", metavar="DIR", help="a frame bank")
    flag("--dataset", choices=DATASETS, help="or a data set that is not prepared yet")
    flag("--source", metavar="DIR", help="where that lies")
    flag("--figure", metavar="FILE.png", help="draw a bank's move-to-neutral ratios (Figure 3)")
    flags = parse_source_flags(parser, argv)
    if bool(flags.bank) == bool(flags.dataset) or bool(flags.dataset) != bool(flags.source):
        parser.error("name --bank, or --dataset with --source")
    if flags.figure and not (flags.bank and flags.figure.endswith((".png", ".svg"))):
        parser.error("--figure goes with --bank, and names a .png or .svg file")
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
        print(f"open {flags.figure}")
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
