"""Mistakes in tables and full disks are one line and exit code 2: the command evaluate."""

import pytest
from tiny_banks import limited, one_line, said, write_bank

from jaxspot.commands import evaluate


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_bank(tmp_path_factory.mktemp("whole") / "bank")


def tables(bank, **other):
    paths = dict(videos="videos.csv", annotations="annotations.csv", intervals="annotations.csv")
    return [f"--{name}={other.get(name, bank / path)}" for name, path in paths.items()]


def test_a_full_disk_stops_evaluate_in_one_line(bank, tmp_path, tried):
    done = limited(100, "evaluate", *tables(bank), f"--out={tmp_path / 'out'}")
    assert (done.returncode, done.stdout) == (2, "")
    line = one_line(done.stderr, "evaluate")
    assert "scores.json" in line
    tried.row("Disks", "`evaluate`", "takes no longer files", line.replace(f"{tmp_path}/", ""), 2)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("path", ["none.csv", "."])
def test_evaluate_names_what_it_cannot_open(path, bank, tmp_path, capfd):
    flags = tables(bank, videos=tmp_path / path)
    assert evaluate.main([*flags, f"--out={tmp_path / 'out'}"]) == 2
    assert str(tmp_path / path) in said(capfd, "evaluate")
