"""The threshold that gives the best intervals: of one kind, or of both kinds together."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jaxspot.annotations.intervals import from_span
from jaxspot.evaluation.f1 import count_matches
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.spotting.intervals import find_intervals

CANDIDATES = 100


def interval_f1_threshold(
    curves: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
    *,
    cut: Callable[[int, float], np.ndarray],
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
    candidates: int = CANDIDATES,
) -> float:
    """The threshold with the best interval F1 of one kind.

    Of a range of candidates with equal F1 the middle one is taken: the ends of it are where F1
    falls.

    Args:
      curves: float (T,) smoothed scores of each video; NaN where a frame has none.
      truth: int (G, 2) labelled onset and offset of each video (from 1, both ends included).
      cut: (video index, threshold) -> int (n, 2) array bounds of the intervals found.
      matching, iou: as in `match_intervals`.
      candidates: how many thresholds are tried, see `candidate_thresholds`.

    Returns:
      a threshold; inf (nothing is found) when no candidate finds a label.
    """
    thresholds = candidate_thresholds(curves, candidates)
    labels = sum(map(len, truth))
    if not len(thresholds) or not labels:
        return float("inf")
    rule: dict[str, Any] = dict(matching=matching, iou=iou)
    counts = sum(
        count_at(thresholds, truth[n], cut=lambda threshold, n=n: cut(n, threshold), **rule)
        for n in range(len(truth))
    )
    f1 = _f1(counts, labels)
    return float(thresholds[middle_of_best(thresholds, f1)]) if f1.any() else float("inf")


def overall_f1_thresholds(
    curves: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    truth: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    *,
    cut_micro: Callable[[int, float, np.ndarray], np.ndarray],
    cut_macro: Callable[[int, float], np.ndarray],
    nested: bool = True,
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
    candidates: int = CANDIDATES,
) -> tuple[float, float]:
    """The thresholds of ME and MaE that together give the best F1 over both kinds.

    Every pair of candidates is tried, including a threshold that finds nothing of a kind:
    predictions of a kind that are hardly ever right cost more overall than they gain.

    Args:
      curves, truth: of ME and of MaE, each as in `interval_f1_threshold`.
      cut_micro: (video index, threshold, macro-expressions found) -> int (n, 2).
      cut_macro: (video index, threshold) -> int (n, 2).
      nested: micro-expressions inside macro-expressions are kept: `cut_micro` is given none.
      matching, iou, candidates: as in `interval_f1_threshold`.

    Returns:
      thresholds of ME and MaE; inf where the best is to find nothing.
    """
    micro, macro = (_with_nothing(candidate_thresholds(kind, candidates), kind) for kind in curves)
    rule: dict[str, Any] = dict(matching=matching, iou=iou)
    f1 = np.zeros((len(macro), len(micro)))
    labels = sum(len(rows) for kind in truth for rows in kind)
    if not labels or not f1.size:
        return float("inf"), float("inf")
    found: dict[tuple[int, bytes], np.ndarray] = {}

    def micro_counts(n: int, spans: np.ndarray) -> np.ndarray:
        key = n, spans.tobytes()
        if key not in found:
            cut = lambda threshold: cut_micro(n, threshold, spans)
            found[key] = count_at(micro, truth[0][n], cut=cut, **rule)
        return found[key]

    for row, threshold in enumerate(macro):
        total = np.zeros((len(micro), 2), int)
        for n in range(len(truth[1])):
            spans = cut_macro(n, threshold)
            total += _count(spans, truth[1][n], **rule)
            total += micro_counts(n, spans[:0] if nested else spans)
        f1[row] = _f1(total, labels)
    if not f1.any():
        return float("inf"), float("inf")
    row = middle_of_best(macro, f1.max(1))
    column = middle_of_best(micro, f1[row])
    nothing = lambda place, of: float("inf") if place == len(of) - 1 else float(of[place])
    return nothing(column, micro), nothing(row, macro)


def candidate_thresholds(curves: Sequence[np.ndarray], count: int) -> np.ndarray:
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


def count_at(
    thresholds: np.ndarray,
    truth: np.ndarray,
    *,
    cut: Callable[[float], np.ndarray],
    matching: MatchingRule,
    iou: float,
) -> np.ndarray:
    """Labels found and predictions of one video at each threshold: int (n, 2)."""
    counts, before = np.zeros((len(thresholds), 2), int), None
    for n, threshold in enumerate(thresholds):
        spans = cut(threshold)
        same = before is not None and np.array_equal(spans, before)
        counts[n] = counts[n - 1] if same else _count(spans, truth, matching=matching, iou=iou)
        before = spans
    return counts


def _count(spans, truth, *, matching, iou):
    found = np.column_stack(from_span(*spans.T))
    counts = count_matches(found, truth, protocol=matching, threshold=iou)
    return np.array([counts["tp"], counts["predictions"]])


def _f1(counts, labels):
    return 2 * counts[:, 0] / (counts[:, 1] + labels)


def _with_nothing(thresholds, curves):
    """The thresholds, and behind them one that no frame reaches."""
    if not len(thresholds):
        return thresholds
    highest = max(np.nanmax(curve, initial=thresholds[-1]) for curve in curves)
    return np.append(thresholds, np.nextafter(highest, np.inf))


def middle_of_best(thresholds, f1):
    """The number of the threshold in the middle of the widest run of the highest F1."""
    runs = find_intervals(f1, threshold=f1.max())
    first, last = thresholds[runs[:, 0]], thresholds[runs[:, 1] - 1]
    widest = int(np.argmax(last - first))
    start, stop = runs[widest]
    middle = (first[widest] + last[widest]) / 2
    return int(start + np.argmin(np.abs(thresholds[start:stop] - middle)))
