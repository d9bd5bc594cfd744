"""What a fold learns about its scores: normalisation and thresholds, from training subjects."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import KINDS, frame_labels
from jaxspot.evaluation.f1 import NO_FRAMES, frames_by_video
from jaxspot.evaluation.protocols import (
    Decision,
    Pair,
    Protocol,
    cutter,
    normalise,
    smooth_scores,
)
from jaxspot.evaluation.roc import interval_f1_threshold, roc_threshold


class ScoredVideo(NamedTuple):
    """A video's raw scores, float (T, 2), beside its labels (kind, onset, offset)."""

    video: str
    fps: float
    scores: np.ndarray
    annotations: pd.DataFrame

    @property
    def labels(self) -> np.ndarray:
        """Bool (T, 2), ME and MaE."""
        return frame_labels(self.annotations, frames=len(self.scores))


def fit_decision(
    training: Sequence[ScoredVideo],
    protocol: Protocol,
    *,
    test: Sequence[ScoredVideo] | None = None,
) -> Decision:
    """Fits normalisation and thresholds on the training subjects' scores.

    Args:
      training: videos of the training subjects.
      protocol: the rule.
      test: videos of the held-out subject; needed by "test_oracle" and refused by all others.

    Raises:
      ValueError: no training video, or `test` against the rule.
    """
    if not training:
        raise ValueError("a decision needs at least one training video")
    if (protocol.threshold == "test_oracle") != (test is not None):
        raise ValueError(
            f"threshold={protocol.threshold!r} and test={'no' if test is None else 'yes'}"
        )
    frames = np.concatenate([video.scores for video in training])
    low, high = (_pair(np.nanquantile(frames, q, axis=0)) for q in protocol.quantiles)
    none = (math.inf, math.inf)
    draft = Decision(protocol, low, high, none, none)
    seen = training if test is None else test
    raw = [normalise(video.scores, draft) for video in seen]
    smooth = [
        smooth_scores(curve, fps=video.fps, protocol=protocol)
        for curve, video in zip(raw, seen, strict=True)
    ]
    labels = np.concatenate([video.labels for video in seen])
    by_roc = _by_roc(smooth, labels)
    chosen = (
        _by_interval_f1(smooth, seen, protocol) if protocol.threshold == "interval_f1" else by_roc
    )
    return Decision(protocol, low, high, chosen, _by_roc(raw, labels))


def _by_roc(curves, labels):
    scores = np.concatenate(curves)
    return _pair(roc_threshold(scores[:, i], labels[:, i]) for i in range(len(KINDS)))


def _by_interval_f1(curves, videos, protocol):
    """Macro-expressions first: which micro-expressions count may hang on them."""
    names = [video.video for video in videos]
    rows = pd.concat([video.annotations.assign(video=video.video) for video in videos])
    truth = frames_by_video(rows, names)
    rule: dict[str, Any] = dict(matching=protocol.matching, iou=protocol.iou)

    def fit(kind, macro):
        curve = [both[:, KINDS.index(kind)] for both in curves]
        cuts = [
            cutter(each, kind, fps=video.fps, protocol=protocol, macro=found)
            for each, video, found in zip(curve, videos, macro, strict=True)
        ]
        labels = [truth.get((name, kind), NO_FRAMES) for name in names]
        best = interval_f1_threshold(
            curve, labels, cut=lambda n, threshold: cuts[n](threshold), **rule
        )
        return best, [cut(best) for cut in cuts]

    large, macro = fit("MaE", [None] * len(videos))
    small, _ = fit("ME", macro)
    return small, large


def _pair(values) -> Pair:
    first, second = values
    return float(first), float(second)
