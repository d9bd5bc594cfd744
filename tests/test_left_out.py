"""A fold whose loss is not finite is named and left out; the others' tables are written."""

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_banks import write_bank

from jaxspot.commands import train
from jaxspot.errors import UserError
from jaxspot.experiment.left_out import read_left_out, tell_failures
from jaxspot.training import loso
from jaxspot.training.folds import loso_folds
from jaxspot.training.inner_folds import leave_out, plan_networks
from jaxspot.training.saved_epochs import Progress

CONFIG = """
from configs import default

def get_config(arguments=""):
    config = default.get_config("best")
    config.model.widths, config.model.multiplier = (4, 4, 4), 2
    config.training.update(epochs=1, steps=2, batch=4, validation_batches=1, patience=0)
    config.protocol.update(fit="training")
    config.peers = ("moilanen",)
    config.control.folds = 0
    return config
"""
BAD = "epoch 1, step 1 of 2: the loss is nan"


@given(
    count=st.integers(3, 7),
    fit=st.sampled_from(["inner", "training"]),
    lost=st.sets(st.integers(0, 30)),
)
def test_networks_that_are_left_score_whom_they_scored(count, fit, lost):
    networks = plan_networks(
        loso_folds([f"s{i}" for i in range(count)], validate=False), fit=fit, groups=3
    )
    failed = {fold.held_out for number, fold in enumerate(networks.all) if number in lost}
    left = leave_out(networks, failed)
    names = [fold.held_out for fold in left.all]
    assert names == [fold.held_out for fold in networks.all if fold.held_out in names]
    assert not failed & set(names)
    before = {fold.held_out: n for n, fold in enumerate(networks.folds)}
    for number, fold in enumerate(left.folds):
        old = networks.scorers[before[fold.held_out]]
        expected = {s: networks.all[n] for s, n in old.items() if networks.all[n] in left.all}
        assert {s: left.all[n] for s, n in left.scorers[number].items()} == expected
        assert left.fitted_on(number) and fold.held_out in left.scorers[number]
    for name, number in before.items():
        scorers = {networks.all[n].held_out for n in networks.scorers[number].values()} - {name}
        orphan = fit == "inner" and scorers <= failed
        assert (name in names) == (name not in failed and not orphan)


@pytest.fixture
def begin(tmp_path, monkeypatch, request):
    """Calls the command on a bank of four people; losses are said to be bad where `bad` says so."""
    monkeypatch.chdir(request.config.rootpath)
    (tmp_path / "tiny.py").write_text(CONFIG)
    bank = write_bank(tmp_path / "bank", subjects=4)
    run, words = tmp_path / "run", [f"--config={tmp_path / 'tiny.py'}"]
    words += [f"--config.data.bank={bank}", f"--out={run}", "--resume"]

    def begin(bad, *more):
        monkeypatch.setattr(loso, "find_failures", lambda folds, *_: dict.fromkeys(bad(), BAD))
        return train.main([*words, *more]), run

    return begin


def scored(table):
    """The number of labels of each method, overall."""
    rows = pd.read_csv(table).set_index(["method", "kind"]).ground_truth
    return {method: rows[method, "overall"] for method in rows.index.get_level_values(0)}


def test_a_run_goes_on_without_a_fold(begin, capfd):
    code, run = begin(lambda: [1])
    assert code == 2
    said = capfd.readouterr().err
    line = f"fold of subject s2, {BAD}"
    assert f"{line}; left out, the others go on" in said and f"train: {line}\n" in said
    assert scored(run / "tables" / "table5.csv") == {"jaxspot": 6, "random": 6, "moilanen": 6}
    assert sorted(path.stem for path in (run / "scores").iterdir()) == ["s1_1", "s3_1", "s4_1"]
    assert read_left_out(run) == {"s2": BAD}
    assert f"Left out: {line}." in (run / "report.html").read_text()
    rows = [json.loads(row) for row in (run / "metrics.jsonl").read_text().splitlines()]
    assert [row.get("failed") for row in rows] == [None, BAD, None, None]


def test_seeds_go_on_without_a_fold_and_without_a_seed(begin, capfd):
    bad = iter([[1], [0, 1, 2, 3], [], [0, 1, 2, 3]])
    for _ in ("first", "what failed is not forgotten"):
        code, run = begin(lambda: next(bad), "--config.seeds=(0,1,2)", "--config.peers=()")
        assert code == 2
        said = capfd.readouterr().err
        assert f"train: seed0: fold of subject s2, {BAD}\n" in said
        assert f"train: seed1: fold of subject s1, {BAD}\n" in said and "seed2:" not in said
    seeds = pd.read_csv(run / "tables" / "seeds.csv")
    assert sorted(set(seeds.seed)) == [0, 2]
    assert set(pd.read_csv(run / "tables" / "differences.csv").method) == {"seed2"}
    assert [len(read_left_out(run / f"seed{seed}")) for seed in (0, 2)] == [1, 0]


def test_where_no_fold_is_left_there_are_no_tables(begin, capfd):
    code, run = begin(lambda: [0, 1, 2, 3])
    assert code == 2 and not (run / "tables").exists()
    assert "no fold is left: train anew with a lower" in capfd.readouterr().err


def test_what_needs_every_network_stops_at_the_first_that_fails():
    rows = [dict(subject="s2", epoch=1, failed=BAD), dict(subject="s1", epoch=2)]
    state: Any = None
    tell_failures(Progress(2, state, rows), need_all=False)
    with pytest.raises(UserError, match=f"subject s2, {BAD}; train anew"):
        tell_failures(Progress(2, state, rows), need_all=True)
