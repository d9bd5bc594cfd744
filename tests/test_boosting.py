"""Boosted trees on region motion: leave-one-subject-out, with thresholds from other subjects."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_banks import finish_tiny_bank, write_bank

from jaxspot.annotations.intervals import frame_labels
from jaxspot.baselines import ON_MOTION, ON_PICTURES, PEERS
from jaxspot.baselines.boosting import Recipe, boosting, grow_models
from jaxspot.baselines.window_features import window_features
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.frame_scores import auc
from jaxspot.motion.regions import TWELVE
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import save_motion

FRAMES = 720
TINY = Recipe(groups=3, kept=4, trees=10, leaves=6, learning_rate=0.3)
REGIONS, SIZE, LENGTH = {"ME": [8], "MaE": [1, 2, 3, 4]}, {"ME": 0.6, "MaE": 1.5}, (12, 40)


def write_motion_bank(root, *, subjects=4, every=1):
    """Faces that tremble, raise their brows (MaE) and, shortly, a corner of the mouth (ME)."""
    rng, videos, labels = np.random.default_rng(0), [], []
    for number in range(1, subjects + 1):
        subject, video = f"s{number}", f"s{number}_1"
        places = np.cumsum(rng.normal(0, 0.02, (FRAMES, 12, 2)), 0)
        for i, start in enumerate(range(40 + 5 * number, FRAMES - 60, 90)):
            kind, length = ("ME", "MaE")[i % 2], LENGTH[i % 2]
            rise = np.sin(np.linspace(0, np.pi, length)) ** 2
            places[start : start + length, REGIONS[kind], 1] -= SIZE[kind] * rise[:, None]
            labels.append((subject, video, kind, start + 1, start + length // 2, start + length))
        shown = places[::every]
        motion = np.diff(shown, axis=0, prepend=shown[:1]).astype(np.float32)
        quality = np.ones((FRAMES, 2), np.float32)
        quality[:7, 0] = 0
        save_motion(root, video, motion, quality)
        videos.append((subject, video, FRAMES, 30.0 * every))
    return finish_tiny_bank(root, videos, labels, regions=replace(TWELVE, every=every))


def spot(bank, **changed):
    given = dict(folds=loso_folds(bank.videos.subject), seed=0, recipe=TINY, workers=1)
    return boosting(bank, k=lambda subject, fps: {"ME": 6, "MaE": 20}, **given | changed)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_motion_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def done():
    return []


@pytest.fixture(scope="module")
def found(bank, done):
    return spot(bank, on_frame=done.append)


def test_new_people_are_spotted_well_above_chance(bank, found, done):
    scores, intervals = found
    curves = np.concatenate([scores[video] for video in bank.videos.video])
    truth = [frame_labels(bank.labels(video), frames=FRAMES) for video in bank.videos.video]
    for kind in (0, 1):
        assert auc(curves[:, kind], np.concatenate(truth)[:, kind]) > 0.9
    f1 = score_intervals(intervals, bank.annotations, videos=bank.videos)
    assert f1["overall"]["f1"] > 0.6
    for video in bank.videos.video:
        assert scores[video].shape == (FRAMES, 2) and scores[video].dtype == np.float32
        assert np.isnan(scores[video][:7]).all() and not np.isnan(scores[video][7:]).any()
    assert sum(done) == bank.videos.frames.sum() and min(done) >= 0


def test_labels_of_the_held_out_subject_change_nothing_of_its_own(bank, found):
    moved = bank.annotations.copy()
    own = moved.subject == "s2"
    moved.loc[own, ["onset", "apex", "offset"]] += 50
    moved.loc[own, "kind"] = moved.kind[own].map({"ME": "MaE", "MaE": "ME"})
    folds = loso_folds(bank.videos.subject)[:2]
    scores, intervals = spot(replace(bank, annotations=moved), folds=folds)
    np.testing.assert_array_equal(scores["s2_1"], found[0]["s2_1"])
    of = lambda table, subject: table[table.subject == subject].reset_index(drop=True)
    assert len(of(intervals, "s2")) and of(intervals, "s2").equals(of(found[1], "s2"))
    assert not np.array_equal(scores["s1_1"][7:], found[0]["s1_1"][7:])


def test_a_fold_does_not_depend_on_which_others_run(bank, found):
    scores, intervals = spot(bank, folds=loso_folds(bank.videos.subject)[2:3])
    assert list(scores) == ["s3_1"] and set(intervals.subject) == {"s3"}
    np.testing.assert_array_equal(scores["s3_1"], found[0]["s3_1"])
    assert intervals.equals(found[1][found[1].subject == "s3"].reset_index(drop=True))


def test_features_are_relative_to_the_video_and_the_mirror_image(bank):
    motion = np.array(bank.motion("s1_1"))
    features = window_features(motion, TWELVE, fps=30.0)
    assert features.shape == (FRAMES, 12 * (8 + 3)) and features.dtype == np.float32
    np.testing.assert_allclose(window_features(4 * motion, TWELVE, fps=30.0), features, rtol=1e-4)
    flipped = window_features(TWELVE.flip(motion), TWELVE, fps=30.0)
    np.testing.assert_allclose(flipped, features, rtol=1e-4)
    still = window_features(np.zeros_like(motion), TWELVE, fps=30.0)
    assert not still.any()


def test_a_thinned_bank_has_scores_for_the_videos_own_frames(tmp_path):
    bank = write_motion_bank(tmp_path, subjects=3, every=8)
    scores, _ = spot(bank, recipe=replace(TINY, trees=1))
    assert {len(curve) for curve in scores.values()} == {FRAMES}
    assert len(np.unique(np.diff(scores["s1_1"][8:17, 1]).round(6))) == 1


def test_a_kind_that_nobody_shows_scores_0(bank):
    annotations = bank.annotations[bank.annotations.kind == "MaE"]
    folds = loso_folds(bank.videos.subject)[:1]
    models = grow_models(replace(bank, annotations=annotations), folds, TINY, seed=0, workers=1)
    features = window_features(bank.motion("s1_1"), TWELVE, fps=30.0)
    assert not models[0][0].scores(features).any() and models[0][1].scores(features).any()


def test_the_other_kind_of_bank_is_refused_in_a_line(bank, tmp_path):
    frames = open_bank(write_bank(tmp_path, subjects=3))
    for name in set(PEERS) - (ON_MOTION & ON_PICTURES):
        other = frames if name in ON_MOTION else bank
        given = dict(k=lambda subject, fps: {"ME": 4, "MaE": 8}, seed=0, on_frame=lambda n: None)
        with pytest.raises(UserError, match="holds") as error:
            PEERS[name](other, folds=loso_folds(other.videos.subject), **given)
        assert "\n" not in str(error.value)
