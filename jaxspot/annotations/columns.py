"""Columns of a CSV table: text and numbers with checks; a mistake is named by its row."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.errors import UserError

SEPARATORS = {";": "semicolons", "\t": "tabs"}
LARGEST = 2.0**53  # beyond it float64 skips whole numbers


def in_row(file: str | Path, row: int, sheet: str = "") -> str:
    """Where a row stands, for a message; a CSV table has no sheet."""
    return f"{file}, sheet {sheet!r}, row {row}" if sheet else f"{file}, row {row}"


def not_a_table(path: str | Path, reason: str) -> UserError:
    """The error of a file that is no CSV table."""
    return UserError(
        f"{path}: not a readable CSV table ({reason}); save it as CSV with commas, in UTF-8"
    )


def read_file(path: str | Path) -> bytes:
    """All bytes of a file; UserError where it is not there or cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None


def read_columns(
    path: str | Path,
    columns: Mapping[str, type],
    *,
    blank: Mapping[str, type] | None = None,
    optional: Mapping[str, type] | None = None,
    program: str = "",
    data: bytes | None = None,
) -> pd.DataFrame:
    """Reads columns of a CSV table by name; index + 2 is the row in the file. Others are ignored.

    `columns` maps names to str, int or float; every cell must hold one. Cells of `blank` may be
    blank: <NA> (Int64) or NaN; columns of `optional` may be missing too, and be of text. `program`
    is what writes such files with very many columns; only the named ones are read then. `data` are
    the file's bytes, if known. UserError: no table, a column that is missing, there twice or named
    in another case, or a cell of another type, named by its row.
    """
    needed = {**columns, **(blank or {})}
    sparse = {**(blank or {}), **(optional or {})}
    asked = {**needed, **sparse}
    wanted = lambda name: name.strip() in asked
    try:
        table = pd.read_csv(
            io.BytesIO(read_file(path) if data is None else data),
            dtype=str,
            skipinitialspace=True,
            keep_default_na=False,
            skip_blank_lines=False,
            usecols=wanted if program else None,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise not_a_table(path, str(error).strip().splitlines()[-1]) from None
    # pandas takes what is too much in every row for names of the rows.
    if not isinstance(table.index, pd.RangeIndex):
        raise UserError(f"{path}: not a readable CSV table (rows hold more values than the header)")
    for name in asked:
        _refuse_nearly(path, table, name)
    missing = [name for name in needed if name not in table]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing{_remedy(table, program)}")
    for name in asked:
        if name in table and f"{name}.1" in table:  # so pandas calls the second one
            raise UserError(f"{path}: two columns are called {name!r}; keep one of them")
    # Blank lines go, but still count: a mistake is named by its row in the file.
    table = table.fillna("")[lambda rows: (rows != "").any(axis=1)]
    known = {name: _column(path, table[name], kind) for name, kind in columns.items()}
    for name, kind in sparse.items():
        if name in table:
            cells: Any = table[name]
            filled = _column(path, cells[cells.str.strip() != ""], kind)
            filled = filled if kind is str else filled.astype("Int64" if kind is int else float)
            known[name] = filled.reindex(table.index)
    return pd.DataFrame(known)


def refuse(
    source: str | Path, table: pd.DataFrame, bad: Any, reason: str, *, by_index: bool = False
) -> None:
    """Raises UserError for the first row that is `bad` (a bool for each), with its values."""
    if np.any(bad):
        row = table.iloc[int(np.argmax(bad))]
        place = f"{source}, index {row.name}" if by_index else in_row(source, row.name + 2)
        values = ", ".join(f"{name}={value}" for name, value in row.items())
        raise UserError(f"{place}: {reason} ({values})")


def _refuse_nearly(path, table, name):
    """A column of an optional name in another case would be passed over, and change the result."""
    nearly = [head for head in table if str(head).strip().casefold() == name.casefold()]
    if nearly and name not in nearly:
        raise UserError(f"{path}: column {nearly[0]!r}: call it {name!r}")


def _remedy(table, program):
    if program:
        return f"; is it a CSV file of {program}?"
    have = ", ".join(map(str, table.columns))
    mark = next((word for sign, word in SEPARATORS.items() if sign in have), "")
    remedy = f"it separates by {mark}: save it with commas" if mark else "name it there"
    return f" (the header has: {have}); {remedy}"


def _column(path, text, kind):
    if kind is str:
        return text.astype(str).str.strip()
    number = np.asarray(pd.to_numeric(text, errors="coerce"), float)
    number = np.where(np.abs(number) < LARGEST, number, np.nan)
    bad = np.isnan(number) if kind is float else ~(number % 1 == 0)
    if bad.any():
        row = text.index[bad][0]
        given = repr(text[row]) if text[row].strip() else "empty"
        need = "a number" if kind is float else "a whole number"
        raise UserError(f"{in_row(path, row + 2)}: {text.name} is {given}; it must be {need}")
    return pd.Series(number.astype(kind), text.index)
