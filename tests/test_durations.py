import statistics

import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.durations import duration_table, k_frame, move_to_neutral_ratio
from jaxspot.errors import UserError


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


def test_table_2_of_labels_with_known_means():
    # SAMM-LV counts both ends: 0.15, 0.37, 0.51 s and 0.51, 2.17, 25.88 s at 200 fps.
    me, mae = [30, 89, 102, 75], [102, 5176, *[112] * 30]
    rows = [("a", "ME", 5, 4 + n) for n in me] + [("a", "MaE", 9, 8 + n) for n in mae]
    found = duration_table(table(*rows), fps=200, inclusive=True)
    assert list(found) == ["kind", "minimum", "mean", "maximum", "k", "count"]
    assert found.kind.tolist() == ["ME", "MaE"] and found["count"].tolist() == [4, 32]
    assert found.minimum.tolist() == [0.15, 0.51] and found.maximum.tolist() == [0.51, 25.88]
    assert found["mean"].tolist() == pytest.approx([0.37, statistics.mean(mae) / 200])
    assert found.k.tolist() == [37, (statistics.mean(mae) + 1) // 2]


def test_table_2_without_the_last_frame():
    # CAS(ME)^2 does not: 8, 13 and 16 frames at 30 fps are 0.27, 0.43 and 0.53 s.
    rows = [("a", "ME", 1, 1 + n) for n in (8, 13, 16)]
    found = duration_table(table(*rows), fps=30, inclusive=False)
    assert found.round(2).iloc[0].tolist() == ["ME", 0.27, 0.41, 0.53, 6, 3]
    assert found.iloc[1, 1:4].isna().all() and found.k.isna()[1] and found["count"][1] == 0
    counted = duration_table(table(*rows), fps=30, inclusive=True)
    assert counted.minimum[0] == pytest.approx(9 / 30) and counted.k[0] == 7


@pytest.mark.parametrize("inclusive", [False, True])
def test_table_2_agrees_with_k_frame_and_a_sum_over_rows(inclusive):
    rng = np.random.default_rng(5)
    onset, length = rng.integers(1, 900, 40), rng.integers(0, 300, 40)
    names, kinds = rng.choice(["a", "b"], 40), rng.choice(["ME", "MaE"], 40)
    labels = table(*zip(names, kinds, onset, onset + length, strict=True))
    for rates in ({"a": 30, "b": 30}, pd.Series({"b": 25.0, "a": 50.0, "c": 9.0})):
        found = duration_table(labels, fps=rates, inclusive=inclusive).set_index("kind")
        for kind in ("ME", "MaE"):
            rows = [row for row in labels.itertuples() if row.kind == kind]
            seconds = [(r.offset - r.onset + inclusive) / rates[r.video] for r in rows]
            known = [min(seconds), statistics.fmean(seconds), max(seconds)]
            assert found.loc[kind, ["minimum", "mean", "maximum"]].tolist() == pytest.approx(known)
        if rates["a"] == rates["b"]:
            assert found.k.to_dict() == k_frame(labels, inclusive=inclusive)
        else:
            assert found.k.isna().all()


def test_table_2_needs_the_fps_of_each_video():
    labels = table(("a", "ME", 1, 9), ("b", "ME", 1, 9))
    for fps in ({"a": 30}, pd.Series({"a": 30.0, "b": 0.0}), -1):
        with pytest.raises(UserError, match=r"video [ab]: fps is (nan|0\.0|-1\.0)"):
            duration_table(labels, fps=fps, inclusive=True)
    assert duration_table(table(), fps=30, inclusive=True)["count"].tolist() == [0, 0]


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
