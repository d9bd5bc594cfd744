"""A held-out subject's pixels and labels decide nothing that is used on it."""

import itertools

import jax
import numpy as np
import pytest
from tiny_banks import write_bank

from configs import default
from jaxspot.experiment.settings import read_settings
from jaxspot.experiment.trial import run_trial
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import finish_bank, open_bank
from jaxspot.video.writer import save_video

HONEST = [
    ("roc", "per_video", "kth"),
    ("roc", "train_quantiles", "manual"),
    ("interval_f1", "per_video", "manual"),
    ("interval_f1", "train_quantiles", "kth"),
]


def settings(threshold, normalisation, frame_skip):
    config = default.get_config("best")
    config.model.widths, config.model.multiplier = (4, 4, 4), 2
    config.training.update(epochs=2, steps=3, batch=4, validation_batches=1)
    config.protocol.update(threshold=threshold, normalisation=normalisation, frame_skip=frame_skip)
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
    """Both banks by all rules: (changed, rule) -> Trial; trained once a bank."""
    root = tmp_path_factory.mktemp("leaks")
    bank = open_bank(write_bank(root / "bank", subjects=4, frames=60))
    banks = {False: bank, True: change_subject(bank, root / "changed", "s2")}
    folds, trials = loso_folds(bank.videos.subject), {}
    for changed, rule in itertools.product(banks, HONEST):
        trials[changed, rule] = run_trial(
            banks[changed],
            folds,
            settings(*rule),
            saved=root / f"saved{changed}" / "_".join(rule),
            epochs=root / f"epochs{changed}",
            metrics=root / "metrics.jsonl",
            name="leak",
        )
    return trials


def weights(trial, number):
    return jax.tree.leaves(jax.tree.map(lambda leaf: leaf[number], trial.trained.variables))


def test_the_folds_own_weights_stay_and_the_others_move(run):
    before, after = run[False, HONEST[0]], run[True, HONEST[0]]
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
    assert before.reach[held_out] == after.reach[held_out]
    assert before.durations[held_out] == after.durations[held_out]
    assert before.judged.decisions["s2"] == after.judged.decisions["s2"]
    others = [i for i in range(4) if i != held_out]
    assert any(before.durations[i] != after.durations[i] for i in others)
    assert not np.array_equal(before.scores["s2_1"], after.scores["s2_1"])
