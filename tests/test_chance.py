from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.evaluation.chance import place_at_random, random_floor


@given(st.lists(st.integers(1, 12), max_size=6), st.integers(12, 60), st.integers(0, 99))
def test_lengths_are_kept_inside_the_video_and_apart_where_they_fit(lengths, frames, seed):
    placed = place_at_random(lengths, frames, np.random.default_rng(seed))
    assert sorted((placed[:, 1] - placed[:, 0] + 1).tolist()) == sorted(lengths)
    assert (placed >= 1).all()
    assert (placed <= frames).all()
    if sum(lengths) <= frames:
        placed = placed[placed[:, 0].argsort()]
        assert (placed[1:, 0] > placed[:-1, 1]).all()


def test_every_placement_is_as_likely():
    rng = np.random.default_rng(0)
    drawn = Counter(
        tuple(sorted(map(tuple, place_at_random([2, 1], 5, rng).tolist()))) for _ in range(6000)
    )
    pair = [(a, a + 1) for a in range(1, 5)]
    possible = [tuple(sorted((p, (s, s)))) for p in pair for s in range(1, 6) if s not in p]
    assert set(drawn) == set(possible)
    share = np.array([drawn[x] for x in possible]) / 6000
    np.testing.assert_allclose(share, 1 / len(possible), atol=0.015)


def tables(predictions):
    columns = ["video", "kind", "onset", "offset"]
    videos = pd.DataFrame({"video": ["a", "b"], "frames": [100, 40]})
    labels = pd.DataFrame([("a", "ME", 41, 50)], columns=columns)
    return pd.DataFrame(predictions, columns=columns), labels, videos


def test_the_mean_is_the_chance_of_a_hit():
    guesses, labels, videos = tables([("a", "ME", 1, 10)])
    floor = random_floor(guesses, labels, videos, draws=4000, seed=1)
    # Of 91 places, a shift by -3..3 reaches IoU 1/2 (7 / 13); one prediction, one label.
    assert floor["ME"]["f1"] == pytest.approx(7 / 91, abs=0.012)
    assert floor["ME"]["tp"] == pytest.approx(floor["overall"]["f1"])
    assert floor["ME"]["f1_p95"] == 1.0
    assert floor["MaE"]["f1"] == 0.0


def test_counts_of_predictions_are_ours_also_in_videos_without_labels():
    guesses, labels, videos = tables([("a", "MaE", 1, 9), ("b", "ME", 1, 9), ("b", "ME", 3, 40)])
    floor = random_floor(guesses, labels, videos, draws=3, seed=1)
    assert floor["ME"]["predictions"] == 2
    assert floor["overall"]["predictions"] == 3
    assert floor["ME"]["ground_truth"] == 1


def test_a_seed_decides_and_other_videos_do_not():
    guesses, labels, videos = tables([("a", "ME", 1, 12), ("b", "ME", 1, 9)])
    one = random_floor(guesses, labels, videos, draws=200, seed=1)
    assert one == random_floor(guesses, labels, videos.iloc[::-1], draws=200, seed=1)
    assert one != random_floor(guesses, labels, videos, draws=200, seed=2)
