"""Prepare once more: after a cut, on another source, beside another process, for labels alone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from prepare_calls import CSV, LABELS, add, call, csv_tree
from release_trees import cas_me2_tree, head, write_images
from tiny_banks import ROOT, limited, one_line, said
from video_files import encode

from jaxspot.commands import doctor
from jaxspot.datasets.work import claim_bank
from jaxspot.errors import UserError
from jaxspot.video.bank import open_bank


@pytest.fixture
def table(tmp_path):
    return csv_tree(tmp_path / "in")


def test_labels_alone_never_overwrite_what_they_should_not(table, tmp_path, capfd):
    out = tmp_path / "bank"
    assert call("csv", table, out) == 0
    capfd.readouterr()
    labels = (table / "annotations.csv").rename(tmp_path / "annotations.csv")
    before = (out / "annotations.csv").read_bytes()
    named = f"--labels={labels}"
    (tmp_path / "file").write_text("mine")
    cases = {
        (out,): "holds no labels (annotations.csv); name them by --labels",
        (tmp_path / "file", named): "file: is a file, not a folder",
        (table, named): "is not empty and holds no bank",
        ("/proc/here", named): "/proc/here: cannot be made",
    }
    for (place, *flags), says in cases.items():
        assert call("csv", table, place, "--labels-only", *flags) == 2
        assert says in said(capfd, "prepare")
    shutil.move(table, tmp_path / "elsewhere")
    (tmp_path / "own").mkdir()
    shutil.copy(labels, tmp_path / "own")
    own = f"--labels={tmp_path}/own/annotations.csv"
    assert call("csv", tmp_path / "elsewhere", tmp_path / "own", "--labels-only", own) == 2
    assert "would be overwritten" in said(capfd, "prepare")
    assert (out / "annotations.csv").read_bytes() == before


def test_new_labels_do_not_vouch_for_frames_that_were_altered(table, tmp_path, capfd):
    out = tmp_path / "bank"
    assert call("csv", table, out) == 0
    path = out / "frames" / "v.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (table / "annotations.csv").write_text(LABELS)
    assert call("csv", table, out, "--labels-only") == 0
    assert open_bank(out).annotations.empty
    with pytest.raises(UserError, match=r"v.npy: altered since"):
        open_bank(out, verify=True)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("q,v,v,30", "holds video 'v' with subject 'p', now 'q'; prepare again"),
        ("p,v,v,60", "holds video 'v' with 30 frames a second, now 60; prepare again"),
    ],
)
def test_labels_alone_change_neither_subject_nor_frame_rate(table, tmp_path, capfd, row, says):
    out = tmp_path / "bank"
    assert call("csv", table, out) == 0
    before = (out / "bank.json").read_bytes()
    (table / "videos.csv").write_text(f"{CSV}{row}\n")
    (table / "annotations.csv").write_text(LABELS)
    capfd.readouterr()
    assert call("csv", table, out, "--labels-only") == 2
    assert says in said(capfd, "prepare")
    assert (out / "bank.json").read_bytes() == before


def as_file(root, first):
    colour = np.repeat(head(0)[first:, :, :, None], 3, -1)
    encode(root / "v.mp4", colour)
    (root / "videos.csv").write_text(f"{CSV}p,v,v.mp4,\n")


def as_pictures(root, first):
    shutil.rmtree(root / "v")
    write_images(root / "v", head(0)[first : first + 4], "{}.bmp".format)  # all of one size
    (root / "videos.csv").write_text(f"{CSV}p,v,v,30\n")


@pytest.mark.parametrize("save", [as_file, as_pictures])
def test_labels_alone_do_not_go_to_the_frames_of_a_video_that_changed(save, table, tmp_path, capfd):
    save(table, 0)
    out = tmp_path / "bank"
    assert call("csv", table, out) == 0
    before = (out / "bank.json").read_bytes()
    name = "v.mp4" if save is as_file else "v"
    moved = shutil.move(table, tmp_path / "moved")
    for file in [path for path in moved.rglob("*") if path.is_file()]:
        os.utime(file, (1, 1))
    assert call("csv", moved, out, "--labels-only") == 0  # only place and times are others
    assert (out / "bank.json").read_bytes() == before
    save(moved, 2)
    capfd.readouterr()
    assert call("csv", moved, out, "--labels-only") == 2
    words = f"holds video 'v' with other content than {moved / name} has now; prepare again"
    assert words in said(capfd, "prepare")
    assert (out / "bank.json").read_bytes() == before
    meta = json.loads(before)
    del meta["source"]["videos"]["v"]["content"]  # as older versions wrote it
    meta.pop("check")
    (out / "bank.json").write_text(json.dumps(meta))
    assert call("csv", moved, out, "--labels-only") == 0


def test_a_source_that_changed_is_read_again_and_only_it(table, tmp_path, capfd):
    write_images(table / "w", head(1)[:4], "{}.png".format)
    write_images(table / "x", head(2)[:4], "{}.png".format)
    for row in ("p,w,w,30", "q,x,x,30", "q,y,y.mp4,"):
        add(table / "videos.csv", row)
    (table / "y.mp4").write_bytes(b"")
    out = tmp_path / "bank"
    assert call("csv", table, out) == 2
    written = {name: (out / "frames" / f"{name}.npy").stat().st_mtime_ns for name in "vwx"}
    cv2.imwrite(str(table / "w" / "2.png"), head(3)[1])
    (table / "videos.csv").write_text(f"{CSV}p,v,v,30\np,w,w,30\n")  # x and y are there no more
    moved = shutil.move(table, tmp_path / "moved")
    assert call("csv", moved, out) == 0
    assert sorted(path.stem for path in (out / "frames").iterdir()) == ["v", "w"]
    assert (out / "frames" / "v.npy").stat().st_mtime_ns == written["v"]
    fresh = tmp_path / "fresh"
    assert call("csv", moved, fresh) == 0
    for name in ("frames/w.npy", "frames/v.npy", "bank.json"):
        assert (out / name).read_bytes() == (fresh / name).read_bytes()


def test_what_another_version_left_is_done_again(table, tmp_path, capfd):
    out = tmp_path / "bank"
    (table / "y.mp4").write_bytes(b"")
    add(table / "videos.csv", "q,y,y.mp4,")
    assert call("csv", table, out) == 2
    note = out / ".prepare" / "done" / "v.json"
    changed = json.loads(note.read_text())
    changed["prepared"]["colour"] = 1
    note.write_text(json.dumps(changed))
    (table / "videos.csv").write_text(f"{CSV}p,v,v,30\n")
    assert call("csv", table, out) == 0 and list(open_bank(out, verify=True).videos.video) == ["v"]


def test_a_run_cut_while_it_was_tidying_up_is_done(table, tmp_path, capfd):
    out = tmp_path / "bank"
    assert call("csv", table, out) == 0
    (out / ".prepare").mkdir()
    assert call("csv", table, out) == 0
    assert not (out / ".prepare").exists()
    capfd.readouterr()
    assert call("csv", table, out) == 2
    assert "holds a bank already" in said(capfd, "prepare")


def test_two_at_once_and_a_bank_that_is_not_finished(table, tmp_path, capfd):
    out = tmp_path / "bank"
    settings = {"dataset": "csv", "alignment": {}}
    with claim_bank(out, settings):
        assert call("csv", table, out) == 2
        assert "is being prepared by another process; wait" in said(capfd, "prepare")
    assert doctor.main([f"--bank={out}"]) == 2
    assert "is not finished; run its prepare command again" in said(capfd, "doctor")
    assert call("csv", table, out, "--labels-only") == 2
    assert "is not finished; its prepare command reads" in said(capfd, "prepare")


def test_a_full_disk_stops_prepare_in_one_line(tmp_path, tried):
    faces = np.full((20, 112, 112), 90, np.uint8)
    write_images(tmp_path / "v_aligned", faces, "frame_det_00_{:06d}.bmp".format)
    words = ["--dataset=openface", "--fps=30", f"--source={tmp_path}", "--workers=1"]
    process = limited(100_000, "prepare", *words, f"--out={tmp_path / 'bank'}")
    assert process.returncode == 2 and "Traceback" not in process.stderr
    last = process.stderr.splitlines()[-1] + "\n"
    line = one_line(last, "prepare")
    assert "frames/v.npy: larger than a file may be here" in line
    tried.row("Disks", "`prepare`", "takes no longer files", line.replace(f"{tmp_path}/", ""), 2)
    left = [path.name for path in (tmp_path / "bank").rglob("*") if path.is_file()]
    assert sorted(left) == ["lock", "settings.json"]


def test_ctrl_c_while_the_workers_begin_is_one_line(tmp_path):
    source = cas_me2_tree(tmp_path / "in")
    words = ["--dataset=cas_me2", f"--source={source}", f"--out={tmp_path / 'bank'}", "--workers=2"]
    # A background job of a shell ignores Ctrl-C, and so would what it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [sys.executable, "launch/prepare.py", *words],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    signal.signal(signal.SIGINT, before)
    while not (tmp_path / "bank" / ".prepare" / "settings.json").exists():
        assert process.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)
    lines = [line for line in error.splitlines() if line and "preparing" not in line]
    assert process.returncode == 130 and lines == ["prepare: stopped; what was saved stays"]
