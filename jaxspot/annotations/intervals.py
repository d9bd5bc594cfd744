"""Tables of intervals made by hand are checked as those read from files are."""

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import KINDS
from jaxspot.errors import UserError


def check_intervals(
    table: pd.DataFrame, *more: str, what: str = "annotations", first: int | None = None
) -> None:
    """Refuses a table of intervals that nothing can be counted of.

    Args:
      table: kind (ME or MaE), onset, offset, both ends in frames.
      more: further columns that it needs.
      what: the table's name in the error.
      first: the lowest frame that an onset may be; any by default.

    Raises:
      TypeError: not a table.
      UserError: a column is missing, a kind is not ME or MaE, an onset or offset is no whole
        number, an offset is before its onset, or an onset before `first`; it names the row by its
        index.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(f"{what} must be a pandas DataFrame, not {type(table).__name__}")
    columns = ("kind", "onset", "offset", *more)
    missing = [name for name in columns if name not in table]
    if missing:
        have = ", ".join(map(str, table.columns))
        raise UserError(f"{what}: column {missing[0]!r} is missing (the table has: {have})")
    onset, offset = (_numbers(table[name]) for name in ("onset", "offset"))
    refuse = lambda bad, reason: _refuse(table, what, bad, reason)
    refuse(~table.kind.isin(KINDS).to_numpy(), "kind must be ME or MaE")
    refuse((onset % 1 != 0) | (offset % 1 != 0), "onset and offset must be whole frames")
    refuse(offset < onset, "offset is before onset")
    if first is not None:
        refuse(onset < first, f"onset is before frame {first} (frames count from {first})")


def _numbers(column):
    return pd.Series(pd.to_numeric(column, errors="coerce")).to_numpy(float, na_value=np.nan)


def _refuse(table, what, bad, reason):
    if bad.any():
        row = table.iloc[int(np.argmax(bad))]
        shown = [name for name in ("video", "kind", "onset", "offset") if name in table]
        values = ", ".join(f"{name}={row[name]}" for name in shown)
        raise UserError(f"{what}, index {row.name}: {reason} ({values})")
