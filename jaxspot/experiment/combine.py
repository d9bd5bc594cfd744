"""Tables of several runs as one: rows of one data set below each other, data sets side by side."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.errors import UserError
from jaxspot.experiment.compare import METHOD
from jaxspot.experiment.describe import NOTES, describe_protocol, oracle_of
from jaxspot.experiment.settings import read_protocol
from jaxspot.experiment.variants import expand
from jaxspot.experiment.workdir import read_config
from jaxspot.report.page import ReportTable
from jaxspot.report.side_by_side import layout2, side_by_side, stacked
from jaxspot.report.tables import layout4, layout5, table_title, write_tables
from jaxspot.spotting.rule import Protocol

Join = Callable[[Mapping[str, pd.DataFrame]], pd.DataFrame]
LAYOUTS: dict[int, tuple[Callable[[pd.DataFrame], pd.DataFrame], Join]] = {
    5: (layout5, side_by_side),
    4: (layout4, stacked),
    6: (layout5, side_by_side),
    7: (layout5, side_by_side),
}


class Source(NamedTuple):
    """A run that is done.

    Attributes:
      name: what its rows are called where several runs share a data set.
      dataset: the name that its tables carry.
      protocols: row -> the protocol that it was scored by.
      tables: number -> tidy table, of those that it has.
    """

    name: str
    dataset: str
    protocols: dict[str, Protocol]
    tables: dict[int, pd.DataFrame]


def read_source(folder: str | Path) -> Source:
    """The tables that a run has left in its folder, whose name it takes.

    Raises:
      UserError: the folder holds no run, or one that is not done.
    """
    folder = Path(folder)
    config: Any = read_config(folder)
    if not (folder / "report.html").is_file():
        raise UserError(f"{folder}: this run is not done; go on with it by --resume")
    name = folder.resolve().name
    places = {number: folder / "tables" / f"table{number}.csv" for number in (2, *LAYOUTS)}
    tables = {number: pd.read_csv(path) for number, path in places.items() if path.is_file()}
    protocols = {member.name or name: read_protocol(own) for member, own in expand(config)}
    return Source(name, config.data.name, protocols, tables)


def combine(sources: Sequence[Source], folder: Path, *, data: bool = True) -> list[ReportTable]:
    """Writes Tables 2 and 4 to 7 over all sources (.csv, .md, .tex), those that any of them has.

    Args:
      sources: runs on any data sets. Of one data set, ours is called by its run's name, and any
        other method that differs between runs carries that name in brackets.
      folder: for the files.
      data: whether the CSVs name the data set in a first column (Table 2 always does).

    Returns:
      the tables as printed, Table 5 first.
    """
    datasets = list(dict.fromkeys(source.dataset for source in sources))
    shown = []
    for number, (layout, join) in LAYOUTS.items():
        parts = {}
        for dataset in datasets:
            tables = {
                source.name: source.tables[number]
                for source in sources
                if source.dataset == dataset and number in source.tables
            }
            if tables:
                parts[dataset] = rows_by_run(tables)
        if parts:
            wide = join({name: layout(part) for name, part in parts.items()})
            title = shared_title(number, sources, " and ".join(parts))
            tidy = _below([part.assign(data=name) for name, part in parts.items()])
            columns = [*["data"] * data, *(name for name in tidy if name != "data")]
            tidy = tidy[columns]
            shown.append(_write(folder, number, tidy, wide, title))
    durations = [source.tables[2] for source in sources if 2 in source.tables]
    if durations:
        tidy = pd.concat(durations).drop_duplicates(ignore_index=True)
        title = table_title(2, dataset=" and ".join(datasets))
        shown.append(_write(folder, 2, tidy, layout2(tidy), title))
    return shown


def rows_by_run(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of several runs on one data set: all of ours first, then the other methods.

    Args:
      tables: run -> a tidy table whose first column (method or variant) names its rows.
    """
    if len(tables) == 1:
        return next(iter(tables.values()))
    key = next(iter(tables.values())).columns[0]
    ours, others = [], []
    for name, table in tables.items():
        for method in dict.fromkeys(table[key]):
            rows: Any = table[table[key] == method].reset_index(drop=True)
            if method == METHOD:
                ours.append(rows.assign(**{key: name}))
            elif _same_everywhere(rows, key, tables):
                others.append(rows)
            else:
                others.append(rows.assign(**{key: f"{method} ({name})"}))
    return _below([*ours, *others]).drop_duplicates(ignore_index=True)


def shared_title(number: int, sources: Sequence[Source], dataset: str) -> str:
    """The heading of a table over several runs: which rows were scored by which protocol."""
    rows = [row for source in sources for row in source.protocols.items()]
    oracles = [oracle_of(protocol, number) for _, protocol in rows]
    protocol = describe_rows(rows, number)
    some = list(dict.fromkeys(filter(None, oracles)))
    oracle = ", ".join(some) + " of the rows so marked" * (not all(oracles)) if some else ""
    return table_title(number, dataset=dataset, protocol=protocol, oracle=oracle)


def describe_rows(rows: Sequence[tuple[str, Protocol]], number: int) -> str:
    """The protocols of rows (name, protocol), each once; with the names where they differ."""
    told: dict[str, list[str]] = {}
    for name, protocol in rows:
        told.setdefault(describe_protocol(protocol, number), []).append(name)
    if len(told) == 1:
        return next(iter(told))
    return "; ".join(f"{text} ({', '.join(dict.fromkeys(names))})" for text, names in told.items())


def _below(tables):
    """Tables below each other; a run without any oracle has no such column."""
    joined = pd.concat(tables, ignore_index=True)
    if "oracle" in joined:
        joined["oracle"] = joined["oracle"].eq(True)
    return joined


def _same_everywhere(rows, key, tables):
    method = rows[key].iloc[0]
    plain = lambda table: table.drop(columns="oracle", errors="ignore").reset_index(drop=True)
    found = (plain(table[table[key] == method]) for table in tables.values())
    return all(other.equals(plain(rows)) for other in found if len(other))


def _write(folder, number, tidy, wide, title):
    write_tables(tidy, wide, folder / f"table{number}", title=title, note=NOTES[number])
    return ReportTable(title, wide, NOTES[number])
