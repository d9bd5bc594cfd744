"""What perfect per-frame labels score once they are cut into intervals."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.protocol import Protocol
from jaxspot.spotting.automated_iou import IntervalRule, apply_rule

FRAMES = 240
RULES = [
    (IntervalRule(normalisation=normalisation), Protocol(threshold=threshold))
    for threshold in ("roc", "interval_f1")
    for normalisation in ("per_video", "train_quantiles")
]


def labels_of(rng, video, *, touching):
    """Labels of both kinds as two tracks; within a kind apart, or touching and overlapping."""
    rows = []
    for kind in KINDS:
        onset = int(rng.integers(1, 12))
        while True:
            offset = onset + int(rng.integers(3, 25))
            if offset >= FRAMES:
                break
            rows.append((video, kind, onset, offset))
            onset = offset + int(rng.integers(-2, 4) if touching else rng.integers(2, 20))
    return pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])


def spotted(tables, rule, protocol):
    """Labels as scores through the whole of the judging: normalise, threshold, cut, number."""
    seen = [
        ScoredVideo(name, 30.0, frame_labels(rows, frames=FRAMES).astype(float), rows)
        for name, rows in tables.items()
    ]
    fitted = fit_rule(seen, rule, protocol)
    found = [apply_rule(v.scores, fps=v.fps, fitted=fitted, video=v.video)[1] for v in seen]
    return pd.concat(found, ignore_index=True)


def drawn(seed, *, touching):
    rng = np.random.default_rng(seed)
    return {name: labels_of(rng, name, touching=touching) for name in "abc"}


def merged(spans):
    """Labels that touch or overlap as one, frame by frame."""
    frames = sorted({f for onset, offset in spans for f in range(onset, offset + 1)})
    runs = []
    for frame in frames:
        if runs and runs[-1][1] == frame - 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return runs


def most_pairs(near):
    """The largest one-to-one matching, by augmenting paths (Kuhn)."""
    owner = {}

    def place(run, seen):
        for label in near[run]:
            if label not in seen:
                seen.add(label)
                if label not in owner or place(owner[label], seen):
                    owner[label] = run
                    return True
        return False

    return sum(place(run, set()) for run in range(len(near)))


def ceiling(tables):
    """F1 of merged labels against the labels, one to one, as a fraction."""
    pairs = runs_in_all = labels_in_all = 0
    for rows in tables.values():
        for kind in KINDS:
            spans = rows.loc[rows.kind == kind, ["onset", "offset"]].values.tolist()
            runs = merged(spans)
            near = [
                [
                    j
                    for j, (c, d) in enumerate(spans)
                    if 2 * (d - c + 1) >= b - a + 1 and a <= c <= b
                ]
                for a, b in runs
            ]  # a label lies inside its run: their IoU is the ratio of their lengths
            pairs += most_pairs(near)
            runs_in_all += len(runs)
            labels_in_all += len(spans)
    return Fraction(2 * pairs, runs_in_all + labels_in_all)


@pytest.mark.parametrize(("rule", "protocol"), RULES)
def test_perfect_labels_that_do_not_touch_score_exactly_one(rule, protocol):
    for seed in range(5):
        tables = drawn(seed, touching=False)
        labels = pd.concat(tables.values())
        found = spotted(tables, rule, protocol)
        for matching in ("one_to_one", "megc2020"):
            scores = score_intervals(found, labels, videos=tables, matching=matching)
            assert [scores[kind]["f1"] for kind in scores] == [1.0, 1.0, 1.0]
        assert ceiling(tables) == 1


@pytest.mark.parametrize(("rule", "protocol"), RULES)
def test_labels_that_touch_score_the_ceiling_that_merging_leaves(rule, protocol):
    for seed in range(10):
        tables = drawn(seed, touching=True)
        row = score_intervals(
            spotted(tables, rule, protocol), pd.concat(tables.values()), videos=tables
        )
        limit = ceiling(tables)
        assert row["overall"]["f1"] == pytest.approx(float(limit), abs=1e-12)
        assert 0 < limit < 1


def test_the_ceiling_by_hand():
    rows = [("a", "ME", 1, 10), ("a", "ME", 11, 20), ("a", "ME", 30, 39), ("a", "MaE", 5, 14)]
    tables = {"a": pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])}
    # 1..20 reaches one of its two halves, 30..39 and the MaE are whole: 3 of 3 runs and 4 labels.
    assert ceiling(tables) == Fraction(6, 7)
    score = score_intervals(spotted(tables, IntervalRule(), Protocol()), tables["a"], videos=["a"])
    assert score["overall"]["f1"] == pytest.approx(6 / 7)
