import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from moving_squares import moving_square, texture
from tiny_banks import write_bank

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines import PEERS
from jaxspot.baselines.dense_flow import dense_flow, direction_bins, dominant_bin
from jaxspot.baselines.feature_difference import relative_height
from jaxspot.baselines.mdmd import (
    SECONDS,
    block_differences,
    block_pixels,
    contrast,
    frame_difference,
    maximal_difference,
    mdmd,
    runs,
)
from jaxspot.video.bank import open_bank

QUADRANTS: dict[str, Any] = dict(bins=4, first=-np.pi / 4)


def test_sectors_of_the_circle():
    around = np.array([[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]])
    assert direction_bins(around[::2], **QUADRANTS).tolist() == [0, 1, 2, 3]
    turned = np.array([[1, 0.9], [1, 1.1], [-1, 1.1], [-1, 0.9], [-1, -0.9], [1, -1.1], [1, -0.9]])
    assert direction_bins(turned, **QUADRANTS).tolist() == [0, 1, 1, 2, 2, 3, 0]
    assert direction_bins(around, bins=6).tolist() == [0, 0, 1, 2, 3, 3, 4, 5]
    # Rounding must not make a sector of its own of what lies just before the first.
    assert direction_bins(np.array([1.0, -1e-30]), bins=6) in (0, 5)
    assert direction_bins(np.zeros((2, 3, 2)), bins=6).tolist() == [[0] * 3] * 2


def test_the_main_direction_is_that_of_most_or_of_the_heaviest():
    directions = np.array([[0, 0, 0, 2, 2], [1, 3, 3, -1, -1]])
    weights = np.array([[1, 1, 1, 2, 2], [9, 1, 1, 99, 99]])
    assert dominant_bin(directions, bins=4).tolist() == [0, 3]
    assert dominant_bin(directions, bins=4, weights=weights).tolist() == [2, 1]


def test_flow_of_a_known_shift():
    wave = texture(160)
    first, second = (wave[20:132, x : x + 112].astype(np.uint8) for x in (20, 18))
    flow = dense_flow()(first, second)
    assert flow.shape == (112, 112, 2) and flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow.reshape(-1, 2), axis=0), [2, 0], atol=0.1)
    np.testing.assert_array_equal(dense_flow()(first, first), 0)


def test_threshold_between_mean_and_maximum():
    curve = np.array([np.nan, 1, 1, 2, 8])
    assert relative_height(curve, p=0.25) == pytest.approx(3 + 0.25 * 5)


def test_every_pixel_is_in_its_block():
    cells = block_pixels((112, 112), blocks=6)
    assert sorted(cells[cells >= 0]) == list(range(112 * 112))
    rows, columns = np.divmod(cells[7][cells[7] >= 0], 112)
    assert set(rows) == set(columns) == set(range(19, 38))  # ceil(112 / 6) to ceil(112 / 3) - 1


def test_one_block_that_moves_and_comes_back():
    there, back = np.zeros((2, 112, 112, 2), np.float32)
    there[19:38, 19:38, 0] = 2
    cells = block_pixels((112, 112), blocks=6)
    np.testing.assert_array_equal(block_differences(there, back, cells), 2 * np.eye(36)[7])
    assert frame_difference(there, back, cells) == pytest.approx(2 / 12)
    assert frame_difference(there, there, cells) == 0
    # Where it moves on, the difference is negative; it is not among the top third.
    assert block_differences(there, 2 * there, cells)[7] == -2
    assert frame_difference(there, 2 * there, cells) == 0


def test_the_third_of_the_vectors_in_the_main_direction():
    there, back = np.zeros((2, 6, 6, 2))
    there.reshape(-1, 2)[:20, 0] = np.arange(1, 21)
    there.reshape(-1, 2)[20:, 1] = -90  # 16 vectors up: longer, but fewer
    back.reshape(-1, 2)[:20, 1] = 0.5
    found = block_differences(there, back, block_pixels((6, 6), blocks=1))
    np.testing.assert_allclose(found, [np.mean(np.arange(15, 21)) - 0.5])


def test_blocks_equal_a_plain_formula():
    there, back = np.random.default_rng(3).normal(size=(2, 20, 26, 2))
    expected = []
    for rows in np.array_split(np.arange(20), 4):
        for columns in (range(7), range(7, 13), range(13, 20), range(20, 26)):
            by_direction = [[], [], [], []]
            for y in rows:
                for x in columns:
                    right, down = there[y, x]
                    upright = abs(down) > abs(right)
                    sector = (1 if down > 0 else 3) if upright else (0 if right > 0 else 2)
                    loss = np.hypot(right, down) - np.hypot(*back[y, x])
                    by_direction[sector].append(loss)
            main = sorted(max(by_direction, key=len), reverse=True)
            expected.append(np.mean(main[: max(1, len(main) // 3)]))
    found = block_differences(there, back, block_pixels((20, 26), blocks=4))
    np.testing.assert_allclose(found, expected)


def test_contrast_of_a_sine_has_a_known_gain():
    wave = np.sin(2 * np.pi * np.arange(400) / 40)
    wave[:11] = wave[-11:] = np.nan
    found = contrast(wave, k=11)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wave))
    gain = 1 - np.cos(2 * np.pi * 10 / 40)
    np.testing.assert_allclose(found[21:-21], gain * wave[21:-21], atol=1e-9)


def test_contrast_keeps_what_lies_below_and_repeats_the_ends():
    found = contrast(np.array([np.nan, np.nan, 4, 0, 8, np.nan, np.nan]), k=2)
    np.testing.assert_array_equal(found[2:5], [4 - (4 + 0) / 2, 0 - (4 + 8) / 2, 8 - (0 + 8) / 2])
    assert np.isnan(contrast(np.full(4, np.nan), k=2)).all()


def blocks_of_ones(lengths):
    parts = [np.r_[np.zeros(200), np.ones(n)] for n in lengths]
    return np.concatenate([*parts, np.zeros(200)])


@pytest.mark.parametrize(("fps", "shortest", "longest"), [(30, 7, 16), (200, 47, 105)])
def test_limits_of_length_at_the_published_rates(fps, shortest, longest):
    curve = blocks_of_ones([shortest - 1, shortest, longest, longest + 1])
    lengths = lambda kind: np.diff(runs(curve, kind=kind, fps=fps)).ravel().tolist()
    assert lengths("ME") == [shortest, longest]
    assert lengths("MaE") == [longest + 1]
    assert {kind: round(s * fps) for kind, s in SECONDS.items()} == (
        {"ME": 12, "MaE": 39} if fps == 30 else {"ME": 80, "MaE": 260}
    )


def test_runs_lie_above_the_threshold():
    curve = np.zeros(100)
    curve[10:20], curve[40:50], curve[:2] = 1, 0.2, np.nan
    # The mean is 12 / 98 = 0.12; thresholds 0.13 and 0.56.
    assert runs(curve, kind="ME", fps=30).tolist() == [[10, 20], [40, 50]]
    assert runs(curve, kind="ME", fps=30, p=0.5).tolist() == [[10, 20]]
    assert len(runs(np.zeros(100), kind="ME", fps=30)) == 0


def test_a_square_that_moves_and_comes_back_is_found():
    shifts = np.zeros(90, int)
    shifts[40:50] = 3
    seen = []
    scores, found = mdmd(
        moving_square(shifts), fps=30.0, subject="s", video="v", on_frame=seen.append
    )
    assert scores.shape == (90, 2) and scores.dtype == np.float32
    assert list(found) == list(INTERVAL_COLUMNS)
    assert found[["subject", "video", "kind", "onset", "offset"]].to_numpy().tolist() == [
        ["s", "v", "ME", 41, 50]
    ]
    # The third of the blocks holds the square's (4 whole, others in part).
    assert 1 < np.nanmax(scores[:, 0]) < 3.5
    assert np.isnan(scores[:, 0]).tolist() == [True] * 12 + [False] * 66 + [True] * 12
    assert np.isnan(scores[:, 1]).tolist() == [True] * 39 + [False] * 12 + [True] * 39
    assert sum(seen) == 90


def test_difference_takes_the_frames_k_before_and_after():
    clip = moving_square([0, 1, 3, 2, 0, 1, 3])
    found = maximal_difference(clip, skips=[1, 2])
    flow, cells = dense_flow(), block_pixels((112, 112), blocks=6)
    for column, k in enumerate((1, 2)):
        for i in range(k, 7 - k):
            there, back = flow(clip[i - k], clip[i]), flow(clip[i - k], clip[i + k])
            assert found[i, column] == frame_difference(there, back, cells)
    assert np.isnan(found).sum(axis=0).tolist() == [2, 4]


@pytest.mark.parametrize("frames", [0, 1, 24, 30])
def test_a_still_or_short_video_has_nothing(frames):
    clip = moving_square(np.zeros(frames, int))
    scores, found = mdmd(clip, fps=30.0)
    assert scores.shape == (frames, 2)
    assert np.isnan(scores[:, 1]).all()
    assert len(found) == 0


def test_a_bank_is_spotted_video_by_video(tmp_path):
    bank = open_bank(write_bank(tmp_path, subjects=2, frames=45))
    seen = []
    spot: Any = PEERS["mdmd"]
    scores, found = spot(bank, folds=[], k=None, seed=0, on_frame=seen.append)
    alone = mdmd(bank.frames("s2_1"), fps=30.0, subject="s2", video="s2_1")
    assert list(scores) == ["s1_1", "s2_1"]
    np.testing.assert_array_equal(scores["s2_1"], alone[0])
    pd.testing.assert_frame_equal(found.query("subject == 's2'").reset_index(drop=True), alone[1])
    assert sum(seen) == 90


def test_memory_grows_by_a_few_numbers_a_frame():
    def peak(frames):
        clip = moving_square(np.arange(frames) % 3, size=32, rows=(8, 20), columns=(8, 20))
        tracemalloc.start()
        mdmd(clip, fps=5.0)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(20)
    # A frame has 1 kB, its flow 8 kB.
    assert peak(320) - peak(20) < 300 * 200
