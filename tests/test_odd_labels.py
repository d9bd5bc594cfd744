"""Label files as people make them: other names, other units, rows twice; nothing without a word."""

import pandas as pd
import pytest
from prepare_calls import CSV, LABELS, call
from release_trees import head, write_images
from tiny_banks import said

from jaxspot.annotations.names import VideoNames
from jaxspot.annotations.plausible import doubt_units
from jaxspot.commands import doctor, evaluate

VIDEOS = ("talk1", "talk2", "Talk3")


@pytest.fixture
def source(tmp_path):
    """Three videos of 4 frames as tables, without labels."""
    for video in VIDEOS:
        write_images(tmp_path / "in" / video, head(0)[:4], "{}.png".format)
    rows = "".join(f"p{n},{video},{video},30\n" for n, video in enumerate(VIDEOS))
    (tmp_path / "in" / "videos.csv").write_text(CSV + rows)
    return tmp_path / "in"


def label(source, *rows, name="annotations.csv"):
    (source / name).write_text(LABELS + "".join(f"{row}\n" for row in rows))


def kept(bank):
    table = pd.read_csv(bank / "annotations.csv", dtype=str)
    return list(zip(table.subject, table.video, strict=True))


@pytest.mark.parametrize("names", [
    ("talk1", "talk2.mp4", "Talk3"),
    ("TALK1", "talk2.AVI", "talk3"),
    ("in/talk1.mp4", r"C:\\videos\\Talk2.m2ts", "talk3.h264"),
])  # fmt: skip
def test_names_are_matched_without_ending_folder_and_case(names, source, tmp_path, capsys):
    label(source, *(f"P{n},{name},ME,1,2,3" for n, name in enumerate(names)))
    assert call("csv", source, tmp_path / "bank") == 0
    assert kept(tmp_path / "bank") == [(f"p{n}", video) for n, video in enumerate(VIDEOS)]
    others = sum(name != video for name, video in zip(names, VIDEOS, strict=True))
    noun = "label" if others == 1 else "labels"
    line = f"{others} {noun} mended (video_name): see {tmp_path / 'bank' / 'repairs.csv'}\n"
    assert line in capsys.readouterr().out
    assert doctor.main([f"--bank={tmp_path / 'bank'}"]) == 0


def test_a_name_that_may_be_two_videos_is_none():
    names = VideoNames(["A", "a", "clip.mp4", "clip.avi", "p.rest", "p1"])
    assert [names.find(name) for name in ("A", "a", "clip", "clip.MP4", "P1.mov")] == [
        "A", "a", None, "clip.mp4", "p1",
    ]  # fmt: skip
    assert [names.find(name) for name in ("p.task", "p", "a.mp4", "")] == [None] * 4


def test_evaluate_matches_names_and_doubts_units_too(tmp_path, capsys):
    for name, text in (
        ("videos.csv", "subject,video,frames,fps\np,talk,90,30\n"),
        ("truth.csv", "subject,video,kind,onset,offset\np,Talk.mp4,ME,3,9\np,talk,MaE,1,2\n"),
        ("found.csv", "subject,video,kind,onset,offset\np,talk,ME,3,9\n"),
    ):
        (tmp_path / name).write_text(text)
    words = [f"--{key}={tmp_path / f'{name}.csv'}" for key, name in (
        ("videos", "videos"), ("annotations", "truth"), ("intervals", "found"),
    )]  # fmt: skip
    assert evaluate.main([*words, f"--out={tmp_path / 'out'}"]) == 0
    assert "video_name" in (tmp_path / "out" / "repairs.csv").read_text()
    assert "half of the MaE labels last at most 0.0667 s" in capsys.readouterr().out


def test_what_fits_no_video_is_counted_and_doctor_is_not_content(source, tmp_path, capsys):
    label(source, "p0,talk1,ME,1,2,3", "p1,talk2,ME,1,2,3", "p2,tlak3,ME,1,2,3")
    assert call("csv", source, tmp_path / "bank") == 0
    assert "label left out (no_video): see" in capsys.readouterr().out
    assert doctor.main([f"--bank={tmp_path / 'bank'}"]) == 1
    assert "row 4 tlak3 (no_video)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["p0,one,ME,1,2,3", "p1,two,ME,1,2,3", "p2,talk3,ME,1,2,3"],
         ["2 of 3 labels do not fit", "no video is called as in 2 ('one', 'two'; videos are"]),
        (["p0,talk1,ME,1200,1300,1400", "p1,talk2,ME,40,50,60", "p2,talk3,ME,1,2,3"],
         ["2 begin past the end of their video (row 2: onset 1200", "milliseconds"]),
        (["p0,nobody,ME,1,2,3", "p1,talk2,ME,40,50,60"],
         ["2 of 2 labels", "no video is called as in 1", "1 begin past the end"]),
    ],
)  # fmt: skip
def test_most_labels_that_fit_nothing_are_a_mistake(rows, words, source, tmp_path, capfd):
    label(source, *rows)
    assert call("csv", source, tmp_path / "bank") == 2
    line = said(capfd, "prepare")
    assert not [word for word in [*words, str(source / "annotations.csv")] if word not in line], (
        line
    )
    assert not (tmp_path / "bank").exists()


@pytest.mark.parametrize("row", ["p0,talk1,ME,1,2,3", "p0,TALK1.mp4,ME,1,2,3", "p0,talk1,ME,1,3,3"])
def test_a_row_twice_counts_once(row, source, tmp_path, capsys):
    label(source, "p0,talk1,ME,1,2,3", "p0,talk1,ME,2,2,3", row)
    assert call("csv", source, tmp_path / "bank") == 0
    assert len(kept(tmp_path / "bank")) == 2
    assert "1 left out (duplicate)" in capsys.readouterr().out.replace("label left", "left")
    assert doctor.main([f"--bank={tmp_path / 'bank'}"]) == 0
    assert call("csv", source, tmp_path / "all", "--rules-off=duplicate") == 0
    assert len(kept(tmp_path / "all")) == 3


@pytest.mark.parametrize("name", ["Annotations.csv", "ANNOTATIONS.CSV", "annotations.CSV"])
def test_tables_may_be_named_in_other_case(name, source, tmp_path):
    label(source, "p0,talk1,ME,1,2,3", name=name)
    (source / "videos.csv").rename(source / "Videos.csv")
    assert call("csv", source, tmp_path / "bank") == 0
    assert kept(tmp_path / "bank") == [("p0", "talk1")]


def test_two_tables_whose_names_differ_in_case_alone_are_refused(source, tmp_path, capfd):
    label(source, name="Annotations.csv")
    label(source, name="ANNOTATIONS.csv")
    assert call("csv", source, tmp_path / "bank") == 2
    assert "keep one, as annotations.csv" in said(capfd, "prepare")


@pytest.mark.parametrize("fps", [25.0, 30.0, 200.0])
@pytest.mark.parametrize(("unit", "scale"), [("", None), ("seconds", 1), ("milliseconds", 1000)])
def test_a_wrong_unit_is_noticed(unit, scale, fps):
    """The same expressions of a video of half an hour, in frames and in other units."""
    seconds = [("ME", 2.1, 2.4), ("MaE", 5, 6.6), ("MaE", 12, 13), ("ME", 700.2, 700.6)]
    rows = [("v", kind, *(round((scale or fps) * s) + 1 for s in span)) for kind, *span in seconds]
    annotations = pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])
    videos = pd.DataFrame([("v", 1800 * fps, fps)], columns=["video", "frames", "fps"])
    lines = doubt_units(annotations, videos)
    if not unit or (unit == "milliseconds" and fps == 200):  # 2 s could be a slow expression
        assert not [line for line in lines if "MaE" in line] and (unit or not lines)
    if unit:
        assert lines and all(f"they look like {unit}; write frames" in line for line in lines)


def test_seconds_and_a_wrong_frame_rate_are_said_by_prepare_and_doctor(source, tmp_path, capsys):
    label(source, "p0,talk1,MaE,1,2,3", "p1,talk2,MaE,1,1,2", "p2,talk3,ME,2.1,2.2,2.4")
    assert call("csv", source, tmp_path / "bank") == 0
    said = capsys.readouterr().out
    assert "half of the MaE labels last at most 0.0833 s (frames: 2.5)" in said
    assert "half of the ME labels last at most 0.0333 s (frames: 1)" in said
    assert doctor.main([f"--bank={tmp_path / 'bank'}"]) == 1
    assert "write frames from 1, and check fps" in capsys.readouterr().out
