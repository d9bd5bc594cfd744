"""Labels of CAS(ME)^2: CAS(ME)^2code_final.xlsx, its update and re-saved copies.

Its three sheets have no header and are told by what they hold: labels ('anger1_1' of participant
1), the names of the subjects (15, 's15', 1) and the codes of the videos ('0401', 'anger1').
The label sheet alone, saved as CSV, is read by the names of the release.
"""

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from jaxspot.annotations.recognise import CAS_ME2_NAME, CAS_ME2_NAMES, expect
from jaxspot.annotations.repairs import RULES, Label, Labels, Span, mend
from jaxspot.annotations.sheets import (
    Row,
    Sheet,
    frame_number,
    kind_of,
    matching_column,
    text,
    where,
)
from jaxspot.errors import UserError

KIND = re.compile(r"(micro|macro).*", re.IGNORECASE)
FRAMES = ("onset", "apex", "offset")  # the columns that follow the name
KIND_AT = 6  # columns after the name, as released


class Names(NamedTuple):
    """Participant '1' -> subject 's15', and video name 'anger1' -> code '0401'."""

    subjects: dict[str, str]
    codes: dict[str, str]


NUMBERS = (15, 16, *range(19, 28), *range(29, 39), 40)  # of the subjects; participants 1 to 22
RELEASED = Names({str(n): f"s{number}" for n, number in enumerate(NUMBERS, 1)}, CAS_ME2_NAMES)


def cas_me2_labels(sheets: Sequence[Sheet], *, rules: Collection[str] = RULES) -> Labels:
    """Labels of CAS(ME)^2 from the sheets of a file (`read_sheets`); see `read_cas_me2`."""
    expect(sheets, "CAS(ME)^2")
    columns = [matching_column(sheet, CAS_ME2_NAME) for sheet in sheets]
    found = [(sheet, at) for sheet, at in zip(sheets, columns, strict=True) if at is not None]
    if len(found) > 1:
        names = ", ".join(sheet.name for sheet, _ in found)
        raise UserError(f"{sheets[0].path}: {len(found)} sheets hold labels ({names}); keep one")
    sheet, name_at = found[0]
    others = [other for other in sheets if other is not sheet]
    names = _names(others, sheet.path) if sheet.name else RELEASED
    labels = _rows(sheet, name_at, names)
    return mend(labels, file=sheet.path, sheet=sheet.name, release="cas_me2", rules=rules)


def cas_me2_video(name: str) -> tuple[str, str] | None:
    """Subject and video of a folder: '15_0101disgustingteeth' -> ('s15', 's15_0101'), or None."""
    match = re.match(r"s?([0-9]+)_([0-9]{4})(?![0-9])", name, re.IGNORECASE)
    return (f"s{int(match[1])}", f"s{int(match[1])}_{match[2]}") if match else None


def _rows(sheet: Sheet, name_at: int, names: Names) -> Iterator[Label]:
    kind_at = matching_column(sheet, KIND) or name_at + KIND_AT
    is_header = lambda row: (
        not (  # the first rows of a copy may hold neither a name nor a type
            CAS_ME2_NAME.fullmatch(text(sheet, row, name_at, "header"))
            or KIND.fullmatch(text(sheet, row, kind_at, "header"))
        )
    )
    rows = list(itertools.dropwhile(is_header, sheet.rows))
    subjects = _subjects(sheet, rows, name_at - 1, names)
    for row, subject in zip(rows, subjects, strict=True):
        name = text(sheet, row, name_at, "video name")
        code = names.codes.get(name.rpartition("_")[0].casefold())
        if code is None:
            raise UserError(
                f"{where(sheet, row)}: no code is known of the video {name!r}; names are like "
                f"'anger1_1', of videos that have a code ({', '.join(names.codes)})"
            )
        frames = [frame_number(sheet, row, name_at + n, f) for n, f in enumerate(FRAMES, 1)]
        kind = kind_of(sheet, row, kind_at, "type")
        yield Label(row.number, subject, f"{subject}_{code}", kind, Span(*frames))


def _subjects(sheet: Sheet, rows: Sequence[Row], column: int, names: Names) -> list[str]:
    """The subject of each row, given as participant (1..22), as 's15' or, in all rows, as 15.

    UserError: a row has none of them, or all rows could be participants as well as subjects.
    """
    given = [text(sheet, row, column, "participant").casefold() for row in rows]
    known = {name: name for name in names.subjects.values()}
    numbers = {name[1:]: name for name in known}
    plain = {value for value in given if value.isdecimal()}
    by_number = not plain <= names.subjects.keys() and plain <= numbers.keys()
    row = next((r for r, v in zip(rows, given, strict=True) if v in plain), None)
    # Beside names such as 's15', numbers are participants.
    if row and plain == set(given) <= numbers.keys() & names.subjects.keys():
        value = text(sheet, row, column, "participant")
        meant = names.subjects[value]
        if meant != numbers[value]:
            raise UserError(
                f"{where(sheet, row)}: {value} may be participant {value} ({meant}) or subject"
                f" s{value}; write {meant} or s{value}, in all rows alike"
            )
    table = known | (numbers if by_number else names.subjects)
    for row, value in zip(rows, given, strict=True):
        if value not in table:
            said = "stands in no other sheet" if sheet.name else "is none of the release's 1 to 22"
            raise UserError(f"{where(sheet, row)}: participant {value!r} {said}")
    return [table[value] for value in given]


def _names(sheets: Sequence[Sheet], path: str) -> Names:
    found = []
    for pair_of, what in (
        (_subject_name, "subjects (15, 's15', 1)"),
        (_video_code, "videos ('0401', 'anger1')"),
    ):
        found.append(_collect(sheets, pair_of))
        if not found[-1]:
            raise UserError(f"{path}: no sheet names the {what}; keep all three of the release")
    return Names(*found)


def _collect(sheets, pair_of):
    """The pairs of all rows as a table; those of one key must agree."""
    table = {}
    for sheet, row in ((one, row) for one in sheets for row in one.rows):
        pair = pair_of([text(sheet, row, at, "name") for at in range(len(row.cells))])
        if pair and table.setdefault(*pair) != pair[1]:
            key, value = pair
            raise UserError(f"{where(sheet, row)}: {key!r} is {value!r}, but {table[key]!r} above")
    return table


def _subject_name(cells):
    """(15, 's15', 1) -> ('1', 's15'); a copy may have turned 's15' into 15."""
    for number, name, participant in zip(cells, cells[1:], cells[2:], strict=False):
        same = number.isdecimal() and name.casefold() in (number, f"s{number}")
        if same and participant.isdecimal():
            return participant, f"s{number}"
    return None


def _video_code(cells):
    """('0101', 'disgust1') -> ('disgust1', '0101'); a copy may have turned '0101' into 101."""
    for code, name in itertools.pairwise(cells):
        if re.fullmatch("[0-9]{3,4}", code) and re.fullmatch("[a-z]+[0-9]+", name.casefold()):
            return name.casefold(), code.zfill(4)
    return None
