"""Two processes that train one run together, against one alone."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from motion_banks import write_motion_bank

from jaxspot.commands import train
from jaxspot.commands.train import read_place
from jaxspot.errors import UserError

ROOT = Path(__file__).parents[1]
SMALL = [
    "--config=default:motion",
    "--config.model.widths=(4,4,8)",
    "--config.model.references=(('ME',1.0),('ME',-1.0),('MaE',1.0),('MaE',-1.0))",
    "--config.training.epochs=3",
    "--config.training.steps=4",
    "--config.training.batch=8",
    "--config.protocol.inner_groups=3",
    "--config.control.folds=2",
    "--config.control.seconds=4",
    "--config.peers=()",
]
PAUSED = """
import os, sys, time
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])  # a device for each core
from jaxspot.commands.train import main
from jaxspot.experiment import crossval
save = crossval.save_progress
def pause(folder, progress):
    save(folder, progress)
    print("saved", progress.epoch, flush=True)
    time.sleep(1.0 if progress.epoch == 1 else 0)
crossval.save_progress = pause
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    root = tmp_path_factory.mktemp("bank") / "bank"
    write_motion_bank(root, subjects=5)
    return root


@pytest.fixture(scope="module")
def alone(bank, tmp_path_factory):
    """A run of this process, on four devices."""
    out = tmp_path_factory.mktemp("alone") / "run"
    assert train.main([*SMALL, f"--config.data.bank={bank}", f"--out={out}"]) == 0
    return out


def begin(bank, out, *flags):
    """A command of its own, on two devices."""
    words = [*SMALL, f"--config.data.bank={bank}", f"--out={out}", *flags]
    return subprocess.Popen(
        [sys.executable, "-c", PAUSED, *words],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def begin_both(bank, out, *flags):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    return [begin(bank, out, f"--distributed={place},2,{number}", *flags) for number in range(2)]


def same_results(found, expected):
    for name in ("table4.csv", "table5.csv", "table6.csv", "control.csv"):
        tables = [pd.read_csv(folder / "tables" / name) for folder in (found, expected)]
        pd.testing.assert_frame_equal(*tables, atol=1e-4)
    for path in sorted((expected / "scores").glob("*.npz")):
        with np.load(path) as a, np.load(found / "scores" / path.name) as b:
            for kind in a.files:
                np.testing.assert_allclose(b[kind], a[kind], atol=1e-4)


def test_two_processes_leave_what_one_leaves(bank, alone, tmp_path):
    leader, helper = both = begin_both(bank, tmp_path / "run")
    with leader, helper:
        said = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "Table 5" in said[0][0] and "Table 5" not in said[1][0], "written once"
    same_results(tmp_path / "run", alone)


def test_one_that_is_killed_ends_the_other_and_one_alone_goes_on(bank, alone, tmp_path):
    out = tmp_path / "run"
    leader, helper = begin_both(bank, out)
    with leader, helper:
        assert "saved 1\n" in leader.stdout
        helper.send_signal(signal.SIGKILL)
        said = leader.communicate(timeout=120)[1]
    assert leader.returncode == 2
    assert said.splitlines()[-1].startswith("train: another process of this run has ended")
    assert train.main([*SMALL, f"--config.data.bank={bank}", f"--out={out}", "--resume"]) == 0
    epochs = pd.read_json(out / "metrics.jsonl", lines=True).epoch
    assert sorted(epochs) == sorted([1, 2, 3] * 5)
    same_results(out, alone)


def test_a_mistake_of_the_first_ends_both_with_it(bank, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "other").write_text("")
    leader, helper = both = begin_both(bank, tmp_path / "run")
    with leader, helper:
        said = [process.communicate()[1].splitlines() for process in both]
    assert [process.returncode for process in both] == [2, 2]
    for lines in said:
        assert "is not empty and holds no run" in lines[-1]


@pytest.mark.parametrize(
    "text", ["node1", "node1:9911", "node1:9911,2", "node1,2,0", "node1:9911,2,x", "node1:9911,2,2"]
)
def test_a_place_of_another_form_is_one_line(text):
    with pytest.raises(UserError, match=f"--distributed={text}: "):
        read_place(text)


def test_a_place_is_read():
    assert read_place("") == ("", None, None)
    assert read_place("node1:9911,2,1") == ("node1:9911", 2, 1)
