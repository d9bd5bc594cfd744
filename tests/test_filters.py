import numpy as np
import pytest
from scipy import signal

from jaxspot.spotting.filters import (
    above_baseline,
    butterworth,
    normalise_by,
    normalise_per_video,
)


def test_butterworth_agrees_with_scipy_away_from_the_ends():
    scores = np.random.default_rng(0).random((600, 2))
    sos = signal.butter(2, 1.5, fs=30, output="sos")
    expected = signal.sosfiltfilt(sos, scores, axis=0)
    got = butterworth(scores, fps=30, cutoff_hz=1.5)
    np.testing.assert_allclose(got[90:-90], expected[90:-90], atol=1e-6)


def test_a_constant_stays_and_the_gain_at_the_cutoff_is_one_half():
    np.testing.assert_allclose(butterworth(np.full(50, 0.7), fps=30, cutoff_hz=2), 0.7)
    wave = np.sin(2 * np.pi * 2 * np.arange(900) / 30)
    smooth = butterworth(wave, fps=30, cutoff_hz=2)
    np.testing.assert_allclose(smooth[200:700], 0.5 * wave[200:700], atol=1e-6)


def test_a_peak_stays_in_place():
    bump = np.exp(-0.5 * ((np.arange(300) - 140) / 9) ** 2)
    assert butterworth(bump, fps=30, cutoff_hz=1).argmax() == 140


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 7, 20])
def test_short_videos(frames):
    scores = np.linspace(0, 1, frames)
    smooth = butterworth(scores, fps=200, cutoff_hz=0.5)
    assert smooth.shape == (frames,)
    assert np.isfinite(smooth).all()


def test_gaps_are_bridged_and_stay_gaps():
    line = np.repeat(np.linspace(0, 1, 400)[:, None], 2, axis=1)
    gapped = line.copy()
    gapped[150:170, 0] = np.nan
    gapped[:5, 1] = np.nan
    smooth = butterworth(gapped, fps=30, cutoff_hz=2)
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(gapped))
    kept = ~np.isnan(smooth[:, 0])
    whole = butterworth(line, fps=30, cutoff_hz=2)
    np.testing.assert_allclose(smooth[kept, 0], whole[kept, 0])
    assert np.isnan(butterworth(np.full(9, np.nan), fps=30, cutoff_hz=2)).all()


def test_a_cutoff_past_half_the_rate_filters_nothing():
    scores = np.random.default_rng(1).random(40)
    np.testing.assert_array_equal(butterworth(scores, fps=10, cutoff_hz=5), scores)
    with pytest.raises(ValueError, match="above 0"):
        butterworth(scores, fps=10, cutoff_hz=0)


def test_the_input_is_left_alone():
    scores = np.random.default_rng(2).random((50, 2))
    before = scores.copy()
    for result in (
        butterworth(scores, fps=30, cutoff_hz=2),
        butterworth(scores, fps=2, cutoff_hz=2),
        normalise_per_video(scores),
    ):
        result[:] = 0
    np.testing.assert_array_equal(scores, before)


def test_min_max_of_each_column():
    scores = np.array([[2.0, 5.0], [np.nan, 5.0], [4.0, 5.0], [3.0, 5.0]])
    np.testing.assert_array_equal(
        normalise_per_video(scores), [[0, 0], [np.nan, 0], [1, 0], [0.5, 0]]
    )
    assert np.isnan(normalise_per_video(np.full((3, 1), np.nan))).all()
    assert normalise_per_video(np.zeros((0, 2))).shape == (0, 2)


def test_fixed_ends_keep_the_order_and_do_not_lift_a_still_video():
    still = normalise_by(np.array([[0.1, 0.2]]), low=[0.1, 0.1], high=[0.6, 1.1])
    np.testing.assert_allclose(still, [[0, 0.1]])
    np.testing.assert_array_equal(normalise_by(np.array([3.0]), low=2, high=2), [1.0])


def test_a_running_baseline_by_the_definition():
    rng = np.random.default_rng(4)
    scores = rng.uniform(0.01, 0.99, (80, 2))
    found = above_baseline(scores, fps=10.0, seconds=1.2)
    odds = np.log(scores / (1 - scores))
    for frame in (8, 40, 71):
        around = np.sort(odds[frame - 6 : frame + 7], axis=0)
        np.testing.assert_allclose(found[frame], odds[frame] - around[2], atol=1e-9)
    one = above_baseline(scores[:, 0], fps=10.0, seconds=1.2)
    np.testing.assert_array_equal(one, found[:, 0])


def test_a_curve_that_rests_high_comes_down_and_its_peak_stays():
    times = np.arange(600) / 30
    odds = -3 + 5 * (times > 8) + 3 * np.exp(-(((times - 15) / 0.4) ** 2))
    scores = 1 / (1 + np.exp(-odds))
    found = above_baseline(scores, fps=30.0, seconds=6.0)
    assert found[450] == pytest.approx(3, abs=0.1) and abs(found[350]) < 1e-6
    gap = scores.copy()
    gap[100:110] = np.nan
    missing = np.isnan(above_baseline(gap, fps=30.0, seconds=6.0))
    assert missing[100:110].all() and missing.sum() == 10
    assert above_baseline(np.zeros((0, 2)), fps=30.0, seconds=6.0).shape == (0, 2)
    with pytest.raises(ValueError, match="above 0"):
        above_baseline(scores, fps=30.0, seconds=0)
