import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference_network import close, inputs, random_variables, reference_network

from jaxspot.network.convolution import temporal_difference
from jaxspot.network.model import TwoStream, build_model
from jaxspot.network.motion import Motion

SMALL = dict(widths=(4, 6, 8), multiplier=3)


@pytest.mark.parametrize(("pooling", "regions"), [("max", 1), ("average", 4)])
def test_agrees_with_a_reference(pooling, regions):
    model = build_model(**SMALL, pooling=pooling, pool_grid=regions)
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs())
        variables = random_variables(model, frames)
        weights = jnp.asarray(np.random.default_rng(1).normal(size=(len(frames), 2)))

        def fast(params, frames):
            logits, updates = model.apply(
                variables | {"params": params}, frames, train=True, mutable=["batch_stats"]
            )
            return (logits * weights).sum(), (logits, updates["batch_stats"])

        def plain(params, frames):
            logits, used = reference_network(
                variables | {"params": params}, frames, pooling=pooling, regions=regions, train=True
            )
            return (logits * weights).sum(), (logits, used)

        run = lambda f: jax.jit(jax.value_and_grad(f, has_aux=True))(variables["params"], frames)
        (_, (logits, stats)), gradients = run(fast)
        (_, (expected, used)), expected_gradients = run(plain)
        close(1e-10)(logits, expected)
        jax.tree.map(close(1e-10), gradients, expected_gradients)
        for name, batch_statistics in used.items():
            old, new = (s[name]["BatchNorm_0"] for s in (variables["batch_stats"], stats))
            for kind, value in zip(("mean", "var"), batch_statistics, strict=True):
                close(1e-10)(new[kind], 0.9 * old[kind] + 0.1 * value)

    single = jax.tree.map(lambda leaf: np.asarray(leaf, np.float32), variables)
    frames = np.asarray(frames, np.float32)
    found, _ = jax.jit(lambda v, x: model.apply(v, x, train=True, mutable=["batch_stats"]))(
        single, frames
    )
    assert found.dtype == jnp.float32
    close(1e-5)(found, np.asarray(expected))


def test_eval_uses_running_statistics():
    model = build_model(**SMALL)
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs(batch=4))
        variables = random_variables(model, frames)
        found = jax.jit(lambda x: model.apply(variables, x, train=False))(frames)
        expected, _ = reference_network(variables, frames, pooling="max", regions=1, train=False)
        close(1e-10)(found, expected)


def test_swapped_references_swap_the_streams():
    model = build_model(**SMALL)
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs())
        variables = random_variables(model, frames)
        half = variables["params"]["Output"]["kernel"][: SMALL["widths"][2]]
        variables["params"]["Output"]["kernel"] = jnp.concatenate([half, half])
        score = jax.jit(lambda x: model.apply(variables, x, train=False))
        close(1e-12)(score(frames[:, [0, 2, 1]]), score(frames))
        assert np.abs(score(frames[:, [1, 0, 2]]) - score(frames)).max() > 1e-3


def test_one_trunk_learns_from_both_streams():
    model, features = build_model(**SMALL), SMALL["widths"][2]
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs())
        variables = random_variables(model, frames)

        @jax.jit
        def trunk_gradient(keep):
            def total(params):
                kernel = params["Output"]["kernel"] * jnp.repeat(keep, features)[:, None]
                params = params | {"Output": params["Output"] | {"kernel": kernel}}
                return model.apply(variables | {"params": params}, frames, train=False).sum()

            gradient = jax.grad(total)(variables["params"])
            return {name: leaf for name, leaf in gradient.items() if name != "Output"}

        first, second, both = (
            trunk_gradient(jnp.array(k)) for k in ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0])
        )
        for name in both:
            assert norm(first[name]) > 0 and norm(second[name]) > 0
        jax.tree.map(close(1e-10), jax.tree.map(jnp.add, first, second), both)


def norm(tree):
    return sum(float((leaf**2).sum()) for leaf in jax.tree.leaves(tree)) ** 0.5


@pytest.mark.parametrize("streams", [1, 3])
def test_any_number_of_streams(streams):
    model = build_model(**SMALL, references=(("ME", 1.0),) * streams)
    frames = jnp.asarray(inputs(streams=streams), jnp.float32)
    logits, variables = jax.eval_shape(
        lambda: model.init_with_output(jax.random.key(0), frames, train=False)
    )
    assert logits.shape == (3, 2)
    assert variables["params"]["Output"]["kernel"].shape == (8 * streams, 2)


def first_response(model, frames):
    """What block 1 answers right after the start."""

    @jax.jit
    def run(frames):
        variables = model.init(jax.random.key(0), frames, train=False)
        _, seen = model.apply(variables, frames, train=False, capture_intermediates=True)
        return seen["intermediates"]["PairBlock_0"]["__call__"][0]

    return np.asarray(run(frames))


def test_difference_start_is_silent_for_identical_frames():
    frames = np.repeat(inputs()[:, :1], 3, 1).astype(np.float32)
    silent = first_response(build_model(**SMALL, kernel_init="difference"), frames)
    np.testing.assert_allclose(silent, 0.0, atol=1e-5)
    assert np.abs(first_response(build_model(**SMALL), frames)).max() > 0.1


def test_temporal_difference_is_current_minus_reference():
    taps = temporal_difference(jax.random.key(0), (2, 3, 3, 5))
    np.testing.assert_array_equal(taps[0], -taps[1])
    assert np.abs(taps[0]).min() > 0


def test_dropout_is_off_in_eval_and_follows_its_key():
    frames = jnp.asarray(inputs(), jnp.float32)
    plain, dropping = build_model(**SMALL), build_model(**SMALL, dropout=0.5)
    variables = jax.tree.map(np.float32, random_variables(plain, frames))
    evaluate = lambda model: jax.jit(lambda x: model.apply(variables, x, train=False))(frames)
    np.testing.assert_array_equal(evaluate(dropping), evaluate(plain))

    @jax.jit
    def train(seed):
        key = {"dropout": jax.random.key(seed)}
        return dropping.apply(variables, frames, train=True, mutable=["batch_stats"], rngs=key)[0]

    np.testing.assert_array_equal(train(0), train(0))
    assert np.abs(train(0) - train(1)).max() > 1e-3


def test_dropout_needs_a_key():
    frames = jnp.asarray(inputs(), jnp.float32)
    model = build_model(**SMALL, dropout=0.5)
    variables = random_variables(model, frames)
    with pytest.raises(flax.errors.InvalidRngError):
        jax.eval_shape(lambda: model.apply(variables, frames, train=True, mutable=["batch_stats"]))


def test_a_convolution_has_its_own_dropout():
    with pytest.raises(ValueError, match=r"set Convolution\.dropout"):
        TwoStream(dropout=0.5)
    assert TwoStream(Motion(), dropout=0.5).dropout == 0.5


def parameters(model, size):
    frames = jnp.zeros((1, 3, size, size))
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), frames, train=False))["params"]
    return flax.traverse_util.flatten_dict(shapes)


def test_parameter_counts():
    """Of the paper's form, from the layers: separable convolutions against regular ones."""
    one, two, three = 16, 32, 64
    batch_norms = 2 * (one + two + three)
    dense = 2 * (three * three + three) + (2 * three * 2 + 2)
    separable = (18 * 8 + 8 * one) + (9 * one + one * two) + (9 * two + two * three)
    regular = 18 * one + 9 * one * two + 9 * two * three
    leaves = parameters(TwoStream(), 112)
    total = sum(leaf.size for leaf in leaves.values())
    assert total == separable + batch_norms + dense == 12_066
    convolutions = [leaf.size for path, leaf in leaves.items() if path[-1].endswith("wise")]
    assert sum(convolutions) == separable == 3_264
    assert regular == 23_328
    # Whole, a regular network has 32,130: the separable form saves far more than the paper's 10 %.
    assert regular + batch_norms + dense == 32_130


def test_sizes_that_cannot_be_cut_are_refused():
    with pytest.raises(ValueError, match="6x6 features cannot be cut into 4x4 regions"):
        parameters(build_model(**SMALL, pool_grid=4), 24)
