"""Labels of CAS(ME)^3, part A: a sheet of Subject, Filename, Onset, Apex, Offset, Expression type.

Frames are the numbers of the image files.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from jaxspot.annotations.recognise import expect
from jaxspot.annotations.repairs import RULES, Label, Labels, Span, mend
from jaxspot.annotations.sheets import (
    Header,
    Sheet,
    cell,
    frame_number,
    kind_of,
    only_sheet,
    text,
    where,
)
from jaxspot.errors import UserError

TYPE = "Expression type"
COLUMNS = ("Subject", "Filename", "Onset", "Apex", "Offset", TYPE)


def cas_me3_labels(sheets: Sequence[Sheet], *, rules: Collection[str] = RULES) -> Labels:
    """Labels of CAS(ME)^3 from the sheets of a file (`read_sheets`).

    UserError: no sheet, or more than one, has all columns; a row that cannot be read.
    """
    expect(sheets, "CAS(ME)^3")
    sheet, header = only_sheet(sheets, COLUMNS)
    labels = _rows(sheet, header)
    return mend(labels, file=sheet.path, sheet=sheet.name, release="cas_me3", rules=rules)


def cas_me3_video(subject: str, name: str) -> tuple[str, str] | None:
    """Subject and video of 'spNO.1' and 'a': ('spNO.1', 'spNO.1_a'); None for any other subject."""
    match = re.fullmatch(r"(?:spno\.?)?0*([0-9]+)", subject.casefold())
    return (f"spNO.{match[1]}", f"spNO.{match[1]}_{name}") if match else None


def _rows(sheet: Sheet, header: Header) -> Iterator[Label]:
    columns = header.columns
    for row in sheet.rows:
        if row.number <= header.row or all(cell(row, at) is None for at in columns.values()):
            continue
        given, name = (text(sheet, row, columns[n], n) for n in ("Subject", "Filename"))
        known = cas_me3_video(given, name)
        if known is None or not name:
            raise UserError(
                f"{where(sheet, row)}: Subject is {given!r} and Filename {name!r}; they must be"
                " like 'spNO.1' and 'a'"
            )
        frames = (frame_number(sheet, row, columns[n], n) for n in ("Onset", "Apex", "Offset"))
        kind = kind_of(sheet, row, columns[TYPE], TYPE)
        yield Label(row.number, *known, kind, Span(*frames))
