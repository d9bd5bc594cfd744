from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from made_peers import (
    change_labels,
    change_pixels,
    check_only_one_fold_stays,
    peak_bytes,
    peer_leaks,
    write_moving_pictures,
)

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines.recurrent.features import write_features
from jaxspot.baselines.recurrent.network import Recurrent
from jaxspot.baselines.recurrent.training import Recipe, train_networks
from jaxspot.baselines.starting import draw_params
from jaxspot.baselines.two_stream import spotting
from jaxspot.baselines.two_stream.network import (
    SIDE,
    WIDTH,
    Attention,
    Stream,
    TwoStreamAttention,
    patches,
)
from jaxspot.baselines.two_stream.spotting import (
    NETWORK,
    WINDOWS,
    pictures_and_flow,
    two_stream_bank,
)
from jaxspot.training.folds import loso_folds

TINY = Recipe(learning_rate=0.002, steps=2, batch=8, groups=3)
K = lambda subject, fps: {"ME": 5, "MaE": 15}


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_moving_pictures(tmp_path_factory.mktemp("two_stream") / "bank", subjects=3)


def drawn(network, shape):
    """Parameters for inputs of a shape; those of the library take seconds to compile."""
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros(shape))["params"]
    return draw_params(shapes, np.random.default_rng(0))


def apply(network, params, values):
    return jax.jit(lambda p, x: network.apply({"params": p}, x))(params, values)


@pytest.fixture(scope="module")
def params():
    return drawn(NETWORK, (1, 16, WIDTH))


def test_parameters_by_hand(params):
    def stream(channels):
        convolutions = (16 * channels + 1) * 16 + (4 * 16 + 1) * 32
        embed = (4 * 4 * 32 + 1) * 32
        lstm = 2 * 4 * ((32 + 16) * 16 + 16)
        return convolutions + embed + lstm + attention(32)

    attention = lambda width: (width + 1) * 16 + 16
    total = stream(1) + stream(2) + attention(32) + (64 + 1)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == total == 52_033


def test_a_dense_layer_on_patches_is_a_convolution():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 3, 8, 12, 5)).astype(np.float32)
    kernel = rng.normal(size=(4, 4, 5, 7)).astype(np.float32)
    found = patches(images, 4) @ kernel.reshape(-1, 7)
    library = nn.Conv(7, (4, 4), strides=(4, 4), padding="VALID", use_bias=False)
    expected = apply(library, {"kernel": kernel}, images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_attention_finds_a_planted_frame_and_its_shares_sum_to_one():
    """Which of 16 steps is marked decides the answer, which stands in that step alone."""
    network = Attention(8)
    rng = np.random.default_rng(0)
    values = rng.normal(0, 1, (256, 16, 6)).astype(np.float32)
    values[..., 0] = 0
    marked = rng.integers(16, size=256)
    values[np.arange(256), marked, 0] = 1
    answers = values[np.arange(256), marked, 1]
    optimiser = optax.adam(0.03)
    params = drawn(network, values.shape)

    def error(params):
        shares: Any = network.apply({"params": params}, values)
        return ((jnp.sum(shares * values[..., 1], axis=-1) - answers) ** 2).mean()

    @jax.jit
    def train(params):
        def step(state, _):
            loss, gradient = jax.value_and_grad(error)(state[0])
            updates, memory = optimiser.update(gradient, state[1])
            return (optax.apply_updates(state[0], updates), memory), loss

        return jax.lax.scan(step, (params, optimiser.init(params)), length=200)

    (trained, _), losses = train(params)
    shares = np.asarray(apply(network, trained, values))
    np.testing.assert_allclose(shares.sum(axis=-1), 1, rtol=1e-5)
    assert shares.min() >= 0
    assert losses[-1] < losses[0] / 5
    assert (shares.argmax(axis=-1) == marked).mean() > 0.95


def test_a_stream_gives_the_attended_mean_of_its_steps():
    stream = Stream(4)
    images = np.random.default_rng(1).normal(size=(2, 5, 1, SIDE, SIDE)).astype(np.float32)
    params = drawn(stream, images.shape)
    steps, context = map(np.asarray, apply(stream, params, images))
    shares = np.asarray(apply(Attention(4), params["attention"], steps))
    expected = [(a[:, None] * b).sum(axis=0) for a, b in zip(shares, steps, strict=True)]
    np.testing.assert_allclose(context, expected, rtol=1e-4, atol=1e-6)
    images[:, 4] += 1
    moved = np.asarray(apply(stream, params, images)[0])
    assert not np.allclose(moved[:, 0], steps[:, 0], atol=1e-6)  # it runs both ways


def test_the_middle_of_a_window_is_answered(params):
    windows = np.random.default_rng(2).normal(size=(2, 16, WIDTH)).astype(np.float32)
    every = apply(TwoStreamAttention(outputs=16, delay=0), params, windows)
    found = apply(NETWORK, params, windows)
    np.testing.assert_allclose(found, every[:, 4:12], rtol=1e-5, atol=1e-6)
    for kind, length in (("ME", 1.0), ("MaE", 3.2)):
        anchor = np.array([10.0])
        answered = WINDOWS[kind].answered(anchor)[0]
        rows = WINDOWS[kind].places(anchor, 30.0)[0].mean(axis=-1) / 30
        np.testing.assert_allclose(rows[4:12], answered, atol=0.035)
        assert rows[-1] - rows[0] == pytest.approx(length * 15 / 16, abs=0.07)


def test_rows_hold_the_picture_and_the_flow_since_the_row_before(bank):
    rows = np.stack(list(pictures_and_flow(bank, "s1_1", 1))).reshape(-1, 3, SIDE, SIDE)
    frames = bank.frames("s1_1")
    assert len(rows) == len(frames)
    assert not rows[0, 1:].any()
    assert rows[7, 0].mean() == pytest.approx(frames[7].mean(), abs=0.5)
    middle = rows[:, 2, 14:21, 10:21].mean(axis=(1, 2))  # down, within the square
    assert middle[11:14].mean() > 0.3 and middle[17:20].mean() < -0.3
    assert abs(middle[25:38]).max() < 0.1
    halved = list(pictures_and_flow(bank, "s1_1", 2))
    assert len(halved) == len(frames) // 2
    np.testing.assert_array_equal(halved[3].reshape(3, -1)[0], rows[6, 0].ravel())


def test_labels_of_the_held_out_subject_do_not_change_its_result(bank, monkeypatch):
    """With a linear network, which compiles faster; all else is the peer's."""
    monkeypatch.setattr(spotting, "NETWORK", Recurrent(widths=(), outputs=8))
    folds, told = loso_folds(bank.videos.subject), []
    options: Any = dict(seed=1, recipe=TINY, on_frame=told.append)
    scores, intervals = peer_leaks(
        partial(two_stream_bank, **options),
        bank,
        change_labels(bank, "s2"),
        subject="s2",
        folds=folds,
        k=K,
    )
    assert sum(told) == 2 * bank.videos.frames.sum()
    assert list(intervals) == list(INTERVAL_COLUMNS)
    for curve in scores.values():
        assert curve.shape == (90, 2) and curve.dtype == np.float32
        assert ((curve >= 0) & (curve <= 1)).all()


def test_the_held_out_subject_decides_nothing(bank, tmp_path):
    """Its pixels and labels change the networks of the other folds alone."""
    folds, found = loso_folds(bank.videos.subject), []
    for number, each in enumerate((bank, change_pixels(bank, tmp_path / "changed", "s2"))):
        path = tmp_path / f"{number}.npy"
        features = write_features(each, pictures_and_flow, path, width=WIDTH)
        given: Any = dict(folds=folds, kind="ME", windows=WINDOWS["ME"], recipe=TINY, seed=0)
        found.append(train_networks(each, features, NETWORK, **given)[0])
    check_only_one_fold_stays(found, folds, held_out="s2")


def test_memory_does_not_grow_with_the_video(tmp_path):
    peak = partial(peak_bytes, pictures_and_flow, tmp_path)
    peak(frames=90)
    assert peak(frames=390) - peak(frames=90) < 300 * 1000  # a row is 12 kB
