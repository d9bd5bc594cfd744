"""A label sheet that was saved as CSV, as the same rows of cells that a workbook gives."""

import csv
import io
from pathlib import Path

from jaxspot.annotations.columns import not_a_table, read_file
from jaxspot.annotations.sheets import OLE, ZIP, Row, Sheet, read_workbook

TABLES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm", ".xls")


def read_sheets(path: str | Path, data: bytes | None = None) -> list[Sheet]:
    """All sheets of a workbook, or the one sheet that a CSV file is; else UserError.

    A file of another ending is a workbook if it begins as one. `data` are its bytes, if known.
    """
    data, ending = read_file(path) if data is None else data, Path(path).suffix.lower()
    other = ending not in TABLES and data.startswith((ZIP, OLE))
    return read_workbook(path) if ending in WORKBOOKS or other else [csv_sheet(path, data)]


def csv_sheet(path: str | Path, data: bytes, *, separator: str = ",") -> Sheet:
    """The bytes of a CSV file as a sheet without a name, all cells text; UserError: not UTF-8."""
    try:
        lines = io.StringIO(data.decode("utf-8-sig"), newline="")
        cells = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        rows = [Row(number, tuple(row)) for number, row in enumerate(cells, 1)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise not_a_table(path, str(error)) from None
    return Sheet(str(path), "", tuple(row for row in rows if any(map(str.strip, row.cells))))
