"""The negative control: the same method, trained and scored on labels that are not there."""

import dataclasses
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import from_span, to_span
from jaxspot.errors import UserError
from jaxspot.evaluation.chance import random_floor
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.experiment.crossval import cross_validate, refuse_unusable, run_networks
from jaxspot.experiment.scores import Work
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.tables import oracle_of
from jaxspot.experiment.team import Team
from jaxspot.report.tables import control_table, oracle_mark, score_rows
from jaxspot.training.failures import NoFoldLeft
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank

DRAWS = 200
CONTROL = "control"


def negative_control(bank: Bank, settings: Settings, work: Work) -> pd.DataFrame:
    """Some folds trained and scored on moved labels, with the same settings.

    What is found then is chance or a leak: F1 should be at or below the 95th percentile of random
    intervals, as many and as long, against the same moved labels. `work` is of `control_work`.
    Returns `control_table`; empty if no folds are asked for, if too few subjects have a video
    twice as long as the shift, or if no fold has a finite loss.
    """
    part = control_part(bank, settings)
    if part is None:
        return control_table([])
    rolled, networks = part
    work.team.agree(CONTROL)
    try:
        trained = cross_validate(rolled, networks, settings, work)
    except NoFoldLeft as error:
        print(f"negative control: {error}", file=sys.stderr)
        return control_table([])
    held_out = {fold.held_out for fold in trained.folds}
    videos = rolled.videos.loc[rolled.videos.subject.isin(held_out)]
    labels = rolled.annotations.loc[rolled.annotations.subject.isin(held_out)]
    intervals, scoring = trained.held_out.intervals, settings.protocol.scoring
    found = score_intervals(intervals, labels, videos=videos, **scoring)
    chance = random_floor(intervals, labels, videos, seed=settings.seed, **scoring)
    both = {kind: found[kind] | {"random_f1_p95": chance[kind]["f1_p95"]} for kind in found}
    return control_table(score_rows("rolled labels", both, oracle=settings.protocol.oracle))


def control_part(bank: Bank, settings: Settings) -> tuple[Bank, Networks] | None:
    """The bank with moved labels and the networks of its folds; None where there are none."""
    if not settings.control.folds:
        return None
    rolled = roll_labels(bank, seconds=settings.control.seconds, seed=settings.seed)
    try:
        networks = run_networks(rolled, settings, count=settings.control.folds)
        refuse_unusable(rolled, [networks])
    except UserError:
        return None
    return rolled, networks


def control_work(workdir: Path, stop_here: Callable[[], None], team: Team) -> Work:
    """Where the control of a run keeps what is done."""
    saved = workdir / "checkpoints" / "control"
    return Work(saved, saved / "epochs", saved / "metrics.jsonl", CONTROL, stop_here, team)


def control_title(settings: Settings, control: pd.DataFrame) -> str:
    """The heading of the negative control's table."""
    return (
        f"Negative control. Intervals: F1 of up to {settings.control.folds} folds trained and"
        f" scored on labels moved by at least {settings.control.seconds:g} s;"
        f" data: {settings.dataset}"
        f"{oracle_mark('oracle' in control and oracle_of(settings.protocol, 5))}"
    )


def judge_control(control: pd.DataFrame) -> str:
    """What the negative control says: every kind beside chance."""
    compared = [
        f"{kind} {f1:.3f} ({'ABOVE' if f1 > limit else 'not above'} {limit:.3f})"
        for kind, f1, limit in control[["kind", "f1", "random_f1_p95"]].itertuples(index=False)
    ]
    says = (
        f"Negative control: F1 on moved labels against the 95th percentile of random intervals:"
        f" {', '.join(compared)}."
    )
    if (control.f1 > control.random_f1_p95).any():
        says += (
            " One clean run in twenty is above it by chance. Still, look for a leak before you"
            " trust any table."
        )
    return says


def roll_labels(bank: Bank, *, seconds: float, seed: int) -> Bank:
    """The bank with every video's labels moved later in time, around its end to its start.

    A video's shift is drawn between `seconds` and its length less `seconds`, so no label is nearer
    than that to its own place. If a shift cuts a label at the end of the video, it is drawn again;
    if all do, the cut label is left out. Videos too short for the shift are left out. `seed` and
    the video's name decide the shifts.
    """
    least = np.ceil(seconds * bank.videos.fps).astype(int)
    videos = bank.videos.loc[bank.videos.frames >= 2 * least].reset_index(drop=True)
    tables = []
    for video, frames, fps in videos[["video", "frames", "fps"]].itertuples(index=False):
        rng = np.random.default_rng([seed, zlib.crc32(str(video).encode())])
        first = int(np.ceil(seconds * fps))
        shifts = rng.integers(first, frames - first + 1, size=DRAWS)
        tables.append(roll_table(bank.labels(video), shifts, frames))
    labels = pd.concat([*tables, bank.annotations.iloc[:0]], ignore_index=True)
    return dataclasses.replace(bank, videos=videos, annotations=labels)


def roll_table(annotations: pd.DataFrame, shifts: np.ndarray, frames: int) -> pd.DataFrame:
    """Labels of one video moved later, round its end; one cut by the end is left out.

    Args:
      annotations: of this video.
      shifts: int (n,), in frames; the first of those that cut the fewest labels is taken.
      frames: length of the video.
    """
    start, stop = to_span(annotations.onset.to_numpy(), annotations.offset.to_numpy())
    moved = (start + shifts[:, None]) % frames
    moved = moved[(moved + (stop - start) > frames).sum(1).argmin()]
    onset, offset = from_span(moved, moved + (stop - start))
    apex = onset + (annotations.apex - annotations.onset).to_numpy()
    table = annotations.assign(onset=onset, apex=apex, offset=offset)
    return table.loc[offset <= frames]
