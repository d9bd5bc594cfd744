"""One rule for the mean of several networks' scores."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from jaxspot.spotting.automated_iou import FittedRule
from jaxspot.spotting.filters import scale_of


def mean_rule(rules: Sequence[FittedRule]) -> FittedRule:
    """One rule for the mean of several networks' scores: the mean of theirs.

    With "train_quantiles", thresholds are averaged on the raw scale, where the scores are; with
    "per_video", as they are. A network that finds nothing (threshold inf) is left out of the mean;
    if half of them or more find nothing, so does the result.
    """
    first = rules[0].rule
    lows, highs = _pairs(rules, "low"), _pairs(rules, "high")
    low, high = lows.mean(0), highs.mean(0)
    fixed_scale = first.normalisation != "per_video"

    def average(name):
        values = _pairs(rules, name)
        if fixed_scale:
            values = lows + values * scale_of(lows, highs)
        finite = np.isfinite(values)
        mean = np.where(finite, values, 0).sum(0) / np.maximum(finite.sum(0), 1)
        mean = np.where(finite.mean(0) > 0.5, mean, np.inf)
        return _pair((mean - low) / scale_of(low, high) if fixed_scale else mean)

    cutoff = _pairs([fitted.rule for fitted in rules], "cutoff_hz").mean(0)
    length = _pairs([fitted.rule for fitted in rules], "length_seconds").mean(0)
    return FittedRule(
        rule=dataclasses.replace(first, cutoff_hz=_pair(cutoff), length_seconds=_pair(length)),
        low=_pair(low),
        high=_pair(high),
        threshold=average("threshold"),
        frame_threshold=average("frame_threshold"),
    )


def _pairs(items, name):
    return np.array([getattr(item, name) for item in items], float)


def _pair(values):
    first, second = np.asarray(values).tolist()
    return first, second
