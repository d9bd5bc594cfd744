"""Labels from whatever file holds them: a release's workbook, its label sheet, or a CSV table."""

from collections.abc import Callable, Collection
from pathlib import Path

from jaxspot.annotations.canonical import canonical_labels, is_canonical
from jaxspot.annotations.cas_me2 import cas_me2_sheets
from jaxspot.annotations.columns import SEPARATORS, read_file
from jaxspot.annotations.csv_sheets import csv_sheet, is_workbook
from jaxspot.annotations.recognise import READERS, is_label_sheet, recognise
from jaxspot.annotations.repairs import RULES, Labels
from jaxspot.annotations.samm_lv import samm_lv_sheets
from jaxspot.annotations.sheets import read_workbook
from jaxspot.errors import UserError

OF_SHEETS: dict[str, Callable[..., Labels]] = dict(samm_lv=samm_lv_sheets, cas_me2=cas_me2_sheets)


def read_labels(
    file: str | Path, *, rules: Collection[str] = RULES, dataset: str | None = None
) -> Labels:
    """Labels of a data set, mended by the rules of its label sheet.

    Args:
      file: a workbook of SAMM-LV or CAS(ME)^2; its label sheet saved as CSV; or a canonical CSV
        table (subject, video, kind, onset, offset; apex optional).
      rules: of `repairs.RULES`.
      dataset: 'samm_lv' or 'cas_me2': whose sheets these must be; by default, whosever they are.

    Returns:
      labels that are not fitted to videos yet, see `fit_to_videos`.

    Raises:
      UserError: naming file and row.
    """
    data = read_file(file)
    if is_workbook(file, data):
        sheets = read_workbook(file)
    else:
        sheets = [csv_sheet(file, data)]
        if is_canonical(sheets[0]) or not is_label_sheet(sheets[0]):
            _refuse_other_separators(file, data)
            return canonical_labels(file, data=data, rules=rules)
    # The reader says what the sheets of another set are, or that they are nobody's.
    dataset = dataset or READERS.get(recognise(sheets), "samm_lv")
    return OF_SHEETS[dataset](sheets, rules=rules)


def _refuse_other_separators(file, data):
    for sign, word in SEPARATORS.items():
        if is_label_sheet(csv_sheet(file, data, separator=sign)):
            raise UserError(f"{file}: it separates by {word}: save it with commas")
