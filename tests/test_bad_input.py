"""Mistakes and damaged files are one line and exit code 2: the command train, and OpenCV."""

import errno
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from tiny_banks import ROOT, limited, one_line, said, start, write_bank

from jaxspot.commands import train
from jaxspot.commands.running import run

TINY = [
    f"--config={ROOT}/configs/default.py:best",
    "--config.model.widths=(4,4,4)",
    "--config.model.multiplier=2",
    "--config.training.epochs=1",
    "--config.training.steps=2",
    "--config.training.batch=4",
    "--config.training.validation_batches=1",
    "--config.control.folds=0",
    "--config.peers=()",
]
TENSORSTORE = (
    'Failed writing: "/run/tree/d/86": Failed to write 177 bytes to file 11: No space left on'
    " device [os_error_code='28']"
)
DISKS, FULL = "Disks", "takes no longer files"
NO_LIBRARY = "libGL.so.1: cannot open shared object file: No such file or directory"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_bank(tmp_path_factory.mktemp("whole") / "bank")


@pytest.fixture
def bank(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "bank"))


@pytest.fixture(autouse=True)
def from_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_a_subject_without_labels_only_adds_false_positives(tmp_path):
    bank, run = write_bank(tmp_path / "bank", subjects=4, unlabelled=1), tmp_path / "run"
    assert train.main([*TINY, f"--config.data.bank={bank}", f"--workdir={run}"]) == 0
    table = pd.read_csv(run / "tables" / "table5.csv").set_index(["method", "kind"])
    assert table.loc[("jaxspot", "overall"), "ground_truth"] == 6
    assert (run / "scores" / "s1_1.npz").is_file()


@pytest.mark.parametrize("command", ["train", "spot"])
def test_a_library_that_opencv_misses_is_named_with_its_remedy(command, bank, tmp_path):
    fake = tmp_path / "fake" / "cv2" / "__init__.py"
    fake.parent.mkdir(parents=True)
    fake.write_text(f"raise ImportError({NO_LIBRARY!r})\n")
    train_flags = [*TINY, f"--config.data.bank={bank}", f"--workdir={tmp_path / 'out'}"]
    spot_flags = [f"--weights={tmp_path}", f"--out={tmp_path / 'out'}", "a.mp4"]
    words = train_flags if command == "train" else spot_flags
    done = start(f"launch/{command}.py", *words, PYTHONPATH=str(tmp_path / "fake"))
    line = one_line(done.stderr, command)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "libGL.so.1" in line and "apt-get install libgl1 libglib2.0-0" in line


@pytest.mark.parametrize("text", ["import nowhere", "raise ImportError('lib.so: no')"])
def test_other_failed_imports_keep_their_traceback(text, tmp_path):
    module = "cv2" if "nowhere" in text else "pandas"
    (tmp_path / f"{module}.py").write_text(text)
    flags = [f"--weights={tmp_path}", f"--out={tmp_path / 'out'}", "a.mp4"]
    done = start("launch/spot.py", *flags, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_a_full_disk_stops_train_in_one_line(bank, tmp_path, tried):
    run = tmp_path / "run"
    done = limited(300, "train", *TINY, f"--config.data.bank={bank}", f"--workdir={run}")
    assert done.returncode == 2
    line = one_line(done.stderr, "train")
    assert f"{run}/config.json: larger than a file" in line
    tried.row(DISKS, "`train`, its settings", FULL, line.replace(f"{tmp_path}/", ""), 2)
    assert [p for p in run.rglob("*") if p.is_file() and p.name != ".lock"] == []


def test_a_full_disk_stops_the_making_of_a_bank_in_one_line(tmp_path, tried):
    run = tmp_path / "run"
    small = ["--config.data.synthetic.subjects=3", "--config.data.synthetic.seconds=15"]
    flags = ["--config=configs/synthetic.py", *small, f"--workdir={run}"]
    done = limited(100_000, "train", *flags)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("train: ") and "_1.npy: larger than a file" in line
    told = re.sub(r"run/\S+/s\d+_1.npy", "run/bank/frames/s01_1.npy", line.removeprefix("train: "))
    tried.row(DISKS, "`train`, its bank", FULL, told.replace(f"{tmp_path}/", ""), 2)
    assert not list(run.rglob("*.npy"))


def test_weights_that_do_not_fit_on_the_disk_are_one_line(tmp_path, tried):
    code = """
import resource, sys
import numpy as np
from jaxspot.commands.running import run
from jaxspot.storage import save_tree
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
tree = {"a": np.random.default_rng(0).random(9000)}
sys.exit(run("train", lambda words: save_tree(words[0], tree), sys.argv[1:]))
"""
    done = start("-c", code, str(tmp_path / "weights"))
    assert done.returncode == 2
    line = one_line(done.stderr, "train")
    assert "larger than a file may be" in line
    tried.row(DISKS, "`train`, its weights", FULL, line.replace(f"{tmp_path}/", ""), 2)
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "full", "a.csv"), "train: a.csv: no space left on the disk; free"),
        (OSError(errno.EDQUOT, "full"), "train: the disk quota is used up; free"),
        (OSError(errno.EROFS, "fixed", "a.csv"), "train: a.csv: the disk is read-only; name"),
        (PermissionError(errno.EACCES, "no", "a.csv"), "train: a.csv: access is not permitted"),
        (ValueError(f"x {TENSORSTORE}"), "train: /run/tree/d/86: no space left on the disk; free"),
    ],
)
def test_a_disk_that_takes_no_more_is_one_line(error, words, capfd, tried):
    assert run("train", lambda _: fail(error), []) == 2
    line = said(capfd, "train")
    assert words.removeprefix("train: ") in line
    state = errno.errorcode[error.errno] if isinstance(error, OSError) else "ENOSPC of tensorstore"
    tried.row(DISKS, "`train`", state, line, 2)


@pytest.mark.parametrize(
    "error",
    [
        OSError("no number"),
        PermissionError(errno.EACCES, "no file"),
        FileNotFoundError(errno.ENOENT, "ours", "template.npz"),
        ValueError("shapes differ"),
        ImportError("libfoo.so: cannot open shared object file"),
        ZeroDivisionError(),
    ],
)
def test_what_is_no_mistake_of_the_user_passes(error):
    with pytest.raises(type(error)):
        run("train", lambda _: fail(error), [])


def fail(error):
    raise error
