import dataclasses
import errno
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from damage import Count, damages_in, files_in
from fitted_rules import fitted
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.annotations.durations import k_frame
from jaxspot.errors import UserError
from jaxspot.network.model import build_model, model_fields
from jaxspot.network.streams import Streams, k_in_frames, network_skips
from jaxspot.spotting import spotter as spotter_module
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.mean_rule import mean_rule
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.storage import restore_tree, save_tree


def tree(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "params": {"kernel": rng.normal(size=(2, 3, 4)).astype(np.float32), "bias": np.ones(3)},
        "count": np.int32([7, 8]),
    }


def like(values):
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), values)


def same(found, expected):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def refused(load, folder):
    with pytest.raises(UserError) as error:
        load(folder)
    assert str(folder) in str(error.value) and "\n" not in str(error.value)


def single():
    return jax.tree.map(lambda leaf: leaf.astype(np.float32), tree())


def test_trees_return_bit_for_bit(tmp_path):
    values = single()
    save_tree(tmp_path / "weights", values)
    found = restore_tree(tmp_path / "weights", like(values))
    same(found, values)
    assert {leaf.dtype for leaf in jax.tree.leaves(found)} == {np.dtype(np.float32)}


FULL = """
import resource, signal, sys
import numpy as np
from jaxspot.storage import save_tree
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
try:
    save_tree(sys.argv[1], {"a": np.zeros(2**20)})
except OSError as error:
    sys.exit(f"{error.errno} {error.filename}")
"""


def test_a_disk_that_cannot_take_it_is_an_error_at_once(tmp_path):
    place = tmp_path / "weights"
    command = [sys.executable, "-c", FULL, str(place)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.stderr == f"{errno.EFBIG} {place}\n" and ended.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_stray_file_is_no_damage(tmp_path):
    values = single()
    save_tree(tmp_path / "weights", values)
    (tmp_path / "weights" / ".DS_Store").write_bytes(b"x")
    same(restore_tree(tmp_path / "weights", like(values)), values)


def test_saving_again_replaces(tmp_path):
    first, second = single(), jax.tree.map(lambda leaf: leaf + 1, single())
    save_tree(tmp_path / "weights", first)
    save_tree(tmp_path / "weights", second)
    same(restore_tree(tmp_path / "weights", like(second)), second)


def test_missing_and_half_written_weights(tmp_path):
    restore = lambda folder: restore_tree(folder, like(single()))
    refused(restore, tmp_path / "none")
    save_tree(tmp_path / "weights", single())
    (tmp_path / "weights" / "manifest.json").unlink()
    refused(restore, tmp_path / "weights")


@pytest.fixture(scope="module")
def spotter():
    model = build_model(
        widths=(3, 4, 5),
        multiplier=2,
        pooling="average",
        pool_grid=7,
        kernel_init="difference",
        dropout=0.1,
    )
    sample = jnp.zeros((1, 3, 112, 112))
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), sample, train=False))
    rng = np.random.default_rng(0)
    draw = lambda leaf: rng.normal(size=(2, *leaf.shape)).astype(np.float32)
    return Spotter(
        model=model,
        variables=jax.tree.map(draw, shapes),
        k_seconds=((0.2, 0.6), (1 / 6, 1.0)),
        rules=(fitted(0.25), fitted(0.1 + 0.2)),
    )


@pytest.fixture(scope="module")
def saved(spotter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "checkpoints" / "spotter"
    save_spotter(folder, spotter)
    return folder


def test_spotters_return_bit_for_bit(spotter, saved):
    for folder in (saved, str(saved), saved.parents[1]):
        found = load_spotter(folder)
        assert found.model == spotter.model
        assert found.k_seconds == spotter.k_seconds
        assert found.rules == spotter.rules
        same(found.variables, spotter.variables)


def test_every_flipped_bit_and_truncated_file_is_refused(saved, tmp_path, tried):
    copy, count = shutil.copytree(saved, tmp_path / "copy"), Count()
    for kind in damages_in(copy, count=40):
        refused(load_spotter, copy)
        count.add(kind, True)
    assert count.all
    tried.row("Damage", "weights of a run", *count.cells, "refused")


def test_a_missing_file_is_refused(saved, tmp_path):
    for name in files_in(saved):
        copy = tmp_path / "copy"
        shutil.copytree(saved, copy)
        (copy / name).unlink()
        refused(load_spotter, copy)
        shutil.rmtree(copy)


def test_folders_without_a_spotter(tmp_path):
    refused(load_spotter, tmp_path)
    refused(load_spotter, tmp_path / "none")
    (tmp_path / "file").write_text("x")
    refused(load_spotter, tmp_path / "file")


def test_weights_of_another_version_are_named(spotter, tmp_path, monkeypatch):
    fields = model_fields(spotter.model) | {"form": "fast"}
    monkeypatch.setattr(spotter_module, "model_fields", lambda model: fields)
    save_spotter(tmp_path, spotter)
    refused(load_spotter, tmp_path)


@pytest.mark.parametrize("merge_seconds", [(0.0, 0.0), (0.1, 0.0)])
def test_weights_with_settings_that_are_gone(spotter, tmp_path, monkeypatch, merge_seconds):
    """They load if the settings had no effect on intervals."""
    fields = model_fields(spotter.model) | {"momentum": 0.9}
    monkeypatch.setattr(spotter_module, "model_fields", lambda model: fields)
    to_json = FittedRule.to_json

    def with_gaps(self):
        values = to_json(self)
        return values | {"rule": values["rule"] | {"merge_seconds": merge_seconds}}

    monkeypatch.setattr(FittedRule, "to_json", with_gaps)
    save_spotter(tmp_path, spotter)
    if any(merge_seconds):
        refused(load_spotter, tmp_path)
    else:
        found = load_spotter(tmp_path)
        assert found.model == spotter.model and found.rules == spotter.rules


def test_weights_without_settings_are_no_spotter(spotter, tmp_path):
    save_tree(tmp_path / "weights", spotter.variables)
    refused(load_spotter, tmp_path)


def test_skips_are_half_a_mean_expression(spotter):
    np.testing.assert_array_equal(spotter.skips(30.0), [[6, 18], [5, 30]])
    np.testing.assert_array_equal(spotter.skips(200.0), [[40, 120], [33, 200]])
    assert k_in_frames((0.005, 0.01), 25.0) == [1, 1]


def test_folds_of_near_k_share_their_skips_where_frames_are_close():
    exact = Streams((("ME", 2.0), ("MaE", -0.5)))
    rounded = dataclasses.replace(exact, skip_rounding_seconds=1 / 30)
    k_seconds = [(0.135, 0.86), (0.145, 0.875), (0.01, 0.5)]
    plain = network_skips(exact, k_seconds, 200.0)
    assert len(np.unique(plain, axis=0)) == 3
    np.testing.assert_array_equal(
        network_skips(rounded, k_seconds, 200.0), [[56, -88], [56, -88], [14, -49]]
    )
    for fps in (25.0, 30.0):
        expected = network_skips(exact, k_seconds, fps)
        np.testing.assert_array_equal(network_skips(rounded, k_seconds, fps), expected)


@given(st.floats(0.001, 60.0), st.floats(1.0, 1000.0))
def test_k_in_seconds_gives_the_k_th_frame_of_the_mean_duration(duration, fps):
    """Bit for bit: half the duration, floor(s fps + 0.5), is floor((2 s fps + 1) / 2)."""
    k = max(1, k_frame({"ME": [duration * fps]})["ME"])
    assert k_in_frames((duration / 2, duration / 2), fps) == [k, k]


def test_the_mean_rule_averages_thresholds_where_the_scores_are():
    a = FittedRule(
        IntervalRule(normalisation="train_quantiles"), (0, 0), (1, 1), (0.2, 0.5), (0.1, 0.1)
    )
    b = FittedRule(
        IntervalRule(normalisation="train_quantiles"), (0.5, 0), (1, 2), (0.4, 1), (0.2, 0.1)
    )
    mean = mean_rule([a, b])
    raw = np.array(mean.low) + np.array(mean.threshold) * np.subtract(mean.high, mean.low)
    np.testing.assert_allclose(raw, [(0.2 + 0.7) / 2, (0.5 + 2.0) / 2])
    same(mean_rule([a, a]).threshold, a.threshold)
