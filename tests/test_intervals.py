from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.spotting.intervals import find_around_peaks, find_intervals, intervals_table

curve = st.lists(st.sampled_from([0.0, 0.4, 0.5, 0.9, np.nan]), max_size=40)


def runs(scores, threshold):
    """Runs by itertools: (start, stop) of frames at or above the threshold."""
    spans, start = [], 0
    for above, group in groupby(scores, key=lambda s: s >= threshold):
        stop = start + len(list(group))
        spans += [(start, stop)] if above else []
        start = stop
    return spans


@given(curve, st.integers(1, 4), st.integers(1, 9))
def test_runs_and_length_limits(scores, shortest, longest):
    expected = [s for s in runs(scores, 0.5) if shortest <= s[1] - s[0] <= longest]
    got = find_intervals(np.array(scores), threshold=0.5, min_frames=shortest, max_frames=longest)
    assert got.shape == (len(expected), 2)
    assert list(map(tuple, got.tolist())) == expected


@given(curve, st.integers(0, 4))
def test_merging_joins_short_gaps_but_never_frames_without_a_score(scores, gap):
    expected = []
    for start, stop in runs(scores, 0.5):
        between = scores[expected[-1][1] : start] if expected else [np.nan]
        if len(between) <= gap and not np.isnan(between).any():
            expected[-1] = (expected[-1][0], stop)
        else:
            expected.append((start, stop))
    got = find_intervals(np.array(scores), threshold=0.5, merge_gap=gap)
    assert list(map(tuple, got.tolist())) == expected


def test_merging_comes_before_the_length_limits():
    scores = np.array([1.0, 1, 0, 1, 1])
    assert find_intervals(scores, threshold=1, min_frames=5, merge_gap=1).tolist() == [[0, 5]]
    assert find_intervals(scores, threshold=1, max_frames=4, merge_gap=1).tolist() == []


def test_an_infinite_threshold_finds_nothing():
    assert find_intervals(np.ones(5), threshold=np.inf).shape == (0, 2)


def walked_peaks(scores, share, shortest, longest, threshold):
    """Peaks by walking: from each top of the threshold down to either side, then highest first."""
    scores = [-9.0 if np.isnan(s) else s for s in scores]
    found, first = [], 0
    for height, group in groupby(scores):
        last = first + len(list(group)) - 1
        sides = scores[max(first - 1, 0) : first] + scores[last + 1 : last + 2]
        if height >= threshold and all(side < height for side in sides):
            start, stop = first, last + 1
            while start > 0 and scores[start - 1] > share * height:
                start -= 1
            while stop < len(scores) and scores[stop] > share * height:
                stop += 1
            if shortest <= stop - start <= longest:
                found.append((height, start, stop))
        first = last + 1
    kept = []
    for height, start, stop in sorted(found, key=lambda peak: -peak[0]):
        if not any(set(range(start, stop)) & set(range(*other[:2])) for other in kept):
            kept.append((start, stop, height))
    return sorted(kept)


wavy = st.lists(st.sampled_from([-0.5, *np.arange(11) / 10, np.nan]), max_size=40)


@given(
    wavy,
    st.sampled_from([0.1, 0.5, 0.7]),
    st.integers(1, 4),
    st.integers(1, 12),
    st.sampled_from([1e-9, 0.5, 0.8]),
)
def test_peaks_and_their_surroundings(scores, share, shortest, longest, threshold):
    limits = dict(min_frames=shortest, max_frames=longest)
    spans, heights = find_around_peaks(np.array(scores, float), share=share, **limits)
    found = [
        (*span, height)
        for span, height in zip(spans.tolist(), heights, strict=True)
        if height >= threshold
    ]
    assert found == walked_peaks(scores, share, shortest, longest, threshold)


def test_no_frame_with_a_score_is_no_peak():
    for scores in (np.zeros(0), np.full(5, np.nan), np.zeros(5), np.full(5, -1.0)):
        spans, heights = find_around_peaks(scores, share=0.5)
        assert spans.shape == (0, 2) and heights.shape == (0,)


def test_two_peaks_above_a_high_rest_are_two_intervals():
    curve = 0.6 + 0.4 * np.maximum(np.sin(np.linspace(0, 4 * np.pi, 80)), 0)
    assert len(find_intervals(curve, threshold=0.6)) == 1
    spans, _ = find_around_peaks(curve, share=0.7)
    assert len(spans) == 2 and (curve[spans[:, 0]] > 0.7).all()


def test_scores_of_both_kinds_at_once_are_refused():
    with pytest.raises(ValueError, match="one axis"):
        find_intervals(np.ones((5, 2)), threshold=0)
    with pytest.raises(ValueError, match="one axis"):
        find_around_peaks(np.ones((5, 2)), share=0.5)


def test_the_table_counts_frames_from_one():
    scores = np.array([[0, 0.2], [0.7, 0.8], [0.9, 0.9], [0, 0.6]])
    spans = {"ME": np.array([[1, 3]]), "MaE": np.array([[0, 2], [3, 4]])}
    rows = intervals_table(spans, scores, subject="s", video="v").values.tolist()
    assert rows == [
        ["s", "v", "MaE", 1, 2, 2, 0.8],
        ["s", "v", "ME", 2, 3, 3, 0.9],
        ["s", "v", "MaE", 4, 4, 4, 0.6],
    ]


def test_a_table_without_intervals_keeps_its_columns():
    empty = intervals_table({"ME": np.zeros((0, 2), int)}, np.zeros((4, 2)))
    assert list(empty) == list(INTERVAL_COLUMNS)
    some = intervals_table({"ME": np.array([[0, 2]])}, np.zeros((4, 2)))
    assert (empty.dtypes == some.dtypes).all()
