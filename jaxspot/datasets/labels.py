"""Labels from whatever file holds them: a release's workbook or a canonical CSV table."""

from pathlib import Path

import pandas as pd

from jaxspot.annotations.cas_me2 import cas_me2_labels
from jaxspot.annotations.recognise import recognise
from jaxspot.annotations.repairs import REPAIR_COLUMNS, RULES, Labels
from jaxspot.annotations.samm_lv import samm_lv_labels
from jaxspot.annotations.sheets import read_workbook
from jaxspot.annotations.tables import read_annotations

WORKBOOKS = (".xlsx", ".xlsm", ".xls")


def read_labels(file: str | Path, *, rules: tuple[str, ...] = RULES) -> Labels:
    """Labels of a data set that comes without a reader of its own.

    Args:
      file: a workbook of SAMM-LV or CAS(ME)^2, or a CSV table (subject, video, kind, onset, apex,
        offset), in which nothing is mended but what lies past the end of a video.
      rules: of `repairs.RULES`, for a workbook.

    Raises:
      UserError: naming file and row.
    """
    if Path(file).suffix.lower() not in WORKBOOKS:
        table = read_annotations(file, rows=True)
        return Labels(table, pd.DataFrame(columns=list(REPAIR_COLUMNS)), str(file))
    cas_me2 = recognise(read_workbook(file)) == "CAS(ME)^2"
    return (cas_me2_labels if cas_me2 else samm_lv_labels)(file, rules=rules)
