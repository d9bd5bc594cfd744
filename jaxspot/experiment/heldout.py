"""From all folds' scores to decisions, held-out intervals and the rows of Tables 4 and 5."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.fitting import ScoredVideo, fit_decision
from jaxspot.spotting.manual_iou import decide_manually
from jaxspot.spotting.rule import Decision, Protocol, cutoff_from_k, decide, normalise
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank
from jaxspot.video.shown import ShownFrames

Pair = tuple[float, float]
Scores = Mapping[str, Mapping[int, np.ndarray]]
"""Video -> number of the network (`Networks`) -> float32 (frames, 2), ME and MaE."""


class Judged(NamedTuple):
    """Results on the held-out subjects' videos.

    Attributes:
      intervals: the predictions, as a table.
      manual: those by the Manual IoU Method (Table 6).
      curves: video -> normalised scores before and after smoothing, float (frames, 2) each.
      decisions: held-out subject -> the decision of its fold.
    """

    intervals: pd.DataFrame
    manual: pd.DataFrame
    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    decisions: dict[str, Decision]


def mean_durations(bank: Bank, fold: Fold, *, inclusive: bool = True) -> Pair:
    """Mean duration in seconds of ME and MaE of the fold's own subjects (not the held-out one).

    A duration counts both ends of an interval if `inclusive`, see `k_frame`.

    Raises:
      UserError: a kind that none of them shows.
    """
    rows = bank.annotations[bank.annotations.subject.isin(fold.subjects)]
    fps = rows.video.map(bank.videos.set_index("video").fps)
    seconds = ((rows.offset - rows.onset + int(inclusive)) / fps).groupby(rows.kind).mean()
    for kind in KINDS:
        if kind not in seconds:
            raise UserError(
                f"{bank.root}: no {kind} among the training subjects of fold {fold.held_out};"
                " the frame skip of its stream is half its mean duration"
            )
    return float(seconds["ME"]), float(seconds["MaE"])


def fold_protocol(protocol: Protocol, durations: Pair, *, cycles: float) -> Protocol:
    """The protocol with the Butterworth cut-off of a fold: tied to its k (half a mean duration)."""

    k_seconds = (durations[0] / 2, durations[1] / 2)
    return dataclasses.replace(protocol, cutoff_hz=cutoff_from_k(k_seconds, cycles=cycles))


def judge(bank: Bank, networks: Networks, scores: Scores, protocols: Sequence[Protocol]) -> Judged:
    """Fits each fold's decision on its own subjects and applies it to the held-out one.

    Args:
      bank: videos and labels.
      networks: whose scores of whom a fold takes.
      scores: raw.
      protocols: one a fold.
    """
    tables, by_hand, curves, decisions = [], [], {}, {}
    for number, (fold, protocol) in enumerate(zip(networks.folds, protocols, strict=True)):
        scorers = networks.scorers[number]
        seen = scored_videos(bank, scores, scorers, networks.fitted_on(number))
        held_out = scored_videos(bank, scores, scorers, (fold.held_out,))
        test = held_out if protocol.threshold == "test_oracle" else None
        decision = fit_decision(seen, protocol, test=test)
        decisions[fold.held_out] = decision
        for video in held_out:
            names: dict[str, Any] = dict(subject=fold.held_out, video=video.video)
            smooth, table = decide(video.scores, fps=video.fps, decision=decision, **names)
            curves[video.video] = normalise(video.scores, decision), smooth
            tables.append(table)
            by_hand.append(
                decide_manually(video.scores, fps=video.fps, cutoff_hz=protocol.cutoff_hz, **names)
            )
    join = lambda rows: pd.concat(rows, ignore_index=True)
    return Judged(join(tables), join(by_hand), curves, decisions)


def blank_faceless(bank: Bank, scores: Scores) -> Scores:
    """Scores with NaN where a frame shows no face."""
    blank = lambda video, found: {n: usable_scores(bank, video, s) for n, s in found.items()}
    return {video: blank(video, found) for video, found in scores.items()}


def shown_frames(bank: Bank, video: str) -> ShownFrames:
    """A video's frames as they are scored."""
    return ShownFrames(bank.frames(video), bank.faces(video))


def usable_scores(bank: Bank, video: str, scores: np.ndarray) -> np.ndarray:
    """A video's scores (..., frames, 2) with NaN where a frame shows no face."""
    return np.where(bank.faces(video)[:, None], scores, np.nan)


def scored_videos(
    bank: Bank, scores: Scores, scorers: Mapping[str, int], subjects: Collection[str]
) -> list[ScoredVideo]:
    """The videos of some subjects, each with the scores of its network, in the bank's order."""
    rows = bank.videos[bank.videos.subject.isin(subjects)]
    columns = (rows[name].tolist() for name in ("video", "subject", "fps"))
    return [
        ScoredVideo(video, fps, scores[video][scorers[subject]], bank.labels(video))
        for video, subject, fps in zip(*columns, strict=True)
    ]


def frame_rows(bank: Bank, judged: Judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All held-out frames: normalised scores, labels, and the threshold of each frame's fold.

    Returns:
      float (frames, 2), bool (frames, 2), float (frames, 2).
    """
    subject = dict(zip(bank.videos.video, bank.videos.subject, strict=True))
    scores, labels, thresholds = [], [], []
    for video, (raw, _) in judged.curves.items():
        scores.append(raw)
        labels.append(frame_labels(bank.labels(video), frames=len(raw)))
        threshold = judged.decisions[subject[video]].frame_threshold
        thresholds.append(np.broadcast_to(threshold, raw.shape))
    return np.concatenate(scores), np.concatenate(labels), np.concatenate(thresholds)
