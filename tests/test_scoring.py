import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxspot.devices import fold_mesh, in_turns, join_turns
from jaxspot.network.inputs import preprocess
from jaxspot.network.model import build_model
from jaxspot.spotting.scoring import score_video
from jaxspot.video.shown import ShownFrames, last_usable

MODEL = build_model(widths=(3, 4, 5), multiplier=2)
NETWORKS = 3


def video(frames, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (frames, 16, 16)).astype(np.uint8)


@pytest.fixture(scope="module")
def variables():
    """Three networks with nothing left at its start; the running variances are positive."""
    sample = jnp.zeros((1, 3, 16, 16))
    shapes = jax.eval_shape(lambda: MODEL.init(jax.random.key(0), sample, train=False))
    rng = np.random.default_rng(0)
    draw = lambda leaf: rng.normal(0, 0.7, (NETWORKS, *leaf.shape)).astype(np.float32)
    drawn = jax.tree.map(draw, shapes)
    return drawn | {"batch_stats": jax.tree.map(lambda x: abs(x) + 0.2, drawn["batch_stats"])}


def score_triples(variables, frames, skips):
    """Every frame and its references laid side by side, for one network after the other."""
    seen = jax.jit(preprocess)(jnp.asarray(frames))
    apply = jax.jit(lambda v, triples: jax.nn.sigmoid(MODEL.apply(v, triples, train=False)))
    scores = []
    for number, pair in enumerate(skips):
        network = jax.tree.map(lambda leaf, n=number: leaf[n], variables)
        triples = [
            [seen[i], *(seen[min(max(0, i - skip), len(seen) - 1)] for skip in pair)]
            for i in range(len(frames))
        ]
        scores.append(apply(network, jnp.asarray(np.array(triples))))
    return np.array(scores)


@pytest.mark.parametrize("chunk", [7, 16, 64])
def test_chunks_agree_with_explicit_triples(variables, chunk):
    frames, skips = video(50), np.array([[3, 19], [1, 40], [6, 6]])
    counts = []
    found = score_video(MODEL, variables, frames, skips=skips, chunk=chunk, on_chunk=counts.append)
    assert found.shape == (NETWORKS, 50, 2) and found.dtype == np.float32
    assert sum(counts) == 50 and max(counts) <= jax.device_count() * chunk
    assert found.min() >= 0 and found.max() <= 1 and np.ptp(found) > 0.05
    np.testing.assert_allclose(found, score_triples(variables, frames, skips), atol=1e-5)


@pytest.mark.parametrize("length", [1, 5])
def test_videos_shorter_than_a_chunk_and_than_the_skip(variables, length):
    frames, skips = video(length), np.array([[3, 19], [1, 40], [6, 6]])
    found = score_video(MODEL, variables, frames, skips=skips, chunk=16)
    np.testing.assert_allclose(found, score_triples(variables, frames, skips), atol=1e-5)


def test_references_may_lie_after_the_frame(variables):
    for last in ([-32, 33], [-32, -33]):
        frames, skips = video(50), np.array([[-3, -19], [-1, -40], last])
        found = score_video(MODEL, variables, frames, skips=skips, chunk=16)
        np.testing.assert_allclose(found, score_triples(variables, frames, skips), atol=1e-5)


def test_frames_without_a_face_give_way_to_the_last_with_one(variables):
    frames, skips = video(20), np.full((NETWORKS, 2), (3, -9))
    usable = np.random.default_rng(1).random(20) < 0.6
    filled = frames[last_usable(usable)]
    assert (filled != frames).any()
    found, expected = (
        score_video(MODEL, variables, f, skips=skips, chunk=16)
        for f in (ShownFrames(frames, usable), filled)
    )
    np.testing.assert_array_equal(found, expected)


def test_the_longest_skip_may_fill_the_history(variables):
    frames, skips = video(50), np.array([[32, 1], [31, 32], [2, 3]])
    found = score_video(MODEL, variables, frames, skips=skips, chunk=16)
    np.testing.assert_allclose(found, score_triples(variables, frames, skips), atol=1e-5)


def test_before_the_first_frame_the_first_frame_serves(variables):
    frames = video(12)
    skips = np.full((NETWORKS, 2), 20)
    found = score_video(MODEL, variables, frames, skips=skips, chunk=16)
    led = np.concatenate([np.repeat(frames[:1], 20, 0), frames])
    later = score_video(MODEL, variables, led, skips=skips, chunk=16)
    np.testing.assert_allclose(found, later[:, 20:], atol=1e-5)


def test_scores_are_causal(variables):
    frames, skips = video(40), np.full((NETWORKS, 2), (3, 19))
    changed = frames.copy()
    changed[25:] = video(15, seed=1)
    before, after = (
        score_video(MODEL, variables, f, skips=skips, chunk=16) for f in (frames, changed)
    )
    np.testing.assert_allclose(after[:, :25], before[:, :25], atol=1e-6)
    assert np.abs(after[:, 25:] - before[:, 25:]).max() > 0.01


def test_devices_and_number_of_networks_change_nothing(variables):
    frames, skips = video(20), np.array([[3, 19], [1, 30], [6, 6]])
    together = score_video(MODEL, variables, frames, skips=skips, chunk=16)
    alone = jax.tree.map(lambda leaf: leaf[1:2], variables)
    found = score_video(MODEL, alone, frames, skips=skips[1:2], chunk=16, mesh=fold_mesh(1))
    np.testing.assert_allclose(found[0], together[1], atol=1e-5)


@pytest.mark.parametrize("count", [1, 2])
def test_networks_beyond_the_devices_take_turns(variables, count):
    frames, skips = video(20), np.array([[3, 19], [1, 30], [6, 6]])
    found = score_video(MODEL, variables, frames, skips=skips, chunk=7, mesh=fold_mesh(count))
    np.testing.assert_allclose(found, score_triples(variables, frames, skips), atol=1e-5)


@pytest.mark.parametrize(("batched", "parts"), [(True, 1), (False, 3)])
def test_turns_are_joined_in_the_order_of_the_folds(batched, parts):
    mesh, tree = fold_mesh(2), {"a": np.arange(6), "b": np.arange(12).reshape(6, 2)}
    turns = in_turns(tree, mesh, batched=batched)
    assert len(turns) == parts
    for name, whole in tree.items():
        np.testing.assert_array_equal(join_turns([turn[name] for turn in turns], mesh), whole)


@pytest.mark.parametrize("length", [1, 3, 50, 64])
@pytest.mark.parametrize("networks", [1, 2])
def test_every_device_takes_a_stretch_of_the_video(variables, length, networks):
    frames, skips = video(length), np.array([[3, 19], [1, 40]])[:networks]
    few = jax.tree.map(lambda leaf: leaf[:networks], variables)
    counts = []
    found = score_video(MODEL, few, frames, skips=skips, chunk=7, on_chunk=counts.append)
    assert sum(counts) == length
    np.testing.assert_allclose(found, score_triples(few, frames, skips), atol=1e-5)


def test_a_memory_map_will_do(variables, tmp_path):
    np.save(tmp_path / "video.npy", video(20))
    mapped = np.load(tmp_path / "video.npy", mmap_mode="r")
    skips = np.full((NETWORKS, 2), (3, 19))
    found, plain = (
        score_video(MODEL, variables, f, skips=skips, chunk=16) for f in (mapped, video(20))
    )
    np.testing.assert_array_equal(found, plain)
