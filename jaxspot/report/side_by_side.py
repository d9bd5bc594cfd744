"""Table 2, and tables of several data sets next to each other as the paper prints them."""

from collections.abc import Mapping

import pandas as pd

TABLE2_COLUMNS = ("data", "kind", "minimum", "mean", "maximum", "k", "count")
NONE = "-"


def table2(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tidy Table 2, how long expressions last, from the `duration_table` of each data set.

    Columns: data, kind, minimum, mean, maximum (seconds), k (frames), count.
    """
    named = [part.assign(data=name) for name, part in parts.items()]
    return pd.concat(named, ignore_index=True).loc[:, list(TABLE2_COLUMNS)]


def layout2(tidy: pd.DataFrame) -> pd.DataFrame:
    """Table 2 as printed: seconds, k and number of ME and MaE of each data set; text cells."""
    seconds = lambda value: NONE if pd.isna(value) else f"{value:.2f}"
    count = lambda value: NONE if pd.isna(value) else f"{value:.0f}"
    lines = {
        "Minimum (s)": ("minimum", seconds),
        "Mean (s)": ("mean", seconds),
        "Maximum (s)": ("maximum", seconds),
        "k (frames)": ("k", count),
        "Intervals": ("count", count),
    }
    parts = {}
    for name in dict.fromkeys(tidy.data):
        rows = tidy[tidy.data == name].set_index("kind")
        wide = pd.DataFrame({"Duration": list(lines)})
        for kind in rows.index:
            wide[kind] = [text(rows.at[kind, column]) for column, text in lines.values()]
        parts[str(name)] = wide
    return side_by_side(parts)


def side_by_side(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of text cells next to each other, a row wherever any of them has one.

    The first column of each names its rows. The result has columns of two levels, the data set
    above; "-" where a data set lacks a row. A single table comes back as it is.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    first = next(iter(parts.values())).columns[0]
    tables = {name: part.set_index(part.columns[0]) for name, part in parts.items()}
    names = list(dict.fromkeys(name for table in tables.values() for name in table.index))
    aligned = {name: table.reindex(names) for name, table in tables.items()}
    wide = pd.concat(aligned, axis=1).fillna(NONE)
    wide.insert(0, ("", first), names)
    return wide.reset_index(drop=True)


def stacked(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of text cells below each other, each row led by its data set, as Table 4 is printed.

    A single table comes back as it is.
    """
    if len(parts) == 1:
        return next(iter(parts.values()))
    rows = [part.assign(Data=name).loc[:, ["Data", *part]] for name, part in parts.items()]
    return pd.concat(rows, ignore_index=True).fillna(NONE)
