"""From folders to a frame bank: releases, OpenFace output, tables, videos; cuts and mistakes."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from killed import KILLED, begin_command, ended, kill_at_random
from release_trees import (
    CAS_LABELS,
    FRAMES,
    SAMM_LABELS,
    cas_me2_tree,
    head,
    samm_lv_tree,
    write_images,
)
from tiny_banks import said
from video_files import encode

from jaxspot.commands import prepare as command
from jaxspot.datasets.folders import csv_source, openface_source, video_source
from jaxspot.datasets.prepare import prepare, relabel
from jaxspot.datasets.prepare_video import Alignment
from jaxspot.datasets.releases import cas_me2_source, samm_lv_source
from jaxspot.errors import UserError
from jaxspot.video.bank import open_bank
from jaxspot.video.clip import aligned_frames
from jaxspot.video.decode import VideoFrame
from jaxspot.video.landmarker import load_landmarker

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def samm(tmp_path_factory):
    """The fixture's folder and its bank, made by the command."""
    root = tmp_path_factory.mktemp("samm")
    samm_lv_tree(root / "source")
    flags = [f"--source={root / 'source'}", f"--out={root / 'bank'}"]
    assert command.main(["--dataset=samm_lv", "--workers=1", *flags]) == 0
    return root / "source", open_bank(root / "bank", verify=True)


@pytest.fixture(scope="module")
def cas(tmp_path_factory):
    root = tmp_path_factory.mktemp("cas")
    cas_me2_tree(root / "source")
    prepare(cas_me2_source(root / "source"), root / "bank", workers=1, progress=False)
    return root / "source", open_bank(root / "bank", verify=True)


def labels(bank):
    return sorted(bank.annotations.itertuples(index=False, name=None))


def contents(folder):
    """Hash of every file in a folder."""
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    return {str(path.relative_to(folder)): digest(path) for path in files}


def aligned_by_hand(frames, fps):
    rgb = (None if f is None else np.repeat(f[..., None], 3, -1) for f in frames)
    pictures = (VideoFrame(i / fps, image) for i, image in enumerate(rgb))
    return list(aligned_frames(pictures, load_landmarker()))


def test_samm_lv_is_read_with_every_glitch(samm):
    _, bank = samm
    assert labels(bank) == sorted(SAMM_LABELS)
    lengths = dict(zip(bank.videos.video, bank.videos.frames, strict=True))
    assert lengths == {"006_1": FRAMES, "007_3": FRAMES, "016_7": FRAMES, "020_6": 20}
    assert set(bank.videos.fps) == {200.0}
    repairs = pd.read_csv(bank.root / "repairs.csv", dtype=str)
    rules = repairs.rule.value_counts().to_dict()
    assert rules == dict(round_fraction=1, onset_zero=1, missing_apex=1, past_end=2, no_video=1)


def test_cas_me2_is_read_with_every_glitch(cas):
    _, bank = cas
    assert labels(bank) == sorted(CAS_LABELS)
    assert sorted(bank.videos.video) == ["s15_0101", "s16_0401", "s23_0102", "s27_0503"]
    assert set(bank.videos.fps) == {30.0}
    repairs = pd.read_csv(bank.root / "repairs.csv", dtype=str)
    assert set(repairs.rule) == {
        "missing_offset",
        "apex_after_offset",
        "missing_apex",
        "past_end",
        "no_video",
    }


def test_frames_are_those_of_tracking_the_images_by_hand(samm):
    source, bank = samm
    files = [source / "SAMM_longvideos" / "007_3" / f"007_3_{n:04d}.jpg" for n in range(1, 41)]
    lost = [16, 29]
    frames = [None if i in lost else cv2.imread(str(p), 0) for i, p in enumerate(files)]
    expected = aligned_by_hand(frames, 200.0)
    np.testing.assert_array_equal(bank.frames("007_3"), [frame.image for frame in expected])
    quality = bank.quality("007_3")
    assert [i for i in range(FRAMES) if not quality[i, 0]] == lost
    np.testing.assert_allclose(quality[:, 1], [f.confidence for f in expected], rtol=1e-6)
    detail = bank.meta["source"]["videos"]["007_3"]
    assert (detail["missing"], detail["unreadable"], detail["found"]) == ("17", "30", 38)


def test_the_bank_is_the_same_for_any_number_of_workers(cas, tmp_path):
    source, bank = cas
    prepare(cas_me2_source(source), tmp_path / "bank", workers=2, progress=False)
    assert contents(tmp_path / "bank") == contents(bank.root)


def test_a_killed_run_goes_on_to_the_same_bytes(cas, tmp_path, tried):
    """The first two kills leave workers behind, at work on their videos."""
    source, bank = cas
    out = tmp_path / "bank"

    def start(out, act, workers=1):
        words = ["--dataset=cas_me2", f"--source={source}", f"--out={out}", f"--workers={workers}"]
        return begin_command("prepare", words, out.with_suffix(".log"), prepare=act)

    for done in (1, 2):
        process = start(out, None, workers=2)
        while process.is_alive() and len(list(out.glob("frames/*.npy"))) < done:
            time.sleep(0.005)
        process.kill()
        assert ended(process) == KILLED and not (out / "bank.json").exists()
    assert ended(start(out, None)) == 0
    assert contents(out) == contents(bank.root)
    tried.row("Kills", "`prepare --workers=2`", 2, "workers at work", "the same bytes")
    whole, again = tmp_path / "whole", tmp_path / "again"
    kill_at_random(start, whole, again, count=6)
    assert contents(whole) == contents(again) == contents(bank.root)
    tried.row("Kills", "`prepare`", 6, "at random", "the same bytes")


def test_what_is_done_is_not_done_again(cas, tmp_path, monkeypatch):
    source, bank = cas
    out, done = tmp_path / "bank", []
    from jaxspot.datasets import prepare as module

    real = module.prepare_video

    def stop_at_the_third(root, video, alignment, **more):
        if len(done) == 2:
            raise OSError("pulled plug")
        done.append(video.video)
        return real(root, video, alignment, **more)

    monkeypatch.setattr(module, "prepare_video", stop_at_the_third)
    with pytest.raises(OSError, match="pulled plug"):
        prepare(cas_me2_source(source), out, workers=1, progress=False)
    assert not (out / "bank.json").exists()
    times = {path: path.stat().st_mtime_ns for path in (out / "frames").iterdir()}
    monkeypatch.setattr(module, "prepare_video", real)
    prepare(cas_me2_source(source), out, workers=1, progress=False)
    assert contents(out) == contents(bank.root)
    assert len(times) == 2 and all(p.stat().st_mtime_ns == t for p, t in times.items())
    with pytest.raises(UserError, match="holds a bank already"):
        prepare(cas_me2_source(source), out, workers=1, progress=False)


def test_an_unfinished_bank_is_gone_on_with_by_the_same_settings_only(cas, tmp_path):
    source, _ = cas
    (tmp_path / ".prepare").mkdir()
    settings = {"dataset": "cas_me2", "alignment": {"kind": "another"}}
    (tmp_path / ".prepare" / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(UserError, match="was begun with alignment"):
        prepare(cas_me2_source(source), tmp_path, workers=1, progress=False)


def test_rules_can_be_switched_off(samm, tmp_path, capsys):
    source, _ = samm
    flags = ["--dataset=samm_lv", f"--source={source}", f"--out={tmp_path}", "--labels-only"]
    assert command.main([*flags, "--rules-off=onset_zero,past_end"]) == 0
    table = pd.read_csv(tmp_path / "annotations.csv", dtype={"subject": str})
    kept = [row for row in SAMM_LABELS if row[3] != 1 and row[5] != 40]
    assert sorted(table.itertuples(index=False, name=None)) == sorted(kept)
    repairs = pd.read_csv(tmp_path / "repairs.csv", dtype=str)
    off = repairs[repairs.after.str.contains("is off")]
    assert sorted(off.rule) == ["onset_zero", "past_end"]
    said = capsys.readouterr().out
    assert "4 labels, 6 repairs" in said
    assert said.splitlines()[-1] == f"open {tmp_path / 'annotations.csv'}"
    assert command.main([*flags, "--rules-off=onset"]) == 2


def test_labels_of_a_bank_are_renewed_without_its_frames(samm, tmp_path):
    source, bank = samm
    out = shutil.copytree(bank.root, tmp_path / "bank")
    before = contents(out)
    few = ("round_fraction", "no_video")
    relabel(samm_lv_source(source, rules=few), out)
    fewer = open_bank(out, verify=True)
    assert len(fewer.annotations) < len(SAMM_LABELS)
    relabel(samm_lv_source(source), out)
    assert contents(out) == before
    with pytest.raises(UserError, match="is a bank of samm_lv, not of cas_me2"):
        relabel(cas_me2_source(cas_me2_tree(tmp_path / "cas")), out)


def test_a_dry_run_writes_nothing(samm, tmp_path, capsys):
    source, _ = samm
    before = contents(source)
    assert command.main(["--dataset=samm_lv", f"--source={source}", "--dry-run"]) == 0
    says = capsys.readouterr().out
    assert contents(source) == before
    assert all(text in says for text in ("140 frames", "1: 012_4", "007_3: 17", "007_3_0030"))


def test_openface_output_gives_the_bank_of_its_images(tmp_path):
    rng = np.random.default_rng(1)
    frames = rng.integers(1, 255, (12, 112, 112), dtype=np.uint8)
    frames[4] = 0
    for video, header in (("a_1", "frame, face_id, timestamp, confidence, success"), ("b_1", None)):
        write_images(tmp_path / "in" / f"{video}_aligned", frames, "frame_det_00_{:06d}.bmp".format)
        header = header or "frame, timestamp, confidence, success"
        face = "0, " * ("face_id" in header)
        rows = [f"{n}, {face}{(n - 1) / 25:.3f}, 0.8, {int(n != 5)}" for n in range(1, 13)]
        (tmp_path / "in" / f"{video}.csv").write_text("\n".join([header, *rows]))
    bank = prepare(openface_source(tmp_path / "in"), tmp_path / "bank", workers=1, progress=False)
    for video in ("a_1", "b_1"):
        np.testing.assert_array_equal(bank.frames(video), frames)
        expected = [[0.0, 0.0] if i == 4 else [1.0, 0.8] for i in range(12)]
        np.testing.assert_allclose(bank.quality(video), expected, rtol=1e-6)
    assert list(bank.videos.subject) == ["a", "b"] and set(bank.videos.fps) == {25.0}


def test_tables_of_files_and_folders(tmp_path):
    colour = np.repeat(head(0)[:, :, :, None], 3, -1)
    encode(tmp_path / "one.mkv", colour[:12])
    write_images(tmp_path / "two", head(1)[:10], "{}.png".format)
    (tmp_path / "videos.csv").write_text("subject,video,path,fps\np1,one,one.mkv,\np2,two,two,50\n")
    (tmp_path / "annotations.csv").write_text(
        "subject,video,kind,onset,apex,offset\np1,one,MaE,2,5,9\np2,two,ME,7,8,13\n"
    )
    bank = prepare(csv_source(tmp_path), tmp_path / "bank", workers=1, progress=False)
    assert labels(bank) == [("p1", "one", "MaE", 2, 5, 9), ("p2", "two", "ME", 7, 8, 10)]
    found = {row.video: (row.frames, row.fps) for row in bank.videos.itertuples()}
    assert found["two"] == (10, 50.0) and found["one"] == (12, pytest.approx(30, rel=0.03))
    np.testing.assert_array_equal(
        bank.frames("two"), [frame.image for frame in aligned_by_hand(head(1)[:10], 50.0)]
    )


def test_broken_videos_are_named_and_the_others_done(tmp_path, capsys):
    colour = np.repeat(head(0)[:, :, :, None], 3, -1)
    (tmp_path / "in" / "p1").mkdir(parents=True)
    encode(tmp_path / "in" / "p1" / "good.mkv", colour[:6])
    (tmp_path / "in" / "p1" / "bad.mp4").write_bytes(b"x" * 2000)
    flags = ["--dataset=video", f"--source={tmp_path / 'in'}", f"--out={tmp_path / 'bank'}"]
    assert command.main([*flags, "--workers=1"]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("prepare: ")]
    assert "bad.mp4: not a video" in lines[0] and "1 videos are done, 1 are not" in lines[1]
    assert not (tmp_path / "bank" / "bank.json").exists()
    assert command.main([*flags, "--workers=1", "--skip-broken"]) == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert list(bank.videos.video) == ["good"] and bank.meta["source"]["left_out"] == ["bad"]


def test_smoothing_and_preference_reach_the_alignment(tmp_path):
    left, right = head(0)[:4], head(1)[:4]
    write_images(tmp_path / "v", np.concatenate([left, right], 2), "{}.png".format)
    (tmp_path / "videos.csv").write_text("subject,video,path,fps\np,v,v,30\n")
    faces = {}
    for prefer, alone in (("left", left), ("right", right)):
        bank = prepare(
            csv_source(tmp_path),
            tmp_path / prefer,
            alignment=Alignment(prefer=prefer, smooth=False),
            workers=1,
            progress=False,
        )
        faces[prefer] = np.asarray(bank.frames("v"))
        by_hand = np.stack([frame.image for frame in aligned_by_hand(alone, 30.0)])
        assert abs(faces[prefer][0].astype(int) - by_hand[0]).mean() < 8
    assert abs(faces["left"].astype(int) - faces["right"]).mean() > 8


@pytest.mark.parametrize(
    "make, dataset, line",
    [
        (lambda root: None, "samm_lv", "source: no such folder"),
        (lambda root: root.write_text("x"), "csv", "source: is a file"),
        (lambda root: root.mkdir(), "samm_lv", "holds no folder such as SAMM_longvideos/006_1"),
        (lambda root: root.mkdir(), "cas_me2", "holds no folder such as rawpic/s15"),
        (lambda root: root.mkdir(), "openface", "holds no folder such as <video>_aligned"),
        (lambda root: root.mkdir(), "video", "holds no video file"),
        (lambda root: root.mkdir(), "csv", "videos.csv: no such file"),
        (lambda root: (root / "SAMM_longvideos/006_1").mkdir(parents=True), "samm_lv", "workbook"),
    ],
)
def test_a_source_that_is_not_there_is_one_line(tmp_path, capfd, make, dataset, line):
    make(tmp_path / "source")
    flags = [f"--dataset={dataset}", f"--source={tmp_path / 'source'}", f"--out={tmp_path / 'b'}"]
    assert command.main(flags) == 2
    assert line in said(capfd, "prepare")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    "row, says",
    [
        ("p,v,gone.mp4,", "row 2: .*gone.mp4 is not there"),
        ("p,v,folder,", "row 2: fps is blank"),
        ("p,,folder,30", "row 2: video is empty"),
        ("p,v,folder,-1", "row 2: fps must be above 0"),
    ],
)
def test_a_table_of_sources_names_its_row(tmp_path, row, says):
    (tmp_path / "folder").mkdir()
    (tmp_path / "videos.csv").write_text(f"subject,video,path,fps\n{row}\n")
    with pytest.raises(UserError, match=says):
        csv_source(tmp_path)


def test_subjects_of_video_files(tmp_path):
    for name in ("p1/talk.mp4", "p2_a.avi", ".hidden.mp4", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = [(v.subject, v.video) for v in video_source(tmp_path).videos]
    assert found == [("p1", "talk"), ("p2", "p2_a")]
    (tmp_path / "talk.mov").write_bytes(b"")
    with pytest.raises(UserError, match="is called 'talk'"):
        video_source(tmp_path)


def test_no_partial_file_and_no_process_is_left(samm):
    _, bank = samm
    assert not [path for path in bank.root.rglob("*") if ".part" in path.name]
    assert not (bank.root / ".prepare").exists() and os.access(bank.root, os.W_OK)
