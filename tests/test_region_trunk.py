"""The trunk on region motion: its inputs by plain loops, and whole runs on made-up banks."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from motion_banks import write_motion_bank

from configs import cas_me2, default, samm_lv
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.experiment.crossval import cross_validate, run_networks
from jaxspot.experiment.scores import Work
from jaxspot.experiment.settings import read_settings, refuse_other_kind
from jaxspot.motion.regions import TWELVE
from jaxspot.network.augment import Augmentation, augment_regions
from jaxspot.network.inputs import init_variables, sample_inputs
from jaxspot.network.model import build_model, frame_shape, model_fields
from jaxspot.network.region_motion import LAGS, MIRROR, SOFT, region_features, region_frames
from jaxspot.spotting.intervals import find_at_peaks
from jaxspot.spotting.scoring import to_native

REFERENCES = (("ME", 1.0), ("ME", -1.0), ("MaE", 0.5), ("MaE", -0.5))


def noise(frames=200, seed=0):
    return np.random.default_rng(seed).normal(0, 0.05, (frames, 12, 2)).astype(np.float32)


def small(config):
    config.model.widths = (4, 4, 16)
    config.model.references = (*REFERENCES, ("ME", 0.5), ("ME", -0.5), ("MaE", 1.0), ("MaE", -1.0))
    config.training.update(epochs=2, steps=40, batch=64)
    config.protocol.inner_groups = 3
    return config


def test_displacements_are_in_units_of_what_is_usual_over_such_a_time():
    motion, fps, region = noise(), 30, 3
    lag = round(LAGS[1] * fps)  # a whole number of frames
    place = motion.astype(float).cumsum(0)
    far = [np.hypot(*(place[t + lag, region] - place[t, region])) for t in range(len(place) - lag)]
    frames = region_frames(motion, fps=fps)
    t = 100
    sample = jnp.asarray(frames[[t, t - lag, t + lag, t - 2 * lag, t + 2 * lag]])[None]
    features = np.asarray(region_features(sample, REFERENCES))[0]
    got = features[0, 2 * region : 2 * region + 2]
    wanted = (place[t, region] - place[t - lag, region]) / np.median(far)
    np.testing.assert_allclose(np.sign(got) * np.expm1(np.abs(got)), wanted, rtol=0.05)
    length = features[0, 24 + region]
    np.testing.assert_allclose(np.exp(length) - SOFT, np.hypot(*wanted), rtol=0.1, atol=0.02)
    lengths = features[0, 24:36]
    np.testing.assert_allclose(features[0, 36:40], np.sort(lengths)[:-5:-1], rtol=1e-6)
    np.testing.assert_allclose(features[0, 40], lengths.mean(), rtol=1e-5)


def test_a_region_that_leaves_and_returns_has_a_product_above_zero():
    motion = noise(seed=1) / 50
    motion[100:106, 8, 1] -= 0.3
    motion[106:112, 8, 1] += 0.3
    frames = region_frames(motion, fps=30)
    sample = jnp.asarray(frames[[105, 99, 111, 102, 108]])[None]
    products = np.asarray(region_features(sample, REFERENCES))[0, :, 53:]
    assert products.shape == (4, 12)
    np.testing.assert_allclose(products[0], products[1], rtol=1e-6)
    assert products[0].argmax() == 8
    assert products[0, 8] > 1


def test_scale_of_a_video_does_not_matter():
    motion = noise(seed=2)
    features = [
        region_features(
            jnp.asarray(region_frames(m, fps=30)[[90, 84, 96, 80, 100]])[None], REFERENCES
        )
        for m in (motion, 7 * motion)
    ]
    np.testing.assert_allclose(*map(np.asarray, features), atol=0.05)


def test_mirrored_samples_are_those_of_the_mirrored_face():
    assert TWELVE.mirror == MIRROR
    motion, places = noise(seed=3), [50, 44, 56, 40, 60]
    ranges = Augmentation(flip=1.0, rotation=0.0)
    mirrored = augment_regions(
        jnp.asarray(region_frames(motion, fps=30)[places]), jax.random.key(0), ranges, MIRROR
    )
    other = jnp.asarray(region_frames(TWELVE.flip(motion), fps=30)[places])
    features = [region_features(frames[None], REFERENCES) for frames in (mirrored, other)]
    np.testing.assert_allclose(*map(np.asarray, features), atol=1e-3)


def test_turned_samples_keep_lengths_and_amplitude_changes_them():
    frames = jnp.asarray(region_frames(noise(seed=4), fps=30)[[50, 44, 56, 40, 60]])
    before = np.asarray(region_features(frames[None], REFERENCES))[0, :, 24:36]
    turned = augment_regions(
        frames, jax.random.key(1), Augmentation(flip=0.0, rotation=40.0), MIRROR
    )
    after = np.asarray(region_features(turned[None], REFERENCES))[0]
    np.testing.assert_allclose(after[:, 24:36], before, atol=1e-3)
    larger = augment_regions(
        frames, jax.random.key(1), Augmentation(flip=0.0, rotation=0.0, amplitude=(3, 3)), MIRROR
    )
    lengths = np.exp(np.asarray(region_features(larger[None], REFERENCES))[0, :, 24:36]) - SOFT
    np.testing.assert_allclose(lengths, 3 * (np.exp(before) - SOFT), rtol=1e-3, atol=1e-3)


def test_members_have_weights_of_their_own_and_their_mean_is_the_score():
    model = build_model(trunk="regions", references=REFERENCES, widths=(4, 4, 8))
    assert model_fields(build_model(**model_fields(model))) == model_fields(model)
    variables = init_variables(model, jax.random.key(0), frame_shape(model, 112))
    frames = jnp.asarray(region_frames(noise(), fps=30))
    inputs = sample_inputs(frames[np.arange(40).reshape(8, 5)], model)
    each, _ = model.apply(variables, inputs, train=True, mutable=["batch_stats"])
    assert each.shape == (8, model.trunk.members, 2)
    assert np.ptp(each, axis=1).min() > 0
    one = model.apply(variables, inputs, train=False)
    assert one.shape == (8, 2)
    output = variables["params"]["Members"]["Output"]["kernel"]
    assert output.shape == (model.trunk.members, 8, 2)
    doubled = jax.tree.map(lambda leaf: leaf, variables)
    doubled["params"]["Members"]["Output"]["bias"] = jnp.array([[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    moved = model.apply(doubled, inputs, train=False)
    np.testing.assert_allclose(moved - one, [[1.0, 0.0]] * 8, atol=1e-6)


def test_intervals_of_one_length_keep_the_higher_peak_and_leave_out_gaps():
    curve = np.zeros(100)
    curve[[10, 14, 50, 98]] = 1.0, 2.0, 3.0, 4.0
    curve[53] = np.nan
    spans, heights = find_at_peaks(curve, frames=9)
    assert spans.tolist() == [[10, 19], [94, 100]]
    assert heights.tolist() == [2.0, 4.0]


def test_scores_of_every_eighth_frame_are_lines_between_them():
    rows = np.random.default_rng(0).random((2, 5, 2))
    native = to_native(rows, every=8, frames=40)
    assert native.shape == (2, 40, 2)
    np.testing.assert_allclose(native[:, ::8], rows)
    for kind in range(2):
        line = np.interp(np.arange(40), np.arange(0, 40, 8), rows[1, :, kind])
        np.testing.assert_allclose(native[1, :, kind], line)


def run(bank, config, root, **options):
    settings = read_settings(config)
    networks = run_networks(bank, settings, **options)
    return cross_validate(bank, networks, settings, Work(root, root, root / "metrics.jsonl", "x"))


@pytest.fixture(scope="module")
def trials(tmp_path_factory):
    """(changed subject or None) -> bank and its run."""
    root, found = tmp_path_factory.mktemp("regions"), {}
    for change in (None, "s2"):
        bank = write_motion_bank(root / f"bank{change}", change=change)
        found[change] = bank, run(bank, small(cas_me2.get_config("motion")), root / f"run{change}")
    return found


def test_expressions_of_people_not_seen_are_found(trials):
    bank, trial = trials[None]
    found = score_intervals(trial.held_out.intervals, bank.annotations, videos=bank.videos)
    assert found["overall"]["f1"] > 0.6
    lengths = trial.held_out.intervals.query("kind == 'ME'").eval("offset - onset + 1")
    assert set(lengths) == {12}, "the mean duration of the labels"


def test_the_held_out_subject_decides_nothing(trials):
    (_, before), (_, after) = trials[None], trials["s2"]
    number = [fold.held_out for fold in before.folds].index("s2")
    leaves = lambda trial: jax.tree.leaves(jax.tree.map(lambda leaf: leaf[number], trial.variables))
    for one, other in zip(leaves(before), leaves(after), strict=True):
        np.testing.assert_array_equal(one, other)
    assert before.held_out.rules["s2"] == after.held_out.rules["s2"]
    assert before.held_out.rules["s1"] != after.held_out.rules["s1"]


def test_a_fold_is_the_same_whatever_other_folds_there_are(trials, tmp_path):
    bank, trial = trials[None]
    alone = run(bank, small(cas_me2.get_config("motion")), tmp_path, count=1)
    held_out = alone.folds[0].held_out
    video = bank.videos.video[bank.videos.subject == held_out].item()
    np.testing.assert_allclose(alone.scores[video][0], trial.scores[video][0], atol=1e-5)


def test_a_thinned_pack_is_spotted_in_frames_of_the_release(tmp_path):
    bank = write_motion_bank(tmp_path / "bank", every=8, frames=4000, fps=200.0)
    trial = run(bank, small(samm_lv.get_config("motion")), tmp_path / "run")
    found = score_intervals(trial.held_out.intervals, bank.annotations, videos=bank.videos)
    assert found["overall"]["f1"] > 0.5
    assert trial.scores["s1_1"][0].shape == (4000, 2)
    assert trial.held_out.intervals.offset.max() > 4000 / 8


def test_settings_of_pictures_and_of_region_motion_do_not_mix(tmp_path):
    bank = write_motion_bank(tmp_path)
    with pytest.raises(UserError, match=r"holds region motion.*cas_me2:motion"):
        refuse_other_kind(bank, default.get_config("paper"))
    pictures = dataclasses.replace(bank, meta={k: v for k, v in bank.meta.items() if k != "motion"})
    with pytest.raises(UserError, match="holds pictures"):
        refuse_other_kind(pictures, default.get_config("motion"))
    refuse_other_kind(bank, default.get_config("motion"))
