import tracemalloc

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from scipy.ndimage import map_coordinates
from tiny_banks import write_bank

from jaxspot.annotations.durations import k_frame
from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines.dense_flow import dense_flow
from jaxspot.baselines.softnet.folds import _shares_done, softnet_bank, train_folds
from jaxspot.baselines.softnet.inputs import (
    face_regions,
    optical_strain,
    pair_image,
    rounded_skip,
    stretch,
    write_inputs,
)
from jaxspot.baselines.softnet.network import STREAMS, SoftNet, pooled_conv
from jaxspot.baselines.softnet.samples import (
    AS_IS,
    BLUR,
    FLIP,
    NOISE,
    PairSamples,
    choose_samples,
    pseudo_labels,
)
from jaxspot.baselines.softnet.spotting import smooth, spot_folds
from jaxspot.baselines.softnet.training import Recipe, batches, start_networks, train_networks
from jaxspot.devices import fold_mesh
from jaxspot.errors import UserError
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import finish_bank, open_bank
from jaxspot.video.writer import save_video

TINY = Recipe(learning_rate=0.02, epochs=2, batch=4, steps_a_call=2, most=10)


@pytest.mark.parametrize("seed", range(30))
def test_labels_equal_sets_of_frames(seed):
    rng = np.random.default_rng(seed)
    frames, length = int(rng.integers(1, 40)), int(rng.integers(1, 15))
    spans = np.sort(rng.integers(0, frames + 1, (rng.integers(0, 4), 2)), axis=1)
    spans = spans[spans[:, 0] < spans[:, 1]]
    expected = []
    for i in range(frames - length):
        window = set(range(i, i + length))
        sets = [set(range(*span)) for span in spans.tolist()]
        expected.append(max((len(window & s) / len(window | s) for s in sets), default=0))
    found = pseudo_labels(spans, frames=frames, length=length)
    np.testing.assert_array_equal(found, np.array(expected) > 0)


def test_strain_of_a_linear_field():
    y, x = np.mgrid[:9, :12].astype(np.float32)
    a, b, c, d = 0.3, -0.2, 0.7, 0.1
    strain = optical_strain(np.stack([a * x + b * y, c * x + d * y], axis=-1))
    np.testing.assert_allclose(strain, np.sqrt(a**2 + d**2 + (b + c) ** 2 / 2), rtol=1e-5)
    turned = optical_strain(np.stack([-b * y, b * x], axis=-1))
    np.testing.assert_allclose(turned, 0, atol=1e-7)


def smooth_texture(seed=0, size=112):
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(20, 235, (size // 6 + 3, size // 6 + 3))
    at = np.mgrid[:size, :size] / 6 + 1
    return lambda dy, dx: (
        map_coordinates(coarse, [at[0] - dy / 6, at[1] - dx / 6], order=3, mode="nearest")
        .clip(0, 255)
        .astype(np.uint8)
    )


def test_flow_of_a_shift():
    texture = smooth_texture()
    flow = dense_flow()(texture(0, 0), texture(-0.5, 1.5))
    assert flow.shape == (112, 112, 2)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow, axis=(0, 1)), [1.5, -0.5], atol=0.1)


def test_a_moving_brow_is_bright_and_a_moving_head_is_not():
    texture = smooth_texture()
    moved = texture(0, 0)
    moved[:14] = texture(2, 0)[:14]
    image = pair_image(dense_flow()(texture(0, 0), moved))
    assert image.shape == (42, 42, 3)
    assert image.dtype == np.uint8
    v = image[..., 1].astype(float)
    assert v[:5].mean() > 4 * v[21:].mean() + 20
    assert image.max(axis=(0, 1)).tolist() == [255] * 3
    still = pair_image(dense_flow()(texture(0, 0), texture(0, 0)))
    assert still.max(axis=(0, 1)).tolist() == [0, 0, 0]


def test_eyes_are_masked_and_mouths_are_not():
    (brows, mouth), nose, eyes = face_regions()
    assert eyes[30, 34] and eyes[30, 79]
    assert not eyes[mouth].any()
    assert eyes[nose].mean() < 0.5
    assert 0.9 < eyes[:, :56].sum() / eyes[:, 56:].sum() < 1.1
    assert brows[0].stop <= mouth[0].start


def test_stretch_uses_the_whole_range_of_each_channel():
    maps = np.stack([np.linspace(-3, 5, 12).reshape(3, 4), np.full((3, 4), 7.0)], axis=-1)
    got = stretch(maps)
    assert (got[..., 0].min(), got[..., 0].max(), got[..., 1].max()) == (0, 255, 0)


def test_rounded_skips_are_near():
    assert [rounded_skip(k) for k in range(32)] == [1, *range(1, 32)]
    k = np.arange(1, 1000)
    rounded = np.array([rounded_skip(int(each)) for each in k])
    assert (np.abs(rounded - k) / k < 1 / 32 + 1e-9).all()
    assert len(set(rounded[94:105])) <= 4


class Library(nn.Module):
    """The network by the library's convolution and both of its poolings."""

    @nn.compact
    def __call__(self, images):
        streams = []
        for i, (name, features) in enumerate(STREAMS.items()):
            found = nn.relu(nn.Conv(features, (5, 5), name=name)(images[..., i : i + 1]))
            streams.append(nn.max_pool(found, (3, 3), (3, 3)))
        pooled = nn.max_pool(jnp.concatenate(streams, -1), (2, 2), (2, 2))
        flat = pooled.transpose(0, 3, 1, 2).reshape(len(images), -1)
        return nn.Dense(1, name="out")(nn.relu(nn.Dense(400, name="hidden")(flat)))[:, 0]


@pytest.fixture(scope="module")
def params():
    return jax.tree.map(lambda leaf: leaf[0], start_networks([[0]]))


def test_parameters_by_hand(params):
    convolutions = sum((5 * 5 + 1) * features for features in (3, 5, 8))
    dense = (7 * 7 * 16 + 1) * 400 + (400 + 1)
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == convolutions + dense == 314_817


def test_network_equals_the_librarys(params):
    images = jax.random.uniform(jax.random.key(1), (3, 42, 42, 3))
    run = lambda network: jax.jit(lambda p, x: network.apply({"params": p}, x))(params, images)
    np.testing.assert_allclose(run(SoftNet()), run(Library()), rtol=1e-4, atol=1e-5)


def test_pooled_convolution_and_its_gradient_equal_the_librarys():
    rng = np.random.default_rng(0)
    plane, kernel, weight = (rng.normal(size=n) for n in ((12, 18, 2), (5, 5, 3), (3, 2, 3, 2)))

    def ours(kernel, plane):
        found = pooled_conv(plane, kernel)
        return (found * weight).sum(), found

    def theirs(kernel, plane):
        image = plane.transpose(2, 0, 1)[..., None]
        form = ("NHWC", "HWIO", "NHWC")
        full = lax.conv_general_dilated(
            image, kernel[:, :, None], (1, 1), "SAME", dimension_numbers=form
        )
        found = nn.max_pool(full, (6, 6), (6, 6)).transpose(3, 1, 2, 0)
        return (found * weight).sum(), found

    arguments = jnp.asarray(kernel, jnp.float32), jnp.asarray(plane, jnp.float32)
    both = [jax.jit(jax.value_and_grad(f, has_aux=True))(*arguments) for f in (ours, theirs)]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), *both)


def test_scores_of_pairs_lie_in_their_middle():
    raw = np.zeros(40)
    raw[15:25] = 1.0  # pairs of frames 10 apart around frame 25
    curve = smooth(raw, frames=50, k=5, skip=10)
    assert curve.shape == (50,)
    assert curve.dtype == np.float32
    assert abs(int(curve.argmax()) - 25) <= 1
    assert curve.max() == 1
    expected = [raw[max(i - 10, 0) : i].mean() for i in range(10, 40)]
    np.testing.assert_allclose(curve[10:40], expected, rtol=1e-6)
    assert smooth(np.zeros(0), frames=5, k=9, skip=9).tolist() == [0] * 5
    assert np.isfinite(smooth(np.ones(1), frames=10, k=9, skip=9)).all()


def test_half_as_many_samples_without_expression():
    labels = np.r_[np.zeros(20), np.ones(3)]
    found = choose_samples(np.arange(23) + 100, labels, rng=np.random.default_rng(0))
    assert found.labels.sum() == 3
    assert len(found.rows) == 13
    assert len(set(found.rows)) == 13
    assert (found.forms == AS_IS).all()
    more = choose_samples(np.arange(23), labels, rng=np.random.default_rng(0), augmented=True)
    assert more.labels.sum() == 12
    forms = {form: more.rows[(more.forms == form) & (more.labels > 0)] for form in range(4)}
    assert all(forms[form].tolist() == [20, 21, 22] for form in (AS_IS, FLIP, BLUR, NOISE))


def test_an_epoch_shows_each_sample_once():
    images = np.zeros((9, 42, 42, 3), np.uint8)
    images[..., 0] = np.arange(9)[:, None, None] * 10
    samples = [
        PairSamples(np.arange(n), np.arange(n) / 10, np.zeros(n, np.int8)) for n in (9, 3, 0)
    ]
    recipe = Recipe(epochs=1, batch=2, steps_a_call=2)
    found = list(batches(images, samples, seeds=[[1], [2], [3]], recipe=recipe))
    assert len(found) == 3
    for n, count in enumerate((9, 3, 0)):
        weights = np.concatenate([w[n].ravel() for _, _, w in found])
        seen = np.concatenate([x[n, ..., 0, 0, 0].ravel() for x, _, _ in found])[weights > 0]
        labels = np.concatenate([y[n].ravel() for _, y, _ in found])[weights > 0]
        assert sorted(seen) == [10 * i for i in range(count)]
        np.testing.assert_allclose(labels, seen / 100)


NETWORKS = dict(seeds=[[1], [2], [3]], names=["a", "b", "c"])
LEARNING = Recipe(learning_rate=0.02, epochs=16, batch=4, steps_a_call=5)


def problem():
    """Noise; an expression lights up one corner of v."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 40, (24, 42, 42, 3), np.uint8)
    images[::2, :20, :20, 1] += 200
    labels = (np.arange(24) % 2 == 0).astype(np.float32)
    rows = [np.sort(rng.permutation(24)[:20]) for _ in range(3)]
    return images, [PairSamples(r, labels[r], np.zeros(20, np.int8)) for r in rows]


def second_alone(images, samples, name="b"):
    options = dict(seeds=[[2]], names=[name], recipe=LEARNING, mesh=fold_mesh(1))
    return train_networks(images, samples[1:2], batched=False, **options)[0]


def test_a_tiny_problem_is_learnt_by_all_networks_as_by_one():
    images, samples = problem()
    options = dict(recipe=LEARNING, mesh=fold_mesh(1), batched=True)
    together, losses = train_networks(images, samples, **NETWORKS, **options)
    assert losses.shape == (3, 80)
    assert (losses[:, -5:].mean(1) < losses[:, :5].mean(1) / 10).all()
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[0], b[1], rtol=1e-3, atol=2e-5),
        second_alone(images, samples),
        together,
    )


def test_a_training_that_diverges_names_its_fold():
    images, samples = problem()
    samples[1].labels[7] = np.nan
    with pytest.raises(UserError, match="fold of subject s1, ME: the loss is not finite"):
        second_alone(images, samples, name="fold of subject s1, ME")


def counts(bank):
    """k of the other subjects, counted from the bank's labels."""
    return lambda subject, fps: k_frame(bank.annotations[bank.annotations.subject != subject])


def change_subject(bank, root, subject):
    """The bank with a subject's videos turned over and their labels elsewhere and longer."""
    annotations = bank.annotations.copy()
    annotations.loc[annotations.subject == subject, ["onset", "apex", "offset"]] = [
        [30, 33, 38],
        [2, 12, 20],
    ]
    owner = dict(zip(bank.videos.video, bank.videos.subject, strict=True))
    for video in bank.videos.video:
        frames = np.asarray(bank.frames(video))
        mine = owner[video] == subject
        save_video(root, video, 255 - frames[::-1] if mine else frames, bank.quality(video))
    return finish_bank(root, videos=bank.videos, annotations=annotations, source={}, alignment={})


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return open_bank(write_bank(tmp_path_factory.mktemp("softnet") / "bank", frames=46))


def weights(bank, path):
    """Parameters of both networks of each fold."""
    k, folds = counts(bank), loso_folds(bank.videos.subject)
    videos = zip(bank.videos.video, bank.videos.fps, strict=True)
    skips = {
        video: {rounded_skip(n) for fold in folds for n in k(fold.held_out, fps).values()}
        for video, fps in videos
    }
    inputs = write_inputs(bank, skips, path)
    return train_folds(bank, inputs, folds=folds, k=k, seed=1, recipe=TINY)[0]


def test_the_held_out_subject_decides_nothing(bank, tmp_path):
    changed = change_subject(bank, tmp_path / "changed", "s2")
    before, after = weights(bank, tmp_path / "a.npy"), weights(changed, tmp_path / "b.npy")
    assert counts(bank)("s1", 30.0) != counts(changed)("s1", 30.0)
    for network in range(6):
        pairs = zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
        same = [np.array_equal(a[network], b[network]) for a, b in pairs]
        assert all(same) if network in (2, 3) else not any(same)


def test_a_bank_is_spotted_fold_by_fold(bank):
    folds, told = loso_folds(bank.videos.subject), []
    scores, found = softnet_bank(
        bank, folds=folds, k=counts(bank), seed=1, on_frame=told.append, recipe=TINY
    )
    assert sum(told) == bank.videos.frames.sum()
    assert list(found) == list(INTERVAL_COLUMNS)
    assert sorted(scores) == sorted(bank.videos.video)
    for curve in scores.values():
        assert curve.shape == (46, 2)
        assert curve.dtype == np.float32
        assert np.isfinite(curve).all()
    assert (found.onset >= 1).all() and (found.offset <= 46).all()


def test_shares_of_work_follow_the_pairs(bank):
    shares = lambda skips: _shares_done(
        bank, dict.fromkeys(bank.videos.video, skips), TINY, networks=6
    )
    shown, learned = shares({2})
    more, after = shares({2, 4, 6})
    assert 0 < shown < learned < 1
    assert shown < more < after < 1


def test_memory_does_not_grow_with_the_video(tmp_path):
    """Inputs of a bank, and its scores: 5 kB of inputs a frame lie on disk alone."""

    def peak(frames):
        bank = open_bank(write_bank(tmp_path / f"bank{frames}", subjects=3, frames=frames))
        fold, k = loso_folds(bank.videos.subject)[0], lambda subject, fps: {"ME": 2, "MaE": 6}
        skips = {"s1_1": {2, 6}}
        tracemalloc.start()
        inputs = write_inputs(bank, skips, tmp_path / f"{frames}.npy")
        scores, _ = spot_folds(bank, inputs, start_networks([[0], [1]]), folds=[fold], k=k)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert len(scores["s1_1"]) == frames
        return most

    peak(220)
    # 8 MB of inputs more; a buffer of 2 MB is let go when the collector comes by.
    assert peak(1020) - peak(220) < 4e6
