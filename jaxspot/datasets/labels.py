"""Labels from whatever file holds them: a release's workbook or a canonical CSV table."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from jaxspot.annotations.cas_me2 import cas_me2_labels
from jaxspot.annotations.recognise import recognise
from jaxspot.annotations.repairs import REPAIR_COLUMNS, RULES, Labels
from jaxspot.annotations.samm_lv import samm_lv_labels
from jaxspot.annotations.sheets import read_workbook
from jaxspot.annotations.tables import ANNOTATION_COLUMNS, read_annotations

TABLES = (".csv", ".txt", ".tsv")
WORKBOOKS = (".xlsx", ".xlsm", ".xls")


def read_labels(
    file: str | Path,
    *,
    rules: tuple[str, ...] = RULES,
    reader: Callable[..., Labels] | None = None,
) -> Labels:
    """Labels of a data set, from a workbook or a table.

    Args:
      file: a workbook of SAMM-LV or CAS(ME)^2, or a CSV table (subject, video, kind, onset, apex,
        offset), in which nothing is mended but what lies past the end of a video.
      rules: of `repairs.RULES`, for a workbook.
      reader: of workbooks; by default that of SAMM-LV or of CAS(ME)^2, whichever it is.

    Raises:
      UserError: naming file and row.
    """
    ending = Path(file).suffix.lower()
    if ending in TABLES or (reader is None and ending not in WORKBOOKS):
        return no_repairs(read_annotations(file, rows=True), file=str(file))
    if reader is None:
        cas_me2 = recognise(read_workbook(file)) == "CAS(ME)^2"
        reader = cas_me2_labels if cas_me2 else samm_lv_labels
    return reader(file, rules=rules)


def no_labels() -> Labels:
    """The labels of a data set that has none."""
    return no_repairs(pd.DataFrame(columns=[*ANNOTATION_COLUMNS, "row"]), file="")


def no_repairs(annotations: pd.DataFrame, *, file: str) -> Labels:
    """Labels of which none was mended."""
    return Labels(annotations, pd.DataFrame(columns=list(REPAIR_COLUMNS)), file)
