"""The flag that switches repair rules of labels off, the same for every command that reads them."""

import argparse

from jaxspot.annotations.rules import RULES, check_rules


def add_rules_flag(flags: argparse.ArgumentParser) -> None:
    """Adds `--rules-off`."""
    flags.add_argument(
        "--rules-off",
        default="",
        metavar="RULE,...",
        help="repair rules not to use: rows that need them are left out and listed so"
        f" ({', '.join(RULES)})",
    )


def active_rules(flags: argparse.Namespace) -> tuple[str, ...]:
    """The repair rules that are not switched off; raises UserError for an unknown name."""
    off = [name for word in flags.rules_off.split(",") if (name := word.strip())]
    check_rules(off)
    return tuple(name for name in RULES if name not in off)
