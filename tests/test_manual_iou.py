import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.spotting.filters import normalise_per_video, savitzky_golay
from jaxspot.spotting.manual_iou import find_peak_intervals, manual_iou_intervals

steps = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.4, 0.8, 0.9, 1.0, np.nan]), max_size=40)


def spans(curve, **options):
    return find_peak_intervals(np.array(curve, float), **options).tolist()


def test_a_peak_grows_down_to_its_feet():
    assert spans([0.1, 0.1, 0.2, 0.6, 1.0, 0.7, 0.3, 0.3, 0.0]) == [[1, 7]]


def test_low_peaks_are_left_out_and_feet_may_lie_below_the_band():
    curve = [0, 0.79, 0, 0, 0, 0.8, 0, 0, 0, 1.0, 0]
    assert spans(curve) == [[4, 7], [8, 11]]
    assert spans(curve, band=0.79) == [[0, 3], [4, 7], [8, 11]]
    assert spans(np.multiply(curve, 0.35)) == [[8, 11]]  # 0.28 is under the floor
    assert spans(np.multiply(curve, 0.3)) == []


def test_peaks_that_share_a_foot_are_one_interval():
    assert spans([0, 0.9, 0.2, 1.0, 0]) == [[0, 5]]
    assert spans([0, 0.9, 0.2, 0.2, 1.0, 0]) == [[0, 6]]  # side by side


def test_a_gap_is_closed_up_to_its_length_but_not_over_a_missing_score():
    curve = np.array([0.0, 1, 0, 0, 0, 0, 1, 0])
    assert spans(curve, merge_gap=1) == [[0, 3], [5, 8]]
    assert spans(curve, merge_gap=2) == [[0, 8]]
    curve[4] = np.nan
    assert spans(curve, merge_gap=2) == [[0, 3], [5, 8]]


@pytest.mark.parametrize(("fps", "gap"), [(30, 2), (200, 13)])
def test_two_frames_at_30_fps_are_13_at_200(fps, gap):
    bump = np.sin(np.linspace(0, np.pi, 13 * fps // 30))
    for frames, count in ((gap, 1), (gap + 1, 2)):
        # A mean of three frames moves each foot one frame out.
        curve = np.concatenate((bump, np.zeros(frames + 2), bump))
        found = manual_iou_intervals(curve, fps=fps, window_seconds=1 / fps, order=1)
        assert len(found) == count


def test_a_flat_top_is_one_peak_and_a_plateau_with_a_higher_side_is_none():
    assert spans([0, 0.5, 1, 1, 1, 0.5, 0]) == [[0, 7]]
    assert spans([0, 0.85, 0.85, 1, 0]) == [[2, 5]]
    noisy = np.array([0, 0.5, 1, 1, 1, 0.5, 0]) + 1e-14 * np.array([0, 1, -1, 1, -1, 1, 0])
    assert spans(noisy) == [[0, 7]]


def test_what_an_end_or_a_gap_cuts_at_its_height_is_not_found():
    assert spans([1, 0.5, 0, 0, 0.9, 0, 0, 0.5, 1]) == [[3, 6]]
    assert spans([0, 1, np.nan, 0, 0.9, 0, np.nan]) == [[3, 6]]
    assert spans([np.nan, 0, 1, 0, np.nan]) == [[1, 4]]


@pytest.mark.parametrize("curve", [[], [1.0], [np.nan] * 4, [0.7] * 9, [0.0, -1, 0], [-2, -1, -2]])
def test_nothing_to_find(curve):
    found = find_peak_intervals(np.array(curve, float), floor=-9)
    assert found.shape == (0, 2)
    assert found.dtype == np.int64


def test_scores_of_both_kinds_at_once_are_refused():
    with pytest.raises(ValueError, match="one axis"):
        manual_iou_intervals(np.ones((9, 2)), fps=30, window_seconds=0.2)


def by_walking(curve, gap):
    """The rule frame by frame: climb down from each peak, colour, close gaps, read off runs."""
    n, top = len(curve), np.nanmax(curve, initial=-1)
    colour = [False] * n
    for i in range(n):
        left, right = i, i
        while left > 0 and curve[left - 1] == curve[i]:
            left -= 1
        while right < n - 1 and curve[right + 1] == curve[i]:
            right += 1
        inside = left > 0 and right < n - 1
        if not (inside and curve[left - 1] < curve[i] and curve[right + 1] < curve[i]):
            continue
        if not (curve[i] >= 0.8 * top and curve[i] > 0.3):
            continue
        while left > 0 and curve[left - 1] < curve[left]:
            left -= 1
        while right < n - 1 and curve[right + 1] < curve[right]:
            right += 1
        colour[left : right + 1] = [True] * (right + 1 - left)
    found = []
    for i in np.flatnonzero(colour).tolist():
        between = curve[found[-1][1] : i] if found else [np.nan]
        if len(between) <= gap and not np.isnan(between).any():
            found[-1][1] = i + 1
        else:
            found.append([i, i + 1])
    return found


@given(steps, st.integers(0, 3))
def test_peaks_equal_a_walk_over_the_frames(curve, gap):
    curve = np.array(curve, float)
    assert spans(curve, merge_gap=gap) == by_walking(curve, gap)


def walk(seed, *, frames=240, missing=False):
    """A rough curve in [0, 1] without equal frames."""
    rng = np.random.default_rng(seed)
    curve = normalise_per_video(np.convolve(rng.random(frames + 6), np.hanning(7), "valid"))
    if missing:
        curve[60:70] = np.nan
    return curve


RULE = dict(fps=30.0, window_seconds=0.3)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_scale_and_the_direction_of_time_change_nothing(seed, missing):
    scores = walk(seed, missing=missing)
    found = manual_iou_intervals(scores, **RULE)
    assert len(found)
    for scale in (0.01, 7.3):
        same = manual_iou_intervals(scale * scores, floor=scale * 0.3, **RULE)
        np.testing.assert_array_equal(same, found)
        raised = normalise_per_video(scale * scores - 3)
        np.testing.assert_array_equal(manual_iou_intervals(raised, **RULE), found)
    backwards = manual_iou_intervals(scores[::-1], **RULE)
    np.testing.assert_array_equal((len(scores) - backwards)[::-1, ::-1], found)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_found_is_smooth_curve_grown_from_its_peaks(seed):
    scores = walk(seed, missing=True)
    smooth = savitzky_golay(scores, **RULE)
    assert manual_iou_intervals(scores, **RULE).tolist() == by_walking(smooth, 2)
    for start, stop in manual_iou_intervals(scores, **RULE):
        assert np.isfinite(smooth[start:stop]).all()
        assert smooth[start:stop].max() >= max(0.3, 0.8 * np.nanmax(smooth))


def test_savitzky_golay_fits_a_cubic_around_each_frame():
    scores = np.random.default_rng(0).random((80, 2))
    smooth = savitzky_golay(scores, fps=30, window_seconds=0.3)
    for centre in (4, 30, 75):
        frames = np.arange(centre - 4, centre + 5)
        for i in range(2):
            fit = np.polynomial.Polynomial.fit(frames, scores[frames, i], 3)
            assert smooth[centre, i] == pytest.approx(fit(centre))
    ends = np.polynomial.Polynomial.fit(np.arange(9), scores[:9, 0], 3)
    np.testing.assert_allclose(smooth[:4, 0], ends(np.arange(4)))


@pytest.mark.parametrize("fps", [30, 200])
def test_the_window_is_a_time(fps):
    seconds, hertz = 0.9, 1.275 / 0.9
    wave = np.sin(2 * np.pi * hertz * np.arange(20 * fps) / fps)
    smooth = savitzky_golay(wave, fps=fps, window_seconds=seconds)
    kept = slice(2 * fps, -2 * fps)
    np.testing.assert_allclose(smooth[kept], 0.5 * wave[kept], atol=0.01)


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 4, 5, 8, 30])
def test_short_videos_and_cubics_stay(frames):
    cubic = np.linspace(-1, 1, frames) ** 3
    smooth = savitzky_golay(cubic, fps=200, window_seconds=0.2)
    np.testing.assert_allclose(smooth, cubic, atol=1e-12)
    assert manual_iou_intervals(cubic, fps=200, window_seconds=0.2).shape == (0, 2)


def test_missing_scores_are_bridged_and_stay_missing():
    line = np.repeat(np.linspace(0, 1, 90)[:, None], 2, axis=1)
    line[40:45, 0] = line[:3, 1] = np.nan
    smooth = savitzky_golay(line, fps=30, window_seconds=0.4)
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(line))
    np.testing.assert_allclose(smooth[:, 0], line[:, 0], atol=1e-12)
    assert np.isnan(savitzky_golay(np.full(20, np.nan), fps=30, window_seconds=0.4)).all()
    with pytest.raises(ValueError, match="above 0"):
        savitzky_golay(line, fps=30, window_seconds=0)


def test_the_input_is_left_alone():
    scores = walk(3)
    before = scores.copy()
    savitzky_golay(scores, fps=30, window_seconds=0.4)[:] = 0
    savitzky_golay(scores[:2], fps=30, window_seconds=0.4)[:] = 0
    np.testing.assert_array_equal(scores, before)
