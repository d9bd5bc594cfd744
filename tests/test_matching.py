from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.evaluation.matching import interval_iou, match_intervals

interval = st.tuples(st.integers(1, 25), st.integers(0, 12)).map(lambda x: (x[0], x[0] + x[1]))


def intervals(most):
    return st.lists(interval, max_size=most).map(lambda x: np.array(x, int).reshape(-1, 2))


def iou_of_sets(a, b):
    a, b = (set(range(x[0], x[1] + 1)) for x in (a, b))
    return Fraction(len(a & b), len(a | b))


@given(intervals(5), intervals(5))
def test_iou_equals_that_of_frame_sets(a, b):
    expected = np.array([[float(iou_of_sets(x, y)) for y in b] for x in a])
    np.testing.assert_array_equal(interval_iou(a, b), expected.reshape(len(a), len(b)))


@given(st.integers(1, 60), st.integers(1, 60), st.sampled_from(["0.1", "0.3", "0.5", "0.7", "1"]))
def test_a_pair_on_the_boundary_is_decided_exactly(both, more, threshold):
    a, b = np.array([[1, both]]), np.array([[1, both + more]])
    found = match_intervals(a, b, iou=float(threshold)).truth[0] == 0
    assert found == (Fraction(both, both + more) >= Fraction(threshold))


def test_half_overlap_counts_and_lengths_are_inclusive():
    assert interval_iou([[1, 10]], [[1, 20]])[0, 0] == 0.5
    assert match_intervals([[1, 10]], [[1, 20]]).truth[0] == 0
    assert match_intervals([[1, 10]], [[1, 21]]).truth[0] == -1
    # Without the + 1 this would be 4 / 9.
    assert match_intervals([[1, 5]], [[1, 10]]).truth[0] == 0


def brute_one_to_one(a, b, threshold):
    """The most pairs, then the largest total IoU, over every injection."""
    if len(a) > len(b):
        a, b = b, a
    best = (0, Fraction(0))
    for choice in permutations(range(len(b)), len(a)):
        values = [iou_of_sets(x, b[j]) for x, j in zip(a, choice, strict=True)]
        values = [v for v in values if v >= threshold]
        best = max(best, (len(values), sum(values, Fraction(0))))
    return best


@given(intervals(4), intervals(5), st.sampled_from([Fraction(1, 10), Fraction(1, 2)]))
def test_one_to_one_is_a_best_matching(a, b, threshold):
    matching = match_intervals(a, b, iou=float(threshold))
    pairs = [(i, j) for i, j in enumerate(matching.predicted) if j >= 0]
    assert all(matching.truth[j] == i for i, j in pairs)
    assert len(pairs) == (matching.truth >= 0).sum()
    values = [iou_of_sets(a[i], b[j]) for i, j in pairs]
    assert all(v >= threshold for v in values)
    assert (len(pairs), sum(values, Fraction(0))) == brute_one_to_one(a, b, threshold)


def organisers_rule(a, b):
    """A literal loop over the MEGC 2020 rule: labels found, predictions that match nothing."""
    found, wrong = 0, 0
    for label in b:
        for guess in a:
            if iou_of_sets(guess, label) >= Fraction(1, 2):
                found += 1
                break
    for guess in a:
        if not any(iou_of_sets(guess, label) >= Fraction(1, 2) for label in b):
            wrong += 1
    return found, wrong


def check_organisers_rule(a, b):
    matching = match_intervals(a, b, matching="megc2020")
    got = (matching.truth >= 0).sum(), (matching.predicted < 0).sum()
    assert got == organisers_rule(a, b)
    for i, j in enumerate(matching.predicted):
        assert j < 0 or iou_of_sets(a[i], b[j]) == max(iou_of_sets(a[i], y) for y in b)


@given(intervals(6), intervals(6))
def test_megc2020_equals_a_loop(a, b):
    check_organisers_rule(a, b)


def test_megc2020_equals_a_loop_on_thousands_of_touching_and_nested_cases():
    rng = np.random.default_rng(5)
    for _ in range(2000):
        cuts = np.unique(rng.integers(1, 30, 5))
        touching = np.column_stack((cuts[:-1], cuts[1:] - 1))
        onset = rng.integers(1, 20, 3)
        nested = np.column_stack((onset, onset + rng.integers(0, 10, 3)))
        nested = np.concatenate((nested, np.add(nested[:1], [0, 3])))
        check_organisers_rule(nested, touching)
        check_organisers_rule(touching, nested)


def test_one_prediction_may_serve_two_labels_only_under_megc2020():
    guess, labels = [[1, 20]], [[1, 10], [11, 20]]
    assert (match_intervals(guess, labels, matching="megc2020").truth == [0, 0]).all()
    assert (match_intervals(guess, labels).truth >= 0).sum() == 1


@pytest.mark.parametrize("protocol", ["one_to_one", "megc2020"])
def test_nothing_against_something(protocol):
    none = np.zeros((0, 2), int)
    assert (match_intervals(none, [[1, 5]], matching=protocol).truth == [-1]).all()
    assert (match_intervals([[1, 5]], none, matching=protocol).predicted == [-1]).all()
    assert match_intervals([], [], matching=protocol).truth.shape == (0,)


def test_what_is_not_an_interval_is_refused():
    with pytest.raises(TypeError, match="whole frames"):
        match_intervals([[1.5, 2.0]], [[1, 2]])
    with pytest.raises(ValueError, match="shape"):
        interval_iou([1, 2], [[1, 2]])
    with pytest.raises(ValueError, match="iou"):
        match_intervals([[1, 2]], [[1, 2]], iou=0)
    with pytest.raises(ValueError, match="matching"):
        match_intervals([[1, 2]], [[1, 2]], matching="megc")
