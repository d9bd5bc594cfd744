"""Sheets of workbooks (.xlsx) as rows of cells, numbered as a spreadsheet program shows them."""

import contextlib
import itertools
import math
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import openpyxl

from jaxspot.annotations.columns import LARGEST, in_row
from jaxspot.errors import UserError

HEADER_ROWS = 30
OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # .xls, and .xlsx under a password
ZIP = b"PK"
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
RESAVE = "open it in a spreadsheet program and save it as .xlsx"


class Formula(NamedTuple):
    """A cell whose formula was saved without its result."""

    text: str


class Row(NamedTuple):
    """A row that holds something: its number in the sheet (from 1) and its cells from column A."""

    number: int
    cells: tuple[Any, ...]


class Sheet(NamedTuple):
    """A sheet without its blank rows; `name` is "" where the sheet was saved as CSV."""

    path: str
    name: str
    rows: tuple[Row, ...]


class Header(NamedTuple):
    """Number of the header's row, and column of each name that was asked for (from 0)."""

    row: int
    columns: dict[str, int]


def read_workbook(path: str | Path) -> list[Sheet]:
    """Reads all sheets of a workbook; a formula counts as its saved result.

    UserError: no such file, not an .xlsx workbook, under a password, damaged, or empty.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            _check_format(path, file)
            sheets = _sheets(path, file)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None
    if not any(sheet.rows for sheet in sheets):
        raise UserError(f"{path}: the workbook is empty; get it from the release again")
    return sheets


def where(sheet: Sheet, row: Row) -> str:
    """Where a row stands, for a message: file, sheet and number of the row."""
    return in_row(sheet.path, row.number, sheet.name)


def title(sheet: Sheet) -> str:
    """Which sheet it is, for a message: file and name."""
    return f"{sheet.path}, sheet {sheet.name!r}" if sheet.name else sheet.path


def cell(row: Row, column: int) -> Any:
    """What a row holds in a column (from 0); None where it holds nothing."""
    value = row.cells[column] if column < len(row.cells) else None
    return None if isinstance(value, str) and not value.strip() else value


def text(sheet: Sheet, row: Row, column: int, name: str) -> str:
    """A cell as text without blanks at its ends; the number 6 is '6', an empty cell ''.

    A formula without its result is a UserError that calls the cell `name`.
    """
    value = _result(sheet, row, column, name)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def frame_number(sheet: Sheet, row: Row, column: int, name: str) -> float:
    """A cell as a frame number, maybe with a fraction; NaN for an empty cell, else UserError."""
    value = _result(sheet, row, column, name)
    if value is None:
        return math.nan
    digits = isinstance(value, str) and NUMBER.fullmatch(value.strip())
    frame: Any = float(value) if digits else value
    number = isinstance(frame, int | float) and not isinstance(frame, bool)
    if number and abs(frame) < LARGEST:
        return frame
    raise UserError(f"{where(sheet, row)}: {name} is {value!r}; it must be a frame number")


def kind_of(sheet: Sheet, row: Row, column: int, name: str) -> str:
    """A cell as kind: 'Micro - 1/2' -> 'ME', 'Macro' -> 'MaE', anything else -> UserError."""
    value = text(sheet, row, column, name)
    for word, kind in (("micro", "ME"), ("macro", "MaE")):
        if value.casefold().startswith(word):
            return kind
    raise UserError(f"{where(sheet, row)}: {name} is {value!r}; it must be Micro or Macro")


def find_header(sheet: Sheet, names: Sequence[str]) -> Header | None:
    """The first of 30 rows that holds all names (case, blanks and signs do not count), or None.

    UserError: the row holds one of them twice.
    """
    for row, have in _header_rows(sheet):
        if all(_plain(name) in have for name in names):
            held = Counter(_plain(value) for value in row.cells if isinstance(value, str))
            twice = next((name for name in names if held[_plain(name)] > 1), None)
            if twice:
                raise UserError(
                    f"{where(sheet, row)}: two columns are called {twice!r}; keep one of them"
                )
            return Header(row.number, {name: have[_plain(name)] for name in names})
    return None


def nearest_header(sheets: Sequence[Sheet], names: Sequence[str]) -> str:
    """Says which column is missing from the row that is most like the header; '' if none is."""
    rows = []
    for sheet in sheets:
        for row, have in _header_rows(sheet):
            rows.append(([name for name in names if _plain(name) not in have], sheet, row))
    lacks, sheet, row = min(rows, key=lambda found: len(found[0]), default=(names, None, None))
    if sheet is None or row is None or len(lacks) > len(names) / 2:
        return ""
    have = ", ".join(str(value) for value in row.cells if value is not None)
    return f"{where(sheet, row)}: column {lacks[0]!r} is missing (the row has: {have})"


def only_sheet(sheets: Sequence[Sheet], names: Sequence[str]) -> tuple[Sheet, Header]:
    """The only sheet with all columns, and its header; UserError: there is none, or several."""
    found = [(sheet, find_header(sheet, names)) for sheet in sheets]
    fitting = [(sheet, header) for sheet, header in found if header]
    if not fitting:
        near = nearest_header(sheets, names) or f"{sheets[0].path}: no sheet has these columns"
        raise UserError(f"{near}; the columns must be {', '.join(names)}")
    if len(fitting) > 1:
        held = ", ".join(sheet.name for sheet, _ in fitting)
        raise UserError(f"{sheets[0].path}: {len(fitting)} sheets hold labels ({held}); keep one")
    return fitting[0]


def matching_column(sheet: Sheet, pattern: re.Pattern) -> int | None:
    """The column in which most rows match a pattern; None if these are fewer than half of all."""
    counts = Counter(
        column
        for row in sheet.rows
        for column, value in enumerate(row.cells)
        if isinstance(value, str) and pattern.fullmatch(value.strip())
    )
    column, count = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    return column if count and 2 * count >= len(sheet.rows) else None


def _check_format(path: Path, file: BinaryIO) -> None:
    start = file.read(8)
    if start == OLE:
        locked = "EncryptedPackage".encode("utf-16-le") in file.read()
        if locked:
            raise UserError(f"{path}: is under a password; {RESAVE} without one")
        raise UserError(f"{path}: is in the old format .xls; {RESAVE}")
    if not start:
        raise UserError(f"{path}: the file is empty; get it from the release again")
    if not start.startswith(ZIP):
        raise UserError(f"{path}: is not a workbook (.xlsx); if it is a CSV table, name it .csv")


def _sheets(path: Path, file: BinaryIO) -> list[Sheet]:
    book = lambda results: contextlib.closing(
        openpyxl.load_workbook(file, read_only=True, data_only=results)
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions, which hold no labels
            with book(True) as values, book(False) as formulas:
                pairs = zip(values.worksheets, formulas.worksheets, strict=True)
                return [Sheet(str(path), str(one.title), _rows(one, two)) for one, two in pairs]
    except Exception as error:  # a damaged file fails anywhere in zip, XML or openpyxl
        reason = " ".join(str(error).split())[:80]
        raise UserError(
            f"{path}: is not a readable workbook ({type(error).__name__}: {reason}); "
            f"get it from the release again, or {RESAVE}"
        ) from None


def _rows(values, formulas):
    # Some programs save a wrong size of the sheet, which would cut it.
    values.reset_dimensions()
    formulas.reset_dimensions()
    pairs = zip(values.iter_rows(), formulas.iter_rows(), strict=True)
    rows = (
        Row(number, tuple(itertools.starmap(_value, zip(*pair, strict=True))))
        for number, pair in enumerate(pairs, 1)
    )
    return tuple(row for row in rows if any(cell(row, at) is not None for at in range(len(row[1]))))


def _value(result, formula):
    if result.value is None and formula.data_type == "f":
        return Formula(str(getattr(formula.value, "text", formula.value)))
    return result.value


def _result(sheet, row, column, name):
    value = cell(row, column)
    if isinstance(value, Formula):
        raise UserError(
            f"{where(sheet, row)}: {name} is a formula without its result ({value.text}); {RESAVE}"
        )
    return value


def _header_rows(sheet):
    """Rows that may be the header, each with its plain names: name -> first column."""
    for row in sheet.rows:
        if row.number <= HEADER_ROWS:
            cells = reversed(list(enumerate(row.cells)))
            yield row, {_plain(value): at for at, value in cells if isinstance(value, str)}


def _plain(name):
    return re.sub(r"[\W_]+", "", name).casefold()
