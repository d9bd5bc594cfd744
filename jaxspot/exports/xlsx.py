"""A workbook (.xlsx): the table as it is, a row an interval."""

import io
from collections.abc import Mapping

import pandas as pd

from jaxspot.exports.medium import Medium
from jaxspot.exports.spans import COLUMNS

WIDTH = 11


def xlsx_file(spans: pd.DataFrame, media: Mapping[str, Medium]) -> bytes:
    """The workbook with one sheet, 'intervals'; numbers are numbers, all other cells are text."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.properties.creator = "jaxspot"
    sheet = book.worksheets[0]
    sheet.title = "intervals"
    sheet.append(list(COLUMNS))
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for row in spans.loc[:, list(COLUMNS)].astype(object).itertuples(index=False):
        sheet.append([None if pd.isna(value) or value == "" else value for value in row])
        for cell in sheet[sheet.max_row]:
            if cell.data_type == "f":  # a name that begins with "="
                cell.data_type = "s"
    sheet.freeze_panes = "A2"
    for at in range(1, len(COLUMNS) + 1):
        sheet.column_dimensions[get_column_letter(at)].width = WIDTH
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
