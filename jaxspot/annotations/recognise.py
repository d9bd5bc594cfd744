"""Whose label sheets they are: the known ones by their columns and names."""

import re
from collections.abc import Sequence

from jaxspot.annotations.sheets import Sheet, find_header, matching_column, nearest_header
from jaxspot.errors import UserError

SAMM_LV_COLUMNS = ("Filename", "Onset", "Apex", "Offset", "Type")
CAS_ME2_NAME = re.compile(r"[a-z]+\d*_\d+", re.IGNORECASE)
CAS_ME2_NAMES = {
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
CAS_ME2_LABEL = re.compile(rf"({'|'.join(CAS_ME2_NAMES)})_\d+", re.IGNORECASE)
READERS = {
    "SAMM-LV": "samm_lv",
    "CAS(ME)^2": "cas_me2",
    "CAS(ME)^3": "cas_me3",
    "SMIC-E-Long": "smic_long",
}
CSV = (
    "write its labels as a CSV table (subject, video, kind, onset, offset; apex if known); "
    "prepare takes that by --dataset=csv"
)


def recognise(sheets: Sequence[Sheet]) -> str:
    """The data set of a workbook's sheets, such as 'SAMM-LV' or 'CAS(ME)^3', or 'unknown'."""
    has = lambda *names: any(find_header(sheet, names) for sheet in sheets)
    if has("Filename", "Onset Frame", "Offset Frame"):
        return "CASME II or SAMM short clips"
    if has("Filename", "OnsetF", "OffsetF"):
        return "SMIC-E-Long"
    # Before the columns: a copy of CAS(ME)^2 may have any header, or none.
    if any(matching_column(sheet, CAS_ME2_NAME) is not None for sheet in sheets):
        return "CAS(ME)^2"
    if has(*SAMM_LV_COLUMNS):
        return "SAMM-LV"
    names = ("Filename", "Onset", "Apex", "Offset")
    if has(*names, "Expression type") or has(*names, "Objective class"):
        return "CAS(ME)^3"
    return "unknown"


def is_label_sheet(sheet: Sheet) -> bool:
    """Whether a CSV table is a label sheet of a known dataset, rather than any other table.

    Video names like 's1_1' are common, so those of CAS(ME)^2 must be the release's own.
    """
    found = recognise([sheet])
    if found == "CAS(ME)^2":
        return matching_column(sheet, CAS_ME2_LABEL) is not None
    return found != "unknown"


def expect(sheets: Sequence[Sheet], dataset: str) -> None:
    """Refuses a workbook that is not that of `dataset`, one of READERS.

    The UserError names the data set it belongs to and what reads that, if it is known.
    """
    found = recognise(sheets)
    if found == dataset:
        return
    path = sheets[0].path
    if found in READERS:
        raise UserError(f"{path}: is the workbook of {found}; use --dataset={READERS[found]}")
    if found != "unknown":
        raise UserError(f"{path}: is a workbook of {found}, for which there is no reader; {CSV}")
    near = nearest_header(sheets, SAMM_LV_COLUMNS) if dataset == "SAMM-LV" else ""
    if near:
        raise UserError(f"{near}; name it as in the release")
    raise UserError(f"{path}: is not a workbook of {dataset}; if it is of another dataset, {CSV}")
