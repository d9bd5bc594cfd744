"""Labels of SMIC-E-Long: a sheet of Filename, FirstF, OnsetF, OffsetF; all are micro-expressions.

FirstF is the number of a clip's first frame, so a label begins with frame OnsetF - FirstF + 1.
"""

from collections.abc import Collection, Iterator, Sequence

from jaxspot.annotations.recognise import expect
from jaxspot.annotations.repairs import RULES, Label, Labels, Span, mend_without_apex
from jaxspot.annotations.sheets import (
    Header,
    Sheet,
    cell,
    frame_number,
    only_sheet,
    text,
    where,
)
from jaxspot.errors import UserError

COLUMNS = ("Filename", "FirstF", "OnsetF", "OffsetF")


def smic_long_labels(sheets: Sequence[Sheet], *, rules: Collection[str] = RULES) -> Labels:
    """Labels of SMIC-E-Long from the sheets of a file (`read_sheets`), in frames of the clips.

    UserError: no sheet, or more than one, has all columns; a row that cannot be read.
    """
    expect(sheets, "SMIC-E-Long")
    sheet, header = only_sheet(sheets, COLUMNS)
    options = dict(file=sheet.path, sheet=sheet.name, release="smic_long")
    return mend_without_apex(_rows(sheet, header), rules=rules, **options)


def smic_subject(name: str) -> str:
    """The subject of a clip: 's1' of 's1_ne_01'."""
    return name.partition("_")[0]


def _rows(sheet: Sheet, header: Header) -> Iterator[Label]:
    columns = header.columns
    for row in sheet.rows:
        if row.number <= header.row or all(cell(row, at) is None for at in columns.values()):
            continue
        name = text(sheet, row, columns["Filename"], "Filename")
        if not name:
            raise UserError(f"{where(sheet, row)}: Filename is empty; it must be like 's1_ne_01'")
        first, onset, offset = (frame_number(sheet, row, columns[n], n) for n in COLUMNS[1:])
        if not first >= 0:
            raise UserError(f"{where(sheet, row)}: FirstF is {first:g}; it must be a frame number")
        span = Span(onset - first + 1, float("nan"), offset - first + 1)
        yield Label(row.number, "", name, "ME", span)
