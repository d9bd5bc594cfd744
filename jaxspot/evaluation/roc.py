"""Per-frame scores: AUC, F1, and the threshold that turns a curve into intervals."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from jaxspot.annotations.tables import KINDS, from_span
from jaxspot.evaluation.f1 import COUNTS, add_counts, count_matches, rates
from jaxspot.evaluation.matching import MatchingRule
from jaxspot.spotting.intervals import find_intervals


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve (paper Table 4).

    Args:
      scores: float (N,); a frame without a score (NaN) ranks below all others.
      labels: bool (N,).

    Returns:
      float in [0, 1]; NaN when only one class is there.
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    if labels.all() or not labels.any():
        return float("nan")
    missing = np.isnan(scores)
    lowest = -1.0 if missing.all() else np.nanmin(scores) - 1
    return float(roc_auc_score(labels, np.where(missing, lowest, scores)))


def frame_f1(scores: np.ndarray, labels: np.ndarray, threshold: float | np.ndarray) -> float:
    """F1 over frames, a frame being found where score >= threshold (paper Table 4).

    Args:
      scores: float (N,); NaN is never found.
      labels: bool (N,).
      threshold: one number, or (N,) where folds differ.

    Returns:
      float in [0, 1]; 0.0 when undefined.
    """
    found, labels = np.asarray(scores) >= threshold, np.asarray(labels, bool)
    total = int(found.sum() + labels.sum())
    return 2 * int((found & labels).sum()) / total if total else 0.0


def score_frames(
    scores: np.ndarray, labels: np.ndarray, thresholds: np.ndarray
) -> dict[str, dict[str, float]]:
    """Frame F1 and AUC of both kinds (paper Table 4), all frames pooled.

    Args:
      scores: float (N, 2), ME and MaE.
      labels: bool (N, 2).
      thresholds: float (2,), or (N, 2) where folds differ.
    """
    thresholds = np.broadcast_to(thresholds, np.shape(scores))
    return {
        kind: dict(
            f1=frame_f1(scores[:, i], labels[:, i], thresholds[:, i]),
            auc=auc(scores[:, i], labels[:, i]),
        )
        for i, kind in enumerate(KINDS)
    }


def roc_threshold(scores: np.ndarray, labels: np.ndarray) -> float:
    """The score at the point of the ROC curve farthest above the diagonal (Youden's J).

    Args:
      scores: float (N,); NaN is left out.
      labels: bool (N,).

    Returns:
      a score that occurs, the highest one of equal J; inf (nothing is found) when only one class
      is there or no threshold is better than chance.
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    scores, labels = scores[~np.isnan(scores)], labels[~np.isnan(scores)]
    if labels.all() or not labels.any():
        return float("inf")
    wrong, right, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    positive, negative = int(labels.sum()), int((~labels).sum())
    # In whole frames: rounding must not decide between thresholds of equal J.
    j = np.rint(right * positive) * negative - np.rint(wrong * negative) * positive
    return float(thresholds[np.argmax(j)])


def interval_f1_threshold(
    curves: Sequence[np.ndarray],
    truth: Sequence[np.ndarray],
    *,
    cut: Callable[[int, float], np.ndarray],
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
    candidates: int = 100,
) -> float:
    """The threshold with the best interval F1 of one kind over training videos.

    Half of the candidates are quantiles that leave from 80 % down to 0.1 % of all frames above them
    (evenly in the logarithm of that share), half are even steps between the outer two. Of a range
    of candidates with equal F1 the middle one is taken: the ends of it are where F1 falls.

    Args:
      curves: float (T,) smoothed scores of each video; NaN where a frame has none.
      truth: int (G, 2) labelled onset and offset of each video (from 1, both ends included).
      cut: (video index, threshold) -> int (n, 2) array bounds of the intervals found.
      matching, iou: as in `match_intervals`.
      candidates: how many thresholds are tried.

    Returns:
      a threshold; inf (nothing is found) when no candidate finds a label.
    """
    frames = np.concatenate([*curves, np.zeros(0)])
    frames = frames[~np.isnan(frames)]
    if not len(frames) or not any(map(len, truth)):
        return float("inf")
    ranks = np.quantile(frames, 1 - np.geomspace(0.8, 0.001, candidates // 2))
    steps = np.linspace(ranks[0], ranks[-1], candidates - len(ranks))
    thresholds = np.unique(np.concatenate((ranks, steps)))
    f1 = np.zeros(len(thresholds))
    for n, threshold in enumerate(thresholds):
        counts = dict.fromkeys(COUNTS, 0)
        for i, labels in enumerate(truth):
            found = np.column_stack(from_span(*cut(i, threshold).T))
            add_counts(counts, count_matches(found, labels, protocol=matching, threshold=iou))
        f1[n] = rates(counts)["f1"]
    return _middle_of_best(thresholds, f1) if f1.any() else float("inf")


def _middle_of_best(thresholds, f1):
    """The threshold in the middle of the widest run of the highest F1."""
    runs = find_intervals(f1, threshold=f1.max())
    first, last = thresholds[runs[:, 0]], thresholds[runs[:, 1] - 1]
    widest = int(np.argmax(last - first))
    start, stop = runs[widest]
    middle = (first[widest] + last[widest]) / 2
    return float(thresholds[start + np.argmin(np.abs(thresholds[start:stop] - middle))])
