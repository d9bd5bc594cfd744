"""From all folds' scores to decisions, held-out intervals and the rows of Tables 4 and 5."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import KINDS, frame_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.fitting import ScoredVideo, fit_decision
from jaxspot.evaluation.manual import decide_manually
from jaxspot.evaluation.protocols import Decision, Protocol, cutoff_from_k, decide, normalise
from jaxspot.training.folds import Fold, loso_folds
from jaxspot.training.pool import ShownFrames
from jaxspot.training.sampling import FACELESS
from jaxspot.video.bank import Bank

Pair = tuple[float, float]


class Judged(NamedTuple):
    """What the held-out subjects' videos came to.

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
    rows = bank.annotations[bank.annotations.subject.isin(fold.training + fold.validation)]
    fps = rows.video.map(bank.videos.set_index("video").fps)
    seconds = ((rows.offset - rows.onset + int(inclusive)) / fps).groupby(rows.kind).mean()
    for kind in KINDS:
        if kind not in seconds:
            raise UserError(
                f"{bank.root}: no {kind} among the training subjects of fold {fold.held_out};"
                " the frame skip of its stream is half its mean duration"
            )
    return float(seconds["ME"]), float(seconds["MaE"])


def refuse_unusable(bank: Bank) -> None:
    """Refuses a bank that some fold could not be trained on, before anything is written.

    Raises:
      UserError: fewer than three subjects, a kind that a fold's subjects never show, or training or
        validation subjects without a face in any frame.
    """
    faces = [bank.faces(video).any() for video in bank.videos.video]
    seen = set(bank.videos.subject[faces])
    for fold in loso_folds(bank.videos.subject):
        mean_durations(bank, fold)
        for group in (fold.training, fold.validation):
            if not seen & set(group):
                raise UserError(f"{bank.root}: {FACELESS.format(', '.join(group))}")


def fold_protocol(protocol: Protocol, durations: Pair, *, cycles: float) -> Protocol:
    """The protocol with the Butterworth cut-off of a fold: tied to its k (half a mean duration)."""

    k_seconds = (durations[0] / 2, durations[1] / 2)
    return dataclasses.replace(protocol, cutoff_hz=cutoff_from_k(k_seconds, cycles=cycles))


def judge(
    bank: Bank,
    folds: Sequence[Fold],
    scores: Mapping[str, np.ndarray],
    protocols: Sequence[Protocol],
) -> Judged:
    """Fits each fold's decision on its own subjects and applies it to the held-out one.

    Args:
      bank: videos and labels.
      folds: in the order of the scores' first axis.
      scores: video -> float32 (folds, frames, 2), raw.
      protocols: one a fold.
    """
    tables, by_hand, curves, decisions = [], [], {}, {}
    for number, (fold, protocol) in enumerate(zip(folds, protocols, strict=True)):
        seen = scored_videos(bank, scores, number, fold.training + fold.validation)
        held_out = scored_videos(bank, scores, number, (fold.held_out,))
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


def blank_faceless(bank: Bank, scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Scores, video -> float32 (folds, frames, 2), with NaN where a frame shows no face."""
    return {video: usable_scores(bank, video, scores[video]) for video in bank.videos.video}


def shown_frames(bank: Bank, video: str) -> ShownFrames:
    """A video's frames as they are scored."""
    return ShownFrames(bank.frames(video), bank.faces(video))


def usable_scores(bank: Bank, video: str, scores: np.ndarray) -> np.ndarray:
    """A video's scores (networks, frames, 2) with NaN where a frame shows no face."""
    return np.where(bank.faces(video)[:, None], scores, np.nan)


def scored_videos(bank, scores, network, subjects) -> list[ScoredVideo]:
    """The videos of some subjects with one network's scores, in the bank's order."""
    rows = bank.videos[bank.videos.subject.isin(subjects)]
    return [
        ScoredVideo(video, float(fps), scores[video][network], bank.labels(video))
        for video, fps in zip(rows.video, rows.fps, strict=True)
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
