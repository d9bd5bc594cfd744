"""The benchmark's arithmetic, and the PyTorch twin against our own network (where installed)."""

import json
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from reference_network import close, random_variables

from configs import default
from jaxspot.benchmark import measure, rows, scaling, spotting
from jaxspot.benchmark.measure import (
    ClockReading,
    Machine,
    Row,
    compare_speed,
    cores_of_others,
    in_fresh_process,
    measure_machine,
    read_clock,
    seconds_of,
)
from jaxspot.benchmark.release import Release, dry_run
from jaxspot.benchmark.scaling import Law, Point
from jaxspot.benchmark.scaling import table as scaling_table
from jaxspot.benchmark.table import table
from jaxspot.benchmark.work import BEST, MadeUpFrames, made_up_frames
from jaxspot.commands import benchmark
from jaxspot.experiment.settings import read_settings
from jaxspot.memory import peak_gigabytes
from jaxspot.network.lcn import local_contrast_normalise
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import build_model
from jaxspot.video.decode import read_video


def test_a_slower_peer_has_a_ratio_above_one(monkeypatch):
    clock = SimpleNamespace(now=0.0, perf_counter=lambda: clock.now)
    monkeypatch.setattr(measure, "time", clock)
    wait = lambda seconds: lambda: setattr(clock, "now", clock.now + seconds)
    (row,) = compare_speed(
        "x", wait(0.01), {"slow": wait(0.03)}, unit="ms", convert=lambda s: 1e3 * s, rounds=3
    )
    assert (row.value, row.peer_value, row.ratio) == pytest.approx((10, 30, 3))
    assert row.peer == "slow" and row.bound is None
    (alone,) = compare_speed(
        "x", wait(0.1), {}, unit="1/s", convert=lambda s: 1 / s, bound_s=0.5, rounds=1
    )
    assert alone.value == pytest.approx(10)
    assert alone.peer_value is None and alone.bound == 2.0


def test_candidates_are_warm_and_take_turns():
    calls = []
    seconds_of([lambda: calls.append("a"), lambda: calls.append("b")], rounds=2)
    assert calls == ["a", "b"] * 2 + ["a", "a", "b", "b"] * 2


def test_the_bound_is_the_larger_of_arithmetic_and_memory():
    program = jax.jit(lambda a: a @ a)
    matrix = jnp.ones((256, 256))
    slow_sums, slow_memory = Machine(1e6, 1e30), Machine(1e30, 1e6)
    assert slow_sums.seconds(program, matrix) == pytest.approx(2 * 256**3 / 1e6, rel=0.01)
    assert slow_memory.seconds(program, matrix) >= 2 * 4 * 256**2 / 1e6
    machine = measure_machine(size=256)
    assert machine.flops > 1e8 and machine.bytes > 1e8


def test_the_table_shows_every_row():
    text = table(
        [Row("lcn", 30.0, "us", "OpenCV", 90.0, 3.0, 15.0), Row("track", 60.0, "frames/s")]
    )
    assert text.splitlines()[2] == "| lcn | 30 us | OpenCV | 90 | 3.00 | 50% |"
    assert text.splitlines()[3] == "| track | 60 frames/s |  |  |  |  |"


def test_the_command_writes_rows_of_the_contract(tmp_path, capsys):
    out = tmp_path / "lcn.json"
    assert benchmark.main(["--only=lcn", f"--out={out}"]) == 0
    found = json.loads(out.read_text())
    assert [row["peer"] for row in found] == ["OpenCV", "scipy", "plain JAX"]
    for row in found:
        assert {"name", "value", "unit", "peer", "peer_value", "ratio"} <= row.keys()
        assert row["ratio"] == pytest.approx(row["peer_value"] / row["value"])
    assert (tmp_path / "lcn.json.md").read_text() in capsys.readouterr().out
    assert tuple(rows.ROWS) == (*benchmark.NAMES, *benchmark.ALONE)
    assert build_model(**default.get_config("best").model.to_dict()) == BEST
    assert tuple(scaling.LAWS) == benchmark.LAW_NAMES


def test_a_dry_run_tells_what_a_whole_run_takes():
    config = default.get_config("convolution")
    config.training.update(dict(epochs=7, steps=2, batch=2))
    config.model.update(dict(widths=(2, 2, 2), multiplier=1))
    config.protocol.inner_groups = 3
    found = dry_run(read_settings(config), Release(2700, 9, 6, 30.0), scored=2)
    bank, epoch, scoring, memory, whole = found
    assert "2,700 frames, 9 networks" in bank.name and "2 videos" in scoring.name
    assert 3600 * whole.value == pytest.approx(7 * epoch.value + 2700 / scoring.value)
    assert memory.value > 0.1


def test_peers_of_lcn_compute_the_same():
    image = made_up_frames(1)[0].astype(np.float32) / 255
    expected = np.asarray(jax.jit(local_contrast_normalise)(image))
    by_opencv = rows._contrast(image, rows._opencv_blur)
    np.testing.assert_allclose(by_opencv, expected, atol=2e-4)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="PyTorch is not installed: make bench")


@pytest.fixture(scope="module")
def twin(torch):
    from jaxspot.benchmark import twin

    return twin


def test_twin_lcn(torch, twin):
    images = np.random.default_rng(0).random((2, 30, 40)).astype(np.float32)
    found = twin.local_contrast_normalise(torch.from_numpy(images))
    np.testing.assert_allclose(found, jax.jit(local_contrast_normalise)(images), atol=1e-4)


@pytest.mark.parametrize("train", [True, False])
def test_twin_network_loss_and_gradients(torch, twin, train):
    model = build_model(widths=(4, 6, 8), multiplier=3)
    rng = np.random.default_rng(0)
    frames, labels = rng.normal(size=(3, 3, 16, 16)), rng.integers(0, 2, (3, 2)).astype(float)
    weights = dict(presence_weight=0.9, kind_weights=(0.1, 0.9))
    with jax.enable_x64(True):
        variables = random_variables(model, jnp.asarray(frames))

        def loss(params):
            given = variables | {"params": params}
            logits = model.apply(given, frames, train=train, mutable=["batch_stats"])[0]
            return weighted_bce(logits, labels, **weights).mean()

        value, gradients = jax.jit(jax.value_and_grad(loss))(variables["params"])
    other = twin.TwoStreamTwin((4, 6, 8), 3).double().train(train)
    twin.load_variables(other, variables)
    found = twin.weighted_bce(other(torch.from_numpy(frames)), torch.from_numpy(labels), **weights)
    assert found.item() == pytest.approx(float(value), rel=1e-6)
    found.backward()
    dense = gradients["ResidualDense_0"]["Dense_0"]["kernel"]
    close(1e-6)(other.hidden.weight.grad.numpy().T, np.asarray(dense))
    first = np.asarray(gradients["PairBlock_0"]["depthwise"]).transpose(3, 0, 1, 2)
    close(1e-6)(other.blocks[0].depthwise.weight.grad.numpy(), first)


def test_the_work_of_others_is_told_from_ours():
    begin, end = ClockReading(10.0, 100.0, 50.0), ClockReading(20.0, 125.0, 65.0)
    assert cores_of_others(begin, end) == pytest.approx(1.0)
    assert cores_of_others(begin, ClockReading(20.0, 110.0, 65.0)) == 0.0
    before = read_clock()
    sum(range(3_000_000))
    after = read_clock()
    assert after.wall > before.wall and after.ours > before.ours and after.busy >= before.busy


def test_made_up_frames_repeat():
    video = MadeUpFrames(1000)
    assert len(video) == 1000
    np.testing.assert_array_equal(video[np.array([[0, 70], [64, 6]])][0], video[np.array([64, 6])])


def test_growth_is_against_the_first_point_of_a_law():
    points = [
        Point("folds", 1, 8, 0.8, 1.0, 0.1),
        Point("folds", 4, 32, 1.6, 1.5, 0.05),
        Point("video", 1000, 1000, 1.0, 0.5, 0.001),
    ]
    rows = scaling_table(points).splitlines()[2:]
    assert [row.split("|")[-2].strip() for row in rows] == ["1.00", "0.50", "1.00"]
    assert "50 ms a fold-step" in rows[1] and "1.50 GB" in rows[1]


def test_the_scaling_law_draws_every_size(monkeypatch, tmp_path, capsys):
    small = Law("folds that train at once", "fold-step", (1, 2), scaling.LAWS["folds"].make)
    monkeypatch.setitem(scaling.LAWS, "folds", small)
    monkeypatch.setattr(scaling, "in_fresh_process", lambda _, law, size: made_up_point(law, size))
    out = tmp_path / "scaling.json"
    assert benchmark.main(["--scaling=folds", f"--out={out}"]) == 0
    assert [point["size"] for point in json.loads(out.read_text())] == [1, 2]
    assert (tmp_path / "scaling.json.png").read_bytes().startswith(b"\x89PNG")
    assert "| folds that train at once | 2 |" in capsys.readouterr().out


def made_up_point(law, size):
    return Point(law, size, size, 0.1 * size, 0.5, 0.1)


def test_peak_memory_grows_by_what_is_taken_and_not_by_the_parent():
    held = np.ones(30_000_000)
    assert in_fresh_process(peak_gigabytes) < peak_gigabytes()
    assert peak_gigabytes() > held.nbytes / 1e9


def test_parts_of_spotting_are_rates(tmp_path):
    found = spotting.spot_parts(Machine(1e9, 1e9), frames=24)
    assert [row.name for row in found] == [
        "spot: crops",
        "spot: region motion",
        "spot: networks",
    ]
    assert all(row.value > 0 and row.unit == "frames/s" for row in found)


def test_a_long_video_is_a_short_one_repeated(tmp_path):
    with spotting.videos(1, frames=20) as (_, (once,)):
        spotting.repeat_video(once, tmp_path / "long.mp4", times=3)
        frames = [frame.image for frame in read_video(once)]
    found = list(read_video(tmp_path / "long.mp4"))
    np.testing.assert_allclose([f.pts_s for f in found], np.arange(60) / 30, atol=1e-6)
    for number, frame in enumerate(found):
        np.testing.assert_array_equal(frame.image, frames[number % 20])
