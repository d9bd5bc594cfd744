"""Labels of SAMM Long Videos: SAMM_LongVideos_V1/V2/V3_Release.xlsx and re-saved copies.

The label sheet alone, saved as CSV, reads the same.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from jaxspot.annotations.recognise import SAMM_LV_COLUMNS, expect
from jaxspot.annotations.repairs import RULES, Label, Labels, Span, mend
from jaxspot.annotations.sheets import (
    Header,
    Sheet,
    cell,
    find_header,
    frame_number,
    kind_of,
    text,
    title,
    where,
)
from jaxspot.errors import UserError

SHEET = "FACS_Movement_Only"


def samm_lv_labels(sheets: Sequence[Sheet], *, rules: Collection[str] = RULES) -> Labels:
    """Labels of SAMM-LV from the sheets of a file (`read_sheets`); see `read_samm_lv`."""
    expect(sheets, "SAMM-LV")
    sheet, header = _label_sheet(sheets)
    labels = list(_rows(sheet, header))
    if not labels:
        raise UserError(f"{title(sheet)}: no label below row {header.row}")
    return mend(labels, file=sheet.path, sheet=sheet.name, release="samm_lv", rules=rules)


def samm_lv_video(name: str) -> tuple[str, str] | None:
    """Subject and video of a folder: '006_1' -> ('006', '006_1'); None for any other name."""
    match = re.fullmatch(r"([0-9]{1,3})_([0-9]{1,4})", name)
    return _named(*match.groups()) if match else None


def label_version(labels: Labels) -> str:
    """The version of the labels by their glitches: 'V1/V2', 'V3' or 'unknown (...)' with counts.

    V1 and V2 have 143 frames with a fraction and 10 onsets of 0, V3 has one onset of 0.
    """
    of = lambda rule: labels.repairs[labels.repairs.rule == rule].before
    rows, zeros = len(of("round_fraction")), len(of("onset_zero"))
    frames = int(of("round_fraction").str.count(r"\d\.\d").sum())
    if zeros == 10 and 143 in (rows, frames):
        return "V1/V2"
    if zeros == 1 and rows == 0:
        return "V3"
    return (
        f"unknown ({frames} frames with a fraction in {rows} rows, {zeros} onsets of 0; "
        "V1 and V2 have 143 and 10, V3 has 0 and 1)"
    )


def _label_sheet(sheets: Sequence[Sheet]) -> tuple[Sheet, Header]:
    found = [(sheet, find_header(sheet, SAMM_LV_COLUMNS)) for sheet in sheets]
    fitting = [(sheet, header) for sheet, header in found if header]
    named = [pair for pair in fitting if pair[0].name == SHEET]
    if len(fitting) > 1 and len(named) != 1:
        names = ", ".join(sheet.name for sheet, _ in fitting)
        raise UserError(
            f"{sheets[0].path}: {len(fitting)} sheets hold labels ({names}); "
            f"keep one, or name it {SHEET}"
        )
    return (named or fitting)[0]


def _rows(sheet: Sheet, header: Header) -> Iterator[Label]:
    columns = header.columns
    whole = find_header(sheet, [*SAMM_LV_COLUMNS, "Subject"])
    for row in sheet.rows:
        if row.number <= header.row or all(cell(row, at) is None for at in columns.values()):
            continue
        subject, video = _video(sheet, row, columns["Filename"])
        given = text(sheet, row, whole.columns["Subject"], "Subject") if whole else ""
        if given and given.lstrip("0") != subject.lstrip("0"):
            raise UserError(
                f"{where(sheet, row)}: Subject is {given!r}, but Filename begins with {subject!r}"
            )
        frames = (frame_number(sheet, row, columns[n], n) for n in ("Onset", "Apex", "Offset"))
        kind = kind_of(sheet, row, columns["Type"], "Type")
        yield Label(row.number, subject, video, kind, Span(*frames))


def _video(sheet, row, column):
    name = text(sheet, row, column, "Filename")
    match = re.fullmatch(r"([0-9]{1,3})_([0-9]{1,4})_[0-9]+", name)
    if match is None:
        raise UserError(f"{where(sheet, row)}: Filename is {name!r}; it must be like '006_1_3'")
    return _named(match[1], match[2])


def _named(subject, video):
    subject = subject.zfill(3)
    return subject, f"{subject}_{int(video)}"
