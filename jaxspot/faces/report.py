"""Tables of all methods on the benchmark, as CSV, Markdown and text."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.causes import CAUSES, count_causes, false_alarms
from jaxspot.faces.evaluate import (
    score_chances,
    score_controls,
    score_differences,
    score_found,
)
from jaxspot.faces.found import Found
from jaxspot.files import write_table, write_text
from jaxspot.report.text_tables import markdown

TITLES = {
    "scores": "Injected takes: F1 (one-to-one, IoU 0.5), 95 % over persons, and frame AUC",
    "controls": "False alarms a minute, nothing injected",
    "causes": "Causes of false alarms",
    "chances": "How often intervals of a score are right, on the injected takes",
    "differences": "Difference of F1, 95 % over persons",
}


def compare(benchmark: Benchmark, methods: Mapping[str, Found]) -> dict[str, pd.DataFrame]:
    """The tables of TITLES and `false_alarms`, all methods below one another."""
    tables = {name: [] for name in ("scores", "controls", "causes", "chances", "false_alarms")}
    for name, found in methods.items():
        alarms = false_alarms(benchmark, found)
        tables["scores"].append(score_found(benchmark, found).assign(method=name))
        tables["controls"].append(score_controls(benchmark, found).assign(method=name))
        tables["chances"].append(score_chances(benchmark, found).assign(method=name))
        tables["causes"].append(count_causes(alarms).assign(method=name))
        tables["false_alarms"].append(alarms.assign(method=name))
    joined = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    first = lambda table: table[["method", *table.columns.drop("method")]]
    joined = {name: first(table) for name, table in joined.items()}
    return joined | {"differences": score_differences(benchmark, methods)}


def write_report(tables: Mapping[str, pd.DataFrame], out: Path) -> str:
    """Writes OUT/<table>.csv and OUT/report.md; gives the text of the report."""
    for name, table in tables.items():
        write_table(table, out / f"{name}.csv")
    shown = {name: tables[name] for name in TITLES if len(tables[name])}
    if "scores" in shown:
        people = shown["scores"].group.str.startswith("person ")
        shown["scores"] = shown["scores"].loc[~people]
    text = "\n".join(markdown(rounded(table), title=TITLES[name]) for name, table in shown.items())
    text += "\n" + "\n".join(f"- {name}: {meaning}" for name, meaning in CAUSES.items()) + "\n"
    write_text(out / "report.md", text)
    return text


def rounded(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers with three decimals, or one for minutes and rates; blank where there are none."""
    table = table.copy()
    for name in table.columns:
        if pd.api.types.is_float_dtype(table[name]):
            digits = 1 if name in ("minutes", "a_minute") else 0 if name == "scripted" else 3
            table[name] = [f"{v:.{digits}f}" if pd.notna(v) else "" for v in table[name]]
    return table
