import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.tables import describe_protocol
from jaxspot.spotting.automated_iou import (
    FittedRule,
    IntervalRule,
    apply_rule,
    cutoff_from_k,
    drop_nested,
    interval_finder,
    normalise,
)

RULES = ("roc", "interval_f1", "test_oracle")
NORMALISATIONS = ("per_video", "train_quantiles")


def video(name, seed, *, frames=600, noise=0.05):
    """Scores that are smoothed labels with noise, ten labels apart."""
    rng = np.random.default_rng(seed)
    onset = 60 * np.arange(frames // 60) + rng.integers(3, 20, frames // 60)
    kind = rng.permutation(np.resize(KINDS, len(onset)))
    length = np.where(kind == "ME", 10, 30)
    rows = pd.DataFrame(dict(kind=kind, onset=onset, offset=onset + length - 1, video=name))
    labels = frame_labels(rows, frames=frames)
    scores = 0.2 + 0.5 * labels + noise * rng.standard_normal((frames, 2))
    return ScoredVideo(name, 30.0, scores, rows)


def by(threshold):
    return Protocol(threshold=threshold)


@pytest.mark.parametrize("threshold", RULES)
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_clear_scores_give_the_labels_back(threshold, normalisation, share):
    rule = IntervalRule(normalisation=normalisation, cutoff_hz=(6, 3), peak_share=share)
    training, test = [video("a", 1), video("b", 2)], [video("c", 3)]
    seen = test if threshold == "test_oracle" else None
    fitted = fit_rule(training, rule, by(threshold), test=seen)
    smooth, intervals = apply_rule(test[0].scores, fps=30, fitted=fitted, subject="s", video="c")
    assert smooth.shape == (600, 2)
    scores = score_intervals(intervals, test[0].annotations, videos=["c"])
    assert scores["overall"]["f1"] == 1.0
    for i in range(2):
        assert 0 < fitted.threshold[i] < 1


def test_perfect_labels_as_scores_are_perfect_without_smoothing():
    perfect = video("a", 4, noise=0.0)
    fitted = fit_rule([perfect])
    _, intervals = apply_rule(perfect.scores, fps=30, fitted=fitted, video="a")
    expected = perfect.annotations.sort_values("onset")
    assert (intervals[["kind", "onset", "offset"]].values == expected.values[:, :3]).all()


def test_a_still_video_yields_nothing_with_fixed_quantiles():
    rng = np.random.default_rng(0)
    still = 0.2 + 0.01 * rng.standard_normal((300, 2))
    training = [video("a", 1), video("b", 2)]
    counts = {}
    for normalisation in NORMALISATIONS:
        fitted = fit_rule(training, IntervalRule(normalisation=normalisation))
        counts[normalisation] = len(apply_rule(still, fps=30, fitted=fitted)[1])
    assert counts["train_quantiles"] == 0
    assert counts["per_video"] > 0


@pytest.mark.parametrize("threshold", ["roc", "interval_f1"])
def test_only_the_oracle_is_given_test_data(threshold):
    training, test, rule = [video("a", 1)], [video("b", 2)], IntervalRule()
    with pytest.raises(ValueError, match="test=yes"):
        fit_rule(training, rule, by(threshold), test=test)
    with pytest.raises(ValueError, match="test=no"):
        fit_rule(training, rule, by("test_oracle"))
    assert not by(threshold).oracle and fit_rule(training, rule, by(threshold))
    assert by("test_oracle").oracle and fit_rule(training, rule, by("test_oracle"), test=test)


def test_the_oracle_follows_the_test_labels():
    rule, training = IntervalRule(), [video("a", 1)]
    test = video("b", 2)
    moved = test._replace(scores=test.scores[::-1])
    one, other = (fit_rule(training, rule, by("test_oracle"), test=[x]) for x in (test, moved))
    assert one.threshold != other.threshold
    assert one.low == other.low


def test_quantiles_are_those_of_all_training_frames():
    training = [video("a", 1), video("b", 2, frames=300)]
    fitted = fit_rule(training, protocol=Protocol(quantiles=(0.1, 0.9)))
    frames = np.concatenate([v.scores for v in training])
    np.testing.assert_allclose(fitted.low, np.quantile(frames, 0.1, axis=0))
    np.testing.assert_allclose(fitted.high, np.quantile(frames, 0.9, axis=0))


def test_limits_are_in_seconds():
    training = [video("a", 1)]
    rule = IntervalRule(min_seconds=(0.0, 0.5), max_seconds=(0.5, float("inf")))
    _, found = apply_rule(training[0].scores, fps=30, fitted=fit_rule(training, rule))
    length = found.offset - found.onset + 1
    assert (length[found.kind == "ME"] <= 15).all()
    assert (length[found.kind == "MaE"] >= 15).all()


def overlap_everywhere(seed):
    """A video whose ME score is also high at the start of every macro-expression."""
    one = video("a", seed)
    scores = one.scores.copy()
    for row in one.annotations[one.annotations.kind == "MaE"].itertuples():
        scores[row.onset + 5 : row.onset + 15, 0] += 0.5
    return one._replace(scores=scores)


def test_nested_micro_expressions_are_kept_or_dropped():
    training, test = [overlap_everywhere(1)], overlap_everywhere(2)
    found = {}
    for keep in (True, False):
        fitted = fit_rule(training, IntervalRule(keep_nested=keep), by("interval_f1"))
        found[keep] = apply_rule(test.scores, fps=30, fitted=fitted, video="a")[1]
    spans = {
        kind: rows[["onset", "offset"]].to_numpy() for kind, rows in found[True].groupby("kind")
    }
    nested = [
        any(a <= onset and offset <= b for a, b in spans["MaE"]) for onset, offset in spans["ME"]
    ]
    assert any(nested) and not all(nested)
    kept = found[False][found[False].kind == "ME"][["onset", "offset"]].to_numpy()
    assert (kept == spans["ME"][~np.array(nested)]).all()
    assert score_intervals(found[False], test.annotations, videos=["a"])["overall"]["f1"] == 1.0


@pytest.mark.parametrize("threshold", [0.3, 0.6, 2.0])
def test_around_peaks_nested_ones_are_dropped(threshold):
    curve = video("a", 3).scores[:, 0]
    macro = np.array([[100, 300]])

    def cut(keep):
        rule = IntervalRule(peak_share=0.7, keep_nested=keep)
        micro = interval_finder(curve, "ME", fps=30, rule=rule)(threshold)
        return drop_nested(micro, macro, rule)

    inside = lambda spans: ((spans >= 100) & (spans <= 300)).all(1)
    assert (cut(False) == cut(True)[~inside(cut(True))]).all()
    assert (len(cut(True)) > len(cut(False)) > 0) == (threshold < 1)


def test_the_threshold_knows_that_nested_ones_are_dropped():
    loud = overlap_everywhere(1)
    loud.scores[:, 0] = np.where(loud.labels[:, 0], loud.scores[:, 0] - 0.2, loud.scores[:, 0])
    rules = [IntervalRule(min_seconds=(0.1, 0.4), keep_nested=keep) for keep in (True, False)]
    blind, knowing = (fit_rule([loud], rule, by("interval_f1")) for rule in rules)
    assert knowing.threshold[1] == blind.threshold[1]
    _, found = apply_rule(loud.scores, fps=30, fitted=knowing, video="a")
    assert score_intervals(found, loud.annotations, videos=["a"])["ME"]["f1"] > 0.9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(peak_share=1.0), "peak_share must be"),
        (dict(peak_share=-0.1), "peak_share must be"),
    ],
)
def test_shares_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        IntervalRule(**settings)


def test_frames_without_a_score_lie_in_no_interval():
    training = [video("a", 1)]
    scores = training[0].scores.copy()
    scores[100:200] = np.nan
    fitted = fit_rule([training[0]._replace(scores=scores)], IntervalRule(cutoff_hz=(6, 3)))
    assert np.isfinite(fitted.threshold).all()
    _, found = apply_rule(scores, fps=30, fitted=fitted)
    assert not ((found.onset <= 200) & (found.offset >= 101)).any()


@pytest.mark.parametrize("rule", [IntervalRule(), IntervalRule(cutoff_hz=(2, 1), order=3)])
def test_a_fitted_rule_survives_json(rule):
    rows = video("a", 1).annotations
    training = [video("a", 1)._replace(annotations=rows[rows.kind == "MaE"])]
    fitted = fit_rule(training, rule)
    assert fitted.threshold[0] == float("inf")
    text = json.dumps(fitted.to_json(), allow_nan=False)
    assert FittedRule.from_json(json.loads(text)) == fitted


@pytest.mark.parametrize("table", [4, 5, 6, 7])
def test_tables_of_intervals_say_where_these_lie_around_peaks(table):
    told = describe_protocol(Protocol(), table, IntervalRule(peak_share=0.7))
    more = ", around peaks, above 0.7 of their height" if table in (5, 7) else ""
    assert told == describe_protocol(Protocol(), table) + more


def test_tables_of_intervals_say_which_kinds_have_one_length():
    told = describe_protocol(Protocol(mean_lengths=(1.0, 0.0)), 5)
    assert told == describe_protocol(Protocol(), 5) + ", each ME the mean duration long"


def test_a_rule_saved_before_there_were_peaks_finds_runs():
    fitted = fit_rule([video("a", 1)])
    values = json.loads(json.dumps(fitted.to_json()))
    del values["rule"]["peak_share"]
    assert FittedRule.from_json(values) == fitted


def test_raw_curves_share_the_scale_of_the_frame_threshold():
    training = [video("a", 1), video("b", 2)]
    fitted = fit_rule(training, IntervalRule(cutoff_hz=(6, 3)))
    found = (
        normalise(training[0].scores, fps=training[0].fps, fitted=fitted) >= fitted.frame_threshold
    )
    assert (found == training[0].labels).mean() > 0.99


def test_unknown_rules_are_refused():
    options = {"matching": Protocol(), "threshold": Protocol(), "normalisation": IntervalRule()}
    for field, kind in options.items():
        with pytest.raises(ValueError, match=field):
            dataclasses.replace(kind, **{field: "magic"})
    with pytest.raises(ValueError, match="at least one"):
        fit_rule([])


def test_cutoff_is_a_period_of_twice_k():
    assert cutoff_from_k((6 / 30, 19 / 30)) == pytest.approx((2.5, 30 / 38))
    assert cutoff_from_k((0.5, 1.0), cycles=2) == (2.0, 1.0)
