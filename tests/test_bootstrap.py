from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from jaxspot.evaluation.bootstrap import bootstrap_difference, bootstrap_f1, draw_subjects
from jaxspot.evaluation.f1 import score_by_subject, score_intervals

KINDS = ["ME", "MaE", "overall"]


def tables(seed, *, subjects=6, videos=2, guesses=6):
    """Random predictions and labels that often touch, and the table of videos."""
    rng = np.random.default_rng(seed)
    names = [(f"s{i}", f"s{i}_{j}") for i in range(subjects) for j in range(videos)]
    rows = [], []
    for table, most in zip(rows, (guesses, 4), strict=True):
        for subject, video in names:
            for kind in ("ME", "MaE"):
                cuts = np.cumsum(rng.integers(1, 9, rng.integers(0, most) + 1))
                table += [(subject, video, kind, a, b - 1) for a, b in pairwise(cuts)]
    columns = ["subject", "video", "kind", "onset", "offset"]
    return (
        *(pd.DataFrame(table, columns=columns) for table in rows),
        pd.DataFrame(names, columns=["subject", "video"]),
    )


def counts(*rows):
    """A table of one kind's tp, predictions, ground_truth a subject, the same for all kinds."""
    columns = ["tp", "predictions", "ground_truth"]
    parts = [pd.DataFrame(rows, columns=columns).assign(kind=kind) for kind in KINDS]
    return pd.concat([p.assign(subject=[f"s{i}" for i in range(len(p))]) for p in parts])


@pytest.mark.parametrize("protocol", ["one_to_one", "megc2020"])
def test_it_equals_scoring_the_videos_of_every_draw_anew(protocol):
    guesses, labels, videos = tables(0)
    by_subject = score_by_subject(guesses, labels, videos=videos, matching=protocol)
    found = bootstrap_f1(by_subject, draws=25, level=0.8, seed=3)
    whole = score_intervals(guesses, labels, videos=videos, matching=protocol)
    drawn = {kind: [] for kind in KINDS}
    names = sorted(set(videos.subject))
    for times in draw_subjects(len(names), draws=25, seed=3):
        parts = [], [], []
        for subject, n in zip(names, times, strict=True):
            for copy in range(n):
                for part, table in zip(parts, (guesses, labels, videos), strict=True):
                    mine = table[table.subject == subject]
                    part.append(mine.assign(video=mine.video + f"/{copy}"))
        some, truth, seen = (pd.concat(part) for part in parts)
        scores = score_intervals(some, truth, videos=seen, matching=protocol)
        for kind in KINDS:
            drawn[kind].append(scores[kind]["f1"])
    for kind in KINDS:
        assert found[kind]["f1"] == whole[kind]["f1"]
        low, high = np.quantile(drawn[kind], [0.1, 0.9])
        assert (found[kind]["f1_low"], found[kind]["f1_high"]) == pytest.approx((low, high))
        assert found[kind]["f1_draws"] == 25


def test_megc2020_counts_what_was_predicted_not_tp_and_fp():
    # One prediction finds two labels: tp + fp is 2, predictions are 1.
    labels = pd.DataFrame(
        [("a", "ME", 1, 10), ("a", "ME", 11, 20)], columns=["video", "kind", "onset", "offset"]
    )
    videos = pd.DataFrame({"subject": ["s"], "video": ["a"]})
    guess = labels.iloc[:1].assign(offset=20)
    by_subject = score_by_subject(guess, labels, videos=videos, matching="megc2020")
    row = bootstrap_f1(by_subject)["ME"]
    assert row["f1"] == row["f1_low"] == row["f1_high"] == pytest.approx(4 / 3)


@pytest.mark.parametrize("protocol", ["one_to_one", "megc2020"])
def test_a_difference_is_taken_draw_by_draw(protocol):
    guesses, labels, videos = tables(1, guesses=9)
    others = tables(2, guesses=3)[0]
    rule = dict(videos=videos, matching=protocol)
    pair = [score_by_subject(table, labels, **rule) for table in (guesses, others)]
    found = bootstrap_difference(*pair, draws=60, seed=5)
    names = sorted(set(videos.subject))
    for kind in KINDS:
        curves = []
        for table in pair:
            rows = table[table.kind == kind].set_index("subject").to_dict("index")
            f1 = []
            for times in draw_subjects(len(names), draws=60, seed=5):
                tp = predictions = truth = 0
                for subject, n in zip(names, times, strict=True):
                    tp += n * rows[subject]["tp"]
                    predictions += n * rows[subject]["predictions"]
                    truth += n * rows[subject]["ground_truth"]
                precision, recall = tp / predictions, tp / truth
                f1.append(2 * precision * recall / (precision + recall) if tp else 0.0)
            curves.append(np.array(f1))
        low, high = np.quantile(curves[0] - curves[1], [0.025, 0.975])
        assert (found[kind]["low"], found[kind]["high"]) == pytest.approx((low, high))
        one, other = (bootstrap_f1(table)[kind]["f1"] for table in pair)
        assert found[kind]["difference"] == pytest.approx(one - other)


def test_a_method_differs_from_itself_by_nothing_and_from_another_with_the_sign():
    guesses, labels, videos = tables(4)
    table, better = (score_by_subject(x, labels, videos=videos) for x in (guesses, labels))
    for row in bootstrap_difference(table, table).values():
        assert (row["difference"], row["low"], row["high"]) == (0.0, 0.0, 0.0)
    there = bootstrap_difference(better, table, seed=1)
    back = bootstrap_difference(table, better, seed=1)
    for kind in KINDS:
        assert there[kind]["low"] > 0
        ends = [-back[kind][name] for name in ("difference", "high", "low")]
        assert ends == pytest.approx([there[kind][name] for name in ("difference", "low", "high")])


def test_one_subject_or_equal_subjects_have_no_width():
    for table in (counts((2, 5, 4)), counts(*[(2, 5, 4)] * 7)):
        for row in bootstrap_f1(table).values():
            assert row["f1"] == row["f1_low"] == row["f1_high"] == pytest.approx(4 / 9)


def test_order_of_rows_is_of_no_account_and_names_are_only_chance():
    rng = np.random.default_rng(0)
    rows = np.column_stack((rng.integers(0, 4, 20), rng.integers(4, 9, 20), rng.integers(4, 9, 20)))
    table = counts(*rows)
    first = bootstrap_f1(table)
    assert bootstrap_f1(table.sample(frac=1, random_state=0)) == first
    assert bootstrap_f1(table, seed=1) != first
    renamed = bootstrap_f1(counts(*rng.permutation(rows)))
    for kind in KINDS:
        assert renamed[kind]["f1"] == first[kind]["f1"]
        for end in ("f1_low", "f1_high"):
            assert renamed[kind][end] == pytest.approx(first[kind][end], abs=0.01)


def test_a_draw_without_prediction_and_label_has_no_f1_and_is_left_out():
    table = counts((1, 2, 1), (0, 0, 0), (0, 0, 0))
    row = bootstrap_f1(table, draws=4000)["ME"]
    # A draw misses the one subject that shows anything in (2/3)^3 of all cases.
    assert row["f1_draws"] == pytest.approx(4000 * (1 - 8 / 27), rel=0.05)
    assert row["f1_low"] == row["f1_high"] == row["f1"] == pytest.approx(2 / 3)
    pair = bootstrap_difference(table, table, draws=4000)["ME"]
    assert (pair["low"], pair["high"], pair["draws"]) == (0.0, 0.0, row["f1_draws"])


def test_without_any_prediction_and_label_there_is_no_interval():
    row = bootstrap_f1(counts((0, 0, 0), (0, 0, 0)))["ME"]
    assert row["f1"] == row["f1_draws"] == 0
    assert np.isnan([row["f1_low"], row["f1_high"]]).all()
    missed = bootstrap_f1(counts((0, 0, 3), (0, 2, 0)))["ME"]
    assert (missed["f1"], missed["f1_low"], missed["f1_high"]) == (0.0, 0.0, 0.0)
    assert missed["f1_draws"] == 2000


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        skill = rng.beta(2, 2, 30)  # subjects differ
        truth = rng.integers(2, 9, 30)
        tp = rng.binomial(truth, skill)
        table = counts(*np.column_stack((tp, tp + rng.poisson(3, 30), truth)))
        row = bootstrap_f1(table, draws=300)["ME"]
        covered += row["f1_low"] <= 2 * 2.5 / (2.5 + 3 + 5) <= row["f1_high"]
    assert 0.88 <= covered / 100 <= 0.99


def test_what_cannot_be_paired_is_refused():
    table = counts((1, 2, 3), (1, 2, 3))
    with pytest.raises(ValueError, match="same subjects"):
        bootstrap_difference(table, table[table.subject == "s0"])
    with pytest.raises(ValueError, match="same labels of ME"):
        bootstrap_difference(table, table.assign(ground_truth=4))
    with pytest.raises(ValueError, match="one row of kind overall"):
        bootstrap_f1(table[table.kind != "overall"])
    with pytest.raises(ValueError, match="one row of kind ME"):
        bootstrap_f1(pd.concat([table, table]))
    with pytest.raises(ValueError, match="at least one subject"):
        bootstrap_f1(table[:0])
