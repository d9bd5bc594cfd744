"""Statistics of region motion on made-up signals of known amplitude, frequency and course."""

import runpy

import numpy as np
import pandas as pd
import pytest
from tiny_banks import said, write_bank

from jaxspot.motion import compare
from jaxspot.motion.regions import TWELVE, Regions
from jaxspot.motion.statistics import (
    displacement,
    expression_shape,
    free_spans,
    free_windows,
    gap_range,
    place_spectra,
    shapes_at_rest,
)
from jaxspot.synthetic.generate import synthetic_bank
from jaxspot.synthetic.true_motion import true_motion_of
from jaxspot.video.bank import finish_bank
from jaxspot.video.writer import save_motion

UPPER, LOWER = TWELVE.names.index("upper lip"), TWELVE.names.index("lower lip")


def motion_of(places):
    """Region motion (T, regions, 2) from places."""
    return np.diff(places, axis=0, prepend=places[:1]).astype(np.float32)


def still(frames, regions=12):
    return np.zeros((frames, regions, 2))


def bump(frames, *, onset, apex, offset, height):
    """Rises from 0 at `onset` to `height` at `apex` and falls to 0 at `offset`, both straight."""
    return np.interp(np.arange(frames), [onset, apex, offset], [0, height, 0])


def made_bank(root, places, labels, *, fps=30.0, every=1, faces=1):
    frames = len(places) * every
    save_motion(root, "s1_1", motion_of(places), np.full((frames, 2), faces, np.float32))
    columns = ["subject", "video", "kind", "onset", "apex", "offset"]
    return finish_bank(
        root,
        videos=pd.DataFrame([dict(subject="s1", video="s1_1", frames=frames, fps=fps)]),
        annotations=pd.DataFrame([("s1", "s1_1", *row) for row in labels], columns=columns),
        source={},
        alignment={},
        regions=Regions(TWELVE.names, TWELVE.mirror, every),
    )


def test_displacement_is_the_difference_of_places():
    places = np.random.default_rng(0).normal(size=(50, 12, 2)).cumsum(0)
    found = displacement(motion_of(places), 7)
    np.testing.assert_allclose(found, places[7:] - places[:-7], atol=1e-5)


def test_spans_and_windows_hold_free_rows_alone():
    free = np.ones(40, bool)
    free[[10, 25]] = False
    known = [bool(free[t : t + 5].all()) for t in range(36)]
    assert free_spans(free, 4).tolist() == known
    assert len(free_spans(free, 40)) == 0
    assert free_windows(free, 5).tolist() == [0, 5, 11, 16, 26, 31]
    assert free_windows(free, 10, step=5).tolist() == [0, 11, 26]
    assert free_windows(free, 20).tolist() == []


@pytest.mark.parametrize("rate, seconds", [(30.0, 4.0), (25.0, 4.04)])
def test_the_spectrum_of_a_sine_has_its_frequency_and_power(rate, seconds):
    amplitude, frequency = 0.3, 4.0
    places = still(600)
    times = np.arange(600) / rate
    places[:, 2, 0] = amplitude * np.sin(2 * np.pi * frequency * times)
    places[:, 2, 1] = 0.5 * times  # a straight line is taken off
    frequencies, density = place_spectra(
        motion_of(places), np.ones(600, bool), rate, seconds=seconds
    )
    step = frequencies[0]
    assert density.shape[1:] == (len(frequencies), 12) and density.shape[0] > 5
    mean = density.mean(0)
    assert abs(frequencies[mean[:, 2].argmax()] - frequency) <= step / 2
    np.testing.assert_allclose(mean[:, 2].sum() * step, amplitude**2 / 2, rtol=0.02)
    assert mean[:, [0, 1, *range(3, 12)]].max() == 0


def test_white_noise_of_places_has_a_flat_spectrum():
    rng, sd = np.random.default_rng(1), 0.2
    places = rng.normal(scale=sd, size=(6000, 12, 2))
    _, density = place_spectra(motion_of(places), np.ones(6000, bool), 30.0)
    flat = 2 * sd**2 / 15  # the variance of two components, from 0 to 15 Hz
    np.testing.assert_allclose(density.mean((0, 2))[3:], flat, rtol=0.1)
    assert len(place_spectra(motion_of(places), np.zeros(6000, bool), 30.0)[1]) == 0


@pytest.mark.parametrize("offset, left", [(40, 0.0), (35, 0.25), (20, 1.0)])
def test_the_shape_of_a_bump(offset, left):
    places = still(60)
    course = bump(60, onset=10, apex=20, offset=40, height=1.5)
    places[:, 4] = course[:, None] * [0.6, -0.8]
    places[:, 9, 0] = -course / 2
    places += [3.0, 7.0]
    shape = expression_shape(motion_of(places), 10, offset)
    assert shape.region == 4 and shape.rows_to_peak == 10
    np.testing.assert_allclose([shape.peak, shape.left], [1.5, left], atol=1e-5)


def test_a_face_at_rest():
    places = still(100)
    places[:, 0, 0] = 0.1 * np.arange(100)
    free = np.ones(100, bool)
    free[50:] = False
    shapes = shapes_at_rest(motion_of(places), free, 11)
    assert len(shapes) == 4
    np.testing.assert_allclose([shape.peak for shape in shapes], 1.0, rtol=1e-5)
    assert [shape.left for shape in shapes] == pytest.approx([1.0] * 4)
    assert np.isnan(expression_shape(motion_of(still(20)), 0, 9).left)


def test_the_gap_of_the_lips():
    places = still(90)
    places[:, :, 1] = np.linspace(0, 9, 90)[:, None]  # the whole face moves
    places[30:, LOWER, 1] += 2.0
    places[30:, UPPER, 1] -= 1.0
    places[60:, LOWER, 0] += 5.0  # sideways
    found = gap_range(motion_of(places), UPPER, LOWER, 9)
    assert found.shape == (81,)
    np.testing.assert_allclose(found, [3.0 * (21 <= t < 30) for t in range(81)], atol=1e-5)


@pytest.mark.parametrize("every", [1, 8])
def test_a_label_is_measured_in_seconds_of_the_video(tmp_path, every):
    """Native frames every * row + 1; the rate is that of the rows."""
    places, rate = still(300), 25.0
    places[:, 8, 0] = bump(300, onset=100, apex=110, offset=130, height=-2.0)
    native = [every * row + 1 for row in (100, 110, 130)]
    bank = made_bank(tmp_path, places, [("MaE", *native)], fps=rate * every, every=every)
    ((_, video),) = compare.bank_series(bank)
    assert np.flatnonzero(~video.free).tolist() == list(range(95, 136))
    shape = compare.label_shapes(video).iloc[0]
    assert [shape["duration"], shape["rise"], shape["decay"]] == [31 / rate, 10 / rate, 20 / rate]
    assert shape["to_peak"] == 10 / rate and shape["region"] == 8
    assert shape["peak"] == pytest.approx(2) and abs(shape["left"]) < 1e-6
    assert np.isnan(shape["times_rest"])  # nothing moves at rest
    row = compare.bank_row([video])
    assert (row["videos"], row["ME"], row["MaE"]) == (1, 0, 1)
    assert row["minutes"] == pytest.approx(0.2) and row["MaE a minute"] == pytest.approx(5)


def test_quantiles_leave_labels_and_missing_faces_out(tmp_path):
    """Each region moves at a speed of its own, but for a label, where all leap."""
    speed = np.arange(12) * 0.01
    places = still(300)
    places[:, :, 1] = speed * np.arange(300)[:, None]
    places[150:160] += 9
    bank = made_bank(tmp_path / "bank", places, [("ME", 148, 151, 165)])
    videos = [video for _, video in compare.bank_series(bank)]
    table = compare.motion_quantiles(videos).set_index(["span", "region"])
    for span, rows in (("1 row", 1), ("0.2 s", 6), ("0.6 s", 18), ("2 s", 60)):
        found = table.loc[span].loc[list(TWELVE.names)]
        np.testing.assert_allclose(found["q50"][1:], speed[1:] * rows, rtol=1e-3)
        np.testing.assert_allclose(found["q99"][1:], speed[1:] * rows, rtol=1e-3)
        together = speed[[*range(6), *range(8, 12)]].mean()
        np.testing.assert_allclose(table.loc[span].loc[compare.TOGETHER, "q50"], together * rows)
    assert table.loc["1 row"].loc["brows", "n"] == 6 * table.loc["1 row"].loc["upper lip", "n"]
    bare = made_bank(tmp_path / "bare", places, [], faces=0)
    ((_, video),) = compare.bank_series(bare)
    assert compare.motion_quantiles([video])["n"].eq(0).all()
    assert compare.group_spectra([video])["q50"].isna().all()


def test_how_often_the_lips_move_and_where_expressions_peak(tmp_path):
    places = still(600)
    places[300:, LOWER, 1] += 1.5  # within 9 rows: spans that begin in rows 290 to 299
    places[:, 1, 1] = bump(600, onset=100, apex=105, offset=112, height=-1.0)
    bank = made_bank(tmp_path, places, [("ME", 101, 106, 113)])
    ((_, video),) = compare.bank_series(bank)
    table = compare.shares([video], compare.label_shapes(video)).set_index("what")["share"]
    spans = free_spans(video.free, 9).sum()
    assert table["lip gap changes by over 1 px in 0.3 s"] == pytest.approx(9 / spans)
    assert table["lip gap changes by over 2.5 px in 0.3 s"] == 0
    assert table["ME: peak at the brows"] == 1 and table["ME: peak at the mouth"] == 0
    assert np.isnan(table["MaE: peak at the brows"])


@pytest.fixture
def script():
    return runpy.run_path("launch/compare_motion.py")["main"]


def test_the_script_compares_banks_with_true_motion_and_without_labels(tmp_path, script, capsys):
    frames = synthetic_bank(tmp_path / "frames", subjects=1, seconds=6.0, workers=1)
    (video,) = frames.videos["video"]
    moved = true_motion_of(frames)(video)
    save_motion(tmp_path / "copy", video, moved, frames.quality(video))
    finish_bank(
        tmp_path / "copy",
        videos=frames.videos,
        annotations=frames.annotations,
        source={},
        alignment={},
        regions=TWELVE,
    )
    places = np.random.default_rng(0).normal(size=(200, 12, 2)).cumsum(0)
    made_bank(tmp_path / "bare", places, [])
    out, names = (
        tmp_path / "out",
        (f"a={tmp_path / 'copy'}", tmp_path / "frames", tmp_path / "bare"),
    )
    assert script([*map(str, names), f"--out={out}"]) == 0
    printed = capsys.readouterr().out
    assert "Displacement without labels" in printed and "nan" not in printed
    for name in ("banks", "motion", "labels", "shares", "spectra"):
        table = pd.read_csv(out / f"{name}.csv")
        one, two = (table[table.bank == bank].drop(columns="bank") for bank in ("a", "frames"))
        assert len(one)
        pd.testing.assert_frame_equal(one.reset_index(drop=True), two.reset_index(drop=True))
    for name in ("motion", "spectra", "labels"):
        assert (out / f"{name}.png").stat().st_size > 10_000


def test_mistakes_are_a_line(tmp_path, script, capfd):
    bank = write_bank(tmp_path / "bank", subjects=1)
    out = f"--out={tmp_path / 'out'}"
    assert script([str(bank), out]) == 2
    assert "holds frames, not region motion" in said(capfd, "compare_motion")
    assert script([str(tmp_path / "none"), out]) == 2
    assert "no frame bank here" in said(capfd, "compare_motion")
    made_bank(tmp_path / "motion", still(60), [])
    assert script([str(tmp_path / "motion"), f"motion={tmp_path / 'motion'}", out]) == 2
    assert "two of the banks are called motion" in said(capfd, "compare_motion")
    assert not (tmp_path / "out").exists()
