"""The joint choice of both kinds' thresholds against trying every pair by the scorer itself."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.interval_thresholds import (
    Curve,
    candidate_thresholds,
    overall_f1_thresholds,
)
from jaxspot.evaluation.protocol import Protocol
from jaxspot.evaluation.threshold_error import threshold_error
from jaxspot.spotting.automated_iou import IntervalRule, apply_rule
from jaxspot.spotting.intervals import find_intervals


def noisy_video(seed, *, frames=240, clear=(0.5, 0.5), noise=0.2):
    """Labels every 40 frames, and scores that show ME and MaE as clearly as `clear` says."""
    rng = np.random.default_rng(seed)
    onset = 40 * np.arange(frames // 40) + rng.integers(2, 12, frames // 40)
    kind = rng.permutation(np.resize(KINDS, len(onset)))
    offset = onset + np.where(kind == "ME", 9, 24)
    scores = 0.2 + noise * rng.standard_normal((frames, 2))
    for k, start, stop in zip(kind, onset, offset, strict=True):
        i = KINDS.index(k)
        scores[start - 1 : stop, i] += clear[i]
    rows = pd.DataFrame(dict(kind=kind, onset=onset, offset=offset))
    return ScoredVideo(f"v{seed}", 30.0, scores, rows)


def overall_f1(videos, fitted, threshold):
    """Of the whole way from scores to counts, at any two thresholds in place of the fitted ones."""
    other = dataclasses.replace(fitted, threshold=threshold)
    found = [
        apply_rule(video.scores, fps=30.0, fitted=other, video=video.video)[1] for video in videos
    ]
    truth = pd.concat([video.annotations.assign(video=video.video) for video in videos])
    names = [video.video for video in videos]
    return score_intervals(pd.concat(found), truth, videos=names)["overall"]["f1"]


@pytest.mark.parametrize("keep_nested", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.7])
@pytest.mark.parametrize("clear", [(0.5, 0.5), (0.15, 0.5)])
def test_no_pair_of_thresholds_is_better(keep_nested, share, clear):
    videos = [noisy_video(seed, frames=160, clear=clear) for seed in range(2)]
    rule = IntervalRule(
        normalisation="train_quantiles",
        cutoff_hz=(6.0, 2.0),
        peak_share=share,
        keep_nested=keep_nested,
    )
    fitted = fit_rule(videos, rule, Protocol(threshold="overall_f1"))
    best = overall_f1(videos, fitted, fitted.threshold)
    grid = [*np.linspace(-0.2, 1.2, 8), np.inf]
    others = [overall_f1(videos, fitted, pair) for pair in itertools.product(grid, grid)]
    assert best >= max(others)
    by_kind = fit_rule(videos, rule, Protocol(threshold="interval_f1"))
    assert best >= overall_f1(videos, fitted, by_kind.threshold)


def test_a_kind_that_is_never_found_is_not_predicted():
    rng = np.random.default_rng(0)
    truth = (np.array([[50, 58]]), np.array([[11, 30]]))
    macro = np.zeros(100)
    macro[10:30] = 1.0
    scores = (np.where(np.arange(100) < 40, rng.random(100), 0.0), macro)
    find = lambda curve: lambda threshold: find_intervals(curve, threshold=threshold)
    curves = [[Curve(s, t, find(s))] for s, t in zip(scores, truth, strict=True)]
    micro, large = overall_f1_thresholds(*curves, matching="one_to_one", iou=0.5)
    assert micro == np.inf and 0 < large <= 1
    unlabelled = [[kind[0]._replace(truth=np.zeros((0, 2), int))] for kind in curves]
    found = overall_f1_thresholds(*unlabelled, matching="one_to_one", iou=0.5)
    assert found == (np.inf, np.inf)


def test_candidates_are_few_ordered_and_of_the_scores():
    curve = np.random.default_rng(0).random(1000)
    curve[:10] = np.nan
    found = candidate_thresholds([curve], 100)
    assert len(found) <= 100 and (np.diff(found) > 0).all()
    assert np.nanmin(curve) <= found[0] and found[-1] <= np.nanmax(curve)
    assert not len(candidate_thresholds([np.full(5, np.nan)], 100))
    assert not len(candidate_thresholds([], 100))


@pytest.mark.parametrize("off", [-0.45, 0.0, 0.45])
def test_a_threshold_that_is_off_is_told_by_how_much(off):
    videos = [noisy_video(seed, noise=0.04) for seed in range(2)]
    rule = IntervalRule(normalisation="train_quantiles")
    right = fit_rule(videos, rule, Protocol(threshold="interval_f1"))
    moved = tuple(value + off for value in right.threshold)
    table = threshold_error(videos, [dataclasses.replace(right, threshold=moved)] * 2)
    assert list(table.kind) == list(KINDS)
    np.testing.assert_allclose(table.error, off, atol=0.15)
    assert (table.best_f1 == 1.0).all()
    assert ((table.f1 == 1.0) == (abs(off) < 0.2)).all()
