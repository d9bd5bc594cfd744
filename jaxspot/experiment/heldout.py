"""The held-out subjects: each fold's rule, fitted on the others, and what it finds in its own."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.scores import NetworkScores
from jaxspot.spotting.automated_iou import (
    FittedRule,
    IntervalRule,
    Pair,
    apply_rule,
    cutoff_from_k,
    normalise,
)
from jaxspot.spotting.manual_iou import apply_manual_iou
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank


class HeldOut(NamedTuple):
    """Results on the held-out subjects' videos.

    Attributes:
      intervals: the predictions, as a table.
      manual: those by the Manual IoU Method (Table 6).
      curves: video -> normalised scores before and after smoothing, float (frames, 2) each.
      rules: held-out subject -> the fitted rule of its fold.
    """

    intervals: pd.DataFrame
    manual: pd.DataFrame
    curves: dict[str, tuple[np.ndarray, np.ndarray]]
    rules: dict[str, FittedRule]

    def frame_rows(self, bank: Bank) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """All frames: normalised scores, labels, and the threshold of each frame's fold.

        Returns:
          float (frames, 2), bool (frames, 2), float (frames, 2).
        """
        subject = dict(zip(bank.videos.video, bank.videos.subject, strict=True))
        scores, labels, thresholds = [], [], []
        for video, (raw, _) in self.curves.items():
            scores.append(raw)
            labels.append(frame_labels(bank.labels(video), frames=len(raw)))
            threshold = self.rules[subject[video]].frame_threshold
            thresholds.append(np.broadcast_to(threshold, raw.shape))
        return np.concatenate(scores), np.concatenate(labels), np.concatenate(thresholds)


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


def fold_rule(rule: IntervalRule, durations: Pair, protocol: Protocol) -> IntervalRule:
    """The rule with what a fold's mean durations set: the cut-off and the lengths of intervals."""
    micro, macro = durations
    short, long = protocol.mean_lengths
    cutoff = cutoff_from_k((micro / 2, macro / 2), cycles=protocol.cycles)
    return dataclasses.replace(rule, cutoff_hz=cutoff, length_seconds=(short * micro, long * macro))


def spot_held_out(
    bank: Bank,
    networks: Networks,
    scores: NetworkScores,
    rules: Sequence[IntervalRule],
    protocol: Protocol,
) -> HeldOut:
    """Fits each fold's rule on its own subjects and applies it to the held-out one.

    `scores` are raw, NaN where a frame shows no face; `networks` says whose scores a fold takes;
    `rules` has one a fold.
    """
    tables, by_hand, curves, fitted = [], [], {}, {}
    for number, (fold, rule) in enumerate(zip(networks.folds, rules, strict=True)):
        scorers = networks.scorers[number]
        seen = scored_videos(bank, scores, scorers, networks.fitted_on(number))
        held_out = scored_videos(bank, scores, scorers, (fold.held_out,))
        test = held_out if protocol.threshold == "test_oracle" else None
        own = fitted[fold.held_out] = fit_rule(seen, rule, protocol, test=test)
        for video in held_out:
            names: dict[str, Any] = dict(subject=fold.held_out, video=video.video, fps=video.fps)
            smooth, table = apply_rule(video.scores, fitted=own, **names)
            curves[video.video] = normalise(video.scores, fps=video.fps, fitted=own), smooth
            tables.append(table)
            by_hand.append(apply_manual_iou(video.scores, cutoff_hz=rule.cutoff_hz, **names))
    join = lambda rows: pd.concat(rows, ignore_index=True)
    return HeldOut(join(tables), join(by_hand), curves, fitted)


def scored_videos(
    bank: Bank, scores: NetworkScores, scorers: Mapping[str, int], subjects: Collection[str]
) -> list[ScoredVideo]:
    """The videos of some subjects, each with the scores of its network, in the bank's order."""
    rows: Any = bank.videos[bank.videos.subject.isin(subjects)].itertuples()
    own = lambda row: scores[row.video][scorers[row.subject]]
    return [ScoredVideo(r.video, r.fps, own(r), bank.labels(r.video)) for r in rows]
