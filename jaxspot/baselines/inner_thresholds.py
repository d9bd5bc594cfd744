"""From the scores of peers that train to intervals, with thresholds of other subjects as ours."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import FrameCounts
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.protocol import Protocol
from jaxspot.spotting.automated_iou import IntervalRule, apply_rule, cutoff_from_k
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks, plan_networks
from jaxspot.video.bank import Bank

PROTOCOL = Protocol(threshold="interval_f1", fit="inner")


def plan_models(folds: Sequence[Fold], *, groups: int) -> Networks:
    """The models of folds and inner folds; each learns from all its subjects, nobody validates.

    Every score that a fold's thresholds are fitted on is that of a model that has seen neither this
    subject nor the held-out one. UserError: too few subjects.
    """
    own = [dataclasses.replace(f, training=f.subjects, validation=()) for f in folds]
    return plan_networks(own, fit="inner", groups=groups)


def spot_folds(
    bank: Bank, networks: Networks, curves: Mapping[str, Mapping[int, np.ndarray]], k: FrameCounts
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Held-out scores and intervals; each fold's thresholds are fitted on its other subjects."""
    scores, tables = {}, []
    for number, fold in enumerate(networks.folds):
        scorers = networks.scorers[number]
        seen, held_out = [], []
        for row in _rows(bank):
            curve = curves[row.video][scorers[row.subject]]
            part = held_out if row.subject == fold.held_out else seen
            part.append(ScoredVideo(row.video, row.fps, curve, bank.labels(row.video)))
        fitted = fit_rule(seen, interval_rule(k, fold.held_out, held_out[0].fps), PROTOCOL)
        for video in held_out:
            names: dict[str, Any] = dict(subject=fold.held_out, video=video.video)
            scores[video.video] = video.scores
            tables.append(apply_rule(video.scores, fps=video.fps, fitted=fitted, **names)[1])
    return scores, pd.concat(tables, ignore_index=True)


def interval_rule(k: FrameCounts, held_out: str, fps: float) -> IntervalRule:
    """The rule of our settings for region motion; an ME is as long as those of other subjects."""
    micro, macro = (k(held_out, fps)[kind] / fps for kind in KINDS)
    return IntervalRule(
        normalisation="train_quantiles",
        cutoff_hz=cutoff_from_k((micro, macro)),
        min_seconds=(0.1, 0.4),
        peak_share=0.7,
        length_seconds=(2 * micro, 0.0),
    )


def _rows(bank: Bank) -> Any:
    return bank.videos.itertuples()
