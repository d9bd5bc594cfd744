"""Tables 2 and 4 to 7 of one run or of several: titles, notes, and rows of runs put together."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.protocol import Protocol
from jaxspot.report.page import ReportTable
from jaxspot.report.side_by_side import layout2, side_by_side, stacked
from jaxspot.report.tables import layout4, layout5, table_title, write_tables
from jaxspot.spotting.automated_iou import IntervalRule

METHOD = "jaxspot"
BOUNDS_NOTE = (
    "In brackets: 95 % interval over 2,000 bootstrap draws of subjects; too narrow when subjects"
    " are few."
)
PAIRED_NOTE = (
    "In brackets: 95 % interval over 2,000 bootstrap draws of subjects, the same draws for both"
    " methods."
)
RANDOM_NOTE = (
    "random: intervals placed uniformly, as many and as long as ours in each video and kind; mean"
    " of 100 draws."
)
NOTES = {
    2: "k: half the mean duration of all intervals. Each fold computes its own k without the"
    " subject that it holds out.",
    4: "",
    5: f"{BOUNDS_NOTE} {RANDOM_NOTE}",
    6: f"{BOUNDS_NOTE} {RANDOM_NOTE}",
    7: BOUNDS_NOTE,
}
Join = Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame]
LAYOUTS: dict[int, tuple[Callable[[pd.DataFrame], pd.DataFrame], Join]] = {
    5: (layout5, side_by_side),
    4: (layout4, stacked),
    6: (layout5, side_by_side),
    7: (layout5, side_by_side),
}
Rules = tuple[Protocol, IntervalRule]


class FinishedRun(NamedTuple):
    """A run that is done.

    Attributes:
      name: what its rows are called where several runs share a data set.
      dataset: the name that its tables carry.
      rules: row -> the protocol and rule that it was scored by.
      tables: number -> tidy table, of those that it has.
    """

    name: str
    dataset: str
    rules: dict[str, Rules]
    tables: dict[int, pd.DataFrame]


def write_table(
    folder: Path, name: str, tidy: pd.DataFrame, wide: pd.DataFrame, title: str, note: str = ""
) -> ReportTable:
    """Writes name.csv, .md and .tex in a folder; returns the table for the page."""
    write_tables(tidy, wide, folder / name, title=title, note=note)
    return ReportTable(title, wide, note)


def join_tables(
    runs: Sequence[FinishedRun], folder: Path, *, data: bool = True
) -> list[ReportTable]:
    """Writes Tables 2 and 4 to 7 over all runs (.csv, .md, .tex), those that any of them has.

    Of one data set, ours is called by its run's name, and any other method that differs between
    runs has that name in brackets; data sets of one name are told apart, see `tell_apart`. With
    `data` the CSVs name the data set in a first column (Table 2 always does). Returns the tables as
    printed, Table 5 first.
    """
    runs = tell_apart(runs)
    datasets, shown = list(dict.fromkeys(run.dataset for run in runs)), []
    for number, (layout, join) in LAYOUTS.items():
        parts = {}
        for dataset in datasets:
            mine = [run for run in runs if run.dataset == dataset and number in run.tables]
            if mine:
                parts[dataset] = rows_by_run({run.name: run.tables[number] for run in mine})
        if parts:
            wide = join({name: layout(part) for name, part in parts.items()})
            title = shared_title(number, runs, " and ".join(parts))
            tidy = _below([part.assign(data=name) for name, part in parts.items()])
            tidy = tidy[[*["data"] * data, *(name for name in tidy if name != "data")]]
            shown.append(write_table(folder, f"table{number}", tidy, wide, title, NOTES[number]))
    if durations := [run.tables[2] for run in runs if 2 in run.tables]:
        tidy = pd.concat(durations).drop_duplicates(ignore_index=True)
        title = table_title(2, dataset=" and ".join(datasets))
        shown.append(write_table(folder, "table2", tidy, layout2(tidy), title, NOTES[2]))
    return shown


def tell_apart(runs: Sequence[FinishedRun]) -> list[FinishedRun]:
    """Runs whose data sets have one name and other labels (Table 2): the name tells the runs, too.

    One name may be that of two banks, as "bank", which a config has until one names it.
    """
    groups: dict[str, list[list[FinishedRun]]] = {}
    for run in runs:
        alike = groups.setdefault(run.dataset, [])
        own = next((group for group in alike if _same_labels(group[0], run)), None)
        alike.append([run]) if own is None else own.append(run)
    told = {}
    for dataset, alike in groups.items():
        for group in alike:
            names = ", ".join(run.name for run in group)
            name = f"{dataset} ({names})" if len(alike) > 1 else dataset
            told |= {run.name: name for run in group}
    return [_called(run, told[run.name]) for run in runs]


def _same_labels(one, other):
    tables = [run.tables[2] for run in (one, other) if 2 in run.tables]
    return len(tables) < 2 or tables[0].equals(tables[1])


def _called(run, name):
    durations = {2: run.tables[2].assign(data=name)} if 2 in run.tables else {}
    return run._replace(dataset=name, tables=run.tables | durations)


def rows_by_run(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of several runs on one data set: all of ours first, then the other methods.

    Args:
      tables: run -> a tidy table whose first column (method or variant) names its rows.
    """
    key = next(iter(tables.values())).columns[0]
    if len(tables) == 1:
        return next(iter(tables.values()))
    plain = lambda table: table.drop(columns="oracle", errors="ignore").reset_index(drop=True)
    ours, others = [], []
    for name, table in tables.items():
        for method, rows in table.groupby(key, sort=False):
            found = (plain(t[t[key] == method]) for t in tables.values())
            if method == METHOD:
                ours.append(rows.assign(**{key: name}))
            elif all(other.equals(plain(rows)) for other in found if len(other)):
                others.append(rows)
            else:
                others.append(rows.assign(**{key: f"{method} ({name})"}))
    return _below([*ours, *others]).drop_duplicates(ignore_index=True)


def shared_title(number: int, runs: Sequence[FinishedRun], dataset: str) -> str:
    """The heading of a table over several runs: which rows were scored by which protocol."""
    rows = [row for run in runs for row in run.rules.items()]
    oracles = [oracle_of(protocol, number) for _, (protocol, _) in rows]
    some = list(dict.fromkeys(filter(None, oracles)))
    oracle = ", ".join(some) + " of the rows so marked" * (not all(oracles)) if some else ""
    told = describe_rows(rows, number)
    return table_title(number, dataset=dataset, protocol=told, oracle=oracle)


def describe_rows(rows: Sequence[tuple[str, Rules]], number: int) -> str:
    """The protocols of rows by name, each once; with the names where they differ."""
    told: dict[str, list[str]] = {}
    for name, (protocol, rule) in rows:
        told.setdefault(describe_protocol(protocol, number, rule), []).append(name)
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{text} ({', '.join(dict.fromkeys(names))})" for text, names in told.items())


def describe_protocol(protocol: Protocol, table: int, rule: IntervalRule = IntervalRule()) -> str:
    """Protocol and rule of Tables 4 to 7 in a few words; frames (4) are always cut by the ROC."""
    seen = {
        "inner": "other subjects' held-out scores",
        "training": "training subjects",
        "validation": "validation subjects",
    }[protocol.fit]
    threshold = {
        "roc": f"threshold by ROC of {seen}",
        "interval_f1": f"threshold by interval F1 of {seen}",
        "overall_f1": f"thresholds by overall interval F1 of {seen}",
        "test_oracle": "threshold by ROC of the test subject",
    }
    skip = {
        "kth": "k-th frame skip",
        "manual": "frame skip searched on validation subjects",
        "test_oracle": "frame skip searched on the test subject",
    }
    skipped = skip[protocol.frame_skip]
    if table == 4:
        oracle = protocol.threshold == "test_oracle"
        return f"LOSO, {skipped}, {threshold['test_oracle' if oracle else 'roc']}"
    matched = f"LOSO, {protocol.matching}, IoU {protocol.iou:g}"
    if table == 6:
        return f"{matched}, {skipped}"
    peaks = f"around peaks, above {rule.peak_share:g} of their height"
    lengths = zip(KINDS, protocol.mean_lengths, strict=True)
    times = lambda factor: "" if factor == 1 else f"{factor:g} times "
    fixed = [
        f"each {kind} {times(factor)}the mean duration long" for kind, factor in lengths if factor
    ]
    # The rows of Table 7 may differ in their frame skip.
    parts = [matched] + [skipped] * (table == 5) + [threshold[protocol.threshold]]
    return ", ".join(parts + [peaks] * (rule.peak_share > 0) + fixed)


def kept_weights(patience: int) -> str:
    """Which epoch's weights a fold keeps, see `Training`."""
    return f"the weights of the {'lowest validation loss' if patience else 'last epoch'}"


def oracle_of(protocol: Protocol, table: int) -> str:
    """What of Tables 4 to 7 saw test data, for titles; empty if nothing did."""
    rules = {"the threshold": protocol.threshold, "the frame skip": protocol.frame_skip}
    if table == 6:  # no threshold is learned by the Manual IoU Method
        del rules["the threshold"]
    return " and ".join(what for what, rule in rules.items() if rule == "test_oracle")


def _below(tables):
    """Tables below each other; a run without any oracle has no such column."""
    joined = pd.concat(tables, ignore_index=True)
    if "oracle" in joined:
        joined["oracle"] = joined["oracle"].eq(True)
    return joined
