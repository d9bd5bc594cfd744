"""From scores to intervals: the rule, what a fold learned of it, and its use on a video."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import check_choices
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.spotting.filters import butterworth, normalise_by, normalise_per_video
from jaxspot.spotting.intervals import find_around_peaks, find_intervals, intervals_table

ThresholdRule = Literal["roc", "interval_f1", "overall_f1", "test_oracle"]
FitRule = Literal["inner", "training", "validation"]
SkipRule = Literal["kth", "manual", "test_oracle"]
Normalisation = Literal["per_video", "train_quantiles"]
Pair = tuple[float, float]


@dataclass(frozen=True)
class Protocol:
    """How scores become intervals and how these are scored; pairs are (ME, MaE).

    Attributes:
      matching: "one_to_one" or "megc2020", see `match_intervals`.
      iou: the least IoU of a match (paper equation 3: 0.5).
      threshold: "roc": Youden's J of single frames; "interval_f1": the best interval F1 of each
        kind; "overall_f1": the best F1 over both kinds, whose thresholds are chosen together;
        "test_oracle": Youden's J of the *test* subject's own frames, the paper's reading, which
        sees test labels.
      fit: whose scores quantiles and thresholds are fitted on, see `plan_networks`. "inner": all
        other subjects, each by a network that has not seen it; "training": the fold's own subjects,
        by its own network, which has learned their labels (paper); "validation": its validation
        subjects. The held-out subject is never among them.
      inner_groups: how many groups the subjects are dealt into for "inner"; each inner fold leaves
        out two.
      frame_skip: "kth": k of the training subjects' labels (paper section 3.3); "manual": searched
        around k on the validation subjects; "test_oracle": searched on the *test* subject, as the
        paper's manual frame skip, which sees test labels.
      normalisation: "per_video": min-max of each video (paper); "train_quantiles": fixed ends.
      quantiles: the ends, as quantiles of all frames that are fitted on.
      cutoff_hz: Butterworth cut-off, see `cutoff_from_k`; inf does not smooth.
      order: of the Butterworth filter.
      min_seconds, max_seconds: shortest and longest interval kept.
      peak_share: 0: an interval is a run of frames that reach the threshold (paper). Above 0: it
        is what lies around a peak that reaches it, above that share of the peak's height; where two
        overlap, the higher stays (`find_around_peaks`).
      merge_seconds: intervals of a kind at most this far apart become one; runs only.
      keep_nested: keep micro-expressions that lie wholly inside a macro-expression found.
    """

    matching: MatchingRule = "one_to_one"
    iou: float = 0.5
    threshold: ThresholdRule = "roc"
    fit: FitRule = "training"
    inner_groups: int = 8
    frame_skip: SkipRule = "kth"
    normalisation: Normalisation = "per_video"
    quantiles: Pair = (0.01, 0.99)
    cutoff_hz: Pair = (math.inf, math.inf)
    order: int = 2
    min_seconds: Pair = (0.0, 0.0)
    max_seconds: Pair = (math.inf, math.inf)
    peak_share: float = 0.0
    merge_seconds: Pair = (0.0, 0.0)
    keep_nested: bool = True

    def __post_init__(self):
        check_choices(self)
        if self.fit == "inner" and self.frame_skip == "test_oracle":
            raise ValueError(
                "frame_skip='test_oracle' looks at test labels, fit='inner' keeps them out; take"
                " fit='training' with it"
            )
        if not 0 <= self.peak_share < 1:
            raise ValueError(f"peak_share must be 0 or more and less than 1, not {self.peak_share}")
        if self.peak_share and any(self.merge_seconds):
            raise ValueError("merge_seconds joins runs; leave it 0 where peak_share is above 0")

    @property
    def scoring(self) -> dict[str, Any]:
        """Matching rule and IoU as `score_intervals` and its kin take them."""
        return dict(protocol=self.matching, threshold=self.iou)

    @property
    def needs_validation(self) -> bool:
        """Whether it asks for subjects that no network trains on."""
        return self.fit == "validation" or self.frame_skip == "manual"

    @property
    def oracle(self) -> bool:
        """Whether anything is chosen on test data: tables must say so."""
        return "test_oracle" in (self.threshold, self.frame_skip)


def cutoff_from_k(k_seconds: Pair, *, cycles: float = 1.0) -> Pair:
    """Butterworth cut-offs tied to k: `cycles` periods in a mean expression of 2 k.

    Args:
      k_seconds: k of ME and MaE over the frame rate.
      cycles: more keeps more detail.

    Returns:
      Hz for ME and MaE.
    """
    return cycles / (2 * k_seconds[0]), cycles / (2 * k_seconds[1])


@dataclass(frozen=True)
class Decision:
    """What a fold learned about its scores; all that is needed to spot in another video.

    Attributes:
      protocol: the rule it was fitted by.
      low, high: ends of the normalisation (ME, MaE); not used by "per_video".
      threshold: of the normalised, smoothed curves, or of their peaks (`Protocol.peak_share`); inf
        finds nothing.
      frame_threshold: of the normalised curves before smoothing (paper Table 4), by the ROC.
    """

    protocol: Protocol
    low: Pair
    high: Pair
    threshold: Pair
    frame_threshold: Pair

    @property
    def oracle(self) -> bool:
        """Whether the test subject's labels were seen: tables must say so."""
        return self.protocol.oracle

    def to_json(self) -> dict:
        """A dict of plain JSON values; inf is written as null."""
        return _swap(asdict(self), math.inf, None)

    @classmethod
    def from_json(cls, values: Mapping) -> "Decision":
        """The inverse of `to_json`."""
        values = dict(_swap(values, None, math.inf))
        return cls(protocol=Protocol(**values.pop("protocol")), **values)


def normalise(scores: np.ndarray, decision: Decision) -> np.ndarray:
    """Raw scores (T, 2) on the scale of the thresholds, before smoothing."""
    if decision.protocol.normalisation == "per_video":
        return normalise_per_video(scores)
    return normalise_by(scores, low=decision.low, high=decision.high)


def decide(
    scores: np.ndarray, *, fps: float, decision: Decision, subject: str = "", video: str = ""
) -> tuple[np.ndarray, pd.DataFrame]:
    """Applies a fitted decision to one video (paper section 4.1, Automated IoU Method).

    Args:
      scores: float (T, 2), raw sigmoid outputs for ME and MaE; NaN where a frame has none.
      fps: frames per second.
      decision: from `fit_decision`, of a fold that has not seen this video's subject.
      subject, video: names for the table.

    Returns:
      smoothed: float (T, 2), normalised and smoothed, on the scale of `decision.threshold`.
      intervals: subject, video, kind, onset, apex, offset, score, see `intervals_table`.
    """
    protocol = decision.protocol
    smooth = smooth_scores(normalise(scores, decision), fps=fps, protocol=protocol)
    rule: dict[str, Any] = dict(fps=fps, protocol=protocol)
    micro, macro = decision.threshold
    spans = {"MaE": cutter(smooth[:, 1], "MaE", **rule)(macro)}
    spans["ME"] = cutter(smooth[:, 0], "ME", macro=spans["MaE"], **rule)(micro)
    return smooth, intervals_table(spans, smooth, subject=subject, video=video)


def smooth_scores(scores: np.ndarray, *, fps: float, protocol: Protocol) -> np.ndarray:
    """Both curves (T, 2) after the protocol's Butterworth filter."""
    curves = [
        butterworth(scores[:, i], fps=fps, cutoff_hz=cutoff, order=protocol.order)
        for i, cutoff in enumerate(protocol.cutoff_hz)
    ]
    return np.stack(curves, axis=1)


def cutter(
    curve: np.ndarray,
    kind: str,
    *,
    fps: float,
    protocol: Protocol,
    macro: np.ndarray | None = None,
) -> Callable[[float], np.ndarray]:
    """How a curve is cut by the protocol, at whatever threshold.

    Args:
      curve: float (T,), smoothed.
      kind: "ME" or "MaE".
      fps, protocol: the rule.
      macro: int (n, 2), the macro-expressions found in the same video, for `keep_nested`.

    Returns:
      threshold -> int (n, 2): array bounds start, stop (from 0, half open), in order of time.
    """
    i = KINDS.index(kind)
    longest = protocol.max_seconds[i] * fps
    limits: dict[str, Any] = dict(
        min_frames=max(1, round(protocol.min_seconds[i] * fps)),
        max_frames=None if math.isinf(longest) else round(longest),
    )
    if protocol.peak_share:
        spans, heights = find_around_peaks(curve, share=protocol.peak_share, **limits)
        cut = lambda threshold: spans[heights >= threshold]
    else:
        gap = round(protocol.merge_seconds[i] * fps)
        cut = lambda threshold: find_intervals(curve, threshold=threshold, merge_gap=gap, **limits)
    if kind == "MaE" or protocol.keep_nested or macro is None:
        return cut
    return lambda threshold: outside(cut(threshold), macro)


def outside(spans: np.ndarray, macro: np.ndarray) -> np.ndarray:
    """The spans that lie wholly inside no macro-expression found; both int (n, 2)."""
    inside = (macro[:, 0] <= spans[:, :1]) & (spans[:, 1:] <= macro[:, 1])
    return spans[~inside.any(1)]


def _swap(value, old, new) -> Any:
    if isinstance(value, Mapping):
        return {key: _swap(item, old, new) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_swap(item, old, new) for item in value)
    return new if value is old or value == old else value
