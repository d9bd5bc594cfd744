"""A held-out subject's pixels and labels decide nothing that is used on it."""

import itertools

import jax
import numpy as np
import pytest
from tiny_banks import write_bank

from configs import default
from jaxspot.experiment.crossval import cross_validate, run_networks
from jaxspot.experiment.scores import Work
from jaxspot.experiment.settings import read_settings
from jaxspot.experiment.sweep import training_key
from jaxspot.video.bank import finish_bank, open_bank
from jaxspot.video.writer import save_video

HONEST = [
    ("roc", "per_video", "kth", "training"),
    ("interval_f1", "train_quantiles", "kth", "inner"),
    ("overall_f1", "per_video", "kth", "inner"),
    ("roc", "train_quantiles", "manual", "validation"),
    ("interval_f1", "train_quantiles", "manual", "inner"),
]


def settings(threshold, normalisation, frame_skip, fit):
    config = default.get_config("best")
    config.model.widths, config.model.multiplier = (4, 4, 4), 2
    config.model.references = default.paper().model.references
    config.training.update(epochs=2, steps=3, batch=4, validation_batches=1)
    config.protocol.update(
        threshold=threshold,
        normalisation=normalisation,
        frame_skip=frame_skip,
        fit=fit,
        inner_groups=4,
    )
    return read_settings(config)


def change_subject(bank, root, subject):
    """The bank with one subject's videos turned over and their labels elsewhere and longer."""
    annotations = bank.annotations.copy()
    hit = annotations.subject == subject
    annotations.loc[hit, ["onset", "apex", "offset"]] = [[30, 33, 36], [2, 20, 28]]
    for video in bank.videos.video:
        frames = np.asarray(bank.frames(video))
        mine = (bank.videos.set_index("video").subject == subject)[video]
        save_video(root, video, 255 - frames[::-1] if mine else frames, bank.quality(video))
    return finish_bank(root, videos=bank.videos, annotations=annotations, source={}, alignment={})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Both banks by all rules: (changed, rule) -> CrossValidation; "bank" -> the bank as it was."""
    root = tmp_path_factory.mktemp("leaks")
    bank = open_bank(write_bank(root / "bank", subjects=5, frames=60))
    banks = {False: bank, True: change_subject(bank, root / "changed", "s2")}
    trials = {}
    for changed, rule in itertools.product(banks, HONEST):
        networks = run_networks(banks[changed], settings(*rule))
        trials[changed, rule] = cross_validate(
            banks[changed],
            networks,
            settings(*rule),
            Work(
                saved=root / f"saved{changed}" / "_".join(rule),
                epochs=root / f"epochs{changed}" / training_key(settings(*rule)),
                metrics=root / "metrics.jsonl",
                name="leak",
            ),
        )
    return trials | {"bank": bank}


def weights(trial, number):
    return jax.tree.leaves(jax.tree.map(lambda leaf: leaf[number], trial.variables))


@pytest.mark.parametrize("rule", HONEST, ids="-".join)
def test_the_folds_own_weights_stay_and_the_others_move(run, rule):
    before, after = run[False, rule], run[True, rule]
    for number, fold in enumerate(before.folds):
        same = [
            np.array_equal(a, b)
            for a, b in zip(weights(before, number), weights(after, number), strict=True)
        ]
        assert all(same) or fold.held_out != "s2"
        assert not all(same) or "s2" not in fold.training


@pytest.mark.parametrize("rule", HONEST, ids="-".join)
def test_thresholds_scales_and_skips_of_its_fold_stay(run, rule):
    before, after = run[False, rule], run[True, rule]
    held_out = [fold.held_out for fold in before.folds].index("s2")
    assert before.k_seconds[held_out] == after.k_seconds[held_out]
    assert before.durations[held_out] == after.durations[held_out]
    assert before.held_out.rules["s2"] == after.held_out.rules["s2"]
    others = [i for i in range(5) if i != held_out]
    assert any(before.durations[i] != after.durations[i] for i in others)
    own = lambda trial: trial.scores["s2_1"][held_out]
    assert not np.array_equal(own(before), own(after))


@pytest.mark.parametrize("rule", HONEST, ids="-".join)
def test_the_scores_that_its_thresholds_are_fitted_on_stay_bit_for_bit(run, rule):
    before, after = run[False, rule], run[True, rule]
    networks = run_networks(run["bank"], settings(*rule))
    number = [fold.held_out for fold in networks.folds].index("s2")
    fitted_on = networks.fitted_on(number)
    assert fitted_on and "s2" not in fitted_on
    for subject in fitted_on:
        scorer = networks.scorers[number][subject]
        assert "s2" not in networks.all[scorer].subjects
        first, second = (trial.scores[f"{subject}_1"][scorer] for trial in (before, after))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("rule", [rule for rule in HONEST if rule[3] == "inner"], ids="-".join)
def test_no_inner_score_is_by_a_network_that_has_learned_the_labels(run, rule):
    networks = run_networks(run["bank"], settings(*rule))
    for number in range(len(networks.folds)):
        for subject in networks.fitted_on(number):
            scorer = networks.all[networks.scorers[number][subject]]
            assert not {subject, networks.folds[number].held_out} & set(scorer.subjects)


def test_a_video_that_no_fold_asks_for_is_not_scored(run, tmp_path):
    """Some folds alone, as in the negative control: nobody asks for the others' videos."""
    chosen = settings("roc", "per_video", "kth", "validation")
    networks = run_networks(run["bank"], chosen, count=1)
    work = Work(tmp_path, tmp_path / "epochs", tmp_path / "metrics.jsonl", "some")
    trial = cross_validate(run["bank"], networks, chosen, work)
    (fold,) = networks.folds
    asked = {fold.held_out, *fold.validation}
    assert {video for video, scores in trial.scores.items() if scores} == {
        f"{subject}_1" for subject in asked
    }
    assert set(trial.held_out.intervals.subject) <= {fold.held_out}
