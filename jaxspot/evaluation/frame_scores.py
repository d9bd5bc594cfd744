"""Per-frame scores: AUC, F1, and the threshold that turns a curve into intervals."""

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from jaxspot.annotations.intervals import KINDS


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve (paper Table 4), in [0, 1]; NaN if only one class is there.

    `scores` is float (N,), where NaN ranks below all others; `labels` is bool (N,).
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    if labels.all() or not labels.any():
        return float("nan")
    missing = np.isnan(scores)
    lowest = -1.0 if missing.all() else np.nanmin(scores) - 1
    return float(roc_auc_score(labels, np.where(missing, lowest, scores)))


def frame_f1(scores: np.ndarray, labels: np.ndarray, threshold: float | np.ndarray) -> float:
    """F1 over frames, found where score >= threshold (paper Table 4), in [0, 1]; 0.0 if undefined.

    `scores` is float (N,), NaN is never found; `labels` is bool (N,); `threshold` may be (N,).
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

    `scores` is float (N,), NaN is left out; `labels` is bool (N,). Returns a score that occurs, the
    highest one of equal J; inf (nothing is found) if only one class is there or no threshold is
    better than chance.
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
