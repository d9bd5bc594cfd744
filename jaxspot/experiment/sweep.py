"""What several runs on one bank leave together: Tables 2 and 4 to 7, differences, seeds, a page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.annotations.intervals import read_intervals
from jaxspot.evaluation.bootstrap import bootstrap_difference
from jaxspot.evaluation.f1 import score_by_subject
from jaxspot.experiment.combine import combine, describe_rows, read_source, shared_title
from jaxspot.experiment.describe import NOTES, PAIRED_NOTE, oracle_of
from jaxspot.experiment.outputs import is_synthetic
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.variants import Member
from jaxspot.report.page import ReportPicture, ReportTable, write_report
from jaxspot.report.seeds import layout_seeds, seeds_table
from jaxspot.report.sentences import bank_sentence
from jaxspot.report.tables import (
    difference_table,
    difference_title,
    layout5,
    layout_difference,
    table7,
    write_tables,
)
from jaxspot.video.bank import Bank

Found = Sequence[tuple[Member, Settings, pd.DataFrame]]


def read_finished(folder: Path, peers: Sequence[str]) -> pd.DataFrame | None:
    """Table 5 of a member that is done, tidy; None if it is not, or lacks one of the peers."""
    if not (folder / "report.html").is_file():
        return None
    table = pd.read_csv(folder / "tables" / "table5.csv")
    return table if set(peers) <= set(table.method) else None


def write_family(workdir: Path, bank: Bank, found: Found) -> pd.DataFrame:
    """Writes tables/ (2, 4 to 6, differences; 7 and seeds where these differ) and report.html.

    Args:
      workdir: the family's folder, with a folder for each member.
      bank: that all members were run on.
      found: members, their settings and Table 5, whose first method is ours.

    Returns:
      a row a member and kind, tidy.
    """
    folder = workdir / "tables"
    sources = [read_source(workdir / member.name) for member, _, _ in found]
    shown = combine(sources, folder, data=False)
    rows = []
    for member, _, table in found:
        ours: Any = table.loc[table.method == table.method.iloc[0]]
        rows += [
            row | dict(method=member.variant or "jaxspot", seed=member.seed)
            for row in ours.to_dict("records")
        ]
    result = tidy = seeds_table(rows)
    dataset = found[0][1].dataset
    if any(member.variant for member, _, _ in found):
        first_seed = [row for row in rows if row["seed"] == rows[0]["seed"]]
        result, title = table7(first_seed), shared_title(7, sources, dataset)
        wide = layout5(result)
        write_tables(result, wide, folder / "table7", title=title, note=NOTES[7])
        shown.append(ReportTable(title, wide, NOTES[7]))
    shown.append(write_differences(workdir, bank, found))
    if tidy.seed.nunique() > 1:
        title = shared_title(7, sources, dataset)
        title = title.replace("Table 7. Ablations", "Seeds, mean and deviation")
        wide = layout_seeds(tidy)
        write_tables(tidy, wide, folder / "seeds", title=title)
        shown.append(ReportTable(title, wide))
    write_family_page(workdir, bank, found, shown)
    return result


def write_differences(workdir: Path, bank: Bank, found: Found) -> ReportTable:
    """Writes tables/differences.*: F1 of each member minus that of the first, same subjects."""
    first = found[0][1]
    scored = {
        member.name: score_by_subject(
            read_intervals(workdir / member.name / "intervals.csv"),
            bank.annotations,
            videos=bank.videos,
            **settings.protocol.scoring,
        )
        for member, settings, _ in found
    }
    reference, *others = scored
    oracle = {m.name: bool(oracle_of(s.protocol, 5)) for m, s, _ in found}
    tidy = difference_table(
        {"method": name, "kind": kind, "oracle": oracle[name] or oracle[reference]} | row
        for name in others
        for kind, row in bootstrap_difference(
            scored[name], scored[reference], seed=first.seed
        ).items()
    )
    wide = layout_difference(tidy)
    title = difference_title(
        reference,
        dataset=first.dataset,
        protocol=describe_rows([(m.name, s.protocol) for m, s, _ in found], 7),
        oracle="the rows so marked" if any(oracle.values()) else "",
    )
    write_tables(tidy, wide, workdir / "tables" / "differences", title=title, note=PAIRED_NOTE)
    return ReportTable(title, wide, PAIRED_NOTE)


def write_family_page(
    workdir: Path, bank: Bank, found: Found, shown: Sequence[ReportTable]
) -> Path:
    """Writes report.html: all tables, Figure 3, and where the page of each member lies."""
    first = found[0][0].name
    oracles = any(oracle_of(settings.protocol, 5) for _, settings, _ in found)
    pages = [(member.name, f"{member.name}/report.html") for member, _, _ in found]
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
