"""The table that tells which stretches of which clips to use, and who is who."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.faces.clips import Stretch

STRATA = ("still", "drift", "speech", "expressive")
"""A head at rest, one that turns, one that speaks, and a clip with expressions of its own."""
COLUMNS = ("clip", "person", "first", "last", "stratum")


class Known(NamedTuple):
    """What is known of clips: stretches, and by the clip's name its person and stratum."""

    stretches: list[Stretch]
    people: dict[str, str]
    strata: dict[str, str]


def read_stretches(path: str | Path, clips: Mapping[str, Path]) -> Known:
    """Reads a table of COLUMNS: a row for each stretch; without first and last, for a whole clip.

    `clips` are files by their names without ending; rows of others are left out. UserError: the
    table is not as it should be.
    """
    whole = {"first": int, "last": int}
    table = read_columns(path, {"clip": str, "person": str, "stratum": str}, blank=whole)
    refuse(path, table, ~table.stratum.isin(STRATA), f"stratum must be one of {', '.join(STRATA)}")
    refuse(path, table, table["first"].isna() != table["last"].isna(), "first or last is missing")
    refuse(path, table, (table["first"] < 1).fillna(False), "first must be 1 or more")
    refuse(path, table, (table["last"] <= table["first"]).fillna(False), "last must be after first")
    table = table.loc[table["clip"].isin(list(clips))]
    parts = table.loc[table["first"].notna()]
    stretches = [
        Stretch(clips[clip], person, int(first), int(last), stratum)
        for clip, person, first, last, stratum in parts.loc[:, list(COLUMNS)].itertuples(
            index=False
        )
    ]
    others = table.loc[table["first"].isna()]
    return Known(
        stretches,
        dict(zip(table["clip"], table["person"], strict=True)),
        dict(zip(others["clip"], others["stratum"], strict=True)),
    )


def stretch_table(stretches: list[Stretch]) -> pd.DataFrame:
    """The stretches as a table of COLUMNS."""
    rows = [(s.path.stem, s.person, s.first, s.last, s.stratum) for s in stretches]
    return pd.DataFrame(rows, columns=list(COLUMNS))
