"""Leave-one-subject-out training is clean: what a fold must not see or feel, it does not."""

import dataclasses
import re
from contextlib import closing

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loso_runs import FOLDS, MODEL, TRAINING, same, train
from pools import make_pool, overwrite

from jaxspot.devices import fold_mesh, shard_folds, stack_places
from jaxspot.network.augment import Augmentation
from jaxspot.training import loso
from jaxspot.training.feed import feed_epochs
from jaxspot.training.folds import loso_folds
from jaxspot.training.loso import compile_epoch, start_folds
from jaxspot.training.saved_epochs import Progress
from jaxspot.training.state import init_state, stop_early
from jaxspot.training.step import Training

COLLECTIVES = r"all-gather|all-reduce|all-to-all|reduce-scatter|collective-\w+"


def fold_of(trained, number):
    return jax.tree.map(lambda leaf: leaf[number], trained.variables)


def close(found, expected):
    equal = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(equal, found, expected)


def differ(found, expected):
    pairs = zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True)
    return any((a != b).any() for a, b in pairs)


class Spy:
    """Keeps the programs that training compiles and what they are first called with."""

    def __init__(self, monkeypatch, devices):
        self.programs, self.texts, self.devices = [], [], devices
        compile_program = loso.compile_program
        monkeypatch.setattr(loso, "compile_program", lambda *a, **k: self(compile_program(*a, **k)))

    def __call__(self, program):
        def run(*arguments):
            if not self.texts:
                self.texts.append(program.lower(*arguments).compile().as_text())
            return program(*arguments)

        run.lower, run._cache_size = program.lower, program._cache_size
        self.programs.append(program)
        return run


@pytest.fixture(scope="module")
def trained():
    """All folds on one device, one after the other."""
    return train()


@pytest.fixture(scope="module")
def spread():
    """One fold on each of four devices, and what was compiled."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        spy = Spy(monkeypatch, 4)
        return train(mesh=fold_mesh()), spy


@pytest.fixture(scope="module")
def batched():
    """Two folds as one batch on each of two devices, fed by the epoch, and what was compiled."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        spy = Spy(monkeypatch, 2)
        return train(mesh=fold_mesh(2), batched=True, resident=False), spy


def test_the_held_out_subject_changes_nothing(trained):
    for number in (0, 2):
        other = train(overwrite(make_pool(), FOLDS[number].held_out))
        same(fold_of(other, number), fold_of(trained, number))
        for place, fold in enumerate(FOLDS):
            if FOLDS[number].held_out in fold.training:
                assert differ(fold_of(other, place), fold_of(trained, place))


def test_a_fold_alone_equals_the_fold_in_the_stack(trained):
    close(fold_of(train(folds=FOLDS[2:3]), 0), fold_of(trained, 2))


def test_dropping_and_reordering_folds_changes_nothing(spread):
    """Bit for bit, on as many devices; an idle fold takes the fourth."""
    fewer = train(folds=[FOLDS[3], FOLDS[0], FOLDS[1]], mesh=fold_mesh())
    assert [fold.held_out for fold in fewer.folds] == ["s3", "s0", "s1"]
    assert len(fewer.metrics) == 3 * TRAINING.epochs
    for place, number in enumerate((3, 0, 1)):
        same(fold_of(fewer, place), fold_of(spread[0], number))


@pytest.mark.parametrize("form", ["spread", "batched"])
def test_more_devices_equal_one_and_exchange_nothing(form, trained, request):
    other, spy = request.getfixturevalue(form)
    close(other.variables, trained.variables)
    (program,), (text,) = spy.programs, spy.texts
    assert max(row["epoch"] for row in other.metrics) == 3
    assert program._cache_size() == 1
    assert f"num_partitions={spy.devices}" in text
    assert not re.findall(COLLECTIVES, text)


def test_metrics_hold_a_row_per_fold_and_epoch(trained):
    rows = trained.metrics
    assert [(row["epoch"], row["subject"]) for row in rows] == [
        (epoch, fold.held_out) for epoch in (1, 2, 3) for fold in FOLDS
    ]
    for row in rows:
        assert np.isfinite(row["train_loss"]) and np.isfinite(row["validation_loss"])
        earlier = [r["validation_loss"] for r in rows if r["subject"] == row["subject"]]
        lowest = min([np.inf, *earlier[: row["epoch"] - 1]])
        assert row["best"] is (row["validation_loss"] < lowest) and row["stopped"] is False


def test_the_search_for_collectives_finds_one():
    mesh = fold_mesh()
    total = jax.shard_map(
        lambda x: jax.lax.psum(x, "fold"),
        mesh=mesh,
        in_specs=jax.sharding.PartitionSpec("fold"),
        out_specs=jax.sharding.PartitionSpec(),
    )
    text = jax.jit(total).lower(shard_folds(jnp.ones(4), mesh)).compile().as_text()
    assert re.findall(COLLECTIVES, text)


@pytest.mark.parametrize("batched", [False, True])
def test_a_stopped_fold_stays_as_it_is(batched):
    pool, mesh = make_pool(), fold_mesh(2 if batched else 1)
    state = start_folds(FOLDS, pool, model=MODEL, training=TRAINING)
    state = dataclasses.replace(state, live=jnp.array([True, False, True, False]))
    before = jax.tree.map(np.array, state)
    run = compile_epoch(MODEL, TRAINING, Augmentation(), mesh, batched=batched)
    with closing(feed_epochs(pool, FOLDS, MODEL, TRAINING, mesh, resident=not batched)) as feed:
        after, losses = run(shard_folds(state, mesh), *next(feed))
    after = jax.tree.map(np.array, after)
    for number, live in enumerate((True, False, True, False)):
        old, new = (jax.tree.map(lambda leaf, n=number: leaf[n], s) for s in (before, after))
        assert losses["train_loss"][number].shape == (3,)
        assert np.isnan(losses["train_loss"][number]).all() == (not live)
        assert np.isnan(losses["validation_loss"][number]) == (not live)
        if live:
            assert differ(new.params, old.params) and differ(new.batch_stats, old.batch_stats)
        else:
            same(new, old)


@given(st.lists(st.booleans(), min_size=1, max_size=70).filter(any), st.integers(1, 4))
def test_places_of_a_batch_are_those_of_live_folds(live, devices):
    live, mesh = np.array(live), fold_mesh(devices)
    whole = stack_places(live, mesh, batched=False)
    assert sorted(set(whole)) == list(range(len(live))) and len(whole) - len(live) < devices
    places = stack_places(live, mesh, batched=True)
    assert len(places) % devices == 0 and set(np.flatnonzero(live)) <= set(places)
    if not live.all() and 2 * devices * -(-live.sum() // devices) <= len(whole):
        assert (
            set(places) == set(np.flatnonzero(live)) and len(places) <= (len(whole) + devices) / 2
        )
    counts = np.arange(1, len(live) + 1)[:, None] > np.arange(len(live))
    sizes = {len(stack_places(count, mesh, batched=True)) for count in counts}
    assert len(sizes) <= np.log2(len(whole)) + 2


def test_stopped_folds_leave_a_batch_and_the_others_feel_nothing(monkeypatch):
    """Two stop after the first epoch; their best loss so far is one that no epoch can beat."""
    start = start_folds(FOLDS, make_pool(), model=MODEL, training=TRAINING)
    losses, bad = np.float32([0, np.inf, 0, np.inf]), np.int32([4, 0, 4, 0])
    begun = Progress(0, dataclasses.replace(start, best_loss=losses, bad_epochs=bad), [])
    options = dict(mesh=fold_mesh(2), batched=True)
    sizes, stack_states = [], loso.stack_states

    def stack(state, places, mesh):
        sizes.append(len(places))
        return stack_states(state, places, mesh)

    monkeypatch.setattr(loso, "stack_states", stack)
    smaller = train(resume=begun, resident=False, **options)
    program = compile_epoch(MODEL, TRAINING, Augmentation(), **options)
    assert sizes == [4, 2] and program._cache_size() == 2
    monkeypatch.setattr(loso, "stack_places", lambda live, mesh, batched: np.arange(len(live)))
    whole = train(resume=begun, resident=False, **options)
    assert sizes == [4, 2, 4] and program._cache_size() == 2
    close(smaller.variables, whole.variables)
    for number in (0, 2):
        same(fold_of(smaller, number), fold_of(whole, number))
    for found, expected in zip(smaller.metrics, whole.metrics, strict=True):
        for name, value in expected.items():
            number = isinstance(value, float)
            assert found[name] == (pytest.approx(value, rel=1e-5) if number else value)
    assert [row["train_loss"] is None for row in smaller.metrics[4:8]] == [True, False] * 2


def test_an_epoch_reads_no_array_and_calls_nothing_on_the_host(monkeypatch):
    mesh, pool = fold_mesh(), make_pool()
    feed = feed_epochs(pool, FOLDS, MODEL, TRAINING, mesh)
    run = compile_epoch(MODEL, TRAINING, Augmentation(), mesh)
    state = shard_folds(start_folds(FOLDS, pool, model=MODEL, training=TRAINING), mesh)
    fed = next(feed)
    text = run.lower(state, *fed).compile().as_text()
    assert not re.findall(r"callback|infeed|outfeed|host-transfer|is_host", text)
    state, _ = run(state, *fed)
    fed = next(feed)

    def refuse(self):
        raise AssertionError("an array was read on the host")

    with jax.transfer_guard("disallow"), monkeypatch.context() as patch:
        patch.setattr(type(state.best_loss), "_value", property(refuse))
        with pytest.raises(AssertionError, match="read on the host"):
            np.asarray(state.best_loss)
        state, losses = run(state, *fed)
        jax.block_until_ready(losses)
    assert np.isfinite(losses["train_loss"]).all() and run._cache_size() == 1


def test_stops_after_exactly_five_bad_epochs():
    """The best loss so far is one that no epoch can beat."""
    passed, calls = [], []
    train(on_epoch=passed.append)
    first = passed[0]
    best = np.zeros_like(first.state.best_loss)
    begun = first._replace(state=dataclasses.replace(first.state, best_loss=best))
    training = dataclasses.replace(TRAINING, epochs=20)
    keep = lambda progress: calls.append(progress.epoch)
    trained = train(training=training, resume=begun, on_epoch=keep)
    assert calls == [2, 3, 4, 5, 6]
    for fold in FOLDS:
        rows = [row for row in trained.metrics if row["subject"] == fold.held_out]
        assert [row["best"] for row in rows] == [True] + [False] * 5
        assert [row["stopped"] for row in rows] == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("losses", "stop", "best"),
    [
        ([3, 2, 2, 2, 2, 2, 2, 1], 7, 2),
        ([3, 4, 4, 4, 4, 2, 5, 5, 5, 5, 5, 0], 11, 6),
        ([1, 2, 3, 4, 5, 6, 0], 6, 1),
        ([5, 4, 3, 2, 1, 0.5, 0.4], None, 7),
        ([float("nan")] * 5 + [1.0], 5, 0),
    ],
)
def test_early_stopping_by_a_scripted_loss(losses, stop, best):
    variables = {"params": jnp.zeros(()), "batch_stats": jnp.zeros(())}
    state = init_state(variables, optax.sgd(0.1))
    for epoch, loss in enumerate(losses, 1):
        if not state.live:
            break
        number = jnp.full((), epoch, jnp.float32)
        state = dataclasses.replace(state, mean_params=number, mean_stats=-number)
        state = stop_early(state, jnp.float32(loss), patience=5)
        assert bool(state.live) == (epoch != stop)
    assert int(state.best_params) == best and int(state.best_stats) == -best
    if best:
        assert float(state.best_loss) == pytest.approx(losses[best - 1])


def test_without_patience_the_last_epoch_is_kept_whatever_its_loss():
    variables = {"params": jnp.zeros(()), "batch_stats": jnp.zeros(())}
    state = init_state(variables, optax.sgd(0.1))
    for epoch, loss in enumerate([1.0, 5, 6, 7, 8, 9, 10, 11], 1):
        number = jnp.full((), epoch, jnp.float32)
        state = dataclasses.replace(state, mean_params=number, mean_stats=-number)
        state = stop_early(state, jnp.float32(loss), patience=0)
        assert bool(state.live)
        assert int(state.best_params) == epoch and int(state.best_stats) == -epoch


def test_every_leaf_of_a_new_state_has_a_firm_type():
    state = init_state({"params": jnp.zeros(2), "batch_stats": jnp.zeros(2)}, optax.adam(0.1))
    assert not any(leaf.aval.weak_type for leaf in jax.tree.leaves(state))


def test_weights_kept_are_the_moving_average_of_the_steps():
    decay, weights = 0.7, []
    training = Training(**vars(TRAINING) | dict(epochs=3, steps=1, averaging=decay, patience=9))
    keep = lambda progress: weights.append((progress.state.params, progress.state.mean_params))
    train(training=training, on_epoch=keep)
    mean = start_folds(FOLDS, make_pool(), model=MODEL, training=training).params
    for params, found in weights:
        mean = jax.tree.map(lambda m, p: decay * m + (1 - decay) * p, mean, params)
        close(found, mean)


def test_a_second_training_of_the_same_shapes_compiles_nothing():
    """With other frames; only shapes and settings decide what is compiled."""
    compiled = []
    listen = lambda name, seconds, **_: compiled.append(name)
    training = dataclasses.replace(TRAINING, epochs=1, balance=0.0)
    train(training=training)
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        train(overwrite(make_pool(), "s1"), training=training)
        again, compiled[:] = [name for name in compiled if "compile" in name], []
        train(training=dataclasses.replace(training, learning_rate=0.02))
        first = [name for name in compiled if "compile" in name]
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert not again and first


def test_without_validation_subjects_all_epochs_are_trained_and_the_last_is_kept():
    folds = loso_folds(["s0", "s1", "s2", "s3"], validate=False)
    training = dataclasses.replace(TRAINING, patience=0)
    seen = []
    trained = train(folds=folds, training=training, on_epoch=seen.append)
    assert [row["validation_loss"] for row in trained.metrics] == [None] * len(trained.metrics)
    assert len(trained.metrics) == len(folds) * training.epochs
    same(trained.variables["params"], seen[-1].state.mean_params)
    with pytest.raises(ValueError, match="no validation subjects"):
        train(folds=folds)
    with pytest.raises(ValueError, match="or none has"):
        train(folds=[folds[0], *FOLDS[1:]])
