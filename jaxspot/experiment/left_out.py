"""Folds that a run leaves out because a loss was not finite, and the people whom it tests then."""

import dataclasses
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from jaxspot.errors import UserError
from jaxspot.files import write_table
from jaxspot.training.failures import REMEDY, describe_failures, failed_folds
from jaxspot.training.inner_folds import Networks
from jaxspot.training.saved_epochs import Progress
from jaxspot.video.bank import Bank

FILE = "left_out.csv"
"""In the folder of a run that leaves a fold out: subject and what happened."""


def bank_of(bank: Bank, subjects: Collection[str]) -> Bank:
    """The bank with the videos and labels of some subjects alone."""
    videos, labels = (
        table[table.subject.isin(subjects)].reset_index(drop=True)
        for table in (bank.videos, bank.annotations)
    )
    return dataclasses.replace(bank, videos=videos, annotations=labels)


def describe_left_out(asked: Networks, left: Networks, failed: Mapping[str, str]) -> dict[str, str]:
    """What happened to the folds and inner folds that are left out, by held-out subject."""
    orphans = {f.held_out for f in asked.folds} - {f.held_out for f in left.folds} - {*failed}
    why = "no network is left whose scores its thresholds could be fitted on"
    return dict(failed) | {subject: why for subject in sorted(orphans)}


def tell_failures(progress: Progress, need_all: bool) -> None:
    """Says which folds failed in the last epoch; with `need_all` a UserError for any of before."""
    if need_all and (failed := failed_folds(progress.metrics)):
        raise UserError(f"{describe_failures(failed)}; {REMEDY}")
    failed = failed_folds(row for row in progress.metrics if row["epoch"] == progress.epoch)
    if failed:
        print(f"{describe_failures(failed)}; left out, the others go on", file=sys.stderr)


def write_left_out(folder: Path, left_out: Mapping[str, str]) -> None:
    """Writes left_out.csv, if there is something to write."""
    if left_out:
        table = pd.DataFrame(left_out.items(), columns=["subject", "what"])
        write_table(table, folder / FILE)


def read_left_out(folder: Path) -> dict[str, str]:
    """What `write_left_out` wrote into the folder of a run."""
    if not (folder / FILE).is_file():
        return {}
    table = pd.read_csv(folder / FILE, dtype=str)
    return dict(zip(table.subject, table.what, strict=True))


def refuse_left_out(lines: Collection[str], workdir: Path) -> None:
    """A UserError where something was left out, when all that is left is written.

    `lines` say what.
    """
    if lines:
        end = f"left out; {workdir}/report.html holds the others. To have all, {REMEDY}"
        raise UserError("\n".join([*lines, end]))
