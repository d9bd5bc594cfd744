import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from moving_squares import moving_square, texture
from tiny_banks import write_bank

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines import PEERS
from jaxspot.baselines.sp_fd import (
    POINTS,
    by_duration,
    head_motion,
    region_corners,
    region_magnitudes,
    region_spans,
    region_speeds,
    smooth_inside,
    sp_fd,
)
from jaxspot.video.bank import open_bank

MOUTH: dict[str, Any] = dict(rows=(66, 104), columns=(34, 78))


def test_regions_lie_inside_the_face_where_their_landmarks_are():
    corners: dict[int, Any] = dict(zip(POINTS, region_corners() + 8, strict=True))
    assert len(corners) == 12
    assert (region_corners() >= 0).all() and (region_corners() + 16 <= 112).all()
    for point, mirrored in ((18, 25), (19, 24), (20, 23), (48, 54)):
        assert corners[point][0] + corners[mirrored][0] == pytest.approx(112, abs=2)
        assert corners[point][1] == pytest.approx(corners[mirrored][1], abs=1)
    brow, bridge, tip, lip, chin_side = (corners[i][1] for i in (19, 28, 30, 51, 57))
    assert brow < bridge < tip < lip < chin_side


def test_motion_of_the_head_by_hand():
    np.testing.assert_allclose(head_motion(np.array([[3.0, 4], [-3, 4]])), [0, 5])
    np.testing.assert_allclose(head_motion(np.tile([0.6, -0.8], (9, 1))), [0.6, -0.8])
    np.testing.assert_array_equal(head_motion(np.array([[1.0, 0], [-1, 0]])), 0)


@pytest.mark.parametrize("motion", [(2.0, 0.0), (-0.5, 1.25), (0.0, 0.0)])
def test_a_head_that_moves_as_one_leaves_nothing(motion):
    flow = np.full((112, 112, 2), motion, np.float32)
    np.testing.assert_allclose(region_magnitudes(flow, region_corners()), 0, atol=1e-12)


def test_one_region_moves_besides_the_head():
    corners = region_corners()
    flow = np.full((112, 112, 2), (1.0, -1.0))
    x, y = corners[POINTS.index(57)]
    flow[y : y + 16, x : x + 16] += (3, 4)
    found = dict(zip(POINTS, region_magnitudes(flow, corners), strict=True))
    assert found[57] == pytest.approx(5)
    assert [i for i in POINTS if found[i] > 1e-9] == [51, 57]  # the upper lip's square meets it


def test_the_main_direction_has_the_largest_sum_of_lengths():
    flow = np.zeros((112, 112, 2))
    flow[10:26, 10:26, 0] = 1  # 256 vectors of length 1 to the right,
    flow[22:26, 10:26] = (0, -4)  # of which 64 go up instead: 192 against 256
    corners = np.array([[10, 10], [50, 50], [80, 80]])
    np.testing.assert_allclose(region_magnitudes(flow, corners), [4, 0, 0])
    flow[22:26, 10:26] = (0, -2)  # 192 against 128
    np.testing.assert_allclose(region_magnitudes(flow, corners), [1, 0, 0])


def test_the_filter_keeps_a_cubic_and_sees_nothing_of_the_margins():
    t = np.linspace(-1, 1, 120)
    speeds = np.column_stack([t**3 - t, 2 - t**2])
    wild = speeds.copy()
    wild[:14], wild[-14:], wild[0] = 99, -99, np.nan
    found = smooth_inside(wild, fps=30, margin=14 / 30, window_seconds=0.5)
    assert np.isnan(found[:14]).all() and np.isnan(found[-14:]).all()
    np.testing.assert_allclose(found[14:-14], speeds[14:-14], atol=1e-12)
    ends = smooth_inside(np.r_[[[np.nan]], np.ones((20, 1))], fps=30, margin=0, window_seconds=0.5)
    assert np.isnan(ends).ravel().tolist() == [True] + [False] * 20


def triangle(frames, peaks):
    """Peaks (frame, height, half width) on 0, with straight sides."""
    t = np.arange(frames)
    return np.max([h * np.maximum(0, 1 - abs(t - at) / half) for at, h, half in peaks], axis=0)


def test_regions_are_cut_at_their_feet_and_united():
    first = triangle(200, [(40, 2.0, 5), (100, 1.7, 5), (150, 1.5, 5)])  # 1.5 is below 0.8 * 2
    second = triangle(200, [(44, 1.0, 5)])
    weak = triangle(200, [(180, 0.79, 5)])
    smooth = np.column_stack([first, second, weak])
    assert region_spans(smooth, fps=30).tolist() == [[35, 50], [95, 106]]
    assert region_spans(smooth[:, 2:], fps=30, least=0.5).tolist() == [[175, 186]]
    assert region_spans(smooth[:, 2:], fps=30, least=0.5, floor=0.8).tolist() == []


@pytest.mark.parametrize(("gap", "united"), [(0, True), (2, True), (3, False)])
def test_a_gap_of_two_frames_is_closed(gap, united):
    smooth = np.column_stack(
        [triangle(100, [(20, 1.0, 5)]), triangle(100, [(31 + gap, 1.0, 5)]), np.zeros(100)]
    )
    spans = region_spans(smooth, fps=30).tolist()
    assert spans == ([[15, 37 + gap]] if united else [[15, 26], [26 + gap, 37 + gap]])


@pytest.mark.parametrize("fps", [30, 200])
def test_kinds_part_at_half_a_second(fps):
    spans = np.array([[10, 9 + fps // 2], [300, 300 + fps // 2]])
    kinds = by_duration(spans, fps=fps)
    assert kinds["ME"].tolist() == [spans[0].tolist()]
    assert kinds["MaE"].tolist() == [spans[1].tolist()]


def test_speed_is_the_same_at_every_rate():
    mouth = POINTS.index(57)
    slow = region_speeds(moving_square([0, 1, 2, 3], **MOUTH), fps=30.0)
    fast = region_speeds(moving_square([0, 0, 1, 1, 2, 2, 3, 3], **MOUTH), fps=60.0)
    assert np.isnan(slow[:, mouth]).tolist() == [True] + [False] * 3
    assert np.isnan(fast[:, mouth]).tolist() == [True] + [False] * 6 + [True]
    np.testing.assert_allclose(slow[1:, mouth], 2.3, rtol=0.1)
    np.testing.assert_allclose(np.nanmean(fast[:, mouth]), 2.3, rtol=0.1)
    still = region_speeds(moving_square([0, 0, 0], **MOUTH), fps=30.0)
    np.testing.assert_array_equal(still[1:], 0)


def test_a_mouth_that_moves_is_found_by_its_duration():
    steps = np.zeros(120, int)
    steps[60:63] = 2
    seen = []
    clip = moving_square(np.cumsum(steps), **MOUTH)
    scores, found = sp_fd(clip, fps=30.0, subject="s", video="v", on_frame=seen.append)
    assert scores.shape == (120, 2) and scores.dtype == np.float32
    assert np.isnan(scores[:, 0]).tolist() == [True] * 15 + [False] * 90 + [True] * 15
    np.testing.assert_array_equal(scores[:, 0], scores[:, 1])
    assert list(found) == list(INTERVAL_COLUMNS)
    names = ["subject", "video", "kind"]
    assert found[names].to_numpy().tolist() == [["s", "v", "ME"]]
    assert found.apex.tolist() == [62]  # from 1: the middle one of the three steps
    assert 55 < found.onset.item() < 61 and 63 < found.offset.item() < 69
    assert sum(seen) == 120


def test_a_long_movement_is_a_macro_expression():
    steps = np.zeros(100, int)
    steps[40:64] = np.tile([1, -1], 12)
    found = sp_fd(moving_square(np.cumsum(steps), **MOUTH), fps=30.0)[1]
    assert found.kind.tolist() == ["MaE"]
    assert found.onset.item() <= 41 and found.offset.item() >= 64


def test_a_whole_frame_that_moves_is_no_expression():
    wave = texture(160)
    shifts = np.r_[np.zeros(30, int), np.arange(12), np.arange(12)[::-1], np.zeros(30, int)]
    clip = np.stack([wave[20:132, 20 + s : 132 + s] for s in shifts]).astype(np.uint8)
    scores, found = sp_fd(clip, fps=30.0)
    assert len(found) == 0
    assert np.nanmax(scores) < 0.4  # the frame itself goes at 2.3


@pytest.mark.parametrize("frames", [0, 1, 2, 30, 31, 33])
def test_a_still_or_short_video_has_nothing(frames):
    scores, found = sp_fd(moving_square(np.zeros(frames, int)), fps=30.0)
    assert scores.shape == (frames, 2)
    assert np.isnan(scores).all(axis=1).sum() == min(frames, 30)
    assert len(found) == 0


def test_a_bank_is_spotted_video_by_video(tmp_path):
    bank = open_bank(write_bank(tmp_path, subjects=2, frames=45))
    seen = []
    spot: Any = PEERS["sp_fd"]
    scores, found = spot(bank, folds=[], k=None, seed=0, on_frame=seen.append)
    alone = sp_fd(bank.frames("s2_1"), fps=30.0, subject="s2", video="s2_1")
    assert list(scores) == ["s1_1", "s2_1"]
    np.testing.assert_array_equal(scores["s2_1"], alone[0])
    pd.testing.assert_frame_equal(found.query("subject == 's2'").reset_index(drop=True), alone[1])
    assert sum(seen) == 90


def test_memory_grows_by_a_few_numbers_a_frame():
    def peak(frames):
        clip = moving_square(np.arange(frames) % 3)
        tracemalloc.start()
        sp_fd(clip, fps=30.0)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(20)
    # A frame has 13 kB, its flow 100 kB; 12 speeds 100 bytes, and the filter some of these.
    assert peak(220) - peak(20) < 200 * 1500
