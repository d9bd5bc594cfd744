"""What chance alone would score: random intervals, as many and as long as ours."""

import zlib

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.f1 import (
    COUNTS,
    NO_INTERVALS,
    SCORES,
    count_matches,
    intervals_by_video,
    rates,
)
from jaxspot.evaluation.matching import MatchingRule


def random_floor(
    intervals: pd.DataFrame,
    annotations: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    draws: int = 100,
    seed: int = 0,
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
) -> dict[str, dict[str, float]]:
    """The score of random intervals: as many and as long as given, per video and kind.

    The draws of a video depend on the seed, its name and the kind alone. Returns what
    `score_intervals` does, each value the mean over the draws, and `f1_p95`, the 95th percentile of
    F1 over the draws.
    """
    names = videos.video.tolist()
    predicted = intervals_by_video(intervals, names, "intervals")
    truth = intervals_by_video(annotations, names, "annotations")
    counts = np.zeros((draws, len(KINDS), len(COUNTS)), int)
    for name, frames in zip(names, videos.frames.tolist(), strict=True):
        for i, kind in enumerate(KINDS):
            ours, labels = (x.get((name, kind), NO_INTERVALS) for x in (predicted, truth))
            lengths = ours[:, 1] - ours[:, 0] + 1
            rng = np.random.default_rng([seed, zlib.crc32(name.encode()), i])
            for drawn in counts[:, i]:
                guess = place_at_random(lengths, frames, rng)
                drawn += count_matches(guess, labels, matching=matching, iou=iou)
    kinds = dict(zip(KINDS, counts.swapaxes(0, 1), strict=True)) | {"overall": counts.sum(1)}
    return {kind: _summary([rates(row) for row in drawn]) for kind, drawn in kinds.items()}


def place_at_random(lengths: np.ndarray, frames: int, rng: np.random.Generator) -> np.ndarray:
    """Intervals of given lengths, uniform over all placements that do not overlap.

    If they do not fit side by side, each is placed uniformly on its own and they may overlap.
    `lengths` is int (n,), each at most `frames`. Returns int (n, 2), onset and offset from 1, both
    ends included, in random order of the lengths.
    """
    lengths = rng.permutation(np.asarray(lengths, np.int64))
    free = frames - int(lengths.sum())
    if free < 0:
        onset = rng.integers(1, frames - lengths + 2)
    else:
        slots = np.sort(rng.choice(free + len(lengths), len(lengths), replace=False))
        onset = slots - np.arange(len(lengths)) + np.cumsum(lengths) - lengths + 1
    return np.column_stack((onset, onset + lengths - 1))


def _summary(drawn):
    mean = {name: float(np.mean([row[name] for row in drawn])) for name in SCORES}
    return mean | {"f1_p95": float(np.quantile([row["f1"] for row in drawn], 0.95))}
