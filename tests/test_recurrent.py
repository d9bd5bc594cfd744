"""The recurrent part of peers: windows in seconds, training fold by fold, thresholds of others."""

import tracemalloc
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from tiny_banks import finish_tiny_bank

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.baselines.inner_thresholds import plan_models
from jaxspot.baselines.recurrent.features import frames_a_row, standardise, write_features
from jaxspot.baselines.recurrent.folds import score_videos, spot_recurrent
from jaxspot.baselines.recurrent.network import Recurrent
from jaxspot.baselines.recurrent.samples import SubjectWindows, batches
from jaxspot.baselines.recurrent.training import Recipe, start_networks, train_networks
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.devices import fold_mesh
from jaxspot.errors import UserError
from jaxspot.evaluation.frame_scores import auc
from jaxspot.motion.regions import TWELVE
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import save_motion

WINDOWS = {"ME": Windows(0.5, steps=6, delay=3), "MaE": Windows(2.0, steps=6, delay=3)}
NETWORK = Recurrent(widths=(8,))
TINY = Recipe(learning_rate=0.02, steps=60, batch=48, groups=3)
LENGTHS = {"ME": 0.4, "MaE": 1.5}
K = lambda subject, fps: {"ME": round(0.2 * fps), "MaE": round(0.75 * fps)}


def write_moving_bank(root, *, subjects=4, seconds=20, fps=30.0):
    """Faces that tremble; a region goes up and back, fast for an ME and slowly for a MaE."""
    rng, videos, labels = np.random.default_rng(0), [], []
    frames = round(seconds * fps)
    for number in range(1, subjects + 1):
        subject, video = f"s{number}", f"s{number}_1"
        speed = rng.normal(0, 0.02, (frames, 12, 2))
        for i, start in enumerate(
            range(round((1 + 0.2 * number) * fps), frames - int(2 * fps), int(3 * fps))
        ):
            kind = KINDS[i % 2]
            length = round(LENGTHS[kind] * fps)
            turn = np.cos(np.linspace(0, 2 * np.pi, length)) * np.pi / length
            speed[start : start + length, (8, 2)[i % 2], 1] -= turn
            labels.append((subject, video, kind, start + 1, start + length // 2, start + length))
        quality = np.ones((frames, 2), np.float32)
        quality[:7, 0] = 0
        save_motion(root, video, speed.astype(np.float32), quality)
        videos.append((subject, video, frames, fps))
    return finish_tiny_bank(root, videos, labels, regions=TWELVE)


def speeds(bank, video, every):
    """How far each region goes up and down in each row."""
    values = bank.motion(video)[..., 1]
    yield from (values[i : i + every].sum(axis=0) for i in range(0, len(values), every))


def spot(bank, **changed):
    given: Any = dict(folds=loso_folds(bank.videos.subject), k=K, seed=0, recipe=TINY, width=12)
    return spot_recurrent(bank, speeds, NETWORK, windows=WINDOWS, **given | changed)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_moving_bank(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def features(bank, tmp_path_factory):
    return write_features(bank, speeds, tmp_path_factory.mktemp("f") / "f.npy", width=12)


@pytest.fixture(scope="module")
def done():
    return []


@pytest.fixture(scope="module")
def found(bank, done):
    return spot(bank, on_frame=done.append)


def aucs(bank, scores):
    videos = list(bank.videos.itertuples())
    truth = [frame_labels(bank.labels(row.video), frames=row.frames) for row in videos]
    curves = np.concatenate([scores[row.video] for row in videos])
    return [auc(curves[:, i], np.concatenate(truth)[:, i]) for i in range(2)]


def test_new_people_are_spotted_above_chance(bank, found, done):
    scores, intervals = found
    assert min(aucs(bank, scores)) > 0.8
    assert set(intervals.kind) == set(KINDS)
    assert sum(done) == bank.videos.frames.sum() and min(done) >= 0
    for video, frames in zip(bank.videos.video, bank.videos.frames, strict=True):
        assert scores[video].shape == (frames, 2) and scores[video].dtype == np.float32
        assert np.isnan(scores[video][:7]).all() and not np.isnan(scores[video][7:]).any()


def test_windows_are_in_seconds_at_any_rate(tmp_path):
    bank = write_moving_bank(tmp_path, subjects=3, seconds=12, fps=120.0)
    assert frames_a_row(bank, 120.0) == 4 and frames_a_row(bank, 25.0) == 1
    scores, _ = spot(bank)
    assert {len(curve) for curve in scores.values()} == {1440}
    assert min(aucs(bank, scores)) > 0.7
    windows = Windows(1.0, steps=10, delay=5)
    slow, fast = (windows.places(np.array([2.0]), rate)[0] for rate in (30.0, 120.0))
    assert slow.shape == fast.shape == (10, 3)
    np.testing.assert_allclose(slow / 30, fast / 120, atol=0.5 / 30 + 0.5 / 120)


def test_each_step_is_the_mean_of_its_rows():
    windows = Windows(1.0, steps=10)
    places = windows.places(np.array([5.0]), 30.0)[0]
    assert places[-1].tolist() == [149, 150, 151]
    assert places[0].tolist() == [122, 123, 124]
    delayed = replace(windows, delay=5).places(np.array([5.0]), 30.0)[0]
    assert delayed[4].tolist() == [149, 150, 151]


def test_windows_cover_every_time_once():
    windows = Windows(1.0, steps=10, outputs=4)
    times = windows.answered(windows.tiling(2.05)).ravel()
    np.testing.assert_allclose(times, 0.1 * np.arange(len(times)), atol=1e-12)
    assert times[-1] + 0.1 >= 2.05 and len(times) == 24


def test_rows_are_gathered_and_repeated_at_the_ends(bank, features):
    start, count = features.starts["s2_1"], features.counts["s2_1"]
    own = features.rows[start : start + count]
    found = features.gather("s2_1", np.array([[[-5, 0]], [[3, 4]], [[count - 1, count + 9]]]))
    expected = [own[0], (own[3] + own[4]) / 2, own[-1]]
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(own.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(own.std(axis=0), 1, rtol=1e-4)


def test_a_feature_that_never_changes_is_0():
    rows = np.random.default_rng(0).normal(5, 3, (700, 3)).astype(np.float32)
    rows[:, 1] = 0.3
    expected = (rows - rows.mean(0)) / rows.std(0)
    standardise(rows)
    np.testing.assert_allclose(rows[:, [0, 2]], expected[:, [0, 2]], atol=1e-4)
    assert not rows[:, 1].any()


def test_labels_are_those_of_the_times_that_are_answered_for(bank, features):
    windows = Windows(0.6, steps=6, outputs=3)
    draws = SubjectWindows(bank, features, "s1", "MaE", windows, seed=0)
    windows_of, labels, weights = draws.draw(400)
    assert windows_of.shape == (400, 6, 12) and labels.shape == weights.shape == (400, 3)
    assert 0.5 < labels[weights > 0].mean() < 0.9
    assert (weights == 0).any(), "windows before the first face count nothing"
    still = SubjectWindows(bank, features, "s1", "MaE", windows, seed=0).draw(400)
    np.testing.assert_array_equal(still.labels, labels)


def test_all_steps_are_shown_and_the_rest_of_the_last_call_is_not(bank, features):
    draws = [SubjectWindows(bank, features, s, "ME", WINDOWS["ME"], 0) for s in ("s1", "s2")]
    parts = list(batches(draws, each=3, steps=5, steps_a_call=2))
    assert [part.windows.shape for part in parts] == [(2, 6, 6, 12)] * 3
    assert not parts[-1].weights[1].any() and parts[-1].weights[0].any()


def test_the_network_is_two_lstm_layers():
    params = start_networks(Recurrent((12, 10), dense=5), folds_of(3), Windows(1.0), 7, seed=0)
    dense, out = (7 + 1) * 5, 10 + 1
    first, second = 4 * 12 * (5 + 12 + 1), 4 * 10 * (12 + 10 + 1)
    count = sum(leaf[0].size for leaf in jax.tree.leaves(params))
    assert count == dense + first + second + out


def folds_of(count):
    return loso_folds([f"s{i}" for i in range(1, count + 1)], validate=False)


def weights(bank, features, **changed):
    given: Any = dict(
        folds=folds_of(4), kind="ME", windows=WINDOWS["ME"], seed=1, mesh=fold_mesh(1)
    )
    given |= dict(recipe=replace(TINY, steps=8))
    return train_networks(bank, features, NETWORK, **given | changed)[0]


def changed_bank(bank):
    """The labels of s2 elsewhere and of the other kind."""
    moved = bank.annotations.copy()
    own = moved.subject == "s2"
    moved.loc[own, ["onset", "apex", "offset"]] += 40
    moved.loc[own, "kind"] = moved.kind[own].map({"ME": "MaE", "MaE": "ME"})
    return replace(bank, annotations=moved)


def test_the_held_out_subject_decides_nothing(bank, features):
    """Neither its rows nor its labels change the network of its fold; both change the others'."""
    rows = np.array(features.rows)
    rows[features.starts["s2_1"] :][: features.counts["s2_1"]] *= -1
    before = weights(bank, features)
    for other in (
        weights(changed_bank(bank), features),
        weights(bank, replace(features, rows=rows)),
    ):
        for number, fold in enumerate(folds_of(4)):
            pairs = zip(jax.tree.leaves(before), jax.tree.leaves(other), strict=True)
            same = [np.array_equal(a[number], b[number]) for a, b in pairs]
            assert all(same) if fold.held_out == "s2" else not all(same)


def test_labels_of_the_held_out_subject_do_not_change_its_result(bank, found):
    scores, intervals = spot(changed_bank(bank), folds=folds_of(4)[:2])
    np.testing.assert_array_equal(scores["s2_1"], found[0]["s2_1"])
    of = lambda table, subject: table[table.subject == subject].reset_index(drop=True)
    assert len(of(intervals, "s2")) and of(intervals, "s2").equals(of(found[1], "s2"))
    assert not np.array_equal(scores["s1_1"][7:], found[0]["s1_1"][7:])


def test_all_at_once_equals_one_after_the_other(bank, features):
    together = weights(bank, features, batched=True)
    alone = weights(bank, features, batched=False, folds=folds_of(4)[1:2])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[1], b[0], rtol=1e-3, atol=1e-4), together, alone
    )


def test_a_training_that_diverges_names_its_fold(bank, features):
    rows = np.array(features.rows)
    rows[features.starts["s3_1"] :][: features.counts["s3_1"]] = np.nan
    with pytest.raises(UserError, match="fold of subject s1, ME: the loss"):
        weights(bank, replace(features, rows=rows))


def test_memory_does_not_grow_with_the_video(tmp_path):
    """Features of a bank lie on disk; scores are 16 bytes a frame and network."""

    def peak(seconds):
        root = tmp_path / str(seconds)
        bank = open_bank(write_moving_bank(root, subjects=3, seconds=seconds).root)
        networks = plan_models(loso_folds(bank.videos.subject), groups=3)
        params = {k: start_networks(NETWORK, networks.all, WINDOWS[k], 900, seed=0) for k in KINDS}
        wide = lambda bank, video, every: (np.tile(row, 75) for row in speeds(bank, video, every))
        tracemalloc.start()
        features = write_features(bank, wide, root / "f.npy", width=900)
        score_videos(bank, features, NETWORK, params, networks, WINDOWS)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(60) - peak(10) < 4e6  # 16 MB of features more
