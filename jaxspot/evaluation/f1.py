"""Interval F1 over videos: counts pooled, then precision, recall and F1."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, check_intervals
from jaxspot.errors import UserError, one_of
from jaxspot.evaluation.matching import MATCHING_RULES, MatchingRule, match_intervals

COUNTS: tuple[str, ...] = ("predictions", "ground_truth", "tp", "fp", "fn")
SCORES: tuple[str, ...] = (*COUNTS, "precision", "recall", "f1")


def score_intervals(
    intervals: pd.DataFrame,
    annotations: pd.DataFrame,
    *,
    videos: pd.DataFrame | Iterable[str],
    protocol: MatchingRule = "one_to_one",
    threshold: float = 0.5,
) -> dict[str, dict]:
    """Interval precision, recall and F1 (paper Tables 5 to 7), counts pooled over all videos.

    Every video counts, also one without a label of the kind: its predictions are false positives.
    tp is the number of labels found. Under "megc2020" fp is the number of predictions that match
    nothing and one prediction may find several labels, so
    precision and F1 can pass 1; a row with F1 above 1 has a `note`.

    Args:
      intervals: predictions with video, kind, onset, offset (frames, both ends included).
      annotations: labels with the same columns.
      videos: every video scored: a table with a column `video`, or names.
      protocol, threshold: as in `match_intervals`.

    Returns:
      "ME", "MaE", "overall" -> predictions, ground_truth, tp, fp, fn (int), precision, recall, f1
      (float; 0.0 where undefined).

    Raises:
      TypeError: what should be a table, or names, is something else.
      UserError: an interval or annotation of a video that is not in `videos`, or as
        `check_intervals` refuses it.
      ValueError: another protocol or threshold.
    """
    one_of("protocol", protocol, MATCHING_RULES)
    if isinstance(videos, str):
        raise TypeError(f"videos must be a table or a list of names, not the text {videos!r}")
    names = list(videos.video if isinstance(videos, pd.DataFrame) else videos)
    predicted = frames_by_video(intervals, names, "intervals")
    truth = frames_by_video(annotations, names, "annotations")
    scores, overall = {}, dict.fromkeys(COUNTS, 0)
    for kind in KINDS:
        counts = dict.fromkeys(COUNTS, 0)
        for name in names:
            pair = predicted.get((name, kind), NO_FRAMES), truth.get((name, kind), NO_FRAMES)
            add_counts(counts, count_matches(*pair, protocol=protocol, threshold=threshold))
        add_counts(overall, counts)
        scores[kind] = rates(counts)
    return scores | {"overall": rates(overall)}


def score_by_subject(
    intervals: pd.DataFrame, annotations: pd.DataFrame, *, videos: pd.DataFrame, **rule
) -> pd.DataFrame:
    """`score_intervals` of each subject alone.

    Returns:
      one row a subject and kind ("ME", "MaE", "overall"): subject, kind and the keys of
      `score_intervals`, in the order of `videos`.
    """
    rows = []
    for subject in dict.fromkeys(videos.subject.tolist()):
        names = videos.video[videos.subject == subject].tolist()
        mine = [table.loc[table.video.isin(names)] for table in (intervals, annotations)]
        scores = score_intervals(*mine, videos=names, **rule)
        rows += [{"subject": subject, "kind": kind} | row for kind, row in scores.items()]
    return pd.DataFrame(rows, columns=["subject", "kind", *SCORES])


NO_FRAMES = np.zeros((0, 2), np.int64)


def count_matches(
    predicted: np.ndarray, truth: np.ndarray, *, protocol: MatchingRule, threshold: float
) -> dict[str, int]:
    """Counts of one video and kind: int (P, 2) predictions against int (G, 2) labels."""
    counts = dict(predictions=len(predicted), ground_truth=len(truth), tp=0)
    if len(predicted) and len(truth):
        matching = match_intervals(predicted, truth, protocol=protocol, threshold=threshold)
        counts["tp"] = int((matching.truth >= 0).sum())
        unmatched = int((matching.predicted < 0).sum())
    else:
        unmatched = len(predicted)
    return counts | dict(fp=unmatched, fn=len(truth) - counts["tp"])


def add_counts(total: dict[str, int], more: dict[str, int]) -> None:
    """Adds counts in place."""
    for name in COUNTS:
        total[name] += more[name]


def rates(counts: dict[str, int]) -> dict:
    """Counts with precision = tp / predictions, recall = tp / ground_truth and their F1."""
    tp, predictions, truth = counts["tp"], counts["predictions"], counts["ground_truth"]
    row: dict = counts | dict(
        precision=tp / predictions if predictions else 0.0,
        recall=tp / truth if truth else 0.0,
        f1=2 * tp / (predictions + truth) if predictions + truth else 0.0,
    )
    if row["f1"] > 1:
        row["note"] = "F1 above 1: one prediction found several labels, as megc2020 counts"
    return row


def frames_by_video(
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
