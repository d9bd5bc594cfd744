"""Mistakes and damaged files are one line and exit code 2: the command train, and OpenCV."""

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_banks import ROOT, limited, one_line, rehash, replace, said, start, write_bank

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


def cut(bank):
    path = bank / "frames" / "s2_1.npy"
    path.write_bytes(path.read_bytes()[:-1000])


def cut_before_hashing(bank):
    cut(bank)
    rehash(bank, "frames/s2_1.npy")


def alter(bank):
    path = bank / "frames" / "s2_1.npy"
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)


def empty(bank):
    np.save(bank / "frames" / "s2_1.npy", np.zeros((0, 112, 112), np.uint8))
    rehash(bank, "frames/s2_1.npy")


def unlisted(bank):
    meta = json.loads((bank / "bank.json").read_text())
    del meta["sha256"]["quality/s3_1.npy"]
    (bank / "bank.json").write_text(json.dumps(meta))


def two_subjects(bank):
    replace(bank, "videos.csv", "s3,", "s2,")
    text = (bank / "annotations.csv").read_text()
    (bank / "annotations.csv").write_text(text.replace("s3,", "s2,"))
    rehash(bank, "annotations.csv")


def videos(old, new):
    return lambda bank: replace(bank, "videos.csv", old, new)


def labels(old, new):
    return lambda bank: replace(bank, "annotations.csv", old, new)


DAMAGE = {
    "no bank": (shutil.rmtree, ["no frame bank"]),
    "missing": (lambda bank: (bank / "frames/s2_1.npy").unlink(), ["s2_1.npy: missing", "prepare"]),
    "truncated": (cut, ["frames/s2_1.npy: altered", "prepare"]),
    "truncated early": (cut_before_hashing, ["frames/s2_1.npy: missing or damaged", "prepare"]),
    "altered": (alter, ["frames/s2_1.npy: altered", "prepare"]),
    "not listed": (unlisted, ["quality/s3_1.npy: not listed", "prepare"]),
    "no frames": (videos("s2_1,60", "s2_1,0"), ["videos.csv, row 3", "frames must be 1 or more"]),
    "empty array": (empty, ["frames/s2_1.npy", "prepare"]),
    "fps 0": (videos("60,30.0", "60,0"), ["videos.csv, row 2", "fps must be above 0"]),
    "fps negative": (videos("60,30.0", "60,-30"), ["videos.csv, row 2", "fps must be above 0"]),
    "fps NaN": (videos("60,30.0", "60,nan"), ["videos.csv, row 2", "it must be a number"]),
    "twice": (videos("s3,s3_1", "s3,s2_1"), ["videos.csv, row 4", "listed twice"]),
    "outside": (videos("s2_1", "../../s2_1"), ["videos.csv, row 3", "'../../s2_1'", "without /"]),
    "past the end": (labels("30,45", "30,61"), ["annotations.csv, row 3", "past the end"]),
    "turned round": (labels("6,8,12", "12,8,6"), ["annotations.csv, row 2", "before onset"]),
    "unknown kind": (labels("MaE", "mae"), ["annotations.csv, row 3", "kind must be ME or MaE"]),
    "two subjects": (two_subjects, ["at least 3 subjects"]),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_train_refuses_a_damaged_bank(damage, words, bank, tmp_path, capfd):
    damage(bank)
    workdir = tmp_path / "run"
    assert train.main([*TINY, f"--config.data.bank={bank}", f"--workdir={workdir}"]) == 2
    line = said(capfd, "train")
    assert str(bank) in line or "subjects" in line
    assert [word for word in words if word not in line] == []
    assert not workdir.exists()


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--config.training.epoch=3"], "epochs"),
        (["--config=configs/default.py:bset"], "paper, best"),
        (["--config.training.epochs=many"], "many"),
        (["--config.seed=99999999999999999999"], "seed must be 0 or more and at most 4.29"),
        (["--config.seeds=(0, 99999999999999999999)"], "seed must be 0 or more and at most 4.29"),
        (["--config.seeds=('a',)"], "seeds must be whole numbers such as (0,1,2), not 'a'"),
    ],
)
def test_train_refuses_unknown_settings(flags, words, bank, tmp_path, capfd):
    workdir = tmp_path / "run"
    assert train.main([*TINY, *flags, f"--config.data.bank={bank}", f"--workdir={workdir}"]) == 2
    assert words in said(capfd, "train")
    assert not workdir.exists()


def test_train_keeps_another_run(bank, tmp_path, capfd):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("mine")
    flags = [*TINY, f"--config.data.bank={bank}", f"--workdir={tmp_path / 'run'}"]
    assert train.main(flags) == 2
    assert "another run" in said(capfd, "train")
    assert [p.read_text() for p in (tmp_path / "run").iterdir()] == ["mine"]


@pytest.mark.parametrize("place", ["file", "file/below", "/sys/jaxspot"])
def test_train_needs_a_folder_that_can_be_written(place, bank, tmp_path, capfd):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / place
    assert train.main([*TINY, f"--config.data.bank={bank}", f"--workdir={out}"]) == 2
    assert str(out.parent) in said(capfd, "train")
    assert (tmp_path / "file").read_text() == "mine"


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


def test_a_full_disk_stops_train_in_one_line(bank, tmp_path):
    run = tmp_path / "run"
    done = limited(300, "train", *TINY, f"--config.data.bank={bank}", f"--workdir={run}")
    assert done.returncode == 2
    assert f"{run}/config.json: larger than a file" in one_line(done.stderr, "train")
    assert [p for p in run.rglob("*") if p.is_file() and p.name != ".lock"] == []


def test_a_full_disk_stops_the_making_of_a_bank_in_one_line(tmp_path):
    run = tmp_path / "run"
    small = ["--config.data.synthetic.subjects=3", "--config.data.synthetic.seconds=15"]
    flags = ["--config=configs/synthetic.py", *small, f"--workdir={run}"]
    done = limited(100_000, "train", *flags)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("train: ") and "_1.npy: larger than a file" in line
    assert not list(run.rglob("*.npy"))


def test_weights_that_do_not_fit_on_the_disk_are_one_line(tmp_path):
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
    assert "larger than a file may be" in one_line(done.stderr, "train")
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
def test_a_disk_that_takes_no_more_is_one_line(error, words, capfd):
    assert run("train", lambda _: fail(error), []) == 2
    assert words.removeprefix("train: ") in said(capfd, "train")


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
