"""The flag that switches repair rules of labels off, the same for every command that reads them."""

import argparse

from jaxspot.annotations.rules import RULES, check_rules


def add_rules_flag(flags: argparse.ArgumentParser) -> None:
    """Adds `--rules-off`; the parsed `rules` are those that stay on."""
    flags.add_argument(
        "--rules-off",
        dest="rules",
        type=_others,
        default="",
        metavar="RULE,...",
        help="repair rules not to use: rows that need them are left out and listed so"
        f" ({', '.join(RULES)})",
    )


def _others(text):
    off = [name for word in text.split(",") if (name := word.strip())]
    check_rules(off)
    return tuple(name for name in RULES if name not in off)
