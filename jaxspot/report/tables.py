"""Tables as tidy CSV, and laid out as in the paper in Markdown and LaTeX."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from jaxspot.annotations.tables import write_table, write_text

KIND_ORDER = ("MaE", "ME", "overall")
TABLE4_COLUMNS = ("method", "kind", "f1", "auc")
TABLE5_COLUMNS = (
    "method",
    "kind",
    "predictions",
    "ground_truth",
    "tp",
    "fp",
    "fn",
    "precision",
    "recall",
    "f1",
)
CONTROL_COLUMNS = (*TABLE5_COLUMNS, "random_f1_p95")


def table4(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy Table 4: F1 and AUC of single frames.

    Args:
      rows: method, kind ("MaE" or "ME"), f1, auc; `oracle` where test data was seen.

    Returns:
      method, kind, f1, auc, methods in the order given and MaE first; a column `oracle` follows
      when it is true of any row.
    """
    return _tidy(rows, TABLE4_COLUMNS)


def table5(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy Table 5: interval scores by the Automated IoU Method.

    Args:
      rows: method, kind ("MaE", "ME" or "overall"), predictions, ground_truth, tp, fp, fn,
        precision, recall, f1; `oracle` where test data was seen.

    Returns:
      these columns, methods in the order given; `oracle` follows when it is true of any row.
    """
    return _tidy(rows, TABLE5_COLUMNS)


def control_table(rows: Iterable[Mapping]) -> pd.DataFrame:
    """Tidy table of the negative control.

    Args:
      rows: as for `table5`, with `random_f1_p95`, the 95th percentile of F1 of random intervals.

    Returns:
      these columns; `oracle` follows when it is true of any row.
    """
    return _tidy(rows, CONTROL_COLUMNS)


def score_rows(method: str, scores: Mapping[str, Mapping], *, oracle: bool = False) -> list[dict]:
    """Rows for `table4` or `table5` from kind -> values, as `score_intervals` returns them."""
    return [
        {"method": method, "kind": kind, "oracle": oracle} | dict(scores[kind]) for kind in scores
    ]


def table_title(number: int, *, dataset: str, protocol: str, oracle: bool = False) -> str:
    """The heading of a table: what it holds, the data set, the protocol, and "oracle"."""
    what = {4: "Frames: F1 and AUC of raw output", 5: "Intervals: F1, Automated IoU Method"}[number]
    return f"Table {number}. {what}; data: {dataset}; protocol: {protocol}{oracle_mark(oracle)}"


def oracle_mark(oracle: bool) -> str:
    """What a title ends with where anything was chosen on test data."""
    return " (oracle: the threshold saw test data)" if oracle else ""


def layout4(tidy: pd.DataFrame) -> pd.DataFrame:
    """Table 4 as printed: a row a method; F1 and AUC of MaE, then of ME; text cells."""
    heads = {f"{kind} {label}": (kind, value) for kind in KIND_ORDER[:2] for label, value in _PAIR}
    return _layout(tidy, heads)


def layout5(tidy: pd.DataFrame) -> pd.DataFrame:
    """Table 5 as printed: a row a method; F1 of MaE, ME and overall, then TP / FP / FN; text."""
    heads = {kind.replace("overall", "Overall"): (kind, "f1") for kind in KIND_ORDER}
    wide = _layout(tidy, heads)
    counts = tidy[tidy.kind == "overall"].set_index("method")
    wide["TP / FP / FN"] = [
        " / ".join(_count(counts.at[method, name]) for name in ("tp", "fp", "fn"))
        for method in dict.fromkeys(tidy.method)
    ]
    return wide


def layout_control(tidy: pd.DataFrame) -> pd.DataFrame:
    """The negative control as printed: F1 of each kind beside that of chance; text cells."""
    chance = tidy.assign(method="random, 95th percentile", f1=tidy.random_f1_p95)
    heads = {kind.replace("overall", "Overall"): (kind, "f1") for kind in KIND_ORDER}
    return _layout(pd.concat([tidy, chance]), heads)


def write_tables(
    tidy: pd.DataFrame, wide: pd.DataFrame, stem: str | Path, *, title: str
) -> list[Path]:
    """Writes `stem`.csv (tidy), .md and .tex (as printed); each appears only when whole."""
    stem = Path(stem)
    paths = [stem.with_name(stem.name + end) for end in (".csv", ".md", ".tex")]
    write_table(tidy, paths[0])
    write_text(paths[1], markdown(wide, title=title))
    write_text(paths[2], latex(wide, title=title))
    return paths


def markdown(wide: pd.DataFrame, *, title: str) -> str:
    """A Markdown table of text cells, first column to the left, under its title."""
    cells = [[str(head) for head in wide.columns], *wide.astype(str).values.tolist()]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in cells]
    width = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    rule = ["-" * width[0], *("-" * (w - 1) + ":" for w in width[1:])]
    lines = [_line(row, width) for row in [cells[0], rule, *cells[1:]]]
    return f"{title}\n\n" + "\n".join(lines) + "\n"


def latex(wide: pd.DataFrame, *, title: str) -> str:
    """A LaTeX table (booktabs) of text cells with its title as caption."""
    heads, *rows = [
        " & ".join(map(_escaped, row)) + r" \\"
        for row in [list(wide.columns), *wide.astype(str).values.tolist()]
    ]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escaped(title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(wide.columns) - 1)}}}",
            r"\toprule",
            heads,
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


_PAIR = (("F1", "f1"), ("AUC", "auc"))
_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {mark: "\\" + mark for mark in "&%$#_{}"}


def _tidy(rows: Iterable[Mapping], columns: Sequence[str]) -> pd.DataFrame:
    rows = [dict(row) for row in rows]
    seen = any(row.get("oracle") for row in rows)
    methods = list(dict.fromkeys(row["method"] for row in rows))
    rows.sort(key=lambda row: (methods.index(row["method"]), KIND_ORDER.index(row["kind"])))
    table = pd.DataFrame({name: [row[name] for row in rows] for name in columns})
    if seen:
        table["oracle"] = [bool(row.get("oracle")) for row in rows]
    return table


def _layout(tidy, heads):
    cells = {
        (method, kind): row
        for method, kind, row in zip(tidy.method, tidy.kind, tidy.to_dict("records"), strict=True)
    }
    seen = {m for (m, _), row in cells.items() if row.get("oracle")}
    methods = list(dict.fromkeys(tidy.method))
    wide = {"Method": [f"{m} (oracle)" if m in seen else str(m) for m in methods]}
    for head, (kind, value) in heads.items():
        wide[head] = [_score(cells.get((m, kind), {}).get(value)) for m in methods]
    return pd.DataFrame(wide)


def _score(value):
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"


def _count(value):
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _line(row, width):
    first = row[0].ljust(width[0])
    return (
        "| "
        + " | ".join([first, *(c.rjust(w) for c, w in zip(row[1:], width[1:], strict=True))])
        + " |"
    )


def _escaped(text):
    return "".join(_TEX.get(mark, mark) for mark in str(text))
