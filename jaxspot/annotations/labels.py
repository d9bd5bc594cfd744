"""Labels from whatever file holds them: a release's workbook, its label sheet, or a CSV table."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.cas_me2 import cas_me2_labels
from jaxspot.annotations.cas_me3 import cas_me3_labels
from jaxspot.annotations.columns import SEPARATORS, in_row, read_columns, read_file, refuse
from jaxspot.annotations.csv_sheets import csv_sheet, read_sheets
from jaxspot.annotations.foreign import read_foreign
from jaxspot.annotations.intervals import ACCEPTED, KINDS, OPEN, VERDICTS, WHOSE, check_verdicts
from jaxspot.annotations.recognise import READERS, is_label_sheet, recognise
from jaxspot.annotations.repairs import RULES, Label, Labels, mend, mend_without_apex
from jaxspot.annotations.rules import Span
from jaxspot.annotations.samm_lv import samm_lv_labels
from jaxspot.annotations.sheets import Sheet
from jaxspot.annotations.smic_long import smic_long_labels
from jaxspot.annotations.timed import TimesOf, foreign_labels
from jaxspot.annotations.whose import say_foreign, say_table
from jaxspot.errors import UserError

OF_SHEETS: dict[str, Callable[..., Labels]] = dict(
    samm_lv=samm_lv_labels,
    cas_me2=cas_me2_labels,
    cas_me3=cas_me3_labels,
    smic_long=smic_long_labels,
)

NAMES = ("subject", "video", "kind")


def read_samm_lv(workbook: str | Path, *, rules: Collection[str] = RULES) -> pd.DataFrame:
    """Reads SAMM-LV labels: subject (like '006'), video ('006_1'), kind, onset, apex, offset.

    Args:
      workbook: the .xlsx of any version, or its label sheet as CSV; the header may stand in row 1
        or 10.
      rules: the repair rules in force (`repairs.RULES`).

    Returns:
      one row per label, in the order of the sheet; onset, apex and offset are frame numbers from
      1 at 200 fps, both ends included.

    Raises:
      UserError: the sheet cannot be read or has an invalid row; the message names file and row.
    """
    return samm_lv_labels(read_sheets(workbook), rules=rules).annotations.drop(columns="row")


def read_cas_me2(workbook: str | Path, *, rules: Collection[str] = RULES) -> pd.DataFrame:
    """Reads CAS(ME)^2 labels: subject (like 's15'), video ('s15_0401'), kind, onset, apex, offset.

    Args:
      workbook: the .xlsx with its three sheets, under any names and in any order; or its label
        sheet as CSV. In a CSV, participant numbers are replaced by the subject names of the release
        (1 becomes s15, 22 becomes s40).
      rules: the repair rules in force (`repairs.RULES`).

    Returns:
      one row per label, in the order of the sheet; onset, apex and offset are frame numbers from
      1 at 30 fps, both ends included.

    Raises:
      UserError: the sheet cannot be read or has an invalid row; the message names file and row.
    """
    return cas_me2_labels(read_sheets(workbook), rules=rules).annotations.drop(columns="row")


def read_labels(
    file: str | Path,
    *,
    rules: Collection[str] = RULES,
    dataset: str | None = None,
    times: TimesOf | None = None,
) -> Labels:
    """Labels of a data set, mended by `rules`, not fitted to videos yet (see `fit_to_videos`).

    `file` is a workbook of a release (OF_SHEETS), its label sheet saved as CSV, a canonical CSV
    table (subject, video, kind, onset, offset; apex optional), or a file of ELAN, BORIS or MEGC
    (`read_foreign`), for which `times` gives the frames of a video. `dataset` says whose sheets
    these must be, such as 'samm_lv'; any by default. UserError names file and row.
    """
    data = read_file(file)  # once: it may be a pipe
    foreign = read_foreign(file, data) if times and dataset is None else None
    if times and foreign:
        labels = foreign_labels(foreign, times)
        made = mend_without_apex(labels, file=str(file), rules=rules)
        return made._replace(notes=tuple(say_foreign(foreign, times)))
    sheets = read_sheets(file, data)
    is_csv = not sheets[0].name
    if is_csv and (is_canonical(sheets[0]) or not is_label_sheet(sheets[0])):
        for sign, word in SEPARATORS.items():
            if is_label_sheet(csv_sheet(file, data, separator=sign)):
                raise UserError(f"{file}: it separates by {word}: save it with commas")
        return canonical_labels(file, data, rules=rules, times=times)
    # The reader says what the sheets of another set are, or that they are nobody's.
    dataset = dataset or READERS.get(recognise(sheets), "samm_lv")
    return OF_SHEETS[dataset](sheets, rules=rules)


def is_canonical(sheet: Sheet) -> bool:
    """Whether the first row of a CSV file names the columns of such a table."""
    first = {str(cell).strip() for row in sheet.rows[:1] for cell in row.cells}
    return first >= {*NAMES, "onset", "offset"}


def canonical_labels(
    path: str | Path,
    data: bytes,
    *,
    rules: Collection[str] = RULES,
    times: TimesOf | None = None,
) -> Labels:
    """Reads a canonical table, `data`: subject, video, kind (ME or MaE), onset, offset, maybe apex.

    Frames count from 1, both ends included, and are mended by the same rules as those of a release.
    Without a column `apex`, the apex of each label is the middle of onset..offset; that is no
    repair and is not listed. A blank cell of that column is one, of rule `missing_apex`. Of a
    reviewed table (column `verdict`), the accepted rows are labels. UserError names file and row:
    no frame, an unknown kind, frames no rule mends, times in seconds, nothing reviewed.
    """
    columns = dict.fromkeys(NAMES, str) | {"onset": float}
    optional = {"apex": float, "verdict": str, **WHOSE}
    table = read_columns(path, columns, blank={"offset": float}, optional=optional, data=data)
    refuse(path, table.loc[:, list(NAMES)], ~table.kind.isin(KINDS), "kind must be ME or MaE")
    table, notes = _accepted(path, table)
    _refuse_seconds(path, table)
    if "apex" in table:
        labels = mend(_rows(table), file=str(path), rules=rules)
    else:
        table = table.assign(apex=np.nan)
        labels = mend_without_apex(_rows(table), file=str(path), rules=rules)
    return labels._replace(notes=(*notes, *say_table(table, times)))


def _accepted(path: str | Path, table: pd.DataFrame) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows that are labels, and lines on the others."""
    if "verdict" not in table:
        return table, ()
    check_verdicts(path, table, table.verdict.isin(VERDICTS))
    if len(table) and (table.verdict == OPEN).all():
        raise UserError(
            f"{path}: none of its {len(table)} intervals was reviewed, all are open; accept or"
            " reject them in the review page"
        )
    kept: Any = table[table.verdict == ACCEPTED]
    counts = table.verdict.value_counts()
    counted = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in VERDICTS[1:])
    return kept, (f"accepted intervals (the labels): {len(kept)}; left out: {counted}",)


def _rows(table: pd.DataFrame):
    columns = (table[name].tolist() for name in (*NAMES, "onset", "apex", "offset"))
    rows = zip(table.index + 2, *columns, strict=True)
    for row, subject, video, kind, onset, apex, offset in rows:
        yield Label(int(row), subject, video, kind, Span(onset, apex, offset))


def _refuse_seconds(path, table):
    """Few frames of a release have a fraction (SAMM-LV: one in ten); nearly all seconds do."""
    ends = table[["onset", "offset"]]
    broken = ends.notna() & (ends % 1 != 0)
    many = 2 * broken.to_numpy().sum() > ends.notna().to_numpy().sum()
    if many and broken.any(axis=1).sum() > 1:
        row = int(broken.any(axis=1).idxmax())
        found = ", ".join(f"{name} {table[name][row]}" for name in ends)
        raise UserError(
            f"{in_row(path, row + 2)}: {found}: most onsets and offsets are no whole numbers; write"
            " frames, not seconds"
        )
