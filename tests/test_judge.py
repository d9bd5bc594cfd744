"""Chances of candidates: what they are made of, how they are fitted and calibrated."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from made_candidates import bump, made_video
from scipy import optimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from jaxspot.annotations.intervals import INTERVAL_COLUMNS, KINDS
from jaxspot.evaluation.judging import (
    best_chances,
    candidate_hits,
    fit_judge,
    recalibrate_judge,
    ridge_logistic,
)
from jaxspot.evaluation.matching import interval_iou
from jaxspot.evaluation.reliability import calibration_error, reliability_table
from jaxspot.spotting.candidates import FEATURES, find_candidates
from jaxspot.spotting.judge import (
    Judge,
    best_of_overlapping,
    calibrate,
    fit_calibration,
    highest_per_minute,
    judged_intervals,
)

FEW = len(FEATURES)


@pytest.fixture(scope="module")
def videos():
    return [made_video(seed) for seed in range(12)]


@pytest.fixture(scope="module")
def fitted(videos):
    return fit_judge(videos, {video.video: n % 4 for n, video in enumerate(videos)})


def plain(**fields):
    """A judge that goes by the height alone: its log odds are the height."""
    one = tuple(float(name == "height") for name in FEATURES)
    none, ones = (0.0,) * FEW, (1.0,) * FEW
    known = dict(threshold=(0.5, 0.5), bias=(0.0, 0.0))
    return Judge(**known | dict(mean=(none,) * 2, scale=(ones,) * 2, weights=(one,) * 2) | fields)


def two_bumps(fps):
    """ME bumps of heights 0.8 at 5 s and 0.5 at 6.5 s, a MaE one of 0.4 at 6.5 s."""
    times = np.arange(round(12 * fps)) / fps
    micro = 0.1 + bump(times, 5, 0.2, 0.8) + bump(times, 6.5, 0.2, 0.5)
    return np.stack([micro, 0.2 + bump(times, 6.5, 0.8, 0.4)], axis=1)


def test_the_features_of_a_curve_that_can_be_worked_out():
    """A step from odds of -3 to 2 for 0.8 s: what stands in the step and beside it."""
    fps = 100.0
    odds = np.full((1200, 2), -3.0)
    odds[500:580, 1] = 2.0
    odds[:, 0] = -1.0
    found = find_candidates(expit(odds), fps=fps)
    macro = found[found.kind == "MaE"]
    best = macro.iloc[[np.argmin(np.abs(macro.onset - 501) + np.abs(macro.offset - 580))]].iloc[0]
    assert abs(best.onset - 501) <= 15 and abs(best.offset - 580) <= 15
    np.testing.assert_allclose(np.exp(best.length), 0.8, atol=0.2)
    np.testing.assert_allclose(best.inside, 2.0, atol=0.8)
    np.testing.assert_allclose([best.above_around, best.above_busy, best.least], 5.0, atol=1.2)
    np.testing.assert_allclose([best.above_low, best.above_high], best.height + 3, atol=1.0)
    np.testing.assert_allclose([best.resting, best.other, best.other_inside], [-3, -1, -1])
    assert best.least == min(best.rise, best.fall) and best.dip < 0 < best.onset_step
    np.testing.assert_allclose(best.other_rise, 0, atol=1e-9)
    assert best.length_squared == pytest.approx(best.length**2)


def test_a_peak_on_a_high_curve_has_candidates_of_several_lengths():
    """No single share of a peak's height says where it ends; one of several does."""
    fps, times = 30.0, np.arange(900) / 30.0
    for rest in (-4.0, 0.0, 2.0):
        odds = np.full((900, 2), rest)
        odds[:, 1] += np.interp(times, [12, 12.5, 14, 14.5], [0, 4, 4, 0])
        found = find_candidates(expit(odds), fps=fps)
        macro = found.loc[found.kind == "MaE", ["onset", "offset"]].to_numpy()
        assert interval_iou(macro, [(364, 433)]).max() > 0.75, rest


def test_features_mean_the_same_at_any_rate():
    slow, fast = (find_candidates(two_bumps(fps), fps=fps) for fps in (30.0, 200.0))
    for kind, apex in (("ME", 5.0), ("MaE", 6.5)):
        longest = [
            table[(table.kind == kind) & (np.abs(table.apex / fps - apex) < 0.1)]
            .sort_values("length")
            .iloc[-1]
            for table, fps in ((slow, 30.0), (fast, 200.0))
        ]
        columns = [name for name in FEATURES if not name.endswith(("step", "near"))]
        first, second = (row[columns].to_numpy(float) for row in longest)
        np.testing.assert_allclose(first, second, atol=0.35)


def test_a_face_that_shows_nothing_has_no_candidate_however_its_scores_tremble():
    """Log odds of -9 and -5 differ as much as 0 and 4, but both say that nothing moves."""
    rng = np.random.default_rng(0)
    scores = expit(rng.normal(-8, 1.2, (600, 2)))
    assert scores.max() < 0.02 and find_candidates(scores, fps=30.0).empty
    shown = scores.copy()
    shown[300:309, 0] = 0.9
    found = find_candidates(shown, fps=30.0)
    assert set(found.kind) == {"ME"} and found.apex.between(298, 312).all()


def test_candidates_in_videos_with_gaps_and_without_a_score():
    scores = two_bumps(30.0)
    scores[100:140] = scores[:20] = scores[190:200, 1] = np.nan
    found = find_candidates(scores, fps=30.0)
    assert len(found) >= 2 and np.isfinite(found[list(FEATURES)]).all().all()
    for blank in (np.full((50, 2), np.nan), np.zeros((50, 2))):
        found = find_candidates(blank, fps=30.0)
        assert set(FEATURES) < set(found) and len(plain().chances(found)) == len(found)
        assert judged_intervals(blank, fps=30.0, judge=plain(bias=(-9.0, -9.0))).empty
    assert find_candidates(np.full((50, 2), np.nan), fps=30.0).empty


def test_of_candidates_that_overlap_the_best_stays():
    rows = [("ME", 1, 10), ("ME", 9, 20), ("ME", 11, 30), ("MaE", 1, 30), ("ME", 30, 40)]
    table = pd.DataFrame(rows, columns=["kind", "onset", "offset"])
    stays = lambda *values: best_of_overlapping(table, np.array(values)).tolist()
    assert stays(1.0, 2.0, 3.0, 0.0, 0.5) == [True, False, True, True, True]
    assert stays(1.0, 4.0, 3.0, 0.0, 0.5) == [False, True, False, True, True]
    assert stays(1.0, 1.0, 1.0, 1.0, 1.0) == [True, False, True, True, True], "the first of equals"
    assert best_of_overlapping(table[:0], np.zeros(0)).tolist() == []


def test_hits_are_intervals_of_their_kind_with_enough_overlap():
    rows = [("ME", 1, 10), ("ME", 31, 40), ("MaE", 1, 10), ("MaE", 50, 59)]
    candidates = pd.DataFrame(rows, columns=["kind", "onset", "offset"])
    labels = pd.DataFrame(
        [("ME", 6, 10), ("ME", 36, 45), ("MaE", 50, 60)], columns=["kind", "onset", "offset"]
    )
    assert candidate_hits(candidates, labels).tolist() == [True, False, False, True]


def test_the_regression_agrees_with_others():
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 5))
    hits = rng.random(300) < expit(inputs @ [1, -2, 0, 0.5, 0] - 0.7)
    slopes, constant = ridge_logistic(inputs, hits)
    model = LogisticRegression(tol=1e-10, max_iter=10_000).fit(inputs, hits)
    np.testing.assert_allclose(slopes, model.coef_[0], atol=1e-4)
    np.testing.assert_allclose(constant, model.intercept_[0], atol=1e-4)

    def loss(w):
        odds = inputs @ w[:-1] + w[-1]
        return -np.log(np.where(hits, expit(odds), expit(-odds))).sum() + (w[:-1] ** 2).sum() / 2

    best = optimize.minimize(loss, np.zeros(6), tol=1e-10)
    np.testing.assert_allclose([*slopes, constant], best.x, atol=1e-3)
    separable = ridge_logistic(inputs, inputs[:, 0] > 0)
    assert np.isfinite([*separable[0], separable[1]]).all()


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (0.4, -1.5), (2.0, 0.7)])
def test_a_calibration_finds_the_chances_that_hits_were_drawn_by(slope, shift):
    rng = np.random.default_rng(1)
    odds = rng.normal(0, 2, 20_000)
    chances = expit(slope * odds + shift)
    hits = rng.random(len(odds)) < chances
    found = fit_calibration(odds, hits)
    np.testing.assert_allclose(found, (slope, shift), atol=0.08)
    candidates = pd.DataFrame(0.0, np.arange(len(odds)), list(FEATURES))
    candidates = candidates.assign(kind=np.where(odds > 9, "ME", "MaE"), height=odds)
    judge = calibrate(plain(), candidates, hits)
    # A feature is cut at four deviations.
    inside = np.abs(odds) < 4
    given = judge.chances(candidates)
    np.testing.assert_allclose(given[inside], chances[inside], atol=0.04)
    assert calibration_error(given, hits) < 0.02
    if shift:
        assert calibration_error(plain().chances(candidates), hits) > 0.1
    assert (judge.slope[0], judge.shift[0]) == (1.0, 0.0), "a kind without candidates stays"


def test_a_calibration_on_few_or_one_sided_candidates_stays_sane():
    for hits in (np.ones(3, bool), np.zeros(3, bool), np.array([True, False, True])):
        slope, shift = fit_calibration(np.array([0.1, 0.2, 0.3]), hits)
        assert 0 <= slope < 3 and abs(shift) < 5
    slope, _ = fit_calibration(np.linspace(-3, 3, 400), np.linspace(-3, 3, 400) < 0)
    assert slope == 0, "an order that is wrong becomes no order"


def test_a_fitted_judge_is_calibrated_on_people_it_has_not_seen(fitted):
    judge = fitted.judge
    new = [made_video(seed) for seed in range(100, 112)]
    tables = []
    for video in new:
        found = find_candidates(video.scores, fps=video.fps)
        found = found.assign(chance=judge.chances(found))
        found = found[best_of_overlapping(found, found.chance.to_numpy())]
        tables.append(found.assign(hit=candidate_hits(found, video.annotations)))
    table = pd.concat(tables, ignore_index=True)
    assert len(table) > 120
    for kind in KINDS:
        mine = table[table.kind == kind]
        assert calibration_error(mine.chance, mine.hit, bins=4) < 0.13
    assert 0.4 < fitted.f1["overall"] < 0.9


def test_a_judge_of_others_is_calibrated_on_few_people(fitted):
    people = [made_video(seed) for seed in range(100, 106)]
    groups = {video.video: n % 3 for n, video in enumerate(people)}
    off = dataclasses.replace(fitted.judge, shift=(3.0, -3.0), threshold=(0.01, 0.99))
    found = recalibrate_judge(off, people, groups)
    for name in ("mean", "scale", "weights", "bias"):
        assert getattr(found.judge, name) == getattr(off, name)
    table = found.candidates
    for kind in KINDS:
        mine = table[table.kind == kind]
        assert mine.chance.mean() == pytest.approx(mine.hit.mean(), abs=0.05)
    assert found.judge == recalibrate_judge(fitted.judge, people, groups).judge
    assert 0.4 < found.f1["overall"] < 0.95


def test_a_kind_with_too_few_labels_keeps_its_calibration_and_threshold(fitted):
    people = [made_video(seed) for seed in range(100, 103)]
    some = [v._replace(annotations=v.annotations[v.annotations.kind == "MaE"]) for v in people]
    judge = recalibrate_judge(fitted.judge, some, {v.video: v.video for v in some}).judge
    before = fitted.judge
    for name in ("slope", "shift", "threshold"):
        new, old = getattr(judge, name), getattr(before, name)
        assert new[0] == old[0], name
    assert judge.shift[1] != before.shift[1]


def test_no_judge_sees_the_labels_of_its_group(videos, fitted):
    """Other labels in one group leave the log odds of its own candidates as they are."""
    groups = {video.video: n % 4 for n, video in enumerate(videos)}
    shuffled = [
        video._replace(annotations=video.annotations[:1]) if groups[video.video] == 0 else video
        for video in videos
    ]
    other = fit_judge(shuffled, groups)
    for name, row in fitted.candidates[fitted.candidates.group == 0].iterrows():
        same = other.candidates
        same = same[(same.video == row.video) & (same.kind == row.kind)]
        same = same[(same.onset == row.onset) & (same.offset == row.offset)]
        assert len(same) == 1 and same.odds.iloc[0] == pytest.approx(row.odds, abs=1e-9), name
    assert not np.allclose(
        other.judge.log_odds(fitted.candidates), fitted.judge.log_odds(fitted.candidates)
    )


def test_one_group_or_no_video_is_refused(videos):
    with pytest.raises(ValueError, match="at least 2 groups"):
        fit_judge(videos, dict.fromkeys((video.video for video in videos), 0))
    with pytest.raises(ValueError, match="at least 2 groups"):
        fit_judge([], {})


def test_a_kind_without_labels_has_low_chances_and_is_never_reported(videos):
    some = [v._replace(annotations=v.annotations[v.annotations.kind == "MaE"]) for v in videos]
    found = fit_judge(some, {video.video: n % 2 for n, video in enumerate(some)})
    assert found.judge.threshold[0] == 1.0 and 0 < found.judge.threshold[1] < 1
    again = Judge.from_json(json.loads(json.dumps(found.judge.to_json())))
    table = judged_intervals(some[0].scores, fps=30.0, judge=again)
    assert set(table.kind) == {"MaE"}


def test_the_best_chances_by_trying_all():
    rng = np.random.default_rng(2)
    chance = rng.random(200)
    table = pd.DataFrame(dict(kind="ME", chance=chance, hit=rng.random(200) < chance))
    f1 = lambda least: 2 * (table.hit & (chance >= least)).sum() / ((chance >= least).sum() + 120)
    best = best_chances(table, np.array([120, 7]))
    assert f1(best[0]) == max(f1(least) for least in np.arange(1, 100) / 100)
    assert best[1] == 1.0


def test_a_judge_returns_from_json(fitted):
    text = json.dumps(fitted.judge.to_json())
    assert Judge.from_json(json.loads(text)) == fitted.judge
    with pytest.raises(ValueError, match="judge uses smell"):
        Judge.from_json(json.loads(text) | {"features": ["smell"]})


def test_intervals_are_kept_by_chance_and_stay_in_order(fitted, videos):
    scores, judge = videos[0].scores, fitted.judge
    every = judged_intervals(scores, fps=30.0, judge=judge, min_chance=0.0)
    found = find_candidates(scores, fps=30.0)
    chances = judge.chances(found)
    assert every.onset.is_monotonic_increasing
    best = np.sort(chances[best_of_overlapping(found, chances)])
    np.testing.assert_array_equal(np.sort(every.score), best)
    half = judged_intervals(scores, fps=30.0, judge=judge, min_chance=0.5)
    pd.testing.assert_frame_equal(half, every[every.score >= 0.5].reset_index(drop=True))
    usual = judged_intervals(scores, fps=30.0, judge=judge)
    for number, kind in enumerate(KINDS):
        least = judge.threshold[number]
        assert (usual.kind == kind).sum() == ((every.kind == kind) & (every.score >= least)).sum()
    assert list(every.columns) == list(INTERVAL_COLUMNS)


def test_so_many_a_minute_are_those_with_the_highest_scores():
    kinds, scores = ["ME", "ME", "MaE", "ME", "ME"], [0.2, 0.9, 0.1, 0.5, 0.9]
    table = pd.DataFrame(dict(kind=kinds, score=scores, onset=range(5)))
    keep = lambda **given: highest_per_minute(table, **given).onset.tolist()
    assert keep(minutes=1, count=2) == [1, 2, 4]
    assert keep(minutes=2, count=1.5) == [1, 2, 3, 4]
    assert keep(minutes=0.1, count=1) == [1, 2], "at least one of a kind"
    assert keep(minutes=9, count=9) == [0, 1, 2, 3, 4]
    assert highest_per_minute(table[:0], minutes=1, count=1).empty


def test_reliability_of_chances_that_are_known():
    chances = np.array([0.0, 0.05, 0.25, 0.25, 0.25, 0.25, 1.0, 0.95])
    hits = np.array([0, 0, 1, 0, 0, 0, 1, 1], bool)
    table = reliability_table(chances, hits)
    assert table.n.tolist() == [2, 4, 2] and table.low.tolist() == [0.0, 0.2, 0.9]
    np.testing.assert_allclose(table.mean_chance, [0.025, 0.25, 0.975])
    np.testing.assert_allclose(table.share_right, [0, 0.25, 1])
    # Wilson's interval of 1 in 4, from the literature: 0.046 to 0.699.
    np.testing.assert_allclose(
        table.loc[1, ["share_low", "share_high"]].tolist(), [0.046, 0.699], atol=1e-3
    )
    np.testing.assert_allclose(calibration_error(chances, hits), (2 * 0.025 + 0 + 2 * 0.025) / 8)
    assert calibration_error([], []) == 0.0 and reliability_table([], []).empty
    with pytest.raises(ValueError, match=r"0\.\.1"):
        reliability_table([1.1], [True])
    with pytest.raises(ValueError, match="one length"):
        reliability_table([0.1, 0.2], [True])
