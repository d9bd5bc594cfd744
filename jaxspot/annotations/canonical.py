"""Labels of any other set: a CSV table of subject, video, kind, onset, offset and maybe apex."""

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import in_row, read_columns, refuse
from jaxspot.annotations.intervals import KINDS
from jaxspot.annotations.repairs import RULES, Label, Labels, mend
from jaxspot.annotations.rules import Span
from jaxspot.annotations.sheets import Sheet
from jaxspot.errors import UserError

NAMES = ("subject", "video", "kind")
APEX_RULE = "missing_apex"


def is_canonical(sheet: Sheet) -> bool:
    """Whether the first row of a CSV file names the columns of such a table."""
    first = {str(cell).strip() for row in sheet.rows[:1] for cell in row.cells}
    return first >= {*NAMES, "onset", "offset"}


def canonical_labels(path: str | Path, data: bytes, *, rules: Collection[str] = RULES) -> Labels:
    """Reads a canonical table; its frames are mended by the same rules as those of a release.

    Without a column `apex`, the apex of each label is the middle of onset..offset; that is no
    repair and is not listed. A blank cell of that column is one, of rule `missing_apex`.

    Args:
      path: a CSV file: subject, video, kind (ME or MaE), onset, offset, and apex if known; frames
        from 1, both ends included.
      data: its bytes.
      rules: the repair rules in force (`repairs.RULES`).

    Raises:
      UserError: naming file and row: a text in place of a frame, an unknown kind, frames that no
        rule mends, or times in seconds.
    """
    columns = dict.fromkeys(NAMES, str) | {"onset": float}
    optional = {"apex": float}
    table = read_columns(path, columns, blank={"offset": float}, optional=optional, data=data)
    refuse(path, table.loc[:, list(NAMES)], ~table.kind.isin(KINDS), "kind must be ME or MaE")
    _refuse_seconds(path, table)
    if "apex" in table:
        return mend(_rows(table), file=str(path), rules=rules)
    labels = mend(_rows(table.assign(apex=np.nan)), file=str(path), rules=[*rules, APEX_RULE])
    listed = labels.repairs[labels.repairs.rule != APEX_RULE].reset_index(drop=True)
    return labels._replace(repairs=listed)


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
