import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines import PEERS
from jaxspot.baselines.feature_difference import chi_squared, peak_spans
from jaxspot.baselines.moilanen import (
    block_histograms,
    contrast,
    feature_difference,
    moilanen,
)


def test_contrast_of_an_analytic_peak():
    bump = np.zeros(41)
    bump[20] = 4.0
    expected = np.zeros(41)
    expected[20] = 4.0  # at 15 and 25 it is -2, set to 0
    np.testing.assert_array_equal(contrast(bump, k=5), expected)


def test_contrast_flattens_a_ramp_and_a_constant():
    np.testing.assert_allclose(contrast(np.full(30, 2.0), k=7), 0)
    np.testing.assert_allclose(contrast(np.arange(30.0), k=4)[4:-4], 0, atol=1e-12)
    assert contrast(np.zeros(0), k=3).shape == (0,)


def test_contrast_of_a_sine_has_a_known_gain():
    t = np.arange(400)
    wave = np.sin(2 * np.pi * t / 40)
    gain = 1 - np.cos(2 * np.pi * 10 / 40)
    np.testing.assert_allclose(
        contrast(wave, k=10)[10:-10], np.maximum(gain * wave, 0)[10:-10], atol=1e-9
    )


def test_peaks_pass_the_threshold_keep_their_distance_and_stay_inside():
    curve = np.zeros(100)
    curve[[3, 40, 44, 70, 98]] = [10, 10, 8, 5, 9]
    # mean 0.42, threshold 0.42 + 0.55 * 9.58 = 5.7; 44 lies within 6 frames of 40
    assert peak_spans(curve, k=6).tolist() == [[0, 10], [34, 47], [92, 100]]
    assert peak_spans(curve, k=6, p=0.4).tolist() == [[0, 10], [34, 47], [64, 77], [92, 100]]


def test_a_flat_curve_has_no_peak():
    assert peak_spans(np.zeros(20), k=3).shape == (0, 2)
    assert peak_spans(np.zeros(0), k=3).shape == (0, 2)


def test_chi_squared_by_hand():
    assert chi_squared(np.array([1.0, 0, 0]), np.array([0.5, 0.5, 0])) == pytest.approx(
        0.25 / 1.5 + 0.5
    )


def lbp_by_hand(image, y, x):
    """The 8-bit pattern of neighbours at least as bright, diagonals interpolated as published."""
    bits = []
    for n in range(8):
        dy, dx = -np.sin(2 * np.pi * n / 8), np.cos(2 * np.pi * n / 8)
        y0, x0 = int(np.floor(y + round(dy, 5))), int(np.floor(x + round(dx, 5)))
        fy, fx = y + round(dy, 5) - y0, x + round(dx, 5) - x0
        corner = image[y0 : y0 + 2, x0 : x0 + 2].astype(float)
        value = np.array([1 - fy, fy])[: len(corner)] @ corner
        value = value @ np.array([1 - fx, fx])[: len(value)]
        bits.append(value >= image[y, x])
    return bits


def test_histograms_count_each_pixel_of_a_block_once():
    image = np.random.default_rng(0).integers(0, 256, (14, 20), np.uint8)
    (shares,) = block_histograms(image[None], blocks=3)
    assert shares.shape == (9, 59)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    # The middle block: rows 5..9 and columns 7..13, away from the border.
    bits = [lbp_by_hand(image, y, x) for y in range(5, 10) for x in range(7, 14)]
    uniform = [sum(b[i] != b[i - 1] for i in range(8)) <= 2 for b in bits]
    assert shares[4, 58] * 35 == pytest.approx(35 - sum(uniform))
    kinds = {tuple(b) for b, u in zip(bits, uniform, strict=True) if u}
    assert (shares[4, :58] > 0).sum() == len(kinds)


def moving(frames, start, stop, size=48):
    """Fixed texture in which one corner is replaced for a while."""
    rng = np.random.default_rng(1)
    clip = np.repeat(rng.integers(0, 256, (1, size, size), np.uint8), frames, axis=0)
    clip[start:stop, :24, :24] = rng.integers(0, 256, (24, 24), np.uint8)
    return clip


def test_difference_equals_a_plain_formula():
    clip = np.random.default_rng(2).integers(0, 256, (25, 24, 24), np.uint8)
    shares = list(block_histograms(clip, blocks=2))
    got = feature_difference(clip, skips=[2, 9], blocks=2)
    for column, k in enumerate((2, 9)):
        for i in range(25):
            mean = (shares[max(i - k, 0)] + shares[min(i + k, 24)]) / 2
            distance = sorted(
                sum((a - b) ** 2 / (a + b) for a, b in zip(x, y, strict=True) if a + b > 0)
                for x, y in zip(shares[i], mean, strict=True)
            )
            assert got[i, column] == pytest.approx(distance[-1])


def test_a_short_movement_is_found():
    scores, found = moilanen(moving(120, 60, 69), k={"ME": 5, "MaE": 15}, subject="s", video="v")
    assert scores.shape == (120, 2)
    assert scores.dtype == np.float32
    assert list(found) == list(INTERVAL_COLUMNS)
    me = found[found.kind == "ME"]
    assert ((me.onset <= 65) & (me.offset >= 65)).all()
    assert len(me) >= 1
    assert (me.offset - me.onset == 10).all()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_still_or_short_video_has_nothing(frames):
    scores, found = moilanen(moving(frames, 0, 0), k={"ME": 5, "MaE": 15})
    assert scores.shape == (frames, 2)
    assert len(found) == 0


def test_a_bank_is_spotted_video_by_video():
    class Clips(NamedTuple):
        videos: pd.DataFrame
        frames: Callable[[str], np.ndarray]

    clips = {"a": moving(60, 30, 35), "b": moving(60, 0, 0)}
    videos = pd.DataFrame(dict(subject=["s1", "s2"], video=["a", "b"], fps=[30.0, 60.0]))
    bank: Any = Clips(videos, clips.__getitem__)
    done = []

    def k(subject, fps):
        return {"ME": {"s1": 4, "s2": 5}[subject], "MaE": round(fps / 3)}

    spot: Any = PEERS["moilanen"]
    scores, found = spot(bank, k=k, on_frame=done.append)
    assert sum(done) == 120
    alone = moilanen(clips["a"], k={"ME": 4, "MaE": 10}, subject="s1", video="a")
    np.testing.assert_array_equal(scores["a"], alone[0])
    pd.testing.assert_frame_equal(found, alone[1])
    none = spot(bank._replace(videos=videos.iloc[1:]), k=k)[1]
    assert list(none) == list(INTERVAL_COLUMNS)
    assert len(none) == 0


def test_memory_grows_by_a_few_numbers_a_frame():
    def peak(frames):
        clip = moving(frames, 10, 15, size=24)
        tracemalloc.start()
        moilanen(clip, k={"ME": 3, "MaE": 5})
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(50)
    # A frame's histograms alone are 17 kB.
    assert peak(700) - peak(100) < 600 * 200
