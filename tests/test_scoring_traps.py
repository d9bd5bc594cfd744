"""What published scorers of this field got wrong, and ours must not: each trap once."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.evaluation.f1 import score_by_subject, score_intervals

PROTOCOLS = ("one_to_one", "megc2020")
KINDS = ("ME", "MaE")
OTHER = {"ME": "MaE", "MaE": "ME"}


def table(*rows):
    return pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])


def some(rng, videos, most):
    """Random intervals of both kinds: touching runs, and others inside or across them."""
    rows = []
    for video in videos:
        for kind in KINDS:
            cuts = np.cumsum(rng.integers(1, 9, rng.integers(1, most + 2)))
            spans = list(zip(cuts[:-1], cuts[1:] - 1, strict=True))
            for onset, offset in spans[:2]:
                a, b = np.sort(rng.integers(onset, offset + 4, 2))
                spans.append((a, b))
            keep = rng.random(len(spans)) < 0.7
            rows += [(video, kind, *s) for s, kept in zip(spans, keep, strict=True) if kept]
    return table(*rows)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_in_videos_without_the_kind_are_wrong(protocol, kind):
    videos = list("abcdef")
    guesses = some(np.random.default_rng(0), videos, 9)
    seen = guesses.video < "c"
    labels = guesses[seen | (guesses.kind != kind)]
    wrong = int((~seen & (guesses.kind == kind)).sum())
    row = score_intervals(guesses, labels, videos=videos, matching=protocol)[kind]
    assert (row["tp"], row["fp"], row["fn"]) == (row["ground_truth"], wrong, 0)
    assert row["f1"] < 0.6
    # The trap: only videos with a label of the kind are scored.
    only = score_intervals(guesses[seen], labels[labels.video < "c"], videos=list("ab"))[kind]
    assert only["f1"] == 1.0


def test_a_subject_without_labels_has_its_predictions_counted():
    videos = pd.DataFrame({"subject": ["s1", "s2"], "video": ["a", "b"]})
    rows = score_by_subject(
        table(("b", "ME", 1, 9)), table(("a", "ME", 1, 9)), videos=videos
    ).set_index(["subject", "kind"])
    assert rows.fp[("s2", "ME")] == rows.fp[("s2", "overall")] == rows.fn[("s1", "ME")] == 1


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_a_label_is_found_once_however_often_it_is_predicted(copies):
    labels = table(("a", "ME", 11, 20), ("a", "ME", 60, 69))
    guesses = table(*[("a", "ME", 11, 20 - i) for i in range(copies)])
    strict = score_intervals(guesses, labels, videos=["a"])["ME"]
    assert (strict["tp"], strict["fp"], strict["fn"]) == (1, copies - 1, 1)
    loose = score_intervals(guesses, labels, videos=["a"], matching="megc2020")["ME"]
    assert (loose["tp"], loose["precision"], loose["fn"]) == (1, 1 / copies, 1)


def test_no_interval_is_used_twice_under_one_to_one():
    rng = np.random.default_rng(1)
    for _ in range(100):
        labels, guesses = some(rng, ["a"], 8), some(rng, ["a"], 8)
        for row in score_intervals(guesses, labels, videos=["a"]).values():
            assert row["tp"] + row["fp"] == row["predictions"]
            assert row["tp"] + row["fn"] == row["ground_truth"]
            assert row["f1"] <= 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_kind_is_scored_as_if_the_other_were_not_there(protocol):
    rng, videos = np.random.default_rng(2), list("abc")
    labels, guesses = some(rng, videos, 6), some(rng, videos, 6)
    rule = dict(videos=videos, matching=protocol)
    scores = score_intervals(guesses, labels, **rule)
    for kind in KINDS:
        mine = [x[x.kind == kind] for x in (guesses, labels)]
        alone = score_intervals(*mine, **rule)
        assert alone[kind] == alone["overall"] == scores[kind]
    swapped = score_intervals(
        *(x.assign(kind=x.kind.map(OTHER)) for x in (guesses, labels)), **rule
    )
    assert swapped == {OTHER.get(kind, kind): row for kind, row in scores.items()}
    for name in ("tp", "fp", "fn", "predictions", "ground_truth"):
        assert scores["overall"][name] == scores["ME"][name] + scores["MaE"][name]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_kind_is_what_was_predicted_not_what_its_length_suggests(protocol):
    long_me, short_mae = ("a", "ME", 1, 90), ("a", "MaE", 200, 205)
    scores = score_intervals(
        table(long_me, short_mae),
        table(long_me, short_mae),
        videos=["a"],
        matching=protocol,
    )
    assert [scores[kind]["f1"] for kind in (*KINDS, "overall")] == [1.0, 1.0, 1.0]
    crossed = score_intervals(
        table(("a", "MaE", 1, 90), ("a", "ME", 200, 205)),
        table(long_me, short_mae),
        videos=["a"],
        matching=protocol,
    )
    assert crossed["overall"]["tp"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_lengths_count_both_ends_and_exactly_half_is_enough(protocol):
    # One video a case: a label of 8 to 16 frames and a prediction of 4 to 32 across it.
    cases = [
        (label, shift, guess)
        for label in range(8, 17)
        for shift in range(-8, 9, 2)
        for guess in range(4, 33, 3)
    ]
    names = [str(case) for case in cases]
    labels = [(100, 99 + label) for label, _, _ in cases]
    guesses = [(100 + shift, 99 + shift + guess) for _, shift, guess in cases]
    rows = [
        table(*[(name, "ME", *span) for name, span in zip(names, spans, strict=True)])
        for spans in (guesses, labels)
    ]
    found = score_intervals(*rows, videos=names, matching=protocol)["ME"]["tp"]

    def hits(more, enough):
        """How many pairs would be found with lengths of offset - onset + more."""
        count = 0
        for a, b in zip(labels, guesses, strict=True):
            both = max(0, min(a[1], b[1]) - max(a[0], b[0]) + more)
            count += enough(2 * both, a[1] - a[0] + b[1] - b[0] + 2 * more - both)
        return count

    assert found == hits(1, int.__ge__)
    assert found > hits(1, int.__gt__)
    assert found > hits(0, int.__ge__)


def near(a, b):
    """Whether two intervals share at least half of the frames that either has."""
    a, b = (set(range(onset, offset + 1)) for onset, offset in (a, b))
    return 2 * len(a & b) >= len(a | b)


def by_the_organisers(guesses, labels, videos):
    """The rule of MEGC 2020 as a loop over videos, kinds and pairs."""
    names = ("predictions", "ground_truth", "tp", "fp", "fn")
    counts = {kind: dict.fromkeys(names, 0) for kind in (*KINDS, "overall")}
    tables = [x.values.tolist() for x in (guesses, labels)]
    for place in ((video, kind) for video in videos for kind in KINDS):
        mine, truth = ([(a, b) for *x, a, b in rows if tuple(x) == place] for rows in tables)
        found = sum(any(near(guess, label) for guess in mine) for label in truth)
        wrong = sum(not any(near(guess, label) for label in truth) for guess in mine)
        here = (len(mine), len(truth), found, wrong, len(truth) - found)
        for total in (counts[place[1]], counts["overall"]):
            for name, number in zip(names, here, strict=True):
                total[name] += number
    return counts


def check_organisers_rule(guesses, labels, videos):
    scores = score_intervals(guesses, labels, videos=videos, matching="megc2020")
    for kind, counts in by_the_organisers(guesses, labels, videos).items():
        row = scores[kind]
        assert {name: row[name] for name in counts} == counts
        precision = Fraction(counts["tp"], max(counts["predictions"], 1))
        recall = Fraction(counts["tp"], max(counts["ground_truth"], 1))
        f1 = 2 * precision * recall / (precision + recall) if counts["tp"] else Fraction(0)
        assert row["precision"] == pytest.approx(float(precision))
        assert row["recall"] == pytest.approx(float(recall))
        assert row["f1"] == pytest.approx(float(f1))
        assert ("note" in row) == (f1 > 1)


def test_megc2020_equals_the_rule_on_thousands_of_touching_and_nested_cases():
    rng, videos = np.random.default_rng(3), [str(n) for n in range(10)]
    touching = nested = serving = 0
    for _ in range(150):  # 20 cases each
        guesses, labels = some(rng, videos, 4), some(rng, videos, 4)
        check_organisers_rule(guesses, labels, videos)
        row = score_intervals(guesses, labels, videos=videos, matching="megc2020")["overall"]
        serving += row["tp"] + row["fp"] != row["predictions"]
        pairs = labels.merge(labels, on=["video", "kind"])
        touching += (pairs.offset_x + 1 == pairs.onset_y).any()
        nested += ((pairs.onset_x < pairs.onset_y) & (pairs.offset_y < pairs.offset_x)).any()
    assert min(touching, nested, serving) > 50


span = st.tuples(
    st.sampled_from("ab"), st.sampled_from(KINDS), st.integers(1, 20), st.integers(0, 9)
)
spans = st.lists(span.map(lambda x: (*x[:3], x[2] + x[3])), max_size=8)


@given(spans, spans)
def test_megc2020_equals_the_rule_on_drawn_cases(guesses, labels):
    check_organisers_rule(table(*guesses), table(*labels), ["a", "b", "still"])
