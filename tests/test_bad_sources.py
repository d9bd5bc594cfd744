"""Data sets that cannot be prepared, and odd ones that can: one line names file and row."""

import errno
import os
import re
import shutil
import time

import cv2
import numpy as np
import pandas as pd
import pytest
from prepare_calls import CSV, LABELS, call, csv_tree
from release_sheets import write_cas_me2, write_workbook
from release_trees import cas_me2_tree, head, samm_lv_tree, write_images
from tiny_banks import said
from video_files import encode

from jaxspot.annotations.sheets import OLE
from jaxspot.commands import doctor, prepare
from jaxspot.datasets.folders import csv_source
from jaxspot.datasets.prepare import prepare as prepare_bank
from jaxspot.errors import UserError
from jaxspot.video import picture
from jaxspot.video.bank import open_bank
from jaxspot.video.frame_times import fps_of
from jaxspot.workers import run_jobs


@pytest.fixture
def table(tmp_path):
    return csv_tree(tmp_path / "in")


@pytest.fixture(scope="module")
def samm(tmp_path_factory):
    return samm_lv_tree(tmp_path_factory.mktemp("samm") / "source")


@pytest.fixture(scope="module")
def cas(tmp_path_factory):
    return cas_me2_tree(tmp_path_factory.mktemp("cas") / "source")


@pytest.mark.parametrize(
    "name, dataset, content, says",
    [
        ("a.xls", "samm_lv", OLE + bytes(2000), "old format .xls; open it"),
        ("a.xlsx", "cas_me2", OLE + "EncryptedPackage".encode("utf-16-le"), "under a password"),
        ("a.xlsx", "video", b"Subject", "is not a workbook"),
        ("a.csv", "samm_lv", b"a,b\n", "column 'subject' is missing"),
        ("a.xlsx", "openface", None, "no such file"),
    ],
)
def test_labels_that_cannot_be_read(name, dataset, content, says, samm, cas, tmp_path, capfd):
    source = dict(samm_lv=samm, cas_me2=cas).get(dataset, tmp_path)
    (tmp_path / "x.mp4").write_bytes(b"")
    write_images(tmp_path / "x_aligned", head(0)[:1], "frame_det_00_{:06d}.bmp".format)
    labels = tmp_path / name
    labels.write_bytes(content) if content else None
    rate = ["--fps=30"] if dataset == "openface" else []
    assert call(dataset, source, tmp_path / "bank", f"--labels={labels}", *rate) == 2
    assert says in (line := said(capfd, "prepare")) and str(labels) in line
    assert not (tmp_path / "bank").exists()


def test_anothers_workbook_is_said_to_be_so_by_the_commands(samm, cas, tmp_path, capfd):
    books = {"SAMM-LV": next(samm.glob("*.xlsx")), "CAS(ME)^2": next(cas.glob("*.xlsx"))}
    header = ["Subject", "Filename", "FirstF", "OnsetF", "OffsetF"]
    smic = write_workbook(tmp_path / "smic.xlsx", {"a": [header, [1, "s1_1", 1, 2, 3]]})
    for command, out in ((prepare, [f"--out={tmp_path / 'b'}"]), (doctor, [])):
        for dataset, source, other in (
            ("samm_lv", samm, "CAS(ME)^2"),
            ("cas_me2", cas, "SAMM-LV"),
        ):
            flags = [f"--dataset={dataset}", f"--source={source}", *out]
            name = command.__name__.rpartition(".")[2]
            assert command.main([*flags, f"--labels={books[other]}"]) == 2
            assert f"{books[other]}: is the workbook of {other}; use" in said(capfd, name)
            assert command.main([*flags, f"--labels={smic}"]) == 2
            assert "is the workbook of SMIC-E-Long; use --dataset=smic_long" in said(capfd, name)


def test_the_workbook_is_found_where_it_lies(samm, tmp_path, monkeypatch, capfd):
    source = shutil.copytree(samm, tmp_path / "in")
    book = next(source.glob("*.xlsx"))
    (source / f"~${book.name}").write_bytes(b"a lock of Excel")
    (source / "old.xls").write_bytes(OLE)  # saved again as .xlsx
    monkeypatch.chdir(source)
    assert prepare.main(["--dataset=samm_lv", "--source=.", "--dry-run"]) == 0
    (source / "old.xls").unlink()
    book.rename(source.parent / "LABELS.XLSX")
    monkeypatch.chdir(source / "SAMM_longvideos")
    for place in ("..", str(source)):
        assert prepare.main(["--dataset=samm_lv", f"--source={place}", "--dry-run"]) == 0
    write_cas_me2(source.parent / "other.xlsx", [("s15", "s15_0401", "ME", 5, 10, 20)])
    capfd.readouterr()
    assert prepare.main(["--dataset=samm_lv", f"--source={source}", "--dry-run"]) == 2
    assert "several workbooks (LABELS.XLSX, other.xlsx); name one" in said(capfd, "prepare")


def test_rules_and_csv_labels_reach_every_data_set(samm, cas, table, tmp_path):
    book = next(cas.glob("*.xlsx"))
    flags = ["--labels-only", f"--labels={book}", "--rules-off=missing_offset"]
    assert call("csv", table, tmp_path / "a", *flags) == 0
    repairs = pd.read_csv(tmp_path / "a" / "repairs.csv")
    assert (repairs.after == "left out (missing_offset is off)").sum() == 1
    (tmp_path / "own.csv").write_text(f"{LABELS}006,006_1,ME,3,4,9\n")
    assert (
        call("samm_lv", samm, tmp_path / "b", "--labels-only", f"--labels={tmp_path}/own.csv") == 0
    )
    assert (tmp_path / "b" / "annotations.csv").read_text() == f"{LABELS}006,006_1,ME,3,4,9\n"


def test_a_label_without_its_video_is_refused_before_any_work(samm, tmp_path, capfd):
    assert call("samm_lv", samm, tmp_path / "bank", "--rules-off=no_video") == 2
    assert re.search(r"xlsx, row \d+: there is no video 012_4, and", said(capfd, "prepare"))
    assert not (tmp_path / "bank").exists()


def test_openface_frames_from_0_are_counted_from_1(tmp_path):
    faces = np.arange(1, 4, dtype=np.uint8)[:, None, None] + np.zeros((1, 112, 112), np.uint8)
    write_images(tmp_path / "a_aligned", faces, "frame_det_00_{:06d}.bmp".format, first=0)
    assert call("openface", tmp_path, tmp_path / "bank", "--fps=30") == 0
    np.testing.assert_array_equal(open_bank(tmp_path / "bank").frames("a"), faces)


@pytest.mark.parametrize("dataset, fps", [("openface", "-1"), ("openface", "nan"), ("csv", "25")])
def test_a_frame_rate_that_cannot_be_is_refused(dataset, fps, table, tmp_path, capfd):
    write_images(table / "a_aligned", head(0)[:2], "frame_det_00_{:06d}.bmp".format)
    try:
        assert call(dataset, table, tmp_path / "bank", f"--fps={fps}") == 2
    except SystemExit as stop:
        assert stop.code == 2
    assert "--fps" in capfd.readouterr().err and not (tmp_path / "bank").exists()


def test_a_disk_that_fails_is_not_taken_for_a_damaged_image(tmp_path, monkeypatch):
    def fail(path):
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "1.png").write_bytes(b"x")
    monkeypatch.setattr(picture.Image, "open", fail)
    with pytest.raises(UserError, match=r"1.png: cannot be read .Input/output error"):
        picture.read_image(tmp_path / "1.png")


def test_images_of_any_depth_and_size_are_the_same_face(tmp_path):
    gray = head(0)[:6]
    kinds = {
        "gray": gray,
        "deep": gray.astype(np.uint16) * 257,
        "colour": np.repeat(gray[..., None], 3, -1),
        "clear": np.concatenate([np.repeat(gray[..., None], 3, -1), gray[..., None] | 255], -1),
    }
    for name, frames in kinds.items():
        write_images(tmp_path / name, frames, "{}.PNG".format)
        (tmp_path / name / "Thumbs.db").write_bytes(b"x")
    write_images(tmp_path / "grows", gray, "{}.png".format)
    for number in (4, 5, 6):
        large = cv2.resize(gray[number - 1], None, fx=2, fy=2)
        cv2.imwrite(str(tmp_path / "grows" / f"{number}.png"), large)
    rows = "\n".join(f"p,{name},{name},30" for name in (*kinds, "grows"))
    (tmp_path / "videos.csv").write_text(CSV + rows)
    bank = prepare_bank(csv_source(tmp_path), tmp_path / "bank", workers=1, progress=False)
    for name in kinds:
        np.testing.assert_array_equal(bank.frames(name), bank.frames("gray"))
    assert all(bank.quality(name)[:, 0].all() for name in (*kinds, "grows"))
    assert bank.meta["source"]["videos"]["grows"]["stays"] == 2


def test_videos_are_found_over_links_and_once(tmp_path, capfd):
    frames = np.repeat(head(0)[:3, ..., None], 3, -1)
    (tmp_path / "far").mkdir()
    encode(tmp_path / "far" / "ünder way.MKV", frames)
    source = tmp_path / "in"
    (source / ".Trash").mkdir(parents=True)
    shutil.copy(tmp_path / "far" / "ünder way.MKV", source / ".Trash" / "old.mkv")
    (source / "p1").symlink_to(tmp_path / "far")
    (source / "p2").symlink_to(source)
    assert call("video", source, source / "bank") == 0
    assert open_bank(source / "bank").videos.iloc[0].tolist() == ["p1", "ünder way", 3, 30.0]


def test_names_that_are_no_text_are_refused_before_any_work(tmp_path, capfd):
    odd = os.fsdecode(b"p\xff")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / f"{odd}.mp4").write_bytes(b"")
    (tmp_path / "b" / odd).mkdir(parents=True)
    (tmp_path / "b" / odd / "v.mp4").write_bytes(b"")
    for source, says in (("a", "video 'p\\udcff': its files"), ("b", "subject 'p\\udcff' is not")):
        assert call("video", tmp_path / source, tmp_path / "bank") == 2
        assert says in said(capfd, "prepare")
    assert not (tmp_path / "bank").exists()


def test_doctor_tells_of_videos_that_cannot_be_read(tmp_path, capfd):
    (tmp_path / "a.mp4").write_text("text\n" * 99)
    (tmp_path / "b.mp4").write_bytes(b"")
    assert doctor.main(["--dataset=video", f"--source={tmp_path}"]) == 1
    line = next(row for row in capfd.readouterr().out.splitlines() if "cannot be read" in row)
    assert line.startswith("broken") and "a.mp4: not a video" in line and "b.mp4: the file" in line


def test_progress_goes_on_while_one_long_job_runs_here():
    polls = []
    job = lambda seconds: (time.sleep(seconds), len(polls))[1]
    ((number, future),) = run_jobs(job, [0.8], on_poll=lambda: polls.append(1))
    assert number == 0 and future.result() >= 2


@pytest.mark.parametrize("fps", [24.0, 25.0, 29.97, 30.0, 120.0, 200.0, 240.0])
def test_frame_rates_of_times_rounded_to_milliseconds(fps):
    times = np.round(np.arange(1000) / fps, 3)
    assert fps_of(times, "v") == pytest.approx(fps, rel=3e-4)
    late = np.where(np.arange(1000) > 600, times + 3.3, times)  # a gap changes nothing
    assert fps_of(late, "v") == pytest.approx(fps, rel=1e-3)
    mixed = np.cumsum(np.repeat([1 / fps, 1 / fps, 0.8 / fps], 100))
    assert fps_of(mixed, "v") == pytest.approx(3 * fps / 2.8, rel=1e-2)
