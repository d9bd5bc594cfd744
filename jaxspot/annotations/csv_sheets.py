"""A label sheet that was saved as CSV, as the same rows of cells that a workbook gives."""

import csv
import io
from pathlib import Path

from jaxspot.annotations.columns import not_a_table, read_file
from jaxspot.annotations.sheets import OLE, Row, Sheet, read_workbook

TABLES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm", ".xls")
ZIP = b"PK"


def read_sheets(path: str | Path) -> list[Sheet]:
    """All sheets of a workbook, or the one sheet that a CSV file is.

    Raises:
      UserError: the file cannot be read as either.
    """
    data = read_file(path)
    return read_workbook(path) if is_workbook(path, data) else [csv_sheet(path, data)]


def is_workbook(path: str | Path, data: bytes) -> bool:
    """Whether a file is to be read as a workbook: by its ending or, if that is none, its start."""
    ending = Path(path).suffix.lower()
    begins = data.startswith((ZIP, OLE))
    return ending in WORKBOOKS or (ending not in TABLES and begins)


def csv_sheet(path: str | Path, data: bytes, *, separator: str = ",") -> Sheet:
    """A CSV file as a sheet without a name; all its cells are text.

    Args:
      path: of the file, for messages.
      data: its bytes, UTF-8.
      separator: what stands between cells.

    Raises:
      UserError: not text in UTF-8.
    """
    try:
        text = data.decode("utf-8-sig")
        lines = io.StringIO(text, newline="")
        cells = csv.reader(lines, delimiter=separator, skipinitialspace=True)
        rows = [Row(number, tuple(row)) for number, row in enumerate(cells, 1)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise not_a_table(path, str(error)) from None
    return Sheet(str(path), "", tuple(row for row in rows if any(map(str.strip, row.cells))))
