"""A run that is killed, wherever it is, and resumed leaves what an undisturbed one leaves."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SMALL = [
    "--config=configs/synthetic.py:best",
    "--config.data.synthetic.subjects=3",
    "--config.data.synthetic.seconds=20",
    "--config.data.synthetic.fps=15",
    "--config.model.widths=(4,4,4)",
    "--config.model.multiplier=2",
    "--config.training.epochs=4",
    "--config.training.steps=3",
    "--config.training.batch=4",
    "--config.training.validation_batches=2",
    "--config.control.folds=0",
    "--config.peers=()",
]
KILLED = -signal.SIGKILL
# Runs the command with a function replaced by one that kills the process at its n-th call.
KILLER = """
import importlib, os, signal, sys
module, name, when, count = sys.argv[1:5]
owner = importlib.import_module(module)
for part in name.split(".")[:-1]:
    owner = getattr(owner, part)
name, left = name.split(".")[-1], int(count)
real = getattr(owner, name)
def deadly(*arguments, **options):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = real(*arguments, **options)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(owner, name, deadly)
from jaxspot.commands import train
sys.exit(train.main(sys.argv[5:]))
"""
EPOCHS = "jaxspot.training.saved_epochs"
CHECKPOINT = "jaxspot.storage"
PLACES = [
    ("jaxspot.experiment.settings", "synthetic_bank", "after", 1),
    ("jaxspot.experiment.crossval", "save_progress", "after", 1),
    (CHECKPOINT, "ocp.StandardCheckpointer.save", "after", 1),
    (CHECKPOINT, "_flush", "before", 1),
    (CHECKPOINT, "os.replace", "after", 1),
    ("jaxspot.experiment.crossval", "save_progress", "after", 1),
    (EPOCHS, "shutil.rmtree", "before", 1),
    (CHECKPOINT, "save_tree", "before", 3),
    (CHECKPOINT, "save_tree", "after", 1),
    ("jaxspot.experiment.tables", "write_tables", "after", 1),
]


@pytest.fixture(scope="module")
def environment(request):
    """Programs are compiled once for all runs, in a folder of these tests alone."""
    cache = request.config.cache.mkdir(f"killed-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    return os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)}


@pytest.fixture(scope="module")
def whole(environment, tmp_path_factory):
    """Two undisturbed runs, and how long one takes when its programs are compiled."""
    folders = [tmp_path_factory.mktemp("whole") / "run" for _ in range(2)]
    for folder in folders:
        begin = time.monotonic()
        launch(folder, environment).check_returncode()
    return *folders, time.monotonic() - begin


def launch(folder, environment, *flags, killer=()):
    entry = ["-c", KILLER, *map(str, killer)] if killer else ["launch/train.py"]
    command = [sys.executable, *entry, *SMALL, f"--workdir={folder}", *flags]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


def results(folder):
    """Path -> bytes of all that a run found out; provenance tells of the resuming."""
    kept = ("metrics.jsonl", "intervals.csv", "scores/*.npz", "tables/*", "bank/frames/*")
    paths = [path for pattern in kept for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def weights(folder):
    from jaxspot.spotting.spotter import load_spotter

    return load_spotter(folder).variables


def same_run(folder, other):
    found, expected = results(folder), results(other)
    assert found.keys() == expected.keys() and len(found) == 2 + 3 + 12 + 3
    assert [name for name in found if found[name] != expected[name]] == []
    jax.tree.map(np.testing.assert_array_equal, weights(folder), weights(other))
    assert not list(folder.rglob("*.part"))


@pytest.mark.slow
def test_two_undisturbed_runs_are_the_same(whole):
    same_run(whole[0], whole[1])


@pytest.mark.slow
def test_killed_after_every_epoch_and_in_every_part_of_a_save(whole, environment, tmp_path):
    folder = tmp_path / "run"
    for place in PLACES:
        ended = launch(folder, environment, "--resume", killer=place)
        assert ended.returncode == KILLED, (place, ended.stderr[-500:])
    ended = launch(folder, environment, "--resume")
    assert ended.returncode == 0, ended.stderr[-500:]
    same_run(folder, whole[0])


@pytest.mark.slow
@pytest.mark.timeout(1800)  # some 25 runs, each as long as the machine's other work makes it
def test_killed_at_ten_random_moments(whole, environment, tmp_path):
    rng, kills, number = random.Random(0), 0, 0
    while kills < 10:
        folder = tmp_path / str(number)
        command = [sys.executable, "launch/train.py", *SMALL, f"--workdir={folder}", "--resume"]
        quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = subprocess.Popen(command, cwd=ROOT, env=environment, **quiet)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(rng.uniform(0.2, 1.0) * whole[2])
        run.kill()  # which may still come too late
        ended = run.wait()
        assert ended in (0, KILLED)
        kills, number = (kills + 1, number) if ended == KILLED else (kills, number + 1)
    for last in range(number + 1):
        folder = tmp_path / str(last)
        if folder.exists():
            ended = launch(folder, environment, "--resume")
            assert ended.returncode == 0, ended.stderr[-500:]
            same_run(folder, whole[0])
