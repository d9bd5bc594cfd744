"""Training that starts from a trained spotter: whose weights a fold takes, and what is refused."""

import dataclasses
import shutil
from typing import Any

import jax
import numpy as np
import pytest
from loso_runs import FOLDS, MODEL, TRAINING, same, train
from made_spotters import RULE
from pools import make_pool
from tiny_banks import write_bank

from configs import default
from jaxspot.errors import UserError
from jaxspot.experiment import crossval, run
from jaxspot.experiment.run import train_and_evaluate
from jaxspot.experiment.scores import Work
from jaxspot.experiment.settings import read_settings
from jaxspot.experiment.sweep import training_key
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.network.model import model_fields
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.training.inner_folds import plan_networks
from jaxspot.training.loso import start_folds
from jaxspot.training.saved_epochs import Progress


def weights(networks=2):
    """Weights of networks that differ from each other and from any start."""
    state = start_folds(FOLDS[:networks], make_pool(), model=MODEL, training=TRAINING)
    found = {"params": state.params, "batch_stats": state.batch_stats}
    return jax.tree.map(lambda leaf: leaf + np.float32(0.25), found)


def small(folder):
    config = default.get_config()
    for name, value in model_fields(MODEL).items():
        if name in config.model:
            config.model[name] = value
    config.start = str(folder)
    return config


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spotter")
    model = read_settings(small("")).model
    pairs = ((0.1, 0.2), (0.1, 0.2))
    save_spotter(folder, Spotter(model, weights(), pairs, (RULE, RULE)))
    return folder


def test_a_fold_starts_from_the_network_of_its_number():
    given = weights()
    state = start_folds(FOLDS, make_pool(), model=MODEL, training=TRAINING, weights=given)
    plain = start_folds(FOLDS, make_pool(), model=MODEL, training=TRAINING)
    wanted = jax.tree.map(lambda leaf: leaf[[0, 1, 0, 1]], given)
    for part in ("", "mean_", "best_"):
        same(getattr(state, f"{part}params"), wanted["params"])
    for name in ("batch_stats", "mean_stats", "best_stats"):
        same(getattr(state, name), wanted["batch_stats"])
    same(state.opt_state, plain.opt_state)
    like = lambda tree: jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)
    assert like(state) == like(plain)


def test_training_goes_on_from_the_start():
    state = start_folds(FOLDS, make_pool(), model=MODEL, training=TRAINING, weights=weights())
    started = train(training=dataclasses.replace(TRAINING, epochs=1), resume=Progress(0, state, []))
    moved = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), started.variables["params"], state.params
    )
    assert 0 < max(jax.tree.leaves(moved)) < 0.2


def test_the_run_takes_the_weights_of_the_spotter(saved, tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(crossval, "gather_pool", lambda bank: make_pool())

    def stop(*_, resume, **__):
        begun.append(resume.state)
        raise KeyboardInterrupt

    monkeypatch.setattr(crossval, "train_loso", stop)
    settings, work = read_settings(small(saved)), Work(tmp_path, tmp_path, tmp_path / "m", "")
    networks = plan_networks(FOLDS, fit="inner", groups=4)
    bank: Any = None
    for own in (settings, dataclasses.replace(settings, start="")):
        with pytest.raises(KeyboardInterrupt):
            crossval.train(bank, networks, own, work)
    started, plain = begun
    places = np.arange(len(networks.all)) % 2
    same(started.params, jax.tree.map(lambda leaf: leaf[places], weights()["params"]))
    options: Any = dict(model=settings.model, training=settings.training)
    same(plain, start_folds(networks.all, make_pool(), **options))


def test_runs_with_and_without_a_start_share_no_epochs(saved):
    assert training_key(read_settings(small(saved))) != training_key(read_settings(small("")))


def test_a_run_is_not_resumed_with_another_start(saved, tmp_path):
    with claim_workdir(tmp_path / "run", small(saved), resume=False):
        (tmp_path / "run" / "provenance.json").touch()
    with (
        pytest.raises(UserError, match="was begun with start = "),
        claim_workdir(tmp_path / "run", small(""), resume=True),
    ):
        pytest.fail("the folder was given out")


@pytest.mark.parametrize("sweep", [False, True])
def test_a_run_is_not_resumed_from_weights_that_changed(sweep, saved, tmp_path, monkeypatch):
    """In place of the epochs there is an error: only what is written before them matters here."""
    monkeypatch.setattr(run, "run_one", lambda *_, **__: (_ for _ in ()).throw(OSError("stopped")))
    start = tmp_path / "start"
    shutil.copytree(saved, start)
    config = small(start)
    config.data.bank, config.peers = str(write_bank(tmp_path / "bank")), ()
    if sweep:  # the start is that of a variant alone
        config.start = ""
        config.variants = (("plain", ()), ("started", (("start", str(start)),)))

    def go_on():
        train_and_evaluate(config, tmp_path / "run", resume=True)

    for _ in range(2):
        with pytest.raises(OSError, match="stopped"):
            go_on()
    spotter = load_spotter(start)
    other = jax.tree.map(lambda leaf: leaf + np.float32(0.1), spotter.variables)
    shutil.rmtree(start)
    save_spotter(start, dataclasses.replace(spotter, variables=other))
    with pytest.raises(UserError, match=r"was begun from weights in .*start that have changed"):
        go_on()
    shutil.rmtree(start)
    save_spotter(start, spotter)
    with pytest.raises(OSError, match="stopped"):
        go_on()


def test_another_network_is_refused_before_anything_is_written(saved, tmp_path):
    config = small(saved)
    config.model.dropout = 0.3
    with pytest.raises(
        UserError, match=r"its network has dropout = 0\.2, these settings have 0\.3"
    ):
        train_and_evaluate(config, tmp_path / "run")
    with pytest.raises(UserError, match="no trained spotter here"):
        train_and_evaluate(small(tmp_path / "none"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
