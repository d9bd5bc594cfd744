"""Packs of region motion that cannot be used: one line names file and remedy."""

import re
import shutil

import numpy as np
import pytest
from packs import SAMM_PACK, cas_pack, change, walks, write_pack
from prepare_calls import call
from tiny_banks import said

from jaxspot.commands import doctor
from jaxspot.errors import UserError
from jaxspot.video.bank import open_bank


@pytest.fixture
def cas(tmp_path):
    return cas_pack(tmp_path / "cas")


def segment(root, video, start):
    (path,) = root.rglob(f"{video}_{start:04d}.npz")
    return path


def nan(values):
    values[99, 3, 1] = np.nan
    return values


def other(values):
    values[258, 3, 1] += 1
    return values


def padded(values):
    values[256:] = 0
    return values


def padded_start(values):
    values[:14] = 0
    return values


def going_on(values):
    values[263:] = values[200]
    return values


@pytest.mark.parametrize(
    ("start", "edit", "reason"),
    [
        (0, nan, "has NaN or infinity in row 99"),
        (0, other, "its row 2 (from 0) is not row 258 of casme_016_0401_0000.npz"),
        (0, lambda values: values[:269], "holds float64 (269, 12, 2), need floats (270, 12, 2)"),
        (0, lambda values: values[:, :11], "name a pack of twelve regions"),
        (0, lambda values: values.astype(int), "holds int64 (270, 12, 2)"),
        (256, going_on, "casme_016_0401_0512.npz: is missing, the video goes on there"),
    ],
)
def test_a_bad_segment_is_named(cas, capfd, start, edit, reason):
    change(segment(cas, "casme_016_0401", start), edit)
    refused(cas, capfd, reason)


def refused(cas, capfd, reason):
    """That prepare names one video's mistake in a line, and goes on without it where told to."""
    assert call("cas_me2", cas, cas / "bank") == 2
    text = capfd.readouterr().err
    lines = [line for line in text.splitlines() if ".npz" in line]
    assert len(lines) == 1 and reason in lines[0] and "casme_016_0401" in lines[0]
    assert re.search(r"copy|name", lines[0].partition(".npz: ")[2]) and "Traceback" not in text
    with pytest.raises(UserError):
        open_bank(cas / "bank")
    assert doctor.main(["--dataset=cas_me2", f"--source={cas}"]) == 1
    assert reason in capfd.readouterr().out
    assert call("cas_me2", cas, cas / "bank", "--skip-broken") == 0
    assert open_bank(cas / "bank").videos.video.tolist() == ["s15_0101", "s23_0102"]


def test_a_segment_of_the_end_in_the_middle(cas, capfd):
    change(segment(cas, "casme_016_0401", 0), padded)
    change(segment(cas, "casme_016_0401", 256), padded_start)
    refused(cas, capfd, "ends with zeros, as the last segment of a video does")


def test_a_video_of_zeros(cas, capfd):
    for start in (0, 256):
        change(segment(cas, "casme_016_0401", start), np.zeros_like)
    segment(cas, "casme_016_0401", 256).unlink()
    refused(cas, capfd, "its video is all zeros")


@pytest.mark.parametrize(
    ("start", "missing"), [(0, "casme_016_0401_0000.npz"), (256, "casme_016_0401_0256.npz")]
)
def test_a_missing_segment(cas, capfd, start, missing):
    segment(cas, "casme_016_0401", start).unlink()
    refused(cas, capfd, f"{missing}: is missing")


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04"])
def test_an_unreadable_file(cas, capfd, data):
    segment(cas, "casme_016_0401", 0).write_bytes(data)
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")


def test_a_cut_file(cas, capfd):
    path = segment(cas, "casme_016_0401", 0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")


def test_damaged_bytes_and_another_array(cas, capfd):
    path = segment(cas, "casme_016_0401", 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 9] = b"\xff" * 9
    path.write_bytes(data)
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")
    shutil.rmtree(cas / "bank")
    np.savez(path, motion=np.zeros(3))
    refused(cas, capfd, "holds no array 'feature'")


def test_another_step(cas, capfd):
    path = segment(cas, "casme_016_0401", 256)
    path.rename(path.with_stem("casme_016_0401_0240"))
    refused(cas, capfd, "begins with value 240, but segments begin every 256")


def test_two_packs_mixed(cas, capfd):
    write_pack(cas, walks(SAMM_PACK), every=8)
    assert call("cas_me2", cas, cas / "bank") == 2
    line = said(capfd, "prepare")
    assert "is a segment of CAS(ME)^2, but" in line and "is one of SAMM-LV" in line
    assert "name the folder of one pack by --source" in line and not (cas / "bank").exists()


def test_a_pack_twice(cas, capfd):
    shutil.copytree(cas / "feature_segment", cas / "feature_segment_25")
    assert call("cas_me2", cas, cas / "bank") == 2
    assert "is there a second time, beside" in said(capfd, "prepare")


def test_the_pack_of_another_data_set(cas, capfd):
    assert call("samm_lv", cas, cas / "bank") == 2
    line = said(capfd, "prepare")
    assert line.endswith("is a segment of CAS(ME)^2; use --dataset=cas_me2")


def test_no_pack(tmp_path, capfd):
    (tmp_path / "notes.npz").write_text("mine")
    for name, example in (("cas_me2", "casme_015_0101"), ("samm_lv", "samm_006_1")):
        assert call(name, tmp_path, tmp_path / "bank") == 2
        assert f"nor segments of region motion such as {example}_0000.npz" in said(capfd, "prepare")


def test_other_files_are_passed_over(cas, capsys):
    np.savez(cas / "features.npz", feature=np.zeros(3))
    (cas / "feature_segment" / "._casme_015_0101_0000.npz").write_text("of a Mac")
    assert call("cas_me2", cas, cas / "bank") == 0
    out = capsys.readouterr().out
    assert "features.npz: is not named like a segment" in out and "._casme" not in out
