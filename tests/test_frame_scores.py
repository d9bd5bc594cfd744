import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.evaluation.frame_scores import (
    auc,
    frame_f1,
    roc_threshold,
    score_frames,
)
from jaxspot.evaluation.interval_thresholds import Curve, interval_f1_threshold
from jaxspot.spotting.intervals import find_intervals

frames = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=30)


def split(pairs):
    scores, labels = zip(*pairs, strict=True)
    return np.array(scores, float), np.array(labels)


@given(frames)
def test_auc_is_the_share_of_pairs_in_order(pairs):
    scores, labels = split(pairs)
    up, down = scores[labels], scores[~labels]
    if not len(up) or not len(down):
        assert np.isnan(auc(scores, labels))
        return
    order = np.sign(up[:, None] - down[None, :])
    assert auc(scores, labels) == pytest.approx(((order + 1) / 2).mean())


def test_frames_without_a_score_rank_last_and_are_not_found():
    scores, labels = np.array([np.nan, 0.5, 0.2]), np.array([True, True, False])
    assert auc(scores, labels) == 0.5
    assert auc(np.full(3, np.nan), labels) == 0.5
    assert frame_f1(scores, labels, 0.5) == pytest.approx(2 / 3)
    assert frame_f1(scores, np.zeros(3, bool), 0.9) == 0.0


@given(frames)
def test_roc_threshold_maximises_youdens_j(pairs):
    scores, labels = split(pairs)
    chosen = roc_threshold(scores, labels)
    if labels.all() or not labels.any():
        assert chosen == np.inf
        return

    def j(threshold):
        found = scores >= threshold
        right, wrong = int(found[labels].sum()), int(found[~labels].sum())
        return Fraction(right, int(labels.sum())) - Fraction(wrong, int((~labels).sum()))

    values = {s: j(s) for s in np.unique(scores)}
    best = max(0, *values.values())
    assert chosen == (max(s for s, v in values.items() if v == best) if best else np.inf)


def test_roc_threshold_leaves_out_frames_without_a_score():
    scores, labels = np.array([np.nan, 0.9, 0.1, np.nan]), np.array([False, True, False, True])
    assert roc_threshold(scores, labels) == 0.9


def test_frames_of_both_kinds_with_a_threshold_per_fold():
    scores = np.array([[0.9, 0.1], [0.2, 0.4], [0.3, 0.4], [0.1, 0.6]])
    labels = np.array([[True, False], [False, True], [True, True], [False, False]])
    thresholds = np.array([[0.5, 0.3], [0.5, 0.3], [0.25, 0.5], [0.25, 0.5]])
    got = score_frames(scores, labels, thresholds)
    assert got["ME"] == dict(f1=1.0, auc=1.0)
    assert got["MaE"]["f1"] == pytest.approx(0.5)  # one found, one false, one missed
    assert got["MaE"]["auc"] == 0.5


def made_up(rng, videos, frames):
    """Noisy curves with a bump of random height at each label."""
    curves, truth = [], []
    for _ in range(videos):
        curve = rng.random(frames) * 0.3
        onset = np.arange(5) * (frames // 5) + rng.integers(5, 60, 5)
        labels = np.column_stack((onset, onset + 20))
        for start, stop in labels:
            curve[start - 1 : stop] += rng.uniform(0.1, 0.8)
        curves.append(np.convolve(curve, np.ones(5) / 5, "same"))
        truth.append(labels)
    return curves, truth


def test_interval_threshold_is_the_best_of_a_fine_scan_and_fast():
    curves, truth = made_up(np.random.default_rng(0), videos=10, frames=1000)

    def cut(n, threshold):
        return find_intervals(curves[n], threshold=threshold)

    def f1(threshold):
        hit = made = 0
        for n, labels in enumerate(truth):
            spans = cut(n, threshold)
            made += len(spans)
            for onset, offset in labels:
                for start, stop in spans:
                    both = min(offset, stop) - max(onset, start + 1) + 1
                    if 2 * both >= (offset - onset + 1) + (stop - start) - both:
                        hit += 1
                        break
        return 2 * hit / (made + 50)

    begun = time.perf_counter()
    cut_one = lambda n: lambda threshold: cut(n, threshold)
    videos = [Curve(curve, truth[n], cut_one(n)) for n, curve in enumerate(curves)]
    chosen = interval_f1_threshold(videos, matching="one_to_one", iou=0.5)
    assert time.perf_counter() - begun < 3
    assert f1(chosen) >= max(map(f1, np.linspace(0, 1.1, 45))) - 0.03


def test_no_label_or_no_hit_means_no_threshold():
    curve = np.linspace(0, 1, 50)

    def chosen(truth):
        find = lambda threshold: find_intervals(curve, threshold=threshold)
        return interval_f1_threshold([Curve(curve, truth, find)], matching="one_to_one", iou=0.5)

    assert chosen(np.zeros((0, 2), int)) == np.inf
    assert chosen(np.array([[1, 2]])) == np.inf
    assert chosen(np.array([[31, 50]])) < 0.8
