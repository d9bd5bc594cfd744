import tracemalloc
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines.hog3d import (
    BINS,
    CENTRES,
    baseline,
    direction_lengths,
    hog3d,
    region_histograms,
    region_pixels,
    runs,
    shares,
)
from jaxspot.video.align import openface_template

K = {"ME": 5, "MaE": 15}


def waves(shift=0.0, size=112):
    """A smooth texture, moved to the right."""
    coarse = np.random.default_rng(0).uniform(20, 235, (size // 5 + 4, size // 5 + 4))
    y, x = np.mgrid[:size, :size] / 5 + 1
    moved = map_coordinates(coarse, [y, x - shift / 5], order=3, mode="nearest")
    return moved.clip(0, 255).astype(np.uint8)


def clip(frames, start=0, stop=0, shift=2.0):
    """The mouth moves for a while, there and back."""
    video = np.repeat(waves()[None], frames, axis=0)
    for i in range(start, stop):
        part = np.sin(np.pi * (i + 1 - start) / (stop - start + 1))
        video[i, 66:92, 30:82] = waves(shift * part)[66:92, 30:82]
    return video


def test_there_are_26_regions_and_eyes_are_in_none():
    pixels, region = region_pixels()
    assert len(CENTRES) == 26
    assert sorted(set(region)) == list(range(26))
    assert (np.bincount(region) > 60).all()
    inside = np.zeros((112, 112), bool)
    inside.ravel()[pixels] = True
    points = openface_template()
    for first in (36, 42):
        x, y = np.rint(points[first : first + 6].mean(0)).astype(int)
        assert not inside[y, x]
    x, y = np.rint(points[51]).astype(int)
    assert region[pixels == y * 112 + x] == CENTRES.index((51,))
    assert 0.9 < inside[:, :56].sum() / inside[:, 56:].sum() < 1.1


def test_lengths_equal_a_plain_loop():
    rng = np.random.default_rng(1)
    before, frame, after = rng.integers(0, 256, (3, 112, 112)).astype(np.uint8)
    expected = np.zeros((26, 32))
    for pixel, region in zip(*region_pixels(), strict=True):
        y, x = divmod(int(pixel), 112)
        right = (float(frame[y, x + 1]) - float(frame[y, x - 1])) / 2 if 0 < x < 111 else None
        down = (float(frame[y + 1, x]) - float(frame[y - 1, x])) / 2 if 0 < y < 111 else None
        right = float(frame[y, 1]) - float(frame[y, 0]) if x == 0 else right
        right = float(frame[y, 111]) - float(frame[y, 110]) if x == 111 else right
        down = float(frame[1, x]) - float(frame[0, x]) if y == 0 else down
        down = float(frame[111, x]) - float(frame[110, x]) if y == 111 else down
        time = (float(after[y, x]) - float(before[y, x])) / 2
        planes = ((right, down), (right, time), (down, time))
        for first, bins, (a, b) in zip((0, 8, 20), BINS, planes, strict=True):
            turn = np.arctan2(b, a) / (2 * np.pi) % 1
            expected[region, first + int(turn * bins) % bins] += np.hypot(a, b)
    np.testing.assert_allclose(direction_lengths(before, frame, after), expected, rtol=1e-5)


def test_a_slope_that_brightens_has_one_direction_in_each_plane():
    slope = np.tile(np.arange(112, dtype=np.uint8), (112, 1))  # 1 a pixel to the right
    found = shares(direction_lengths(slope, slope + 1, slope + 2))  # and 1 a frame
    expected = np.zeros(32)
    expected[[0, 8 + 1, 20 + 3]] = 1  # right; 45 degrees of right and time; time alone
    np.testing.assert_allclose(found, np.tile(expected, (26, 1)))
    still = shares(direction_lengths(*np.zeros((3, 112, 112), np.uint8)))
    assert not still.any()


@pytest.mark.parametrize("fps", [30.0, 90.0])
def test_a_histogram_covers_the_same_time_at_every_frame_rate(fps):
    frames, step = clip(12, 4, 8), round(fps / 30)
    found = list(region_histograms(frames, fps=fps))
    assert len(found) == 12
    at = lambda i: frames[min(max(i, 0), 11)]
    for i in (0, 6, 11):
        half = {30.0: 1, 90.0: 4}[fps]
        middles = [min(max(i + n, 0), 11) for n in range(-half, half + 1)]
        each = [direction_lengths(at(m - step), at(m), at(m + step)) for m in middles]
        np.testing.assert_allclose(found[i], shares(np.sum(each, axis=0)))


def test_the_baseline_lies_halfway_from_rest_to_the_largest_distance():
    distances = np.ones((90, 2, 26))
    distances[40:70] = 0.25
    distances[50, 1, 3] = 0.5
    distances[80, :, 7] = 3
    expected = np.full((2, 26), (0.25 + 1) / 2)
    expected[1, 3] = (0.5 + 1) / 2
    expected[:, 7] = (0.25 + 3) / 2
    np.testing.assert_allclose(baseline(distances, fps=30.0), expected)
    np.testing.assert_allclose(baseline(distances[:10], fps=30.0), 1)


@pytest.mark.parametrize("fps", [30.0, 200.0])
def test_half_a_second_parts_the_kinds(fps):
    curve = np.zeros(round(4 * fps))
    longest = round(0.5 * fps)
    curve[10 : 10 + longest] = 1.1
    curve[50 + longest : 51 + 2 * longest] = 1.1
    assert runs(curve, kind="ME", fps=fps).tolist() == [[10, 10 + longest]]
    assert runs(curve, kind="MaE", fps=fps).tolist() == [[50 + longest, 51 + 2 * longest]]


def test_a_short_movement_is_found():
    scores, found = hog3d(clip(120, 60, 70), fps=30.0, k=K, subject="s", video="v")
    assert scores.shape == (120, 2) and scores.dtype == np.float32
    assert list(found) == list(INTERVAL_COLUMNS)
    assert abs(int(scores[:, 0].argmax()) - 65) <= 6
    me = found[found.kind == "ME"]
    assert ((me.onset <= 71) & (me.offset >= 60)).any()
    assert (me.offset - me.onset < 15).all()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_still_or_short_video_has_nothing(frames):
    scores, found = hog3d(clip(frames), fps=30.0, k=K)
    assert scores.shape == (frames, 2) and not scores.any()
    assert len(found) == 0


def test_memory_grows_by_a_few_numbers_a_frame():
    def peak(frames):
        video: Any = np.broadcast_to(clip(1), (frames, 112, 112))
        tracemalloc.start()
        hog3d(video, fps=30.0, k={"ME": 3, "MaE": 5})
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(50)
    # A frame's histograms alone are 6.7 kB; 52 distances are kept, in a few copies.
    assert peak(700) - peak(100) < 600 * 5000
