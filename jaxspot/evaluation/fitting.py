"""What a fold learns about its scores: normalisation and thresholds, from other subjects."""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.evaluation.f1 import NO_INTERVALS, intervals_by_video
from jaxspot.evaluation.frame_scores import roc_threshold
from jaxspot.evaluation.interval_thresholds import (
    Curve,
    interval_f1_threshold,
    overall_f1_thresholds,
)
from jaxspot.evaluation.protocol import Protocol
from jaxspot.spotting.automated_iou import (
    FittedRule,
    IntervalRule,
    Pair,
    drop_nested,
    interval_finder,
    normalise,
    smooth_scores,
    subtract_baseline,
)


class ScoredVideo(NamedTuple):
    """A video's raw scores, float (T, 2), and its labels (kind, onset, offset)."""

    video: str
    fps: float
    scores: np.ndarray
    annotations: pd.DataFrame

    @property
    def labels(self) -> np.ndarray:
        """Bool (T, 2), ME and MaE."""
        return frame_labels(self.annotations, frames=len(self.scores))

    def curve(self, kind: str, smoothed: np.ndarray, rule: IntervalRule) -> Curve:
        """The scores of one kind, with its labels and its `interval_finder`.

        `smoothed` is float (T, 2), the scores of both kinds.
        """
        scores = smoothed[:, KINDS.index(kind)]
        truth = intervals_by_video(self.annotations.assign(video=self.video), [self.video])
        find = interval_finder(scores, kind, fps=self.fps, rule=rule)
        return Curve(scores, truth.get((self.video, kind), NO_INTERVALS), find)


def fit_rule(
    seen: Sequence[ScoredVideo],
    rule: IntervalRule = IntervalRule(),
    protocol: Protocol = Protocol(),
    *,
    test: Sequence[ScoredVideo] | None = None,
) -> FittedRule:
    """Fits normalisation and thresholds on scores of subjects other than the held-out one.

    Args:
      seen: videos whose scores and labels may be used; `Protocol.fit` says which.
      rule: what is fitted.
      protocol: how it is fitted.
      test: videos of the held-out subject. "test_oracle" needs them; no other rule accepts them.

    Raises:
      ValueError: there is no video; `protocol.threshold` is "test_oracle" and `test` is missing; or
        the threshold is another one and `test` is given.
    """
    if not seen:
        raise ValueError("a rule needs at least one video to be fitted on")
    if (protocol.threshold == "test_oracle") != (test is not None):
        raise ValueError(
            f"threshold={protocol.threshold!r} and test={'no' if test is None else 'yes'}"
        )
    frames = np.concatenate(
        [subtract_baseline(video.scores, fps=video.fps, rule=rule) for video in seen]
    )
    low, high = (_pair(np.nanquantile(frames, q, axis=0)) for q in protocol.quantiles)
    none = (math.inf, math.inf)
    draft = FittedRule(rule, low, high, none, none)
    videos = seen if test is None else test
    raw = [normalise(video.scores, fps=video.fps, fitted=draft) for video in videos]
    smooth = [
        smooth_scores(curve, fps=video.fps, rule=rule)
        for curve, video in zip(raw, videos, strict=True)
    ]
    labels = np.concatenate([video.labels for video in videos])
    if protocol.threshold in ("interval_f1", "overall_f1"):
        threshold = _by_f1(smooth, videos, rule, protocol)
    else:
        threshold = _by_roc(smooth, labels)
    return FittedRule(rule, low, high, threshold, _by_roc(raw, labels))


def _by_roc(curves, labels):
    scores = np.concatenate(curves)
    return _pair(roc_threshold(scores[:, i], labels[:, i]) for i in range(len(KINDS)))


def _by_f1(smooth, videos, rule, protocol):
    micro, macro = (
        [video.curve(kind, both, rule) for video, both in zip(videos, smooth, strict=True)]
        for kind in KINDS
    )
    if protocol.threshold == "overall_f1":
        keep = partial(drop_nested, rule=rule)
        return overall_f1_thresholds(micro, macro, keep=keep, **protocol.scoring)
    large = interval_f1_threshold(macro, **protocol.scoring)
    kept = [
        one._replace(find=partial(_find_kept, one.find, other.find(large), rule))
        for one, other in zip(micro, macro, strict=True)
    ]
    return interval_f1_threshold(kept, **protocol.scoring), large


def _find_kept(find, macro, rule, threshold):
    return drop_nested(find(threshold), macro, rule)


def _pair(values) -> Pair:
    first, second = values
    return float(first), float(second)
