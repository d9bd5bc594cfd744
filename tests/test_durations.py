import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.durations import k_frame, move_to_neutral_ratio


def table(*rows):
    return pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])


def test_k_is_half_the_mean_duration():
    # ME of 73 and 74 frames: N = 73.5, k = floor(37.25); MaE of 433: k = 217.
    labels = table(("a", "ME", 1, 73), ("a", "ME", 101, 174), ("a", "MaE", 1, 433))
    assert k_frame(labels) == {"ME": 37, "MaE": 217}


def test_k_counts_both_ends_or_not():
    labels = table(("a", "ME", 1, 12), ("a", "MaE", 1, 38))
    assert k_frame(labels) == {"ME": 6, "MaE": 19}
    assert k_frame(table(("a", "ME", 1, 10)), inclusive=False) == {"ME": 5}
    assert k_frame(table(("a", "ME", 1, 11)), inclusive=True) == {"ME": 6}


def test_k_takes_durations_and_leaves_out_a_kind_without_any():
    assert k_frame({"ME": [11, 12, 13], "MaE": []}) == {"ME": 6}
    assert k_frame({"MaE": np.array([37.0, 38.0])}) == {"MaE": 19}
    assert k_frame(table()) == {}


def test_ratio_is_that_of_sets_of_frames():
    rng = np.random.default_rng(3)
    videos = pd.DataFrame(
        {"subject": ["s2", "s1", "s2"], "video": ["a", "b", "c"], "frames": [90, 70, 50]}
    )
    onset = rng.integers(1, 40, 12)
    kinds, names = rng.choice(["ME", "MaE"], 12), rng.choice(["a", "b"], 12)
    labels = table(*zip(names, kinds, onset, onset + rng.integers(0, 11, 12), strict=True))
    moved = {(r.video, f) for r in labels.itertuples() for f in range(r.onset, r.offset + 1)}
    pooled, by_subject = move_to_neutral_ratio(labels, videos)
    assert pooled == len(moved) / (210 - len(moved))
    in_a = sum(video == "a" for video, _ in moved)
    assert by_subject.to_dict() == {
        "s2": in_a / (140 - in_a),
        "s1": (len(moved) - in_a) / (70 - len(moved) + in_a),
    }


def test_ratio_at_the_ends():
    videos = pd.DataFrame({"subject": ["s"], "video": ["a"], "frames": [10]})
    assert move_to_neutral_ratio(table(), videos)[0] == 0.0
    assert move_to_neutral_ratio(table(("a", "ME", 1, 10)), videos)[0] == pytest.approx(np.inf)
