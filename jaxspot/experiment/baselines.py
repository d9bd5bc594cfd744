"""Ours, chance and the baselines of a run (its `peers`), on the same videos by the same scorer."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels, read_intervals
from jaxspot.baselines import PEERS
from jaxspot.baselines.lbcnn.backbone import image_net_file
from jaxspot.evaluation.bootstrap import bootstrap_difference, bootstrap_f1
from jaxspot.evaluation.chance import random_floor
from jaxspot.evaluation.f1 import score_by_subject, score_intervals
from jaxspot.evaluation.frame_scores import roc_threshold, score_frames
from jaxspot.experiment.heldout import HeldOut
from jaxspot.experiment.scores import read_scores, write_scores
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.tables import METHOD, oracle_of
from jaxspot.files import write_table
from jaxspot.network.streams import k_in_frames
from jaxspot.progress import progress_bar
from jaxspot.report.tables import difference_table, score_rows, table4, table5
from jaxspot.spotting.automated_iou import Pair
from jaxspot.storage import is_whole, write_manifest
from jaxspot.training.folds import Fold
from jaxspot.video.bank import Bank


class Spotted(NamedTuple):
    """What a baseline found in a bank.

    Attributes:
      scores: video -> float32 (frames, 2), ME and MaE; NaN where a frame has none.
      intervals: of all videos, one table.
    """

    scores: dict[str, np.ndarray]
    intervals: pd.DataFrame

    def within(self, bank: Bank) -> "Spotted":
        """What was found in the videos of a bank that may have fewer."""
        rows = self.intervals.loc[self.intervals.video.isin(bank.videos.video)]
        scores = {video: self.scores[video] for video in bank.videos.video}
        return Spotted(scores, rows.reset_index(drop=True))


def refuse_peers(names: Sequence[str]) -> None:
    """UserError if a peer's weights are not installed: said before anything is trained."""
    if "lbcnn" in names:
        image_net_file()


def spot_by_peers(
    bank: Bank,
    folds: Sequence[Fold],
    durations: Sequence[Pair],
    settings: Settings,
    *,
    saved: Path,
    stop_here: Callable[[], None] = lambda: None,
) -> dict[str, Spotted]:
    """Every video of a bank by each peer; a peer that is done in `saved` is read back.

    `durations` has the mean seconds of ME and MaE of each fold's own subjects: a peer's k for the
    held-out subject. `saved` is a folder with intervals.csv and scores/ for each peer, and their
    hashes: a peer whose files were altered spots again. `stop_here` is called whenever all that is
    done is saved, and may raise.
    """
    pairs = {fold.held_out: pair for fold, pair in zip(folds, durations, strict=True)}

    def k(subject: str, fps: float) -> dict[str, int]:
        k_seconds = [mean / 2 for mean in pairs[subject]]
        return dict(zip(map(str, KINDS), k_in_frames(k_seconds, fps), strict=True))

    spotted = {}
    for name in settings.peers:
        folder = saved / name
        if not is_whole(folder):
            if folder.exists():
                print(f"{folder}: not whole; {name} spots again", file=sys.stderr)
            total = int(bank.videos.frames.sum())
            with progress_bar(total=total, desc=name, unit="frame") as bar:
                scores, intervals = PEERS[name](
                    bank, folds=folds, k=k, seed=settings.seed, on_frame=bar.update
                )
            write_scores(folder / "scores", scores)
            write_table(intervals, folder / "intervals.csv")
            write_manifest(folder)
        spotted[name] = Spotted(
            read_scores(folder / "scores", bank.videos.video),
            read_intervals(folder / "intervals.csv"),
        )
        stop_here()
    return spotted


def score_peer_frames(bank: Bank, spotted: Spotted) -> dict[str, dict[str, float]]:
    """F1 and AUC of a peer's frames (paper Table 4), each subject's threshold from the others.

    A curve is first brought to its video's own range, by its lowest and highest score, as ours is
    by the paper: scores of different videos need not be of one scale.
    """
    curves = {video: _own_range(scores) for video, scores in spotted.scores.items()}
    labels = {
        video: frame_labels(bank.labels(video), frames=len(curve))
        for video, curve in curves.items()
    }
    thresholds = {}
    for subject in bank.videos.subject.unique():
        videos = set(bank.videos.video[bank.videos.subject == subject])
        others = [video for video in curves if video not in videos]
        scores, truth = (np.concatenate([rows[v] for v in others]) for rows in (curves, labels))
        limit = [roc_threshold(scores[:, i], truth[:, i]) for i in range(len(KINDS))]
        thresholds |= {video: np.broadcast_to(limit, curves[video].shape) for video in videos}
    joined = [np.concatenate([rows[v] for v in curves]) for rows in (curves, labels, thresholds)]
    return score_frames(*joined)


def _own_range(scores):
    low = np.nanmin(scores, axis=0, initial=np.inf)
    high = np.nanmax(scores, axis=0, initial=-np.inf)
    return (scores - low) / np.where(high > low, high - low, 1)


class MethodTables(NamedTuple):
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


def compare_methods(
    bank: Bank, held_out: HeldOut, settings: Settings, spotted: Mapping[str, Spotted]
) -> MethodTables:
    """Scores what we found beside the random floor and what the peers have spotted.

    All are scored on the videos of `bank`.
    """
    oracle = settings.protocol.oracle
    ours, mine = score_method(METHOD, held_out.intervals, bank, settings, oracle=oracle)
    rows = [*ours, *score_chance(held_out.intervals, bank, settings)]
    differences, peer_frames = [], []
    for name, everywhere in spotted.items():
        found = everywhere.within(bank)
        peer, theirs = score_method(name, found.intervals, bank, settings)
        rows += peer
        peer_frames += score_rows(name, score_peer_frames(bank, found))
        differences += [
            {"method": name, "kind": kind, "oracle": oracle} | row
            for kind, row in bootstrap_difference(theirs, mine, seed=settings.seed).items()
        ]
    skipped = bool(oracle_of(settings.protocol, 6))
    manual, _ = score_method(METHOD, held_out.manual, bank, settings, oracle=skipped)
    manual += score_chance(held_out.manual, bank, settings)
    frames = score_rows(METHOD, score_frames(*held_out.frame_rows(bank)), oracle=oracle)
    frames += peer_frames
    return MethodTables(
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
