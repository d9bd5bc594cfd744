"""Labels from whatever file holds them: a release's workbook, its label sheet, or a CSV table."""

from collections.abc import Callable, Collection
from pathlib import Path

import pandas as pd

from jaxspot.annotations.canonical import canonical_labels, is_canonical
from jaxspot.annotations.cas_me2 import cas_me2_labels
from jaxspot.annotations.columns import SEPARATORS, read_file
from jaxspot.annotations.csv_sheets import csv_sheet, read_sheets
from jaxspot.annotations.recognise import READERS, is_label_sheet, recognise
from jaxspot.annotations.repairs import RULES, Labels
from jaxspot.annotations.samm_lv import samm_lv_labels
from jaxspot.errors import UserError

OF_SHEETS: dict[str, Callable[..., Labels]] = dict(samm_lv=samm_lv_labels, cas_me2=cas_me2_labels)


def read_samm_lv(workbook: str | Path, *, rules: Collection[str] = RULES) -> pd.DataFrame:
    """Reads the labels of SAMM-LV: subject '006', video '006_1', kind, onset, apex, offset.

    Args:
      workbook: the .xlsx of any version, or its label sheet as CSV; the header may stand in row 1
        or 10.
      rules: the repair rules in force (`repairs.RULES`).

    Returns:
      frames as integers from 1, both ends included, 200 a second, in the order of the sheet.

    Raises:
      UserError: naming file and row.
    """
    return samm_lv_labels(read_sheets(workbook), rules=rules).annotations.drop(columns="row")


def read_cas_me2(workbook: str | Path, *, rules: Collection[str] = RULES) -> pd.DataFrame:
    """Reads the labels of CAS(ME)^2: subject 's15', video 's15_0401', kind, onset, apex, offset.

    Args:
      workbook: the .xlsx with its three sheets, under any names and in any order; or its label
        sheet as CSV, which is read by the names of the release (participant 1 is s15, 22 is s40).
      rules: the repair rules in force (`repairs.RULES`).

    Returns:
      frames as integers from 1, both ends included, 30 a second, in the order of the sheet.

    Raises:
      UserError: naming file and row.
    """
    return cas_me2_labels(read_sheets(workbook), rules=rules).annotations.drop(columns="row")


def read_labels(
    file: str | Path, *, rules: Collection[str] = RULES, dataset: str | None = None
) -> Labels:
    """Labels of a data set, mended by the rules of its label sheet.

    Args:
      file: a workbook of SAMM-LV or CAS(ME)^2; its label sheet saved as CSV; or a canonical CSV
        table (subject, video, kind, onset, offset; apex optional).
      rules: the repair rules in force (`repairs.RULES`).
      dataset: 'samm_lv' or 'cas_me2': whose sheets these must be; any by default.

    Returns:
      labels that are not fitted to videos yet, see `fit_to_videos`.

    Raises:
      UserError: naming file and row.
    """
    data = read_file(file)  # once: it may be a pipe
    sheets = read_sheets(file, data)
    is_csv = not sheets[0].name
    if is_csv and (is_canonical(sheets[0]) or not is_label_sheet(sheets[0])):
        for sign, word in SEPARATORS.items():
            if is_label_sheet(csv_sheet(file, data, separator=sign)):
                raise UserError(f"{file}: it separates by {word}: save it with commas")
        return canonical_labels(file, data, rules=rules)
    # The reader says what the sheets of another set are, or that they are nobody's.
    dataset = dataset or READERS.get(recognise(sheets), "samm_lv")
    return OF_SHEETS[dataset](sheets, rules=rules)
