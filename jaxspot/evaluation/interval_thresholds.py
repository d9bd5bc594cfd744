"""The threshold that gives the best intervals: of one kind, or of both kinds together."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxspot.annotations.intervals import from_span
from jaxspot.evaluation.f1 import count_matches
from jaxspot.spotting.intervals import find_intervals

CANDIDATES = 100
NOTHING = float("inf")
"""The threshold that finds nothing."""


class Curve(NamedTuple):
    """One kind in one video.

    Attributes:
      scores: float (T,), smoothed; NaN where a frame has none.
      truth: int (G, 2), labelled onset and offset (from 1, both ends included).
      find: threshold -> int (n, 2), array bounds of the intervals found, see `interval_finder`.
    """

    scores: np.ndarray
    truth: np.ndarray
    find: Callable[[float], np.ndarray]


def interval_f1_threshold(curves: Sequence[Curve], **scoring: Any) -> float:
    """The threshold with the best interval F1 of one kind; inf if no candidate finds a label.

    `CANDIDATES` thresholds are tried, see `candidate_thresholds`. Of a range of candidates with
    equal F1 the middle one is taken: F1 falls at the ends of the range. `curves` has one a video;
    `scoring` is `matching` and `iou` of `match_intervals`.
    """
    thresholds = candidate_thresholds([curve.scores for curve in curves])
    labels = sum(len(curve.truth) for curve in curves)
    if not len(thresholds) or not labels:
        return NOTHING
    counts = np.sum([count_at(thresholds, curve, **scoring) for curve in curves], axis=0)
    f1 = f1_of(counts, labels)
    return float(thresholds[middle_of_best(thresholds, f1)]) if f1.any() else NOTHING


def overall_f1_thresholds(
    micro: Sequence[Curve],
    macro: Sequence[Curve],
    *,
    keep: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda micro, macro: micro,
    **scoring: Any,
) -> tuple[float, float]:
    """The thresholds of ME and MaE with the best F1 over both kinds; inf to find nothing of a kind.

    Every pair of candidates is tried, including a threshold that finds nothing of a kind:
    predictions of a kind that are hardly ever right cost more overall than they gain. `micro` and
    `macro` are of the same videos; `keep` is (ME found, MaE found) -> the ME kept (`drop_nested`).
    """
    small, large = _with_nothing(micro), _with_nothing(macro)
    labels = sum(len(curve.truth) for curve in (*micro, *macro))
    if not labels or not len(small) or not len(large):
        return NOTHING, NOTHING
    counts = np.zeros((len(large), len(small), 2), int)
    for one, other in zip(micro, macro, strict=True):
        count, count_macro = _counter(one.truth, **scoring), _counter(other.truth, **scoring)
        found, known = [one.find(threshold) for threshold in small], {}
        for row, threshold in enumerate(large):
            spans = other.find(threshold)
            if (key := spans.tobytes()) not in known:
                known[key] = np.array([count(keep(ours, spans)) for ours in found])
            counts[row] += known[key] + count_macro(spans)
    f1 = f1_of(counts, labels)
    if not f1.any():
        return NOTHING, NOTHING
    row = middle_of_best(large, f1.max(1))
    column = middle_of_best(small, f1[row])
    nothing = lambda place, of: NOTHING if place == len(of) - 1 else float(of[place])
    return nothing(column, small), nothing(row, large)


def candidate_thresholds(curves: Sequence[np.ndarray], count: int = CANDIDATES) -> np.ndarray:
    """Thresholds worth trying, in order: float (n,), n at most `count`; none without a score.

    Half are quantiles with 80 % down to 0.1 % of all frames above them (evenly in the logarithm of
    that share), half are even steps between the outer two.
    """
    frames = np.concatenate([*curves, np.zeros(0)])
    frames = frames[~np.isnan(frames)]
    if not len(frames):
        return np.zeros(0)
    ranks = np.quantile(frames, 1 - np.geomspace(0.8, 0.001, count // 2))
    return np.unique(np.concatenate((ranks, np.linspace(ranks[0], ranks[-1], count - len(ranks)))))


def count_at(thresholds: np.ndarray, curve: Curve, **scoring: Any) -> np.ndarray:
    """Labels found and predictions of one video at each threshold: int (n, 2)."""
    count = _counter(curve.truth, **scoring)
    return np.array([count(curve.find(threshold)) for threshold in thresholds])


def _counter(truth, **scoring):
    """Spans -> labels found and predictions; equal spans are matched once."""
    known: dict[bytes, np.ndarray] = {}

    def count(spans):
        if (key := spans.tobytes()) not in known:
            frames = np.column_stack(from_span(*spans.T))
            predictions, _, found, *_ = count_matches(frames, truth, **scoring)
            known[key] = np.array([found, predictions])
        return known[key]

    return count


def f1_of(counts: np.ndarray, labels: int) -> np.ndarray:
    """F1 from labels found and predictions, int (..., 2), and the number of labels."""
    return 2 * counts[..., 0] / np.maximum(counts[..., 1] + labels, 1)


def _with_nothing(curves):
    """The candidates of some curves, and behind them a threshold that no frame reaches."""
    thresholds = candidate_thresholds([curve.scores for curve in curves])
    if not len(thresholds):
        return thresholds
    highest = max(np.nanmax(curve.scores, initial=thresholds[-1]) for curve in curves)
    return np.append(thresholds, np.nextafter(highest, np.inf))


def middle_of_best(thresholds, f1):
    """The number of the threshold in the middle of the widest run of the highest F1."""
    runs = find_intervals(f1, threshold=f1.max())
    first, last = thresholds[runs[:, 0]], thresholds[runs[:, 1] - 1]
    widest = int(np.argmax(last - first))
    start, stop = runs[widest]
    middle = (first[widest] + last[widest]) / 2
    return int(start + np.argmin(np.abs(thresholds[start:stop] - middle)))
