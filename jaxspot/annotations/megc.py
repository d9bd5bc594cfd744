"""Intervals of a submission to MEGC 2022 or 2023: vid, pred_onset, pred_offset, type."""

from functools import partial

from jaxspot.annotations.columns import in_row
from jaxspot.annotations.sheets import Sheet
from jaxspot.annotations.timed import Foreign, Timed
from jaxspot.errors import UserError

HEADERS = (("vid", "pred_onset", "pred_offset", "type"), ("vid", "onset", "offset", "type"))
KINDS = {"me": "ME", "mae": "MaE"}


def is_megc(sheet: Sheet) -> bool:
    """Whether the first row of a sheet names the columns of such a submission, in any order."""
    return _columns(sheet) is not None


def read_megc(sheet: Sheet) -> Foreign:
    """Intervals of a submission, in frames from 1. UserError names file and row."""
    columns = _columns(sheet)
    assert columns is not None
    rows = []
    for row in sheet.rows[1:]:
        place = in_row(sheet.path, row.number)
        cells = [str(row.cells[at]).strip() if at < len(row.cells) else "" for at in columns]
        video, *frames, word = cells
        if word.casefold() not in KINDS:
            raise UserError(f"{place}: type is {word!r}; it must be me or mae")
        onset, offset = map(partial(_frame, place), ("the onset", "the offset"), frames)
        rows.append(Timed(place, row.number, video, KINDS[word.casefold()], onset, offset))
    return Foreign(tuple(rows), frames=True)


def _frame(place, name, text):
    try:
        frame = float(text)
    except ValueError:
        frame = -1.0
    if frame < 1 or frame % 1:
        raise UserError(f"{place}: {name} is {text!r}; it must be a frame number, from 1")
    return int(frame)


def _columns(sheet):
    first = [str(cell).strip().casefold() for cell in sheet.rows[0].cells] if sheet.rows else []
    for names in HEADERS:
        if set(names) <= set(first):
            return [first.index(name) for name in names]
    return None
