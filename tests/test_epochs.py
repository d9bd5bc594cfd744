"""Saved epochs: training goes on from each bit for bit, and damage is always seen."""

import dataclasses
import errno
import functools
import os
import re
import shutil

import jax
import numpy as np
import pytest
from damage import Count, damages_in, files_in
from loso_runs import FOLDS, MODEL, TRAINING, same, train
from pools import make_pool

from jaxspot import storage as checkpoint
from jaxspot.devices import fold_mesh
from jaxspot.errors import UserError
from jaxspot.storage import verify_tree
from jaxspot.training.failures import NoFoldLeft, find_failures
from jaxspot.training.loso import start_folds
from jaxspot.training.saved_epochs import (
    Progress,
    restore_progress,
    save_progress,
    saved_epochs,
)


@functools.cache
def like():
    return start_folds(FOLDS, make_pool(), model=MODEL, training=TRAINING)


@pytest.fixture(scope="module")
def epochs():
    """All of an undisturbed training: what it returned and every epoch on the way."""
    passed = []
    return train(on_epoch=passed.append), passed


@pytest.fixture(scope="module")
def saved(epochs, tmp_path_factory):
    """A folder that holds epochs 2 and 3."""
    folder = tmp_path_factory.mktemp("saved")
    for progress in epochs[1]:
        save_progress(folder, progress)
    return folder


def test_progress_returns_bit_for_bit(epochs, saved):
    found, damage = restore_progress(saved, like())
    assert not damage and found.epoch == 3 and found.metrics == epochs[0].metrics
    same(found.state, epochs[1][-1].state)
    assert jax.tree.structure(found.state) == jax.tree.structure(epochs[1][-1].state)
    types = lambda state: [leaf.dtype for leaf in jax.tree.leaves(state)]
    assert types(found.state) == types(epochs[1][-1].state)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_training_goes_on_from_every_epoch(epochs, after, tmp_path):
    save_progress(tmp_path, epochs[1][after - 1])
    found, _ = restore_progress(tmp_path, like())
    resumed = train(resume=found)
    same(resumed.variables, epochs[0].variables)
    assert resumed.metrics == epochs[0].metrics


def test_an_epoch_kept_is_not_changed_by_the_next(epochs):
    """The device hands its memory on from epoch to epoch."""
    again = []
    train(on_epoch=lambda p: again.append(jax.tree.map(np.array, p.state)))
    for kept, copied in zip(epochs[1], again, strict=True):
        same(kept.state, copied)


def test_another_number_of_devices_may_go_on(epochs):
    resumed = train(resume=epochs[1][0], mesh=fold_mesh(3))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(close, resumed.variables, epochs[0].variables)


def test_a_training_that_is_done_does_nothing_more(epochs):
    never = lambda progress: pytest.fail("an epoch was trained")
    same(train(resume=epochs[1][-1], on_epoch=never).variables, epochs[0].variables)
    stopped = dataclasses.replace(epochs[1][0].state, live=np.zeros(len(FOLDS), bool))
    train(resume=epochs[1][0]._replace(state=stopped), on_epoch=never)


def test_the_two_newest_are_kept(saved, tmp_path):
    assert saved_epochs(saved) == [2, 3]
    assert saved_epochs(tmp_path) == [] and restore_progress(tmp_path / "none", like()) == (
        None,
        [],
    )


def spoil(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_every_damage_is_seen(saved, tmp_path, tried):
    copy, count = shutil.copytree(saved / "0003", tmp_path / "copy"), Count()
    for kind in damages_in(copy, count=40):
        with pytest.raises(UserError, match="altered"):
            verify_tree(copy)
        count.add(kind, True)
    assert count.all
    tried.row("Damage", "an epoch of a training", *count.cells, "passed over for the one before")


def test_a_file_that_is_gone_is_seen(saved, tmp_path):
    for name in files_in(saved / "0003"):
        shutil.copytree(saved / "0003", tmp_path / "copy")
        (tmp_path / "copy" / name).unlink()
        with pytest.raises(UserError, match=r"altered|nothing whole"):
            verify_tree(tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy")


def test_damaged_epochs_are_passed_over(epochs, saved, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    (tmp_path / "copy" / "0004").mkdir()
    largest = max(files_in(saved / "0003"), key=lambda name: (saved / "0003" / name).stat().st_size)
    spoil(tmp_path / "copy" / "0003" / largest)
    found, damage = restore_progress(tmp_path / "copy", like())
    assert found.epoch == 2 and len(damage) == 2 and "0004" in damage[0] and "0003" in damage[1]
    same(found.state, epochs[1][1].state)
    assert saved_epochs(tmp_path / "copy") == [2]


def test_where_all_are_damaged_training_stops_with_a_line(saved, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    for epoch in (2, 3):
        (folder / f"{epoch:04d}" / "metrics.jsonl").write_text("[]")
    with pytest.raises(UserError, match=r"remove .* to train afresh") as error:
        restore_progress(folder, like())
    assert "\n" not in str(error.value)


def full(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_save_cut_anywhere_leaves_the_last_one(epochs, tmp_path, monkeypatch):
    save_progress(tmp_path, epochs[1][0])
    for name in ("write_text", "_manifest", "flush"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, name, full)
            with pytest.raises(OSError, match="No space"):
                save_progress(tmp_path, epochs[1][1])
        assert [path.name for path in tmp_path.iterdir()] == ["0001"]


def wild(numbers):
    """A start from weights that no training would leave, for some of the folds."""
    state = like()
    factor = np.where(np.isin(np.arange(len(FOLDS)), numbers), 1e30, 1).astype(np.float32)
    grow = lambda leaf: leaf * factor.reshape(-1, *[1] * (leaf.ndim - 1))
    return Progress(0, dataclasses.replace(state, params=jax.tree.map(grow, state.params)), [])


def test_a_training_of_which_every_fold_diverges_stops_and_says_where():
    seen = []
    with pytest.raises(NoFoldLeft, match=r"subject s3, epoch 1, .*: the loss is (nan|inf)"):
        train(resume=wild([0, 1, 2, 3]), on_epoch=seen.append)
    assert seen == []


@pytest.mark.parametrize("batched", [False, True])
def test_a_fold_that_diverges_is_left_out_and_the_others_go_on(epochs, batched, tmp_path):
    """Two of four, so that a batch becomes smaller too."""
    options = dict(mesh=fold_mesh(2), batched=True, resident=False) if batched else {}
    passed = []
    trained = train(resume=wild([1, 3]), on_epoch=passed.append, **options)
    assert trained.folds == (FOLDS[0], FOLDS[2]) and sorted(trained.failed) == ["s1", "s3"]
    assert re.fullmatch(r"epoch 1, step \d of 3: the loss is (nan|inf)", trained.failed["s1"])
    close = lambda a, b: np.testing.assert_allclose(a, b[[0, 2]], rtol=1e-5, atol=1e-5)
    equal = close if batched else lambda a, b: same(a, b[[0, 2]])
    jax.tree.map(equal, trained.variables, epochs[0].variables)
    rows = [row for row in trained.metrics if row["subject"] == "s3"]
    assert [row["train_loss"] for row in rows] == [None] * 3 and not any(r["best"] for r in rows)
    assert [row["stopped"] for row in rows] == [True] * 3 and "failed" not in rows[1]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(passed[0].state.opt_state))
    save_progress(tmp_path, passed[0])
    resumed = train(resume=restore_progress(tmp_path, like())[0], **options)
    same(resumed.variables, trained.variables)
    assert resumed.failed == trained.failed and resumed.metrics == trained.metrics


@pytest.mark.parametrize(
    ("step", "value", "said"),
    [(1, np.nan, "step 2 of 3: the loss is nan"), (3, np.inf, "validation: the loss is inf")],
)
def test_the_first_bad_loss_of_a_fold_that_trains_is_named(step, value, said):
    losses = np.ones((len(FOLDS), 4), np.float32)
    losses[0] = np.nan
    losses[2, step:] = value
    named = {"train_loss": losses[:, :3], "validation_loss": losses[:, 3]}
    live = np.arange(len(FOLDS)) > 0
    assert find_failures(FOLDS, 7, named, live) == {2: f"epoch 7, {said}"}
    losses[2] = 1
    assert find_failures(FOLDS, 7, named, live) == {}
