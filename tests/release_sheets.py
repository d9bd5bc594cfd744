"""Label workbooks laid out as the releases of SAMM-LV and CAS(ME)^2 lay theirs out.

`rows` are (subject, video, kind, onset, apex, offset), videos named '006_1' or 's15_0401'. A
frame cell may hold anything that a sheet may hold: 566.4, 0, None, '566', '=A1+1'.
"""

import csv
import re
import zipfile
from collections import Counter

from openpyxl import Workbook, load_workbook

SAMM_LV_HEADER = ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset"]
SAMM_LV_HEADER += ["Duration", "Type", "Action Units", "Notes"]
CAS_ME2_CODES = {
    "disgust1": "0101",
    "disgust2": "0102",
    "anger1": "0401",
    "anger2": "0402",
    "happy1": "0502",
    "happy2": "0503",
    "happy3": "0505",
    "happy4": "0507",
    "happy5": "0508",
}
CAS_ME2_SHEETS = ("CASFEcode_final", "naming rule1", "naming rule2")
CAS_ME2_HEADER = ["Participant", "Video", "Onset", "Apex", "Offset", "AUs", "Emotion", "Type"]
CAS_ME2_HEADER += ["Self report"]


def write_samm_lv(
    path,
    rows,
    *,
    header_row=10,
    sheet="FACS_Movement_Only",
    number_subjects=False,
    filenames=None,
    blank_rows=(),
    other_sheets=None,
):
    """One sheet: header in row 10 below a preamble (or in row 1), durations as formulas.

    Args:
      number_subjects: subjects are numbers, as a re-saved copy has them.
      filenames: Filename of each row; the default counts from 1 in every video ('006_1_1', ...).
      blank_rows: numbers of rows of the sheet that are left empty.
      other_sheets: name -> rows of cells of sheets beside it.
    """
    cells = [[f"Line {number} of the preamble"] for number in range(1, header_row)]
    cells.append(SAMM_LV_HEADER)
    for row, name in zip(rows, filenames or _numbered(rows), strict=True):
        cells += [[]] * _blank_below(cells, blank_rows)
        subject, _, kind, onset, apex, offset = row
        place = len(cells) + 1
        subject = int(subject) if number_subjects else subject
        kind = "Macro" if kind == "MaE" else "Micro - 1/2" if kind == "ME" else kind
        units = 4 if place % 2 else "4+L12"  # numbers and texts are mixed
        duration = f"=F{place}-D{place}+1"
        cells.append([subject, name, 1, onset, apex, offset, duration, kind, units, None])
    return write_workbook(path, {sheet: cells, **(other_sheets or {})})


def write_cas_me2(
    path,
    rows,
    *,
    sheets=CAS_ME2_SHEETS,
    header=None,
    index=False,
    number_codes=False,
    subjects="participant",
    participants=None,
    blank_rows=(),
):
    """Three sheets without headers: labels, naming rule 1 (subjects), naming rule 2 (codes).

    Args:
      sheets: their names.
      header: a first row for the label sheet, such as CAS_ME2_HEADER or range(9).
      index: a column of row numbers stands before all others, as pandas writes it.
      number_codes: '0101' has become 101, as a re-saved copy may have it.
      subjects: 'participant' (1..22, as released), 'number' (15) or 'name' ('s15').
      participants: 's15' -> its participant number; the default counts those that have a row.
      blank_rows: numbers of rows of the label sheet that are left empty.
    """
    known = sorted({row[0] for row in rows}, key=lambda name: int(name[1:]))
    participants = participants or {name: number for number, name in enumerate(known, 1)}
    names = {code: name for name, code in CAS_ME2_CODES.items()}
    cells = [list(header)] if header is not None else []
    count = Counter()
    for subject, video, kind, onset, apex, offset in rows:
        cells += [[]] * _blank_below(cells, blank_rows)
        count[video] += 1
        who = {"participant": participants[subject], "number": int(subject[1:]), "name": subject}
        name = f"{names[video.split('_')[1]]}_{count[video]}"
        kind = {"MaE": "macro-expression", "ME": "micro-expression"}.get(kind, kind)
        cells.append([who[subjects], name, onset, apex, offset, "4+7", "negative", kind, "anger"])
    rule1 = [[int(name[1:]), name, number] for name, number in participants.items()]
    rule2 = [[int(c) if number_codes else c, name] for name, c in CAS_ME2_CODES.items()]
    tables = [cells, rule1, rule2]
    if index:
        tables = [[[n, *row] if row else [] for n, row in enumerate(t)] for t in tables]
    return write_workbook(path, dict(zip(sheets, tables, strict=True)))


def write_workbook(path, sheets):
    """Sheet name -> rows of cells; an empty row stays empty. Returns the path."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column, value)
    book.save(path)
    return path


def save_as_csv(workbook, path):
    """The first sheet of a workbook as a spreadsheet program saves it as CSV. Returns the path."""
    book = load_workbook(workbook)
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        for cells in book.worksheets[0].iter_rows(values_only=True):
            writer.writerow(["" if cell is None else cell for cell in cells])
    return path


def cache_formulas(path, results):
    """Gives formulas the results that a spreadsheet program saves with them: {'D11': 566}."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for cell, value in results.items():
        formula = rf'(<c r="{cell}"[^>]*><f>[^<]*</f>)<v ?/?>(?:</v>)?'
        sheet, found = re.subn(formula, rf"\g<1><v>{value}</v>", sheet)
        assert found == 1, cell
    parts["xl/worksheets/sheet1.xml"] = sheet.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)
    return path


def _numbered(rows):
    count = Counter()
    for _, video, *_ in rows:
        count[video] += 1
        yield f"{video}_{count[video]}"


def _blank_below(cells, blank_rows):
    blank = 0
    while len(cells) + blank + 1 in blank_rows:
        blank += 1
    return blank
