"""The fast forms give the numbers of the plain one: values, gradients, running statistics.

The CPU runs the form for other backends too, only slower.
"""

import dataclasses
import functools
import re
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loso_runs import FOLDS, TRAINING, train
from reference_network import close, inputs, random_variables

from jaxspot import devices
from jaxspot.devices import fold_mesh, map_folds, on_each_device, shard_folds
from jaxspot.network import augment, lcn, plain
from jaxspot.network import inputs as network_inputs
from jaxspot.network.augment import Augmentation
from jaxspot.network.blocks import ELSEWHERE, ON_CPU, Blocks, fast_blocks
from jaxspot.network.convolution import Convolution
from jaxspot.network.model import TwoStream, build_model
from jaxspot.training.state import init_state
from jaxspot.training.step import make_optimiser, train_step

SMALL = dict(widths=(4, 6, 8), multiplier=3)
few = settings(max_examples=4, deadline=None)  # every shape is compiled anew


class OnCpu(Convolution):
    blocks: ClassVar[Blocks | None] = ON_CPU


class Elsewhere(Convolution):
    blocks: ClassVar[Blocks | None] = ELSEWHERE


together = pytest.mark.parametrize("form, batched", [(OnCpu, False), (Elsewhere, True)])


def both_networks(form, **fields):
    """A network in its plain form and in a fast one, of the same parameters."""
    model = build_model(**fields)
    own = {name: value for name, value in vars(model.trunk).items() if name in FIELDS}
    return [TwoStream(kind(**own), model.streams) for kind in (plain.PlainConvolution, form)]


FIELDS = {f.name for f in dataclasses.fields(Convolution)} - {"parent", "name"}


def logits_and_gradients(model, variables, frames, weights, key):
    """Logits, new running statistics and all gradients of a random weighting of the logits."""

    def total(params, frames):
        logits, updates = model.apply(
            variables | {"params": params},
            frames,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
        )
        return (logits * weights).sum(), (logits, updates["batch_stats"])

    (_, seen), gradients = jax.value_and_grad(total, (0, 1), has_aux=True)(
        variables["params"], frames
    )
    return seen, gradients


@few
@given(
    form=st.sampled_from([OnCpu, Elsewhere]),
    batch=st.integers(1, 3),
    cells=st.integers(1, 3),
    streams=st.integers(1, 3),
    pooling=st.sampled_from(["max", "average"]),
    seed=st.integers(0, 2**31),
)
def test_the_network_in_both_forms(form, batch, cells, streams, pooling, seed):
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs(batch=batch, size=8 * cells, streams=streams, seed=seed))
        weights = jnp.asarray(np.random.default_rng(seed).normal(size=(batch, 2)))
        references = (("ME", 1.0),) * streams
        options = SMALL | dict(pooling=pooling, pool_grid=2, dropout=0.3, references=references)
        slow, fast = both_networks(form, **options)
        variables = random_variables(slow, frames, seed=seed)
        run = lambda model: jax.jit(functools.partial(logits_and_gradients, model))(
            variables, frames, weights, jax.random.key(seed % 2**31)
        )
        jax.tree.map(close(1e-10), run(fast), run(slow))


def test_in_single_precision_forward_agrees():
    """Float32, at the full size; gradients differ where a maximum or a ReLU nearly ties."""
    frames = jnp.asarray(inputs(batch=2, size=112), jnp.float32)
    slow, fast = both_networks(OnCpu, pool_grid=7)
    variables = jax.jit(lambda: slow.init(jax.random.key(0), frames, train=False))()
    for mode in (True, False):
        run = lambda model, mode=mode: jax.jit(
            lambda x: model.apply(variables, x, train=mode, mutable=["batch_stats"])
        )(frames)
        found, expected = run(fast), run(slow)
        jax.tree.map(close(1e-5), found, expected)


@together
def test_folds_in_both_forms(form, batched):
    """Stacked weights over two devices by shard_map, vmapped or mapped inside each."""
    mesh = fold_mesh(2)
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs(batch=2))
        slow, fast = both_networks(form, **SMALL, dropout=0.3)
        seeds = range(4)
        stack = [random_variables(slow, frames, seed=seed) for seed in seeds]
        variables = jax.tree.map(lambda *leaves: np.stack(leaves), *stack)
        keys = jax.random.split(jax.random.key(0), 4)
        weights = jnp.asarray(np.random.default_rng(0).normal(size=(2, 2)))

        def run(model):
            one = lambda fold: logits_and_gradients(model, fold[0], frames, weights, fold[1])
            device = lambda folds: map_folds(one, folds, batched=batched)
            return jax.jit(on_each_device(device, mesh))(shard_folds((variables, keys), mesh))

        jax.tree.map(close(1e-10), run(fast), run(slow))


@few
@given(
    height=st.integers(9, 30),
    width=st.integers(9, 30),
    contrast=st.floats(0.0, 1.0),
    seed=st.integers(0, 2**31),
)
def test_lcn_in_both_forms(height, width, contrast, seed):
    rng = np.random.default_rng(seed)
    images = 0.5 + contrast * (rng.random((2, 3, height, width)) - 0.5)
    with jax.enable_x64(True):
        slow, fast = (jax.jit(form.local_contrast_normalise)(images) for form in (plain, lcn))
        np.testing.assert_allclose(fast, slow, rtol=1e-9, atol=1e-9)
    single = np.float32(images)
    slow, fast = (jax.jit(form.local_contrast_normalise)(single) for form in (plain, lcn))
    if contrast > 0.01:
        np.testing.assert_allclose(fast, slow, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_augmentation_in_both_forms(seed):
    frames = np.random.default_rng(seed).integers(0, 256, (3, 24, 20), np.uint8)
    ranges = Augmentation(drift=0.8)
    run = lambda form: jax.jit(lambda x, k: form.augment(x, k, ranges))(
        frames, jax.random.key(seed)
    )
    slow, fast = run(plain), run(augment)
    np.testing.assert_allclose(fast, slow, atol=2e-5)


@together
def test_training_in_both_forms(form, batched, monkeypatch):
    """The first steps from the same weights; later rounding makes paths part."""
    slow, fast = both_networks(form, widths=(3, 4, 5), multiplier=2, pooling="average")
    training = TRAINING.__class__(**vars(TRAINING) | dict(epochs=1, optimiser="sgd"))
    run = lambda model: train(folds=FOLDS[:2], model=model, training=training, batched=batched)
    found_all = run(fast)
    for name in ("local_contrast_normalise", "augment"):
        monkeypatch.setattr(network_inputs, name, getattr(plain, name))
    expected_all = run(slow)
    for found, expected in zip(found_all.metrics, expected_all.metrics, strict=True):
        for name in ("train_loss", "validation_loss"):
            assert found[name] == pytest.approx(expected[name], rel=1e-4)
    equal = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    jax.tree.map(equal, found_all.variables, expected_all.variables)


def test_the_form_is_that_of_the_backend(monkeypatch):
    assert fast_blocks() is ON_CPU
    monkeypatch.setattr(devices.jax, "default_backend", lambda: "cuda")
    assert fast_blocks() is ELSEWHERE


def operations(form, batch, *, folds=2):
    """How many operations a training step of stacked folds has when lowered for a GPU."""
    model = TwoStream(form(widths=(3, 4, 5), multiplier=2))
    training = dataclasses.replace(TRAINING, batch=batch)
    frames, labels = jnp.zeros((folds, batch, 3, 16, 16)), jnp.zeros((folds, batch, 2))
    start = lambda key: init_state(
        model.init(key, frames[0], train=False), make_optimiser(training)
    )
    keys = jax.random.split(jax.random.key(0), folds)
    states = jax.eval_shape(jax.vmap(start), keys)
    step = jax.vmap(functools.partial(train_step, model=model, training=training))
    traced = jax.jit(step).trace(states, frames, labels, keys)
    text = traced.lower(lowering_platforms=("cuda",)).as_text()
    return len(re.findall(r"^ *%\S+ = ", text, re.MULTILINE))


def test_programs_for_accelerators_do_not_grow_with_the_batch():
    assert operations(Elsewhere, 256) <= 1.2 * operations(Elsewhere, 16)
    few, some, many = (operations(OnCpu, batch) for batch in (4, 16, 256))
    assert some > 1.2 * few and many <= 1.2 * some
