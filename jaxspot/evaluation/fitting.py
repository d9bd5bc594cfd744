"""What a fold learns about its scores: normalisation and thresholds, from other subjects."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.evaluation.f1 import NO_FRAMES, frames_by_video
from jaxspot.evaluation.interval_thresholds import interval_f1_threshold, overall_f1_thresholds
from jaxspot.evaluation.roc import roc_threshold
from jaxspot.spotting.rule import (
    Decision,
    Pair,
    Protocol,
    cutter,
    normalise,
    outside,
    smooth_scores,
)


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

    def truth(self, kind: str) -> np.ndarray:
        """Labelled onset and offset of a kind: int (n, 2), frames from 1, both ends included."""
        rows = self.annotations.assign(video=self.video)
        return frames_by_video(rows, [self.video]).get((self.video, kind), NO_FRAMES)


def fit_decision(
    seen: Sequence[ScoredVideo],
    protocol: Protocol,
    *,
    test: Sequence[ScoredVideo] | None = None,
) -> Decision:
    """Fits normalisation and thresholds on scores of other subjects than the held-out one.

    Args:
      seen: videos whose scores and labels may be looked at; `Protocol.fit` says which.
      protocol: the rule.
      test: videos of the held-out subject; needed by "test_oracle" and refused by all others.

    Raises:
      ValueError: no video, or `test` against the rule.
    """
    if not seen:
        raise ValueError("a decision needs at least one video to be fitted on")
    if (protocol.threshold == "test_oracle") != (test is not None):
        raise ValueError(
            f"threshold={protocol.threshold!r} and test={'no' if test is None else 'yes'}"
        )
    frames = np.concatenate([video.scores for video in seen])
    low, high = (_pair(np.nanquantile(frames, q, axis=0)) for q in protocol.quantiles)
    none = (math.inf, math.inf)
    draft = Decision(protocol, low, high, none, none)
    videos = seen if test is None else test
    raw = [normalise(video.scores, draft) for video in videos]
    smooth = [
        smooth_scores(curve, fps=video.fps, protocol=protocol)
        for curve, video in zip(raw, videos, strict=True)
    ]
    labels = np.concatenate([video.labels for video in videos])
    chosen = {"interval_f1": _by_interval_f1, "overall_f1": _by_overall_f1}.get(protocol.threshold)
    threshold = chosen(smooth, videos, protocol) if chosen else _by_roc(smooth, labels)
    return Decision(protocol, low, high, threshold, _by_roc(raw, labels))


def _by_roc(curves, labels):
    scores = np.concatenate(curves)
    return _pair(roc_threshold(scores[:, i], labels[:, i]) for i in range(len(KINDS)))


def _by_interval_f1(curves, videos, protocol):
    """Macro-expressions first: which micro-expressions are kept may depend on them."""
    rule: dict[str, Any] = dict(matching=protocol.matching, iou=protocol.iou)

    def fit(kind, macro):
        cuts = [
            cutter(curve, kind, fps=video.fps, protocol=protocol, macro=found)
            for curve, video, found in zip(_of(kind, curves), videos, macro, strict=True)
        ]
        best = interval_f1_threshold(
            _of(kind, curves),
            [video.truth(kind) for video in videos],
            cut=lambda n, threshold: cuts[n](threshold),
            **rule,
        )
        return best, [cut(best) for cut in cuts]

    large, macro = fit("MaE", [None] * len(videos))
    small, _ = fit("ME", macro)
    return small, large


def _by_overall_f1(curves, videos, protocol):
    cuts = {
        kind: [
            cutter(curve, kind, fps=video.fps, protocol=protocol)
            for curve, video in zip(_of(kind, curves), videos, strict=True)
        ]
        for kind in KINDS
    }
    return overall_f1_thresholds(
        (_of("ME", curves), _of("MaE", curves)),
        ([video.truth("ME") for video in videos], [video.truth("MaE") for video in videos]),
        cut_micro=lambda n, threshold, macro: outside(cuts["ME"][n](threshold), macro),
        cut_macro=lambda n, threshold: cuts["MaE"][n](threshold),
        nested=protocol.keep_nested,
        matching=protocol.matching,
        iou=protocol.iou,
    )


def _of(kind, curves):
    return [both[:, KINDS.index(kind)] for both in curves]


def _pair(values) -> Pair:
    first, second = values
    return float(first), float(second)
