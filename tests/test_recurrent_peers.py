"""HOOF + LSTM and the TOP features + LSTM: features by other means, and nothing of the held out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from skimage.feature import hog
from tiny_banks import finish_tiny_bank, write_bank

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines import ON_MOTION, ON_PICTURES, PEERS, TRAINED
from jaxspot.baselines.hoof_lstm import flow_histograms, histograms, motion_histograms, region_boxes
from jaxspot.baselines.recurrent.training import Recipe
from jaxspot.baselines.top_lstm import (
    frame_histograms,
    higo_histograms,
    hog_histograms,
    lbp_codes,
    lbp_histograms,
    moving_mean,
)
from jaxspot.motion.regions import TWELVE
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import finish_bank, open_bank
from jaxspot.video.writer import save_motion, save_video

NAMES = ["hoof_lstm", "lbp_top", "hog_top", "higo_top"]
TINY = Recipe(steps=3, batch=12, groups=3)
HALF = np.sqrt(0.5)


def test_a_known_flow_field_has_a_known_histogram():
    field = np.zeros((2, 4, 2))
    field[0] = [(3, 0), (0, 2), (-1, 0), (0, -4)]  # right, down, left, up
    field[1, :2] = [(HALF, HALF), (-5 * HALF, -5 * HALF)]
    found = histograms(field)
    np.testing.assert_allclose(found[0], np.array([3, 0, 2, 0, 1, 0, 4, 0]) / 4)
    np.testing.assert_allclose(found[1], np.array([0, 1, 0, 0, 0, 5, 0, 0]) / 4)


def test_the_eyes_are_in_no_region():
    seen = np.zeros((112, 112), bool)
    for box in region_boxes():
        assert not seen[box].any(), "they do not overlap"
        seen[box] = True
    assert not seen[27:33, 24:43].any() and not seen[27:33, 69:88].any()
    assert seen[78, 56] and seen[13, 30] and seen[13, 80] and seen[50, 56]


def test_a_brow_that_rises_is_in_its_own_region_and_direction(tmp_path):
    rng = np.random.default_rng(0)
    face = np.kron(rng.integers(40, 220, (28, 28)), np.ones((4, 4)))
    moved = face.copy()
    moved[2:24, 4:58] = face[4:26, 4:58]
    frames, quality = np.stack([face, face, moved]), np.ones((3, 2), np.float32)
    save_video(tmp_path, "a_1", frames.astype(np.uint8), quality)
    bank = finish_tiny_bank(tmp_path, [("a", "a_1", 3, 30.0)], [])
    still, same, rise = (row.reshape(4, 8) for row in flow_histograms(bank, "a_1", 1))
    assert not still.any() and same.max() < 0.05
    assert rise.argmax() == 6, "left brow, up"
    assert rise[0, 6] > 0.8 * rise[0].sum() and rise[3].sum() < 0.1 * rise[0].sum()


def test_region_motion_is_summed_between_rows(tmp_path):
    bank = motion_bank(tmp_path, frames=9)
    motion = np.asarray(bank.motion("s1_1"))
    found = list(motion_histograms(bank, "s1_1", 4))
    assert [row.shape for row in found] == [(96,)] * 3
    for row, total in zip(found, (motion[0], motion[1:5].sum(0), motion[5:9].sum(0)), strict=True):
        filled = row.reshape(12, 8)
        np.testing.assert_allclose(filled.sum(1), np.linalg.norm(total, axis=1), rtol=1e-5)
        turn = np.rad2deg(np.arctan2(total[:, 1], total[:, 0]))
        assert filled.argmax(1).tolist() == (np.rint(turn / 45) % 8).astype(int).tolist()


def volume(height=24, width=32):
    return np.random.default_rng(1).integers(0, 255, (3, height, width)).astype(np.uint8)


def test_hog_equals_scikit_images_on_the_frame():
    found = hog_histograms(volume())[0]
    theirs = hog(
        volume()[1].astype(float),
        orientations=8,
        pixels_per_cell=(6, 8),
        cells_per_block=(1, 1),
        block_norm="L1",
    ).reshape(16, 8)
    np.testing.assert_allclose(found / found.sum(1, keepdims=True), theirs, atol=1e-6)


def test_hog_equals_scikit_images_on_slices_in_time():
    """Each slice has three rows, t; the cells of its middle row are added up over a block."""
    seen = volume().astype(float)
    option: Any = dict(orientations=8, cells_per_block=(1, 1), feature_vector=False)

    def slices(across, size, edges):
        total = np.zeros((4, 4, 8))
        for line, image in enumerate(across):
            # cells of one row and one column hold a gradient each; undo the norm by its length
            cells = hog(image, pixels_per_cell=(1, 1), block_norm="L1", **option)[1, :, 0, 0]
            rise, run = image[2] - image[0], np.gradient(image[1]) * 2
            run[[0, -1]] = 0
            for place in range(len(run)):
                if 0 < place < len(run) - 1 or rise[place]:
                    block = edges(line, place // size)
                    total[block] += cells[place] * np.hypot(rise[place], run[place])
        return total.reshape(16, 8)

    xt = slices(seen.transpose(1, 0, 2), 8, lambda y, block: (y // 6, block))
    yt = slices(seen.transpose(2, 0, 1), 6, lambda x, block: (block, x // 8))
    found = hog_histograms(volume())
    np.testing.assert_allclose(found[1], xt, rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found[2], yt, rtol=1e-4, atol=1e-2)


def test_higo_counts_directions_whatever_their_length():
    dim, bright = volume() // 4, (volume() // 4) * 4
    np.testing.assert_array_equal(higo_histograms(dim), higo_histograms(bright))
    assert not np.allclose(hog_histograms(dim), hog_histograms(bright))
    ramp = np.zeros((3, 24, 32), np.uint8) + np.arange(32, dtype=np.uint8) * 3
    found = higo_histograms(ramp)
    assert found[0, 5].tolist() == [48, 0, 0, 0, 0, 0, 0, 0], "across, all of 6 x 8 pixels"
    assert not found[2].any(), "nothing changes down and in time"


def test_lbp_of_slices_is_that_of_the_neighbours_in_time():
    """By hand, with the corners of the circle between the pixels."""
    seen = volume().astype(float)
    xt = lbp_codes(volume().transpose(1, 0, 2).reshape(-1, 32))[1::3]
    yt = lbp_codes(volume().transpose(2, 0, 1).reshape(-1, 24))[1::3].T
    patterns = {}
    for y, x in ((7, 9), (12, 20), (3, 4), (18, 27), (10, 10), (20, 6), (5, 25), (15, 15)):
        for codes, line in ((xt, seen[:, y, x - 1 : x + 2]), (yt, seen[:, y - 1 : y + 2, x])):
            bits = tuple(neighbours(line) >= line[1, 1])
            changes = sum(bits[i] != bits[i - 1] for i in range(8))
            assert (codes[y, x] == 58) == (changes > 2)
            assert patterns.setdefault(codes[y, x], bits) == bits or changes > 2
    assert len(patterns) > 3


def neighbours(square):
    """Values on a circle of radius 1 around the middle of 3 x 3, by bilinear interpolation."""
    values = []
    for turn in range(8):
        angle = 2 * np.pi * turn / 8
        row, column = 1 - np.sin(angle), 1 + np.cos(angle)
        top, left = min(int(row + 1e-9), 1), min(int(column + 1e-9), 1)
        down, right = row - top, column - left
        values.append(
            square[top, left] * (1 - down) * (1 - right)
            + square[top, left + 1] * (1 - down) * right
            + square[top + 1, left] * down * (1 - right)
            + square[top + 1, left + 1] * down * right
        )
    return np.array(values)


def test_every_pixel_has_a_code_in_each_plane():
    found = lbp_histograms(volume())
    assert found.shape == (3, 16, 59)
    np.testing.assert_array_equal(found.sum(axis=-1), 48)
    still = np.repeat(volume()[:1], 3, 0)
    counts = lbp_histograms(still)
    np.testing.assert_array_equal(counts[0], lbp_histograms(still[::-1])[0])


def test_the_mean_is_over_the_rows_that_there_are():
    rows = np.random.default_rng(0).normal(size=(9, 2))
    for count in (0, 1, 2, 3, 5, 9):
        found = list(moving_mean(iter(rows[:count]), reach=2))
        expected = [rows[max(i - 2, 0) : min(i + 3, count)].mean(0) for i in range(count)]
        np.testing.assert_allclose(np.reshape(found, (-1, 2)), np.reshape(expected, (-1, 2)))


def test_shares_sum_to_one_and_frames_far_apart_are_neighbours_at_high_rates():
    frames = np.random.default_rng(2).integers(0, 255, (15, 24, 32)).astype(np.uint8)
    found = list(frame_histograms(frames, 7, hog_histograms))
    assert len(found) == 3
    np.testing.assert_allclose(found[1].reshape(48, 8).sum(1), 1)
    own = hog_histograms(frames[[0, 7, 14]])
    np.testing.assert_allclose(found[1], (own / own.sum(-1, keepdims=True)).ravel())


def motion_bank(root, *, frames=60, fps=30.0):
    rng, videos, labels = np.random.default_rng(0), [], []
    for subject in ("s1", "s2", "s3"):
        motion = rng.normal(size=(frames, 12, 2)).astype(np.float32)
        save_motion(root, f"{subject}_1", motion, np.ones((frames, 2), np.float32))
        videos.append((subject, f"{subject}_1", frames, fps))
        if frames >= 60:
            labels += [(subject, f"{subject}_1", "ME", 6, 8, 12)]
            labels += [(subject, f"{subject}_1", "MaE", 21, 30, 45)]
    return finish_tiny_bank(root, videos, labels, regions=TWELVE)


def with_other_labels(bank, subject="s2"):
    """The bank with the labels of a subject elsewhere and of the other kind."""
    annotations = bank.annotations.copy()
    own = annotations.subject == subject
    rows = [["ME", 30, 33, 38], ["MaE", 2, 12, 20]]
    annotations.loc[own, ["kind", "onset", "apex", "offset"]] = rows
    return replace(bank, annotations=annotations)


def spot(bank, name, **changed):
    k = lambda subject, fps: {"ME": 4, "MaE": 12}
    given: Any = dict(folds=loso_folds(bank.videos.subject), k=k, seed=0, recipe=TINY)
    return PEERS[name](bank, **given | changed)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return open_bank(write_bank(tmp_path_factory.mktemp("pictures") / "bank", frames=60))


def check_result(bank, name):
    told = []
    scores, found = spot(bank, name, on_frame=told.append)
    assert sum(told) == bank.videos.frames.sum()
    assert list(found) == list(INTERVAL_COLUMNS)
    assert sorted(scores) == sorted(bank.videos.video)
    for curve in scores.values():
        assert curve.shape == (60, 2) and curve.dtype == np.float32 and np.isfinite(curve).all()
    after, later = spot(with_other_labels(bank), name, folds=loso_folds(bank.videos.subject)[:2])
    np.testing.assert_array_equal(after["s2_1"], scores["s2_1"])
    assert not np.array_equal(after["s1_1"], scores["s1_1"])
    of = lambda table: table[table.subject == "s2"].reset_index(drop=True)
    assert of(later).equals(of(found))


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_spotted_and_own_labels_decide_nothing(pictures, name):
    assert name in ON_PICTURES and name in TRAINED
    check_result(pictures, name)


def test_region_motion_is_spotted_and_own_labels_decide_nothing(tmp_path):
    assert "hoof_lstm" in ON_MOTION
    check_result(motion_bank(tmp_path / "bank"), "hoof_lstm")


def test_pixels_of_a_subject_change_no_feature_of_the_others(pictures, tmp_path):
    for video in pictures.videos.video:
        frames = np.asarray(pictures.frames(video))
        turned = 255 - frames[::-1] if video == "s2_1" else frames
        save_video(tmp_path, video, turned, pictures.quality(video))
    tables: Any = dict(videos=pictures.videos, annotations=pictures.annotations)
    other = finish_bank(tmp_path, **tables, source={}, alignment={})
    for video in pictures.videos.video:
        before, after = (np.stack(list(flow_histograms(b, video, 1))) for b in (pictures, other))
        assert np.array_equal(before, after) == (video != "s2_1")
