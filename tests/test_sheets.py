"""Workbooks that cannot be read, or are another dataset's: one line that names the file."""

import random
import zipfile

import pytest
from release_sheets import (
    CAS_ME2_HEADER,
    cache_formulas,
    write_cas_me2,
    write_samm_lv,
    write_workbook,
)

from jaxspot import read_cas_me2, read_samm_lv
from jaxspot.annotations.recognise import READERS, recognise
from jaxspot.annotations.sheets import OLE, find_header, read_workbook, text
from jaxspot.errors import UserError

SAMM = [("006", "006_1", "ME", 5, 10, 20), ("006", "006_1", "MaE", 30, 40, 60)]
CAS = [("s15", "s15_0401", "ME", 5, 10, 20), ("s16", "s16_0101", "MaE", 30, 40, 60)]
OTHERS = {
    "CAS(ME)^3": ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Expression type"],
    "SMIC-E-Long": ["Subject", "Filename", "FirstF", "OnsetF", "OffsetF"],
    "CASME II or SAMM short clips": ["Subject", "Filename", "OnsetFrame", "OffsetFrame"],
}


def line(reader, path, **options):
    with pytest.raises(UserError) as error:
        reader(path, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def zipped(path, parts):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path.read_bytes()


@pytest.mark.parametrize("reader", [read_samm_lv, read_cas_me2])
def test_what_is_no_workbook_is_one_line_with_a_remedy(reader, tmp_path):
    path = tmp_path / "labels.xlsx"
    assert line(reader, path) == f"{path}: no such file"
    assert line(reader, tmp_path).startswith(f"{tmp_path}: cannot be read")
    cases = {
        b"": "the file is empty",
        b"Subject,Filename\n006,006_1_1\n": "if it is a CSV table, name it .csv",
        OLE + bytes(2000): "old format .xls; open it in a spreadsheet program and save it as .xlsx",
        OLE + bytes(99) + "EncryptedPackage".encode("utf-16-le"): "password",
        b"PK\x03\x04 not a zip": "not a readable workbook",
        zipped(path, {"mimetype": "spreadsheet"}): "not a readable workbook",
        write_workbook(path, {"a": [], "b": [[None, " "]]}).read_bytes(): "the workbook is empty",
    }
    for content, words in cases.items():
        path.write_bytes(content)
        assert line(reader, path).startswith(f"{path}: ")
        assert words in line(reader, path)


def test_a_damaged_workbook_is_refused_or_read_rightly(tmp_path):
    path = write_samm_lv(tmp_path / "labels.xlsx", SAMM)
    whole, table = path.read_bytes(), read_samm_lv(path)
    draw = random.Random(0)
    for _ in range(40):
        content = bytearray(whole)
        content[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(content[: draw.choice([len(whole), draw.randrange(len(whole))])])
        try:
            assert read_samm_lv(path).equals(table)
        except UserError as error:
            assert str(error).startswith(str(path)) and "\n" not in str(error)


def test_a_workbook_of_another_dataset_is_said_to_be_so(tmp_path):
    samm = write_samm_lv(tmp_path / "samm.xlsx", SAMM)
    cas = write_cas_me2(tmp_path / "cas.xlsx", CAS)
    assert line(read_cas_me2, samm) == (
        f"{samm}: is the workbook of SAMM-LV; use --dataset=samm_lv"
    )
    assert line(read_samm_lv, cas) == f"{cas}: is the workbook of CAS(ME)^2; use --dataset=cas_me2"
    for dataset, header in OTHERS.items():
        name = "a" if dataset == "CAS(ME)^3" else "EP02_1"
        rows = [header, ["01", name, 1, 2, 3, 4, "Macro-expression"]]
        path = write_workbook(tmp_path / "other.xlsx", {"Sheet1": rows})
        assert recognise(read_workbook(path)) == dataset
        for reader in (read_samm_lv, read_cas_me2):
            said = line(reader, path)
            if dataset in READERS:
                assert f"workbook of {dataset}; use --dataset={READERS[dataset]}" in said
            else:
                assert f"of {dataset}, for which there is no reader" in said
                assert "--dataset=csv" in said


def test_copies_with_a_header_are_still_known(tmp_path):
    like_cas3 = [
        "Subject",
        "Filename",
        "Onset",
        "Apex",
        "Offset",
        "AU",
        "Emotion",
        "Expression type",
    ]
    for header in (CAS_ME2_HEADER, range(9), [*like_cas3, "Self report"]):
        path = write_cas_me2(tmp_path / "cas.xlsx", CAS, header=header)
        assert recognise(read_workbook(path)) == "CAS(ME)^2"
    assert recognise(read_workbook(write_samm_lv(path, SAMM, header_row=1))) == "SAMM-LV"


def test_a_workbook_of_nobody(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"Sheet1": [["name", "size"], ["x", 3]]})
    assert recognise(read_workbook(path)) == "unknown"
    assert "is not a workbook of SAMM-LV" in line(read_samm_lv, path)
    assert "is not a workbook of CAS(ME)^2" in line(read_cas_me2, path)


def test_rows_are_numbered_as_in_the_sheet_and_blank_ones_skipped(tmp_path):
    rows = [[], ["a"], [None, "  "], [], [None, None, 7]]
    (sheet,) = read_workbook(write_workbook(tmp_path / "a.xlsx", {"one": rows}))
    assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("a",)), (5, (None, None, 7))]


@pytest.mark.parametrize(("row", "found"), [(1, True), (10, True), (30, True), (31, False)])
def test_a_header_stands_in_the_first_thirty_rows(row, found, tmp_path):
    rows = [["onset of the study"]] * (row - 1) + [["No", " ONSET ", "apex_frame"]]
    (sheet,) = read_workbook(write_workbook(tmp_path / "a.xlsx", {"one": rows}))
    header = find_header(sheet, ["Apex Frame", "Onset"])
    assert header == ((row, {"Apex Frame": 2, "Onset": 1}) if found else None)


def test_a_whole_number_is_text_without_a_point(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"one": [["=5+1", 6, " 006 ", None, 0.5]]})
    (sheet,) = read_workbook(cache_formulas(path, {"A1": "6.0"}))
    (row,) = sheet.rows
    found = [text(sheet, row, column, "subject") for column in range(6)]
    assert found == ["6", "6", "006", "", "0.5", ""]


def test_a_column_that_stands_twice_is_refused(tmp_path):
    header = [*OTHERS["CAS(ME)^3"], "Notes", "notes"]  # what is not read may be there twice
    row = ["spNO.1", "a", 1, 2, 3, "4", "Micro-expression", "", ""]
    names = OTHERS["CAS(ME)^3"]
    path = write_workbook(tmp_path / "a.xlsx", {"a": [header, row]})
    assert find_header(read_workbook(path)[0], names).columns["Onset"] == 2
    path = write_workbook(tmp_path / "a.xlsx", {"a": [["x"], [*header, "onset "], [*row, 7]]})
    with pytest.raises(UserError, match=r"row 2: two columns are called 'Onset'; keep one"):
        find_header(read_workbook(path)[0], names)
