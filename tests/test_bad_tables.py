"""Mistakes in tables and full disks are one line and exit code 2: the command evaluate."""

import codecs
import json

import pytest
from tiny_banks import limited, one_line, said, write_bank

from jaxspot.commands import evaluate

HEADER = "subject,video,kind,onset,apex,offset,score\n"
ROWS = HEADER + "s1,s1_1,ME,6,,12,\ns1,s1_1,MaE,21, ,45,0.5\n"


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return write_bank(tmp_path_factory.mktemp("whole") / "bank")


def tables(bank, **other):
    paths = dict(videos="videos.csv", annotations="annotations.csv", intervals="annotations.csv")
    return [f"--{name}={other.get(name, bank / path)}" for name, path in paths.items()]


@pytest.mark.parametrize("place", ["file", "file/below", "/sys/jaxspot"])
def test_evaluate_needs_a_folder_that_can_be_written(place, bank, tmp_path, capfd):
    (tmp_path / "file").write_text("mine")
    assert evaluate.main([*tables(bank), f"--out={tmp_path / place}"]) == 2
    assert str(tmp_path / place) in said(capfd, "evaluate")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_stops_evaluate_in_one_line(bank, tmp_path):
    done = limited(100, "evaluate", *tables(bank), f"--out={tmp_path / 'out'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "scores.json" in one_line(done.stderr, "evaluate")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ROWS.replace(",", ";").encode(), ["separates by semicolons", "with commas"]),
        (ROWS.replace(",", "\t").encode(), ["separates by tabs", "with commas"]),
        (ROWS.encode("utf-16"), ["not a readable CSV table", "UTF-8"]),
        (ROWS.replace("s1,", "Jürgen,").encode("latin-1"), ["not a readable CSV table", "UTF-8"]),
        (b"", ["not a readable CSV table"]),
        (b"PK\x03\x04\x00\x00\xff\xfe", ["not a readable CSV table"]),
        ((HEADER + "s1,s1_1,ME,6,x,12,\n").encode(), ["row 2", "apex is 'x'"]),
        ((HEADER + "s1,s1_1,ME,6,,12,high\n").encode(), ["row 2", "score is 'high'"]),
        ((HEADER + "s1,s1_1,ME,,,12,\n").encode(), ["row 2", "onset is empty"]),
        ((HEADER + "s1,s9_1,ME,6,,12,\n").encode(), ["row 2", "not in the table of videos"]),
    ],
)
def test_evaluate_refuses_what_is_no_table(content, words, bank, tmp_path, capfd):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    assert evaluate.main([*tables(bank, intervals=path), f"--out={tmp_path / 'out'}"]) == 2
    line = said(capfd, "evaluate")
    assert str(path) in line and [word for word in words if word not in line] == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["none.csv", "."])
def test_evaluate_names_what_it_cannot_open(path, bank, tmp_path, capfd):
    flags = tables(bank, videos=tmp_path / path)
    assert evaluate.main([*flags, f"--out={tmp_path / 'out'}"]) == 2
    assert str(tmp_path / path) in said(capfd, "evaluate")


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_evaluate_reads_what_excel_writes_and_blank_optional_cells(mark, bank, tmp_path, capfd):
    path = tmp_path / "Über uns" / "mine.csv"
    path.parent.mkdir()
    path.write_bytes(mark + ROWS.replace("\n", "\r\n").encode())
    assert evaluate.main([*tables(bank, intervals=path), f"--out={tmp_path / 'out'}"]) == 0
    assert capfd.readouterr().err == ""
    scores = json.loads((tmp_path / "out" / "scores.json").read_text())
    assert (scores["overall"]["tp"], scores["overall"]["fp"]) == (2, 0)
