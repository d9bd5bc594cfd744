"""A sweep: several runs on one bank as one config, and their tables (Table 7, seeds)."""

import copy
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.annotations.intervals import read_intervals
from jaxspot.errors import UserError
from jaxspot.evaluation.bootstrap import bootstrap_difference
from jaxspot.evaluation.f1 import score_by_subject
from jaxspot.experiment.outputs import is_synthetic
from jaxspot.experiment.settings import Settings, read_protocol
from jaxspot.experiment.tables import (
    LAYOUTS,
    METHOD,
    NOTES,
    PAIRED_NOTE,
    FinishedRun,
    describe_rows,
    join_tables,
    oracle_of,
    shared_title,
    write_table,
)
from jaxspot.experiment.workdir import read_config
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.seeds import layout_seeds, seeds_table
from jaxspot.report.sentences import bank_sentence
from jaxspot.report.tables import (
    difference_table,
    difference_title,
    layout5,
    layout_difference,
    table7,
)
from jaxspot.video.bank import Bank


class SweepRun(NamedTuple):
    """One run of a sweep.

    Attributes:
      variant: the row of Table 7 that it belongs to; empty where only the seed varies.
      seed: of everything random in it.
      name: of its folder.
    """

    variant: str
    seed: int
    name: str


Found = Sequence[tuple[SweepRun, Settings, pd.DataFrame]]
"""Runs with their settings and Table 5."""


def sweep_runs(config: Any) -> list[tuple[SweepRun, Any]]:
    """The runs of a config, each with its own config: each of its variants with each of its seeds.

    `config.variants` is a tuple of (name, changes), changes a tuple of (setting, value);
    `config.seeds` a tuple of numbers in place of `config.seed`. Without either there is one run.

    Raises UserError: a variant or seed is there twice, a seed is no whole number, or a variant
    changes what is no setting.
    """
    seeds = tuple(config.seeds) or (config.seed,)
    for seed in seeds:
        if not isinstance(seed, int):
            raise UserError(f"--config.seeds must be whole numbers such as (0,1,2), not {seed!r}")
    variants = tuple(config.variants) or (("", ()),)
    for what, names in (("seeds", seeds), ("variants", [name for name, _ in variants])):
        if len(set(names)) < len(names):
            raise UserError(f"--config.{what} names one twice: {', '.join(map(str, names))}")
    runs = []
    for variant, changes in variants:
        for seed in seeds:
            own = copy.deepcopy(config).lock()
            own.seed, own.seeds, own.variants = seed, (), ()
            for setting, value in changes:
                change(own, setting, value)
            parts = [variant] * bool(variant) + [f"seed{seed}"] * (len(seeds) > 1)
            runs.append((SweepRun(variant, seed, "_".join(parts)), own))
    return runs


def change(config: Any, setting: str, value: Any) -> None:
    """Sets `a.b` of a config.

    Raises:
      UserError: there is no such setting, or it is of another type.
    """
    try:
        config.update_from_flattened_dict({setting: value})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        line = f"--config.variants: {setting} = {value!r} cannot be set: {error}"
        raise UserError(line) from None


def training_key(settings: Settings) -> str:
    """The folder of epochs that all runs with the same networks and training share."""
    protocol = settings.protocol
    groups = protocol.inner_groups if protocol.fit == "inner" else 0
    networks = (groups, settings.validates)
    trained = (settings.model, settings.training, settings.augmentation, networks)
    trained += (settings.start,) if settings.start else ()
    return hashlib.sha256(repr(trained).encode()).hexdigest()[:16]


def read_finished(folder: Path, peers: Sequence[str]) -> pd.DataFrame | None:
    """Table 5 of a run that is done, tidy; None if it is not, or lacks one of the peers."""
    if not (folder / "report.html").is_file():
        return None
    table = pd.read_csv(folder / "tables" / "table5.csv")
    return table if set(peers) <= set(table.method) else None


def read_run(folder: str | Path) -> FinishedRun:
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
    rules = {run.name or name: read_protocol(own) for run, own in sweep_runs(config)}
    return FinishedRun(name, config.data.name, rules, tables)


def write_sweep(workdir: Path, bank: Bank, found: Found) -> pd.DataFrame:
    """Writes tables/ (2, 4 to 6, differences; 7 and seeds where these differ) and report.html.

    `workdir` has a folder for each run. Returns a tidy table with a row for each run and kind.
    """
    folder, dataset = workdir / "tables", found[0][1].dataset
    runs = [read_run(workdir / run.name) for run, _, _ in found]
    shown = join_tables(runs, folder, data=False)
    rows = [
        row | dict(method=run.variant or METHOD, seed=run.seed)
        for run, _, table in found
        for row in table.to_dict("records")
        if row["method"] == METHOD
    ]
    result = tidy = seeds_table(rows)
    if any(run.variant for run, _, _ in found):
        result = table7(row for row in rows if row["seed"] == rows[0]["seed"])
        title = shared_title(7, runs, dataset)
        shown.append(write_table(folder, "table7", result, layout5(result), title, NOTES[7]))
    shown.append(write_differences(workdir, bank, found))
    if tidy.seed.nunique() > 1:
        title = shared_title(7, runs, dataset)
        title = title.replace("Table 7. Ablations", "Seeds, mean and deviation")
        shown.append(write_table(folder, "seeds", tidy, layout_seeds(tidy), title))
    write_sweep_page(workdir, bank, found, shown)
    return result


def write_differences(workdir: Path, bank: Bank, found: Found) -> ReportTable:
    """Writes tables/differences.*: F1 of each run minus that of the first, same subjects."""
    scored = {
        run.name: score_by_subject(
            read_intervals(workdir / run.name / "intervals.csv"),
            bank.annotations,
            videos=bank.videos,
            **settings.protocol.scoring,
        )
        for run, settings, _ in found
    }
    reference, *others = scored
    oracle = {run.name: bool(oracle_of(own.protocol, 5)) for run, own, _ in found}
    tidy = difference_table(
        {"method": name, "kind": kind, "oracle": oracle[name] or oracle[reference]} | row
        for name in others
        for kind, row in bootstrap_difference(
            scored[name], scored[reference], seed=found[0][1].seed
        ).items()
    )
    title = difference_title(
        reference,
        dataset=found[0][1].dataset,
        protocol=describe_rows([(run.name, (own.protocol, own.rule)) for run, own, _ in found], 7),
        oracle="the rows so marked" if any(oracle.values()) else "",
    )
    wide = layout_difference(tidy)
    return write_table(workdir / "tables", "differences", tidy, wide, title, PAIRED_NOTE)


def write_sweep_page(workdir: Path, bank: Bank, found: Found, shown: Sequence[ReportTable]) -> Path:
    """Writes report.html: all tables, Figure 3, and where the page of each run lies."""
    first = found[0][0].name
    oracles = any(oracle_of(own.protocol, 5) for _, own, _ in found)
    pages = [(run.name, f"{run.name}/report.html") for run, _, _ in found]
    figure3 = ReportPicture(
        workdir / first / "figures" / "figure3.png",
        "Frames with a labelled movement divided by frames without.",
    )
    return write_report(
        workdir / "report.html",
        title=f"jaxspot: {len(found)} runs on one bank",
        dataset=found[0][1].dataset,
        synthetic=is_synthetic(bank),
        oracle="a setting of the rows marked oracle" if oracles else "",
        summary=[bank_sentence(bank.videos, bank.annotations)],
        tables=shown,
        pictures=[figure3],
        pages=pages,
        provenance=json.loads((workdir / "provenance.json").read_text()),
    )
