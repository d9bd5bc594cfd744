"""What Table 7 takes away from the network and its training, and the config that does it."""

import hashlib
import json
from contextlib import closing
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from fitted_rules import fitted
from flax.traverse_util import flatten_dict
from loso_runs import FOLDS, TRAINING, same
from pools import make_pool
from reference_network import close, inputs, random_variables, reference_network

from configs import ablations, cas_me2, gains, samm_lv, synthetic
from jaxspot.devices import fold_mesh, map_folds, on_each_device, shard_folds
from jaxspot.errors import UserError
from jaxspot.experiment.settings import read_settings
from jaxspot.experiment.sweep import change
from jaxspot.network import inputs as network_inputs
from jaxspot.network.augment import Augmentation
from jaxspot.network.inputs import augmented_inputs, preprocess
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import build_model
from jaxspot.network.streams import Streams
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.spotting.scoring import score_video
from jaxspot.spotting.spotter import Spotter
from jaxspot.training.feed import feed_epochs, prepare_validation
from jaxspot.training.loso import compile_epoch
from jaxspot.training.saved_epochs import Progress, restore_progress, save_progress
from jaxspot.training.state import init_state
from jaxspot.training.step import make_optimiser, train_step

SMALL = dict(widths=(4, 6, 8), multiplier=3)
BARE = build_model(widths=(3, 4, 5), multiplier=2, dropout=0.2, lcn=False, norm="none")


def shapes_of(model, size=16):
    frames = jnp.zeros((1, 3, size, size))
    return jax.eval_shape(lambda: model.init(jax.random.key(0), frames, train=False))


def test_blocks_with_a_bias_alone_agree_with_a_reference():
    """Stacked by vmap inside shard_map, against one network after the other."""
    model, mesh = build_model(**SMALL, norm="none", extra_blocks=1), fold_mesh(2)
    with jax.enable_x64(True):
        frames = jnp.asarray(inputs(batch=2))
        networks = [random_variables(model, frames, seed=seed)["params"] for seed in range(4)]
        weights = jnp.asarray(np.random.default_rng(1).normal(size=(len(frames), 2)))

        def ours(params):
            logits, updates = model.apply(
                {"params": params}, frames, train=True, mutable=["batch_stats"]
            )
            assert not jax.tree.leaves(updates)
            return (logits * weights).sum(), logits

        def plain(params):
            variables = {"params": params, "batch_stats": {}}
            logits, _ = reference_network(variables, frames, pooling="max", regions=1, train=True)
            return (logits * weights).sum(), logits

        run = partial(jax.value_and_grad, has_aux=True)
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
        on_device = lambda folds: map_folds(run(ours), folds, batched=True)
        found = jax.jit(on_each_device(on_device, mesh))(shard_folds(stacked, mesh))
        expected = [jax.jit(run(plain))(params) for params in networks]
        expected = jax.tree.map(lambda *leaves: np.stack(leaves), *expected)
        jax.tree.map(close(1e-10), found, expected)


def test_networks_without_statistics_are_trained_saved_and_read(tmp_path):
    model, frames = BARE, inputs(batch=2).astype(np.float32)
    params = jax.tree.map(np.float32, random_variables(model, frames))["params"]
    start = init_state({"params": params}, make_optimiser(TRAINING))
    step = jax.jit(partial(train_step, model=model, training=TRAINING))
    trained, loss = step(start, frames, np.eye(2, dtype=np.float32), jax.random.key(0))
    assert np.isfinite(loss) and trained.batch_stats == trained.mean_stats == {}
    moved = lambda now, before: np.isfinite(now).all() and (now != before).any()
    assert all(jax.tree.leaves(jax.tree.map(moved, trained.params, params)))

    trained, start = (jax.tree.map(lambda x: np.asarray(x)[None], s) for s in (trained, start))
    save_progress(tmp_path / "epochs", Progress(1, trained, []))
    found, damage = restore_progress(tmp_path / "epochs", start)
    assert found is not None and not damage
    same(found.state, trained)
    variables = {"params": trained.params, "batch_stats": trained.batch_stats}
    save_spotter(tmp_path / "spotter", Spotter(model, variables, ((0.2, 0.6),), (fitted(0.2),)))
    loaded = load_spotter(tmp_path / "spotter")
    assert loaded.model == model
    same(loaded.variables, variables)


class Used(Exception):
    """LCN was called."""


@pytest.mark.parametrize("lcn", [True, False])
def test_training_and_validation_follow_one_switch(lcn, monkeypatch):
    def refuse(images):
        raise Used

    def uses(function, *arguments, run=jax.eval_shape):
        try:
            run(function, *arguments)
        except Used:
            return True
        return False

    monkeypatch.setattr(network_inputs, "local_contrast_normalise", refuse)
    model, mesh = BARE.clone(streams=Streams(lcn=lcn)), fold_mesh(1)
    optimiser, variables = make_optimiser(TRAINING), shapes_of(model)
    state = jax.eval_shape(lambda v: init_state(v, optimiser), variables)
    state = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((1, *leaf.shape), leaf.dtype), state)
    with closing(feed_epochs(make_pool(), FOLDS[:1], BARE, TRAINING, mesh)) as feed:
        fold_data, shared = next(feed)
    prepare = partial(augmented_inputs, augmentation=Augmentation(), model=model)
    look = partial(prepare_validation, model=model, mesh=mesh)
    epoch = compile_epoch(model, TRAINING, Augmentation(), mesh)
    assert uses(prepare, shared.frames[shared.samples[0, :1]], fold_data.key) == lcn
    frames = shared.frames[shared.samples[:1, :2]][:, None]
    assert uses(look, frames, run=lambda function, given: function(given)) == lcn
    assert uses(epoch, state, fold_data, shared) == lcn


def test_without_lcn_frames_lie_on_a_fixed_range_and_are_still_augmented():
    frames = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16), np.uint8)
    expected = frames / np.float32(127.5) - 1
    np.testing.assert_allclose(preprocess(jnp.asarray(frames), lcn=False), expected, atol=1e-6)
    ranges = Augmentation((1.0, 1.0), (1.0, 1.0), (1.0, 1.0), rotation=0.0, flip=1.0)
    keys = jax.random.split(jax.random.key(1), 4)
    mirrored = jax.jit(partial(augmented_inputs, augmentation=ranges, model=BARE))(frames, keys)
    np.testing.assert_allclose(mirrored, expected[..., ::-1], atol=1e-3)


def test_without_lcn_scores_are_those_of_the_frames_themselves():
    frames = np.random.default_rng(0).integers(0, 256, (5, 16, 16), np.uint8)
    seen = frames / np.float32(127.5) - 1
    params = jax.tree.map(np.float32, random_variables(BARE, seen[None, :3]))["params"]
    stacked = {"params": jax.tree.map(lambda leaf: leaf[None], params), "batch_stats": {}}
    skips = np.array([[1, 2]])
    scores = score_video(BARE, stacked, frames, skips=skips, chunk=5, mesh=fold_mesh(1))
    triples = np.array([[seen[max(0, i - k)] for k in (0, 1, 2)] for i in range(5)])
    by_hand = jax.jit(lambda x: BARE.apply({"params": params}, x, train=False))(triples)
    np.testing.assert_allclose(scores[0], jax.nn.sigmoid(by_hand), atol=1e-5)


def test_ten_layers_are_ten_separable_blocks():
    """Counted as in Figure 1, where the three blocks are three layers."""
    config = ablations.get_config("deep_no_lcn")
    model = build_model(**config.model.to_dict())
    params = shapes_of(model, 112)["params"]
    blocks = [name for name in params if "Block" in name]
    assert len(blocks) == 10 and model.trunk.extra_blocks == 7
    for number in range(2, 9):
        assert params[f"SeparableBlock_{number}"]["pointwise"].shape == (64, 64)
        assert params[f"SeparableBlock_{number}"]["depthwise"].shape == (3, 3, 64)


@pytest.mark.parametrize("extra", [0, 2])
def test_channels_are_dropped_after_every_block(extra):
    model = build_model(**SMALL, dropout=0.5, extra_blocks=extra)
    frames = jnp.zeros((1, 3, 16, 16))
    _, seen = jax.eval_shape(
        lambda: model.init_with_output(
            jax.random.key(0), frames, train=False, capture_intermediates=True
        )
    )
    names = [name for name in seen["intermediates"] if "Block" in name or "Dropout" in name]
    assert sum("Dropout" in name for name in names) == 3 + extra
    assert sum("Block" in name for name in names) == 3 + extra


def test_the_weights_of_the_default_keep_their_names():
    """Saved weights are found by these."""
    variables = shapes_of(build_model(**SMALL))
    blocks = ("PairBlock_0", "SeparableBlock_0", "SeparableBlock_1")
    dense = ("ResidualDense_0/Dense_0", "ResidualDense_0/Dense_1", "Output")
    params = [f"{block}/{layer}" for block in blocks for layer in ("depthwise", "pointwise")]
    params += [f"{block}/BatchNorm_0/{name}" for block in blocks for name in ("scale", "bias")]
    params += [f"{layer}/{name}" for layer in dense for name in ("kernel", "bias")]
    stats = [f"{block}/BatchNorm_0/{name}" for block in blocks for name in ("mean", "var")]
    assert sorted(flatten_dict(variables["params"], sep="/")) == sorted(params)
    assert sorted(flatten_dict(variables["batch_stats"], sep="/")) == sorted(stats)


def test_weights_saved_before_these_switches_are_read_as_the_default(tmp_path):
    model = build_model(**SMALL)
    draw = lambda leaf: np.random.default_rng(0).normal(size=(1, *leaf.shape)).astype(np.float32)
    saved = Spotter(model, jax.tree.map(draw, shapes_of(model)), ((0.2, 0.6),), (fitted(0.2),))
    save_spotter(tmp_path, saved)
    place, manifest = (tmp_path / "weights" / n for n in ("spotter.json", "manifest.json"))
    settings = json.loads(place.read_text())
    for name in ("lcn", "norm", "extra_blocks"):
        del settings["model"][name]
    place.write_text(json.dumps(settings))
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    hashes = json.loads(manifest.read_text()) | {"spotter.json": digest}
    manifest.write_text(json.dumps(hashes, indent=1) + "\n")
    found = load_spotter(tmp_path)
    assert found.model == model
    same(found.variables, saved.variables)


def test_equal_weights_are_a_quarter_of_plain_cross_entropy():
    training = ablations.get_config("no_weighted_loss").training
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 5, (200, 2)).astype(np.float32)
    labels = rng.integers(0, 2, (200, 2)).astype(np.float32)
    loss = weighted_bce(
        logits,
        labels,
        presence_weight=training.presence_weight,
        kind_weights=tuple(training.kind_weights),
    )
    plain = optax.sigmoid_binary_cross_entropy(logits, labels).sum(-1)
    np.testing.assert_allclose(loss, plain / 4, rtol=1e-5)


CHANGED = {
    "no_lcn": {"model.lcn"},
    "no_batch_norm": {"model.norm"},
    "no_weighted_loss": {"training.presence_weight", "training.kind_weights"},
    "no_dropout": {"model.dropout"},
    "deep_no_lcn": {"model.lcn", "model.extra_blocks"},
    "full": set(),
    "manual_skip": {"protocol.frame_skip"},
}


def flat(config):
    return flatten_dict(config.to_dict(), sep=".", keep_empty_nodes=True)


@pytest.mark.parametrize("data", [synthetic, samm_lv, cas_me2])
@pytest.mark.parametrize("base", ["paper", "best"])
def test_a_row_changes_what_it_is_named_after(data, base):
    name, whole = data.__name__.split(".")[1], flat(data.get_config(base))
    for row, expected in CHANGED.items():
        config = ablations.get_config(f"{row},{name},{base}")
        read_settings(config)
        found = flat(config)
        assert found.keys() == whole.keys()
        changed = {setting for setting in whole if found[setting] != whole[setting]}
        if base == "best":  # where the kinds have equal weight anyway
            expected = expected - {"training.kind_weights"}
        assert changed == expected
        assert flat(ablations.get_config(f"{base},{name},{row}")) == found
        if name == "synthetic":
            assert flat(ablations.get_config(f"{row},{base}")) == found


def test_no_row_is_every_row_and_several_are_these():
    config = ablations.get_config("samm_lv,best")
    assert [row for row, _ in config.variants] == list(ablations.ROWS)
    assert ablations.ROWS.keys() == CHANGED.keys()
    (first, changes), *others = ablations.get_config("no_lcn,full,hard").variants
    assert first == "no_lcn" and {setting for setting, _ in changes} == CHANGED[first]
    [(second, changes)] = others
    spared = CHANGED[second] | {"control.folds"}
    assert second == "full" and {setting for setting, _ in changes} == spared
    config.variants = ()
    assert flat(config) == flat(samm_lv.get_config("best"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("no_lnc", "'no_lnc' is unknown; take .*best.*cas_me2.*deep_no_lcn"),
        ("no_lcn,hard,samm_lv", "'hard' is unknown"),
        ("samm_lv,cas_me2,full", "samm_lv, cas_me2 are several data sets; take one"),
    ],
)
def test_arguments_that_make_no_sense(arguments, said):
    with pytest.raises(UserError, match=said):
        ablations.get_config(arguments)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("norm", "layer", "model.norm must be one of batch, none, not 'layer'"),
        ("extra_blocks", -1, "0 or more"),
        ("trunk", "flow", "model.trunk must be one of convolution, motion, regions, not 'flow'"),
        ("fusion_width", -1, "0 or more"),
        ("references", (("ME", 1.0), ("MaE", 0.0)), "a number that is not 0"),
        ("references", (("MAE", 1.0),), "pairs such as"),
        ("references", ("ME", 1.0), "pairs such as"),
        ("references", (), "pairs such as"),
    ],
)
def test_settings_that_no_network_has(field, value, said):
    config = synthetic.get_config()
    with config.unlocked(), config.ignore_type():
        config.model[field] = value
    with pytest.raises(UserError, match=said):
        read_settings(config)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"training.patience": -1}, "--config.training.patience must be 0 or more"),
        ({"protocol.peak_share": 1.0}, "--config.protocol.peak_share must be"),
    ],
)
def test_settings_that_mean_nothing_are_refused_before_the_training(changes, line):
    config = synthetic.get_config("best")
    for setting, value in changes.items():
        change(config, setting, value)
    with pytest.raises(UserError, match=line):
        read_settings(config)


def test_a_row_of_gains_changes_what_it_names_about_best():
    whole = gains.get_config("best")
    before = flat(synthetic.get_config("benchmark,choices,best"))
    changed = {name for name, value in flat(whole).items() if value != before[name]}
    assert changed == {"control.folds", "peers"}
    for row in gains.ROWS:
        config = gains.get_config(row)
        read_settings(config)
        found = {name for name, value in flat(config).items() if value != flat(whole)[name]}
        assert found == set(gains.ROWS[row]) and bool(found) == (row != "best")
    assert [row for row, _ in gains.get_config().variants] == list(gains.ROWS)
    assert gains.get_config("fps200,best").data.name == "benchmark_default_200fps_choices"
    with pytest.raises(UserError, match="'bset' is unknown"):
        gains.get_config("bset")
