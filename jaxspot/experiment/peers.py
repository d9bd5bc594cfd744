"""The peers that a run names: spotted once, kept with the run, scored as ours is."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels, read_intervals
from jaxspot.baselines import PEERS
from jaxspot.evaluation.roc import roc_threshold, score_frames
from jaxspot.experiment.score_files import read_scores, write_scores
from jaxspot.files import write_table
from jaxspot.network.streams import frame_skips
from jaxspot.progress import progress_bar
from jaxspot.training.folds import Fold
from jaxspot.video.bank import Bank

Pair = tuple[float, float]


class Spotted(NamedTuple):
    """What a peer made of a bank.

    Attributes:
      scores: video -> float32 (frames, 2), ME and MaE; NaN where a frame has none.
      intervals: of all videos, one table.
    """

    scores: dict[str, np.ndarray]
    intervals: pd.DataFrame


def spot_by_peers(
    bank: Bank,
    folds: Sequence[Fold],
    durations: Sequence[Pair],
    *,
    names: Sequence[str],
    seed: int,
    saved: Path,
    stop_here: Callable[[], None] = lambda: None,
) -> dict[str, Spotted]:
    """Every video of a bank by each peer; a peer that is done in `saved` is read back.

    Args:
      bank: frames and labels.
      folds: a fold a subject.
      durations: per fold, mean seconds of ME and MaE of its own subjects: a peer's k for the
        held-out subject.
      names: of `PEERS`.
      seed: of whatever is random.
      saved: a folder with intervals.csv and scores/ for each peer.
      stop_here: called whenever all that is done is saved; may raise.
    """
    pairs = {fold.held_out: pair for fold, pair in zip(folds, durations, strict=True)}

    def k(subject: str, fps: float) -> dict[str, int]:
        skip_seconds = [mean / 2 for mean in pairs[subject]]
        return dict(zip(map(str, KINDS), frame_skips(skip_seconds, fps), strict=True))

    spotted = {}
    for name in names:
        folder = saved / name
        if not (folder / "intervals.csv").is_file():
            total = int(bank.videos.frames.sum())
            with progress_bar(total=total, desc=name, unit="frame") as bar:
                scores, intervals = PEERS[name](
                    bank, folds=folds, k=k, seed=seed, on_frame=bar.update
                )
            write_scores(folder / "scores", scores)
            write_table(intervals, folder / "intervals.csv")
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
