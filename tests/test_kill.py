"""A run that is killed, wherever it is, and resumed leaves what an undisturbed one leaves.

Each process of a chain goes on where the one before was killed, so that every start but the first
is a resume and every end but the last a kill.
"""

import os
import subprocess
import sys
import time

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
from killed import (
    KILLED,
    ROOT,
    begin_command,
    ended,
    kill,
    kill_at_change,
    kill_at_random,
    said,
)

SMALL = [
    "--config=configs/synthetic.py:best",
    "--config.data.synthetic.subjects=3",
    "--config.data.synthetic.seconds=20",
    "--config.data.synthetic.fps=10",
    "--config.model.references=(('ME',1.0),('MaE',1.0))",
    "--config.training.epochs=4",
    "--config.training.steps=2",
    "--config.training.batch=2",
    "--config.control.folds=0",
    "--config.peers=()",
]
# The change before which each process is killed, or what kills it elsewhere.
PLACES = [
    "the workers' first video",
    "open .provenance.json.part",
    "open .metrics.jsonl.part",
    "in orbax",
    "shutil.rmtree checkpoints/epochs/0002",
    "shutil.rmtree checkpoints/epochs/.0002.part",
    "open .metrics.jsonl.part",
    "shutil.rmtree checkpoints/epochs/0002",
    "os.mkdir checkpoints/scores/.s03_1.part",
    "open scores/.s01_1.npz.part",
    "open tables/.table4.csv.part",
]
MOMENTS = 6


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder of compiled programs, so that each is compiled once for all runs."""
    return f"{tmp_path_factory.mktemp('programs')}"


@pytest.fixture(scope="module")
def whole(programs, tmp_path_factory):
    """The folder of an undisturbed run: the command as it is typed."""
    folder = tmp_path_factory.mktemp("whole") / "typed"
    command = [sys.executable, "launch/train.py", *SMALL, f"--workdir={folder}"]
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": programs}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder


def start(folder, programs, prepare=None):
    """Begins the small training in `folder`, or goes on with it; returns the process."""
    words = [*SMALL, f"--workdir={folder}", "--resume"]
    log = folder.with_suffix(".log")
    return begin_command("train", words, log, prepare=(begin, programs, prepare))


def launch(folder, programs, prepare=None):
    """The same to its end; returns the exit code."""
    return ended(start(folder, programs, prepare))


def begin(programs, prepare):
    jax.config.update("jax_compilation_cache_dir", programs)
    if prepare:
        function, *arguments = prepare
        function(*arguments)


def results(folder):
    """Path -> bytes of all that a run found out; provenance tells of the resuming."""
    kept = ("metrics.jsonl", "intervals.csv", "scores/*.npz", "tables/*", "bank/frames/*")
    paths = [path for pattern in kept for path in folder.glob(pattern)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(paths)}


def weights(folder):
    from jaxspot.spotting.saved_spotter import load_spotter

    return load_spotter(folder).variables


def same_run(folder, other):
    found, expected = results(folder), results(other)
    assert found.keys() == expected.keys() and len(found) == 2 + 3 + 12 + 3
    assert [name for name in found if found[name] != expected[name]] == []
    jax.tree.map(np.testing.assert_array_equal, weights(folder), weights(other))
    assert not list(folder.rglob("*.part"))


@pytest.mark.slow
def test_killed_after_every_epoch_and_in_every_part_of_a_save(whole, programs, tmp_path, tried):
    folder = tmp_path / "run"
    for place in PLACES:
        if place == PLACES[0]:
            code = kill_at_the_first_video(folder, programs)
        elif place == "in orbax":
            code = launch(folder, programs, (kill_in_orbax,))
        else:
            code = launch(folder, programs, (kill_at_change, folder, place))
        assert code == KILLED, (place, said(folder))
    assert launch(folder, programs) == 0, said(folder)
    same_run(folder, whole)
    moments = "workers making videos, every part of a save"
    tried.row("Kills", "`train`", len(PLACES), moments, "the same bytes")


def kill_at_the_first_video(folder, programs):
    """Worker processes are making the others then."""
    run = start(folder, programs)
    while run.is_alive() and not any(folder.glob(".bank.*/frames/s*.npy")):
        time.sleep(0.01)
    run.kill()
    run.join()
    assert not (folder / "bank").exists()
    return run.exitcode


def kill_in_orbax():
    """Ends this process when arrays are being written in the background."""
    save = ocp.StandardCheckpointer.save
    ocp.StandardCheckpointer.save = lambda *given, **options: (save(*given, **options), kill())


@pytest.mark.slow
def test_killed_at_random_moments(whole, programs, tmp_path, tried):
    forked, folder = tmp_path / "forked", tmp_path / "run"
    start_in = lambda place, act: start(place, programs, act)
    kill_at_random(start_in, forked, folder, count=MOMENTS)
    same_run(forked, whole)
    same_run(folder, whole)
    tried.row("Kills", "`train`", MOMENTS, "at random", "the same bytes")
