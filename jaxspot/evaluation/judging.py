"""A judge fitted on people whose scores come from networks that were not trained on them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.f1 import NO_INTERVALS, intervals_by_video
from jaxspot.evaluation.fitting import ScoredVideo
from jaxspot.evaluation.interval_thresholds import f1_of, middle_of_best
from jaxspot.evaluation.matching import interval_iou, match_intervals
from jaxspot.evaluation.protocol import Protocol
from jaxspot.spotting.automated_iou import Pair
from jaxspot.spotting.candidates import FEATURES, find_candidates
from jaxspot.spotting.judge import LIMIT, Judge, best_of_overlapping, calibrate_odds

CHANCES = np.arange(1, 100) / 100
"""Thresholds that are tried."""
STEPS = 100
FEWEST = 5
"""Right and wrong candidates of a kind that a regression needs; else all get the same chance."""


class FittedJudge(NamedTuple):
    """A judge and the candidates that it was fitted on.

    Attributes:
      judge: fitted on all groups.
      candidates: those that `best_of_overlapping` keeps, with video, group, hit, and by a judge
        whose weights were fitted on the other groups: odds (not calibrated) and chance.
      f1: ME, MaE and overall -> F1 of the candidates whose `chance` reaches the threshold that is
        best for the other groups.
    """

    judge: Judge
    candidates: pd.DataFrame
    f1: dict[str, float]


def fit_judge(
    videos: Sequence[ScoredVideo],
    groups: Mapping[str, Any],
    protocol: Protocol = Protocol(),
) -> FittedJudge:
    """Fits a judge on the candidates of some videos.

    Its calibration and thresholds are fitted on chances by judges that have not seen the group.

    Args:
      videos: each scored by a network that was not trained on its subject.
      groups: video -> group of its subject; 2 groups or more.
      protocol: says when an interval is right.

    Raises:
      ValueError: no video, or only one group.
    """
    names = list(dict.fromkeys(groups[video.video] for video in videos))
    if len(names) < 2:
        raise ValueError("a judge needs videos of at least 2 groups")
    tables: list[Any] = []
    for video in videos:
        found = find_candidates(video.scores, fps=video.fps)
        found = found.assign(video=video.video, group=groups[video.video])
        tables.append(found.assign(near=near_a_label(found, video.annotations, protocol)))
    candidates: Any = pd.concat(tables, ignore_index=True)
    odds = np.zeros(len(candidates))
    for name in names:
        mine = (candidates.group == name).to_numpy()
        odds[mine] = regress(candidates[~mine]).log_odds(candidates[mine])
    kept = keep_best(candidates.assign(odds=odds), videos, protocol)
    judge = calibrate_odds(
        regress(candidates), kept.odds.to_numpy(), kept.kind, kept.hit.to_numpy(bool)
    )
    kept["chance"] = judge.calibrated(kept.odds.to_numpy(), kept.kind)
    labels = _count_labels(videos, groups)
    best = best_chances(kept, np.sum(list(labels.values()), axis=0))
    return FittedJudge(dataclasses.replace(judge, threshold=best), kept, _left_out_f1(kept, labels))


def recalibrate_judge(
    judge: Judge,
    videos: Sequence[ScoredVideo],
    groups: Mapping[str, Any],
    protocol: Protocol = Protocol(),
) -> FittedJudge:
    """A judge of other people with calibration and thresholds for these; its weights stay.

    A kind with fewer than FEWEST right or wrong candidates keeps both.

    Args:
      judge: fitted on other people.
      videos, groups, protocol: as of `fit_judge`.

    Raises:
      ValueError: no video.
    """
    tables: list[Any] = [
        find_candidates(video.scores, fps=video.fps).assign(
            video=video.video, group=groups[video.video]
        )
        for video in videos
    ]
    candidates: Any = pd.concat(tables, ignore_index=True)
    kept = keep_best(candidates.assign(odds=judge.log_odds(candidates)), videos, protocol)
    hits = kept.hit.to_numpy(bool)
    enough = [
        min((mine := hits[kept.kind == kind]).sum(), (~mine).sum()) >= FEWEST for kind in KINDS
    ]
    fitted = calibrate_odds(judge, kept.odds.to_numpy(), kept.kind, hits)
    take = lambda new, old: tuple(np.where(enough, new, old).tolist())
    slope, shift = take(fitted.slope, judge.slope), take(fitted.shift, judge.shift)
    judge = dataclasses.replace(judge, slope=slope, shift=shift)
    kept["chance"] = judge.calibrated(kept.odds.to_numpy(), kept.kind)
    labels = _count_labels(videos, groups)
    best = best_chances(kept, np.sum(list(labels.values()), axis=0))
    threshold = take(best, judge.threshold)
    f1 = _left_out_f1(kept, labels)
    return FittedJudge(dataclasses.replace(judge, threshold=threshold), kept, f1)


def _count_labels(videos, groups):
    """Group -> number of its labels of each kind, int (2,)."""
    labels = {groups[video.video]: np.zeros(len(KINDS), int) for video in videos}
    for video in videos:
        labels[groups[video.video]] += [(video.annotations.kind == kind).sum() for kind in KINDS]
    return labels


def near_a_label(
    candidates: pd.DataFrame, annotations: pd.DataFrame, protocol: Protocol = Protocol()
) -> np.ndarray:
    """Which candidates of a video reach the IoU with any label of their kind, bool (n,).

    Of several at one label all do, unlike in `candidate_hits`.
    """
    near = np.zeros(len(candidates), bool)
    for kind in KINDS:
        rows = np.flatnonzero(candidates.kind == kind)
        truth = annotations.loc[annotations.kind == kind, ["onset", "offset"]].to_numpy()
        spans = candidates[["onset", "offset"]].to_numpy()[rows]
        if len(rows) and len(truth):
            near[rows] = (interval_iou(spans, truth) >= protocol.iou).any(axis=1)
    return near


def keep_best(candidates: Any, videos: Sequence[ScoredVideo], protocol: Protocol) -> Any:
    """Candidates with `video` and `odds` that `best_of_overlapping` keeps; with `hit`."""
    tables, labels = [], {video.video: video.annotations for video in videos}
    for name, table in candidates.groupby("video", sort=False):
        best = table[best_of_overlapping(table, table.odds.to_numpy())]
        tables.append(best.assign(hit=candidate_hits(best, labels[name], protocol)))
    return pd.concat(tables, ignore_index=True)


def candidate_hits(
    candidates: pd.DataFrame, annotations: pd.DataFrame, protocol: Protocol = Protocol()
) -> np.ndarray:
    """Which candidates of one video find a label (kind, onset, offset): bool (n,)."""
    truth = intervals_by_video(annotations.assign(video=""), [""])
    hits = np.zeros(len(candidates), bool)
    for kind in KINDS:
        rows = np.flatnonzero(candidates.kind == kind)
        spans = candidates[["onset", "offset"]].to_numpy()[rows]
        found = match_intervals(spans, truth.get(("", kind), NO_INTERVALS), **protocol.scoring)
        hits[rows] = found.predicted >= 0
    return hits


def regress(candidates: Any) -> Judge:
    """A judge by logistic regression on a table of candidates with `near`; it is not calibrated.

    See `ridge_logistic`.
    """
    mean, scale, weights, bias = [], [], [], []
    for kind in KINDS:
        mine = candidates[candidates.kind == kind]
        values, hits = mine[list(FEATURES)].to_numpy(float), mine.near.to_numpy(bool)
        right, wrong = int(hits.sum()), int((~hits).sum())
        centre, spread = np.zeros(len(FEATURES)), np.ones(len(FEATURES))
        slopes: Any = np.zeros(len(FEATURES))
        constant: Any = logit((right + 1) / (right + wrong + 2))
        if min(right, wrong) >= FEWEST:
            centre, spread = values.mean(0), np.where(values.std(0) > 0, values.std(0), 1)
            inputs = np.clip((values - centre) / spread, -LIMIT, LIMIT)
            slopes, constant = ridge_logistic(inputs, hits)
        for column, new in zip((mean, scale, weights), (centre, spread, slopes), strict=True):
            column.append(tuple(np.asarray(new, float).tolist()))
        bias.append(float(constant))
    half = (0.5, 0.5)
    tables: Any = (tuple(part) for part in (mean, scale, weights, bias))
    return Judge(half, *tables)


def ridge_logistic(inputs: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, float]:
    """Logistic regression by Newton's method: slopes, float (features,), and constant.

    The loss is the negative log likelihood plus half the squared sum of the slopes. `inputs` is
    float (n, features), `hits` bool (n,).
    """
    design = np.column_stack([inputs, np.ones(len(inputs))])
    ridge = np.diag([1.0] * inputs.shape[1] + [0.0])
    target, found = hits.astype(float), np.zeros(design.shape[1])
    loss = lambda w: np.logaddexp(0, design @ w).sum() - target @ (design @ w) + w @ ridge @ w / 2
    for _ in range(STEPS):
        chance = expit(design @ found)
        slope = design.T @ (chance - target) + ridge @ found
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + ridge
        step = np.linalg.solve(curvature + 1e-9 * np.eye(len(found)), slope)
        while loss(found - step) > loss(found) and np.abs(step).max() > 1e-12:
            step /= 2
        found = found - step
        if np.abs(step).max() < 1e-9:
            break
    return found[:-1], float(found[-1])


def best_chances(candidates: Any, labels: np.ndarray) -> Pair:
    """The least chances of ME and MaE with the best F1; 1 for a kind that is never right.

    `candidates` have kind, hit and chance; `labels` is the number of labels of each kind. The
    middle of the widest range of equal F1 is taken.
    """
    best = []
    for kind, count in zip(KINDS, labels, strict=True):
        f1 = f1_of(_counts(candidates[candidates.kind == kind]), int(count))
        best.append(float(CHANCES[middle_of_best(CHANCES, f1)]) if f1.any() else 1.0)
    return best[0], best[1]


def _counts(candidates):
    """Labels found and predictions at each of CHANCES: int (n, 2)."""
    kept = candidates.chance.to_numpy()[:, None] >= CHANCES
    return np.column_stack([(kept & candidates.hit.to_numpy(bool)[:, None]).sum(0), kept.sum(0)])


def _left_out_f1(candidates, labels):
    counts, total = np.zeros((len(KINDS), 2), int), np.sum(list(labels.values()), axis=0)
    for name, own in labels.items():
        mine = candidates.group == name
        best = best_chances(candidates[~mine], total - own)
        for number, kind in enumerate(KINDS):
            found = candidates[mine & (candidates.kind == kind)]
            kept = found[found.chance >= best[number]]
            counts[number] += [kept.hit.sum(), len(kept)]
    f1 = dict(zip(KINDS, f1_of(counts, total).tolist(), strict=True))
    return f1 | {"overall": float(f1_of(counts.sum(0), int(total.sum())))}
