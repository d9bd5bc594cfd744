"""The benchmark of the device, on CPU with little work."""

import json
import os
import time
from functools import partial

import jax
import pytest

from jaxspot.benchmark import accelerator, accelerator_jobs
from jaxspot.benchmark.accelerator import (
    Reading,
    measure_accelerator,
    measure_device,
    measure_job,
    platform,
    table,
)
from jaxspot.benchmark.accelerator_jobs import Job, Sizes, jobs
from jaxspot.benchmark.measure import Machine
from jaxspot.benchmark.rows import step_program
from jaxspot.benchmark.work import made_up_batch
from jaxspot.commands import benchmark
from jaxspot.network.model import TwoStream
from jaxspot.network.motion import Motion

SMALL = Sizes((1, 2), stacked=2, batch=10, frames=8, model=TwoStream(Motion(features=4)))
MACHINE = Machine(1e9, 1e9)
ROW = Reading("train", 4, "fold-steps/s", rate=100.0, seconds=0.32)


def test_every_part_is_measured():
    assert [(job.what, job.size, job.work) for job in jobs(SMALL)] == [
        ("lcn", 10, 10),
        ("motion", 1, 1),
        ("score :paper", 8, 8),
        ("score :best", 8, 8),
        ("train", 1, 8),
        ("train", 2, 16),
        ("train as a batch", 2, 16),
        ("half stopped", 2, 8),
        ("train :paper", 2, 16),
    ]
    program, state, *given = step_program(SMALL.model, *made_up_batch())
    after, loss = jax.eval_shape(program, state, *given)
    assert loss.shape == () and jax.tree.structure(after) == jax.tree.structure(state)


def test_the_device_that_is_there_is_measured(monkeypatch):
    """All but what would be compiled once more for other sizes or networks."""
    kept = [job for job in jobs(SMALL) if job.what not in ("train", "train :paper", "score :best")]
    monkeypatch.setattr(accelerator, "jobs", lambda sizes: kept)
    monkeypatch.setattr(accelerator, "measure_machine", lambda: MACHINE)
    monkeypatch.setattr(accelerator, "ROUNDS_S", 0.0)
    monkeypatch.setattr(accelerator_jobs, "step_seconds", lambda model, machine: 0.001)
    line, rows = measure_device(SMALL)
    assert f"{len(jax.devices())} x cpu; 1 GFLOP/s" in line
    for row, job in zip(rows, kept, strict=True):
        assert row.rate == pytest.approx(job.work / row.seconds) and not row.note
        assert row.compile_seconds >= 0 and row.gigabytes > 0
        assert row.bound_share > 0
        assert (row.of_full is None) == (row.what != "half stopped")
    full, half = rows[-2:]
    assert half.of_full == pytest.approx(half.seconds / full.seconds)
    assert half.bound_share == pytest.approx(0.008 / half.seconds)


def test_the_rate_leaves_out_the_compilation():
    calls = []

    def call():
        calls.append(time.sleep(0.2 if not calls else 0.01))

    row = measure_job(Job("x", 1, "frames/s", 5.0, lambda: (call, None)))[0]
    assert len(calls) == 8 and row.compile_seconds > 0.1 > row.seconds


def test_what_needs_too_much_memory_is_said():
    def make(error="RESOURCE_EXHAUSTED: out of memory"):
        raise jax.errors.JaxRuntimeError(error)

    row = measure_job(Job("train", 256, "fold-steps/s", 1.0, make))[0]
    assert row.note == "out of memory" and row.rate is None
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        measure_job(Job("train", 1, "", 1.0, partial(make, "INTERNAL")))


def test_nothing_is_begun_without_time(monkeypatch):
    monkeypatch.setattr(accelerator, "measure_machine", lambda: MACHINE)
    _, rows = measure_device(SMALL._replace(seconds=-1.0))
    assert {row.note for row in rows} == {"no time left"} and len(rows) == 9


def test_the_cpu_stands_beside(monkeypatch):
    """Each in a process of its own, told its platform; the best of the CPU counts."""
    seen = []

    def measure(_, sizes):
        seen.append((sizes, os.environ.get("JAX_PLATFORMS")))
        mine = sizes == accelerator.CPU
        return "device", [ROW._replace(rate=20.0), ROW._replace(rate=25.0 if mine else 100.0)]

    monkeypatch.setattr(accelerator, "in_fresh_process", measure)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    _, rows = measure_accelerator(SMALL, cpu=accelerator.CPU)
    assert seen == [(accelerator.CPU, "cpu"), (SMALL, None)]
    assert [row.cpu_ratio for row in rows] == [20 / 25, 4.0]
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    with platform("cpu"):
        assert os.environ["JAX_PLATFORMS"] == "cpu"
    assert os.environ["JAX_PLATFORMS"] == "cuda"


def test_the_command_writes_json_and_a_table(monkeypatch, tmp_path, capsys):
    rows = [
        ROW._replace(bound_share=0.25, gigabytes=1.5),
        ROW._replace(rate=None, note="no time left"),
    ]
    monkeypatch.setattr(accelerator, "in_fresh_process", lambda *_: ("2 x made-up", rows))
    out = tmp_path / "device.json"
    assert benchmark.main(["--accelerator", f"--out={out}"]) == 0
    assert [row["note"] for row in json.loads(out.read_text())] == ["", "no time left"]
    text = capsys.readouterr().out
    assert "2 x made-up" in text and table(rows) in text
    assert "| train | 4 | 100 fold-steps/s | 0.32 |  | 1.50 | 25% |  |  |" in text
    with pytest.raises(SystemExit):
        benchmark.main(["--vs-cpu"])
    assert "--vs-cpu goes with --accelerator" in capsys.readouterr().err
