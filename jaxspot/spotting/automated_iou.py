"""The Automated IoU Method: from the scores of a video to its intervals, paper section 4.1."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import check_fields, check_numbers
from jaxspot.spotting.filters import (
    above_baseline,
    butterworth,
    normalise_by,
    normalise_per_video,
)
from jaxspot.spotting.intervals import (
    find_around_peaks,
    find_at_peaks,
    find_intervals,
    intervals_table,
)

Pair = tuple[float, float]
"""Of ME and MaE."""
NO_LIMIT = 1e9
"""Seconds; a config file holds no infinity."""


@dataclass(frozen=True)
class IntervalRule:
    """How scores become intervals; defaults are the paper's except `cutoff_hz`, set by each run.

    Pairs are (ME, MaE).

    Attributes:
      normalisation: "per_video": the lowest and highest score of each video become 0 and 1 (paper);
        "train_quantiles": two fixed scores, fitted on other subjects, become 0 and 1.
      baseline_seconds: above 0: a curve is the log odds of the scores above their running baseline
        over this time, before it is normalised (`above_baseline`). 0 leaves the scores as they are.
      cutoff_hz: Butterworth cut-off. inf, the default, does not smooth; the paper smooths, and a
        run sets it from k (`cutoff_from_k`).
      order: of the Butterworth filter.
      min_seconds, max_seconds: shortest and longest interval kept.
      peak_share: 0: an interval is a run of frames that reach the threshold (paper). Above 0: an
        interval surrounds a peak that reaches the threshold, and ends where the curve falls below
        this share of the peak's height. If two overlap, the one with the higher peak is kept
        (`find_around_peaks`).
      length_seconds: above 0: an interval has this length and a peak in its middle that reaches the
        threshold (`find_at_peaks`); the three settings above are ignored for this kind.
      keep_nested: whether to keep micro-expressions that are completely inside a macro-expression
        that was found.

    Raises:
      ValueError: a setting is not valid.
    """

    normalisation: Literal["per_video", "train_quantiles"] = "per_video"
    baseline_seconds: Pair = (0.0, 0.0)
    cutoff_hz: Pair = (math.inf, math.inf)
    order: int = 2
    min_seconds: Pair = (0.0, 0.0)
    max_seconds: Pair = (NO_LIMIT, NO_LIMIT)
    peak_share: float = 0.0
    length_seconds: Pair = (0.0, 0.0)
    keep_nested: bool = True

    def __post_init__(self):
        check_fields(self)
        check_numbers(self, "order", least=1)
        check_numbers(self, "baseline_seconds", least=0)
        check_numbers(self, "peak_share", least=0, below=1)


@dataclass(frozen=True)
class FittedRule:
    """An interval rule and its fitted values: all that another video needs.

    Attributes:
      rule: the interval rule.
      low, high: scores that "train_quantiles" maps to 0 and 1 (ME, MaE).
      threshold: of the normalised, smoothed curves, or of their peaks; inf finds nothing.
      frame_threshold: of the normalised curves before smoothing (paper Table 4), by the ROC.
    """

    rule: IntervalRule
    low: Pair
    high: Pair
    threshold: Pair
    frame_threshold: Pair

    def to_json(self) -> dict:
        """A dict of plain JSON values; inf is written as null."""
        return _swap(asdict(self), math.inf, None)

    @classmethod
    def from_json(cls, values: Mapping) -> "FittedRule":
        """The inverse of `to_json`."""
        values = dict(_swap(values, None, math.inf))
        rule = dict(values.pop("rule"))
        # Every rule had this setting until it was removed; one that used it is refused.
        if not any(rule.get("merge_seconds", ())):
            rule.pop("merge_seconds", None)
        return cls(rule=IntervalRule(**rule), **values)


def cutoff_from_k(k_seconds: Pair, *, cycles: float = 1.0) -> Pair:
    """Butterworth cut-offs in Hz (ME, MaE) from k: `cycles` periods in a mean expression of 2 k."""
    return cycles / (2 * k_seconds[0]), cycles / (2 * k_seconds[1])


def apply_rule(
    scores: np.ndarray, *, fps: float, fitted: FittedRule, subject: str = "", video: str = ""
) -> tuple[np.ndarray, pd.DataFrame]:
    """Finds the intervals in the scores of one video (paper section 4.1, Automated IoU Method).

    Args:
      scores: float (T, 2), raw sigmoid outputs for ME and MaE; NaN where a frame has none.
      fps: frames per second.
      fitted: from `fit_rule`, of a fold that has not seen this video's subject.
      subject, video: names for the table.

    Returns:
      smoothed: float (T, 2), normalised and smoothed, on the scale of `fitted.threshold`.
      intervals: subject, video, kind, onset, apex, offset, score, see `intervals_table`.
    """
    rule = fitted.rule
    smooth = smooth_scores(normalise(scores, fps=fps, fitted=fitted), fps=fps, rule=rule)
    micro, macro = (
        interval_finder(smooth[:, i], kind, fps=fps, rule=rule)(fitted.threshold[i])
        for i, kind in enumerate(KINDS)
    )
    spans = {"MaE": macro, "ME": drop_nested(micro, macro, rule)}
    return smooth, intervals_table(spans, smooth, subject=subject, video=video)


def normalise(scores: np.ndarray, *, fps: float, fitted: FittedRule) -> np.ndarray:
    """Raw scores (T, 2) on the scale of the thresholds, before smoothing."""
    scores = subtract_baseline(scores, fps=fps, rule=fitted.rule)
    if fitted.rule.normalisation == "per_video":
        return normalise_per_video(scores)
    return normalise_by(scores, low=fitted.low, high=fitted.high)


def subtract_baseline(scores: np.ndarray, *, fps: float, rule: IntervalRule) -> np.ndarray:
    """Raw scores (T, 2), those of a kind with `baseline_seconds` above their baseline."""
    if not any(rule.baseline_seconds):
        return scores
    scores = np.array(scores, float)
    for i, seconds in enumerate(rule.baseline_seconds):
        if seconds:
            scores[:, i] = above_baseline(scores[:, i], fps=fps, seconds=seconds)
    return scores


def smooth_scores(scores: np.ndarray, *, fps: float, rule: IntervalRule) -> np.ndarray:
    """Both curves (T, 2) after the rule's Butterworth filter."""
    curves = [
        butterworth(scores[:, i], fps=fps, cutoff_hz=cutoff, order=rule.order)
        for i, cutoff in enumerate(rule.cutoff_hz)
    ]
    return np.stack(curves, axis=1)


def interval_finder(
    curve: np.ndarray, kind: str, *, fps: float, rule: IntervalRule
) -> Callable[[float], np.ndarray]:
    """The intervals of a smoothed curve, float (T,), of a kind as a function of the threshold.

    They are int (n, 2), array bounds start, stop (from 0, half open), in order of time.
    Micro-expressions inside macro-expressions are among them, see `drop_nested`.
    """
    i = KINDS.index(kind)
    if rule.length_seconds[i]:
        frames = max(1, round(rule.length_seconds[i] * fps))
        spans, heights = find_at_peaks(curve, frames=frames)
        return lambda threshold: spans[heights >= threshold]
    longest = rule.max_seconds[i] * fps
    limits: dict[str, Any] = dict(
        min_frames=max(1, round(rule.min_seconds[i] * fps)),
        max_frames=None if math.isinf(longest) else round(longest),
    )
    if rule.peak_share:
        spans, heights = find_around_peaks(curve, share=rule.peak_share, **limits)
        return lambda threshold: spans[heights >= threshold]
    return lambda threshold: find_intervals(curve, threshold=threshold, **limits)


def drop_nested(micro: np.ndarray, macro: np.ndarray, rule: IntervalRule) -> np.ndarray:
    """Micro-expressions, int (n, 2) array bounds, without those wholly inside a macro-expression.

    With `keep_nested` all of them stay.
    """
    if rule.keep_nested:
        return micro
    inside = (macro[:, 0] <= micro[:, :1]) & (micro[:, 1:] <= macro[:, 1])
    return micro[~inside.any(1)]


def _swap(value, old, new) -> Any:
    if isinstance(value, Mapping):
        return {key: _swap(item, old, new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_swap(item, old, new) for item in value)
    return new if value is old or value == old else value
