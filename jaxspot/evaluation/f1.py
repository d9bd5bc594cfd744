"""Interval F1 over videos: counts pooled, then precision, recall and F1."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, check_intervals
from jaxspot.errors import UserError
from jaxspot.evaluation.matching import MatchingRule, check_scoring, match_intervals

COUNTS: tuple[str, ...] = ("predictions", "ground_truth", "tp", "fp", "fn")
SCORES: tuple[str, ...] = (*COUNTS, "precision", "recall", "f1")
NO_INTERVALS = np.zeros((0, 2), np.int64)


def score_intervals(
    intervals: pd.DataFrame,
    annotations: pd.DataFrame,
    *,
    videos: pd.DataFrame | Iterable[str],
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
) -> dict[str, dict]:
    """Precision, recall and F1 of intervals, pooled over all videos (paper Tables 5 to 7).

    Every video counts. If a video has no label of a kind, its predictions are false positives.
    tp is the number of labels found. With "megc2020", one prediction may match several labels, and
    fp is the number of predictions that match no label. Precision and F1 can therefore be above 1;
    a row with F1 above 1 has a `note`.

    Args:
      intervals: predictions with video, kind, onset, offset (frames, both ends included).
      annotations: labels with the same columns.
      videos: every video scored: a table with a column `video`, or names.
      matching, iou: as in `match_intervals`.

    Returns:
      "ME", "MaE", "overall" -> predictions, ground_truth, tp, fp, fn (int), precision, recall, f1
      (float; 0.0 where undefined).

    Raises:
      TypeError: an argument is not a table (or names, for `videos`).
      UserError: an interval or annotation is of a video that is not in `videos`, or
        `check_intervals` rejects it.
      ValueError: `matching` or `iou` is not valid.
    """
    counts = _counts(intervals, annotations, videos, matching=matching, iou=iou)
    return _pooled(list(counts.values()))


def score_by_subject(
    intervals: pd.DataFrame, annotations: pd.DataFrame, *, videos: pd.DataFrame, **scoring: Any
) -> pd.DataFrame:
    """`score_intervals` of each subject alone.

    Returns:
      one row a subject and kind ("ME", "MaE", "overall"): subject, kind and the keys of
      `score_intervals` except `note`, in the order of `videos`.
    """
    counts, rows = _counts(intervals, annotations, videos, **scoring), []
    for subject in dict.fromkeys(videos.subject.tolist()):
        mine = [counts[name] for name in videos.video[videos.subject == subject]]
        rows += [{"subject": subject, "kind": kind} | row for kind, row in _pooled(mine).items()]
    return pd.DataFrame(rows, columns=["subject", "kind", *SCORES])


def count_matches(
    predicted: np.ndarray, truth: np.ndarray, *, matching: MatchingRule, iou: float
) -> np.ndarray:
    """`COUNTS` of one video and kind, int (5,): int (P, 2) predictions, int (G, 2) labels."""
    found, unmatched = 0, len(predicted)
    if len(predicted) and len(truth):
        pairs = match_intervals(predicted, truth, matching=matching, iou=iou)
        found, unmatched = int((pairs.truth >= 0).sum()), int((pairs.predicted < 0).sum())
    return np.array([len(predicted), len(truth), found, unmatched, len(truth) - found])


def rates(counts: np.ndarray) -> dict:
    """`COUNTS` with precision = tp / predictions, recall = tp / ground_truth and their F1."""
    row: dict = dict(zip(COUNTS, counts.tolist(), strict=True))
    tp, predictions, truth = row["tp"], row["predictions"], row["ground_truth"]
    row |= dict(
        precision=tp / predictions if predictions else 0.0,
        recall=tp / truth if truth else 0.0,
        f1=2 * tp / (predictions + truth) if predictions + truth else 0.0,
    )
    if row["f1"] > 1:
        row["note"] = "F1 above 1: one prediction found several labels, as megc2020 counts"
    return row


def _counts(intervals, annotations, videos, *, matching: MatchingRule = "one_to_one", iou=0.5):
    """Video -> `COUNTS` of ME and of MaE, int (2, 5)."""
    check_scoring(matching, iou)
    if isinstance(videos, str):
        raise TypeError(f"videos must be a table or a list of names, not the text {videos!r}")
    names = list(videos.video if isinstance(videos, pd.DataFrame) else videos)
    predicted = intervals_by_video(intervals, names, "intervals")
    truth = intervals_by_video(annotations, names, "annotations")
    both = lambda key: (predicted.get(key, NO_INTERVALS), truth.get(key, NO_INTERVALS))
    count = lambda key: count_matches(*both(key), matching=matching, iou=iou)
    return {name: np.stack([count((name, kind)) for kind in KINDS]) for name in names}


def _pooled(counts):
    """`rates` of ME, MaE and overall, from the `_counts` of some videos."""
    total = sum(counts, np.zeros((len(KINDS), len(COUNTS)), int))
    rows = dict(zip(KINDS, total, strict=True)) | {"overall": total.sum(0)}
    return {kind: rates(row) for kind, row in rows.items()}


def intervals_by_video(
    table: pd.DataFrame, names: Iterable[str], what: str = "intervals"
) -> dict[tuple[str, str], np.ndarray]:
    """(video, kind) -> int (n, 2) onset and offset.

    Raises:
      UserError: a video that is not among `names`, or as `check_intervals` refuses it.
    """
    check_intervals(table, "video", what=what, first=1)
    known = set(names)
    grouped: dict[tuple[str, str], list] = {}
    columns = (table[name].tolist() for name in ("video", "kind", "onset", "offset"))
    for video, kind, onset, offset in zip(*columns, strict=True):
        if video not in known:
            raise UserError(f"{what}: video {video!r} is not in the table of videos")
        grouped.setdefault((video, kind), []).append((onset, offset))
    return {key: np.array(rows, np.int64) for key, rows in grouped.items()}
