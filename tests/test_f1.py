import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.annotations.intervals import frame_labels
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_by_subject, score_intervals
from jaxspot.spotting.intervals import find_intervals, intervals_table


def table(*rows):
    return pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])


def test_counts_of_a_hand_made_case():
    labels = table(("a", "ME", 10, 19), ("a", "MaE", 5, 44), ("b", "MaE", 1, 20))
    guesses = table(
        ("a", "ME", 10, 14),  # IoU 5 / 10
        ("a", "ME", 40, 49),
        ("a", "MaE", 5, 23),  # 19 / 40
        ("b", "MaE", 1, 30),  # 20 / 30
        ("c", "ME", 1, 9),
    )
    scores = score_intervals(guesses, labels, videos=["a", "b", "c"])
    assert scores["ME"] == dict(
        predictions=3, ground_truth=1, tp=1, fp=2, fn=0, precision=1 / 3, recall=1.0, f1=0.5
    )
    assert scores["MaE"] == dict(
        predictions=2, ground_truth=2, tp=1, fp=1, fn=1, precision=0.5, recall=0.5, f1=0.5
    )
    assert scores["overall"]["tp"] == 2
    assert scores["overall"]["f1"] == pytest.approx(2 * 0.4 * (2 / 3) / (0.4 + 2 / 3))


def test_videos_without_a_label_still_count():
    labels, guesses = table(("a", "ME", 1, 9)), table(("a", "ME", 1, 9), ("b", "ME", 1, 9))
    scores = score_intervals(guesses, labels, videos=["a", "b"])["ME"]
    assert (scores["fp"], scores["precision"]) == (1, 0.5)


def test_kinds_are_kept_apart():
    labels, guesses = table(("a", "ME", 1, 9)), table(("a", "MaE", 1, 9))
    scores = score_intervals(guesses, labels, videos=["a"])
    assert [scores[kind]["tp"] for kind in ("ME", "MaE", "overall")] == [0, 0, 0]
    assert (scores["ME"]["fn"], scores["MaE"]["fp"]) == (1, 1)


def test_a_label_cannot_be_used_twice_unless_the_rule_says_so():
    labels, guesses = table(("a", "ME", 1, 20)), table(("a", "ME", 1, 12), ("a", "ME", 9, 20))
    strict = score_intervals(guesses, labels, videos=["a"])["ME"]
    assert (strict["tp"], strict["fp"]) == (1, 1)
    loose = score_intervals(guesses, labels, videos=["a"], matching="megc2020")["ME"]
    assert (loose["tp"], loose["fp"], loose["precision"]) == (1, 0, 0.5)


def test_f1_above_one_is_flagged():
    labels, guesses = table(("a", "ME", 1, 10), ("a", "ME", 11, 20)), table(("a", "ME", 1, 20))
    row = score_intervals(guesses, labels, videos=["a"], matching="megc2020")["ME"]
    assert row["f1"] == pytest.approx(4 / 3)
    assert "above 1" in row["note"]
    assert "note" not in score_intervals(guesses, labels, videos=["a"])["ME"]


def test_no_intervals_at_all_score_zero():
    scores = score_intervals(table(), table(), videos=["a"])
    assert all(row["f1"] == row["precision"] == row["recall"] == 0.0 for row in scores.values())


def test_a_strange_video_or_kind_is_named():
    with pytest.raises(UserError, match="'z'"):
        score_intervals(table(("z", "ME", 1, 2)), table(), videos=["a"])
    with pytest.raises(UserError, match=r"kind must be ME or MaE \(video=a, kind=Micro"):
        score_intervals(table(), table(("a", "Micro", 1, 2)), videos=["a"])


def cut_into_runs(labels, frames):
    guesses = []
    for name, rows in labels.groupby("video"):
        curve = frame_labels(rows, frames=frames).astype(float)
        spans = {k: find_intervals(curve[:, i], threshold=0.5) for i, k in enumerate(("ME", "MaE"))}
        guesses.append(intervals_table(spans, curve, video=name))
    return pd.concat(guesses) if guesses else table()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ME", "MaE"])), max_size=12))
def test_perfect_frame_labels_score_one_where_no_labels_touch(places):
    rows = [(v, kind, 10 * i + 1, 10 * i + 9) for i, (v, kind) in enumerate(places)]
    labels = table(*rows)
    scores = score_intervals(cut_into_runs(labels, 200), labels, videos=list("abc"))
    assert scores["overall"]["f1"] == (1.0 if rows else 0.0)


def test_touching_labels_merge_to_the_known_ceiling():
    # 1..10 and 11..20 become 1..20, which one of them reaches with IoU 1/2; 30..39 stays.
    labels = table(("a", "ME", 1, 10), ("a", "ME", 11, 20), ("a", "ME", 30, 39))
    scores = score_intervals(cut_into_runs(labels, 50), labels, videos=["a"])
    assert scores["ME"]["f1"] == pytest.approx(2 * 2 / (2 + 3))


def test_scores_by_subject_add_up():
    rng = np.random.default_rng(0)
    videos = pd.DataFrame({"subject": ["s1", "s1", "s2"], "video": ["a", "b", "c"]})

    def some(n):
        onset = rng.integers(1, 60, n)
        kinds, names = rng.choice(["ME", "MaE"], n), rng.choice(["a", "b", "c"], n)
        return table(*zip(names, kinds, onset, onset + rng.integers(5, 20, n), strict=True))

    guesses, labels = some(40), some(30)
    parts = score_by_subject(guesses, labels, videos=videos)
    whole = score_intervals(guesses, labels, videos=videos)
    for kind, row in whole.items():
        assert parts[parts.kind == kind].tp.sum() == row["tp"]
        assert parts[parts.kind == kind].fp.sum() == row["fp"]
