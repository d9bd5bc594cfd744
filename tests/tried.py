"""The tables of docs/inputs.md: a test run fills them, and the tests compare the page with it.

`pytest --write-inputs FILES` writes the rows of the tables that these files fill; `make inputs`
does so for all. Without the option, a row that is not on the page fails its test.
"""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "inputs.md"
HEADING = re.compile(r"^#+ (.+)$")


class Tried:
    """What a run tried, table by table; `write` is whether the page is written anew."""

    def __init__(self, *, write):
        self.write = write
        self.found = {}

    def row(self, table, *cells):
        """Notes a row of the table under a heading, or compares it with the page."""
        line = as_row(cells)
        if self.write:
            rows = self.found.setdefault(table, [])
            rows += [line] * (line not in rows)
        elif line not in rows_of(PAGE.read_text("utf-8"), table):
            pytest.fail(f"docs/inputs.md, {table}: `make inputs` would write\n{line}")

    def finish(self):
        """Writes the page, if that was asked for."""
        if self.found:
            PAGE.write_text(replaced(PAGE.read_text("utf-8"), self.found), "utf-8")


def as_row(cells):
    """A row of a Markdown table."""
    text = (" ".join(str(cell).split()).replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(text)} |"


def rows_of(text, table):
    """The rows of the table under a heading, without its head."""
    return _parts(text)[table][1]


def replaced(text, found):
    """The page with other rows under some headings."""
    parts = _parts(text)
    for table, rows in found.items():
        parts[table] = parts[table][0], rows, parts[table][2]
    lines = [line for part in parts.values() for lines in part for line in lines]
    return "\n".join(lines) + "\n"


def _parts(text):
    """Heading -> lines before the rows of its table, the rows, and lines after them."""
    parts, name, place = {"": ([], [], [])}, "", 0
    for line in text.splitlines():
        if heading := HEADING.match(line):
            name, place = heading[1], 0
            parts[name] = ([], [], [])
        if place == 1 and not line.startswith("|"):
            place = 2
        parts[name][place].append(line)
        if line.startswith("|--"):
            place = 1
    return parts
