"""Tables as tidy CSV, and laid out as in the paper in Markdown and LaTeX."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from jaxspot.files import write_table, write_text
from jaxspot.report.text_tables import latex, markdown

KIND_ORDER = ("MaE", "ME", "overall")
COUNTS = ("predictions", "ground_truth", "tp", "fp", "fn")
BOUNDS = ("f1_low", "f1_high")
TABLE4_COLUMNS = ("method", "kind", "f1", "auc")
TABLE5_COLUMNS = ("method", "kind", *COUNTS, "precision", "recall", "f1")
TABLE7_COLUMNS = ("variant", "kind", "f1", *BOUNDS, "tp", "fp", "fn", "predictions", "ground_truth")
CONTROL_COLUMNS = (*TABLE5_COLUMNS, "random_f1_p95")
DIFFERENCE_COLUMNS = ("method", "kind", "difference", "low", "high")
TITLES = {
    2: "Durations of expressions",
    4: "Frames: F1 and AUC of raw output",
    5: "Intervals: F1, Automated IoU Method",
    6: "Intervals: F1, Manual IoU Method",
    7: "Ablations: F1 of intervals, Automated IoU Method",
}


def table4(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy Table 4, F1 and AUC of single frames: method, kind ("MaE" or "ME"), f1, auc.

    Methods keep their order, MaE comes first. A column `oracle` (test data was seen) follows when
    it is true of any row.
    """
    return _tidy(rows, TABLE4_COLUMNS)


def table5(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy Table 5 or 6: interval scores by the Automated or the Manual IoU Method.

    Rows have TABLE5_COLUMNS, kind "MaE", "ME" or "overall", and `oracle` and order as in `table4`.
    f1_low and f1_high (from `bootstrap_f1`) follow f1 when any row has them (NaN in the others).
    """
    return _tidy(rows, TABLE5_COLUMNS)


def table7(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy Table 7: interval scores of ablations by the Automated IoU Method.

    Rows are as for `table5`, the method is the variant; TABLE7_COLUMNS, ordered as in `table4`.
    """
    return _tidy(({"variant": row["method"]} | dict(row) for row in rows), TABLE7_COLUMNS)


def difference_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy table of each method's F1 minus that of a reference, ordered as in `table4`.

    Rows have method, kind, difference, low, high, as from `bootstrap_difference(method,
    reference)`.
    """
    return _tidy(rows, DIFFERENCE_COLUMNS)


def control_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy table of the negative control, ordered as in `table4`.

    Rows are as for `table5`, with `random_f1_p95`, the 95th percentile of F1 of random intervals.
    """
    return _tidy(rows, CONTROL_COLUMNS)


def score_rows(method: str, scores: Mapping[str, Mapping], *, oracle: bool = False) -> list[dict]:
    """Rows for any tidy table from kind -> values, as `score_intervals` returns them."""
    return [
        {"method": method, "kind": kind, "oracle": oracle} | dict(scores[kind]) for kind in scores
    ]


def table_title(
    number: int, *, dataset: str, protocol: str = "", oracle: bool | str = False
) -> str:
    """The heading of a table (2, 4 to 7): what it holds, data set, protocol, and "oracle"."""
    return _title(f"Table {number}. {TITLES[number]}", dataset, protocol, oracle)


def difference_title(
    reference: str, *, dataset: str, protocol: str, oracle: bool | str = False
) -> str:
    """The heading of a table of differences: what is taken from what."""
    what = f"Differences. F1 of each method minus that of {reference}"
    return _title(what, dataset, protocol, oracle)


def oracle_mark(oracle: bool | str) -> str:
    """What a title ends with where anything was chosen on test data; a text says what was."""
    what = oracle if isinstance(oracle, str) else "the threshold"
    return f" (oracle: {what} saw test data)" if oracle else ""


def layout4(tidy: pd.DataFrame) -> pd.DataFrame:
    """Table 4 as printed: a row a method; F1 and AUC of MaE, then of ME; text cells."""
    pair = {"F1": "f1", "AUC": "auc"}
    return _layout(
        tidy, {f"{kind} {head}": (kind, pair[head]) for kind in KIND_ORDER[:2] for head in pair}
    )


def layout5(tidy: pd.DataFrame) -> pd.DataFrame:
    """Table 5, 6 or 7 as printed: F1 of MaE, ME and overall, then TP / FP / FN; text cells.

    A row a method or variant. With f1_low and f1_high in the table an F1 reads "0.44 [0.31, 0.55]".
    """
    overall = tidy[tidy.kind == "overall"]
    count = lambda value: f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"
    counted = zip(overall.tp, overall.fp, overall.fn, strict=True)
    cells = [" / ".join(map(count, row)) for row in counted]
    return _layout(tidy, F1_HEADS).assign(**{"TP / FP / FN": cells})


def layout_difference(tidy: pd.DataFrame) -> pd.DataFrame:
    """Differences as printed: a row a method; "+0.04 [-0.02, 0.11]" for MaE, ME and overall."""
    values = tidy.rename(columns={"difference": "f1", "low": "f1_low", "high": "f1_high"})
    return _layout(values, F1_HEADS, sign="+")


def layout_control(tidy: pd.DataFrame) -> pd.DataFrame:
    """The negative control as printed: F1 of each kind beside that of chance; text cells."""
    chance = tidy.assign(method="random, 95th percentile", f1=tidy.random_f1_p95)
    chance = chance.assign(**{name: math.nan for name in BOUNDS if name in tidy})
    return _layout(pd.concat([tidy, chance]), F1_HEADS)


def f1_cell(value: float | None, low: float = math.nan, high: float = math.nan, *, sign="") -> str:
    """A score as text: "0.44 [0.31, 0.55]", or "0.44" where low or high is NaN; "-" for none."""
    if value is None or math.isnan(value):
        return "-"
    # Adding 0.0 turns the -0.0 that rounding leaves into 0.0.
    text = lambda number: f"{round(number, 2) + 0.0:.2f}"
    first = f"{round(value, 2) + 0.0:{sign}.2f}"
    known = not (math.isnan(low) or math.isnan(high))
    return f"{first} [{text(low)}, {text(high)}]" if known else first


def write_tables(
    tidy: pd.DataFrame, wide: pd.DataFrame, stem: str | Path, *, title: str, note: str = ""
) -> list[Path]:
    """Writes `stem`.csv (tidy), .md and .tex (as printed); each appears only when whole.

    A note stands below the table in the .md and behind the title in the .tex.
    """
    stem = Path(stem)
    paths = [stem.with_name(stem.name + end) for end in (".csv", ".md", ".tex")]
    write_table(tidy, paths[0])
    write_text(paths[1], markdown(wide, title=title) + (f"\n{note}\n" if note else ""))
    write_text(paths[2], latex(wide, title=f"{title}. {note}" if note else title))
    return paths


F1_HEADS = {kind.replace("overall", "Overall"): (kind, "f1") for kind in KIND_ORDER}


def _title(what, dataset, protocol, oracle):
    rules = f"; protocol: {protocol}" if protocol else ""
    return f"{what}; data: {dataset}{rules}{oracle_mark(oracle)}"


def _tidy(rows: Iterable[Mapping], columns: Sequence[str]) -> pd.DataFrame:
    table = pd.DataFrame([dict(row) for row in rows])
    columns = list(columns)
    if "f1_low" not in columns and any(bound in table for bound in BOUNDS):
        place = columns.index("f1") + 1
        columns[place:place] = BOUNDS
    if len(table):
        order = lambda c: c.map(KIND_ORDER.index) if c.name == "kind" else pd.factorize(c)[0]
        table = table.sort_values([columns[0], "kind"], key=order, ignore_index=True)
    if "oracle" in table:
        table["oracle"] = table.oracle.eq(True)
        columns += ["oracle"] * bool(table.oracle.any())
    return table.reindex(columns=columns)


def _layout(tidy, heads, *, sign=""):
    """A row a method; in a table with intervals all F1 have the two digits that these have."""
    first = tidy.columns[0]
    bounded = BOUNDS[0] in tidy
    lines = []
    for name, rows in tidy.groupby(first, sort=False):
        oracle = "oracle" in rows and rows.oracle.any()
        line = {first.capitalize(): f"{name} (oracle)" if oracle else str(name)}
        cells = {row["kind"]: row for row in rows.to_dict("records")}
        for head, (kind, column) in heads.items():
            row = cells.get(kind, {})
            value = row.get(column, math.nan)
            if bounded and column == "f1":
                line[head] = f1_cell(value, *(row.get(end, math.nan) for end in BOUNDS), sign=sign)
            else:
                line[head] = "-" if math.isnan(value) else f"{value:.4f}"
        lines.append(line)
    return pd.DataFrame(lines, columns=[first.capitalize(), *heads])
