"""Ours, chance and the peers on the same videos, by the same scorer: Tables 4 to 6."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.evaluation.bootstrap import bootstrap_difference, bootstrap_f1
from jaxspot.evaluation.chance import random_floor
from jaxspot.evaluation.f1 import score_by_subject, score_intervals
from jaxspot.evaluation.roc import score_frames
from jaxspot.experiment.crossval import Trial
from jaxspot.experiment.describe import oracle_of
from jaxspot.experiment.heldout import frame_rows
from jaxspot.experiment.peers import Spotted, score_peer_frames
from jaxspot.experiment.settings import Settings
from jaxspot.report.tables import difference_table, score_rows, table4, table5
from jaxspot.video.bank import Bank

METHOD = "jaxspot"


class Compared(NamedTuple):
    """What the tables hold, tidy.

    Attributes:
      frames: Table 4.
      intervals: Table 5, by the Automated IoU Method.
      manual: Table 6, by the Manual IoU Method.
      differences: F1 of each peer minus ours, on the same drawn subjects.
      by_subject: F1 of ours (Table 5) subject by subject.
    """

    frames: pd.DataFrame
    intervals: pd.DataFrame
    manual: pd.DataFrame
    differences: pd.DataFrame
    by_subject: pd.DataFrame


def compare(
    bank: Bank, trial: Trial, settings: Settings, spotted: Mapping[str, Spotted]
) -> Compared:
    """Scores a trial beside the random floor and what the peers have spotted."""
    judged, oracle = trial.judged, settings.protocol.oracle
    ours, mine = score_method(METHOD, judged.intervals, bank, settings, oracle=oracle)
    rows = [*ours, *score_chance(judged.intervals, bank, settings)]
    differences, peer_frames = [], []
    for name, found in spotted.items():
        peer, theirs = score_method(name, found.intervals, bank, settings)
        rows += peer
        peer_frames += score_rows(name, score_peer_frames(bank, found))
        differences += [
            {"method": name, "kind": kind, "oracle": oracle} | row
            for kind, row in bootstrap_difference(theirs, mine, seed=settings.seed).items()
        ]
    skipped = bool(oracle_of(settings.protocol, 6))
    manual, _ = score_method(METHOD, judged.manual, bank, settings, oracle=skipped)
    manual += score_chance(judged.manual, bank, settings)
    raw, labels, thresholds = frame_rows(bank, judged)
    frames = score_rows(METHOD, score_frames(raw, labels, thresholds), oracle=oracle)
    frames += peer_frames
    return Compared(
        table4(frames), table5(rows), table5(manual), difference_table(differences), mine
    )


def score_method(
    name: str, intervals: pd.DataFrame, bank: Bank, settings: Settings, *, oracle: bool = False
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Rows of Table 5 for a method's intervals, with 95 % intervals; and F1 by subject."""
    rule: dict[str, Any] = dict(videos=bank.videos, **settings.protocol.scoring)
    found = score_intervals(intervals, bank.annotations, **rule)
    by_subject = score_by_subject(intervals, bank.annotations, **rule)
    spread = bootstrap_f1(by_subject, seed=settings.seed)
    ends = {kind: {end: spread[kind][end] for end in ("f1_low", "f1_high")} for kind in spread}
    rows = score_rows(name, {kind: found[kind] | ends[kind] for kind in found}, oracle=oracle)
    return rows, by_subject


def score_chance(intervals: pd.DataFrame, bank: Bank, settings: Settings) -> list[dict[str, Any]]:
    """Rows of Table 5 for random intervals, as many and as long as the given ones."""
    rule = settings.protocol.scoring
    floor = random_floor(intervals, bank.annotations, bank.videos, seed=settings.seed, **rule)
    return score_rows("random", floor)
