"""Labels of several people, or of another version of a video, are told."""

import json

import numpy as np
import pandas as pd
import pytest
from made_intervals import write_intervals
from made_reviews import frame_times

from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.timed import FrameTimes
from jaxspot.annotations.whose import say_people, say_table
from jaxspot.errors import UserError
from jaxspot.evaluation.score_files import evaluate_files
from jaxspot.exports.formats import export_file

VIDEOS = "subject,video,frames,fps\ns1,talk,300,30\ns2,chat,300,30\ns3,call,300,30\n"
LABELS = "subject,video,kind,onset,offset\n" + "".join(
    f"{s},{v},{kind}\n"
    for s, v in (("s1", "talk"), ("s2", "chat"), ("s3", "call"))
    for kind in ("ME,31,42", "MaE,61,90")
)
RATES = {name: FrameTimes(30.0, frames=300) for name in ("talk", "chat", "call")}
ONE = "one person's"


def doubts(folder, labels=LABELS, found=LABELS):
    """What `evaluate` doubts of two tables, or files."""
    (folder / "videos.csv").write_text(VIDEOS)
    paths = [folder / "videos.csv"]
    for name, given in (("labels.csv", labels), ("found.csv", found)):
        if isinstance(given, str):
            (folder / name).write_text(given)
            given = folder / name
        paths.append(given)
    return [line.removeprefix(f"{folder}/") for line in evaluate_files(*paths).doubts]


def notes(path):
    return read_labels(path, times=RATES.get).notes


def eaf(path, *tiers, people=()):
    from pympi.Elan import Eaf

    made = Eaf()
    made.add_linked_file("file:///D:/talk.mp4", mimetype="video/mp4")
    for at, tier in enumerate(tiers):
        made.add_tier(tier, part=people[at] if people else None)
        made.add_annotation(tier, 1000 * at, 1000 * at + 400, "")
    made.to_file(path)
    return path


@pytest.mark.parametrize(
    ("tiers", "people", "said"),
    [
        (["ME face 0", "MaE face 0"], (), ""),
        (["MaE face 0", "MaE face 0 (2)"], (), ""),
        (["MaE face 0", "ME", "MaE face 1"], (), "talk: intervals of faces 0 and 1, taken as"),
        (["ME", "MaE", "ME 2"], ("anna", "anna", "anna"), ""),
        (["ME", "MaE"], ("anna", "bert"), "talk: intervals of subjects anna and bert, taken"),
    ],
)
def test_faces_and_participants_of_elan(tmp_path, tiers, people, said):
    found = notes(eaf(tmp_path / "x.eaf", *tiers, people=people))
    assert [line[: len(said)] for line in found] == [said] * bool(said)
    assert all(line.endswith(ONE) for line in found)


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (["anna", "anna"], []),
        (["anna", "No focal subject"], []),
        (["", "anna (2)", "anna"], []),
        (["anna", "bert"], [f"talk: intervals of subjects anna and bert, taken as {ONE}"]),
    ],
)
@pytest.mark.parametrize("form", ["events", "aggregated", "project"])
def test_subjects_of_boris(tmp_path, people, said, form):
    spans = [(who, 2.0 * at, 2.0 * at + 1) for at, who in enumerate(people)]
    if form == "project":
        events = [[t, who, "MaE", "", ""] for who, *ends in spans for t in ends]
        path = project(tmp_path, events=events)
    else:
        head = "Observation id\tMedia file\tSubject\tBehavior\t"
        row = "one\tv/talk.mp4\t{}\tMaE\t"
        text = head + "Start (s)\tStop (s)\n"
        text += "".join(f"{row.format(who)}{a}\t{b}\n" for who, a, b in spans)
        if form == "events":
            text = (
                head
                + "Behavior type\tTime\n"
                + "".join(
                    f"{row.format(who)}{word}\t{time}\n"
                    for who, *ends in spans
                    for word, time in zip(("START", "STOP"), ends, strict=True)
                )
            )
        path = tmp_path / "e.tsv"
        path.write_text(text)
    assert list(notes(path)) == said


def project(folder, **change):
    seen = {"file": {"1": ["v/talk.mp4"], "2": []}, "time offset": 0.0}
    seen["events"] = [[1.0, "", "MaE", "", ""], [2.0, "", "MaE", "", ""]]
    behaviors = {"0": {"code": "MaE", "type": "State event"}}
    text = {"project_format_version": "7.0", "behaviors_conf": behaviors}
    path = folder / "p.boris"
    path.write_text(json.dumps(text | {"observations": {"one": seen | change}}))
    return path


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"file": {"1": ["v/talk.mp4", "chat.mp4"]}}, r"several files \(v/talk.mp4, chat.mp4\)"),
        ({"media_info": {"offset": {"1": 2.0}}}, r"player 1 has a time offset \(2\); set it to 0"),
        ({"media_info": {"offset": {"1": "-0.5"}}}, r"player 1 has a time offset \(-0.5\)"),
    ],
)
def test_times_of_boris_that_count_from_elsewhere_are_refused(tmp_path, change, says):
    with pytest.raises(UserError, match=f"p.boris, observation 'one': .*{says}"):
        notes(project(tmp_path, **change))
    assert not notes(project(tmp_path, **change, events=[]))  # no times, no mistake


@pytest.mark.parametrize(
    "change",
    [
        {"file": {"1": ["v/talk.mp4"], "2": ["side.mp4"]}},
        {"file": {"1": [], "2": ["talk.mp4"]}, "media_info": {"offset": {"1": 3.0, "2": 0.0}}},
        {"media_info": {"offset": {"1": 0.0, "2": 4.0}, "length": {"v/talk.mp4": 10.04}}},
    ],
)
def test_one_file_that_starts_at_0_is_read(tmp_path, change):
    found = read_labels(project(tmp_path, **change), times=RATES.get)
    assert found.annotations[["video", "onset", "offset"]].values.tolist() == [["talk", 31, 60]]
    assert not found.notes


def test_a_video_of_another_length_than_in_boris_is_said(tmp_path):
    long = project(tmp_path, media_info={"length": {"v/talk.mp4": 20.0}})
    (line,) = notes(long)
    assert line.startswith("talk: lasts 10 s, but 20 s by BORIS; is it another version")
    head = "Observation id,Media file,Media duration (s),Behavior,Start (s),Stop (s)\n"
    for name, told, count in (("one", "20.000", 1), ("one", "10.000", 0), ("one", "NA", 0)):
        (tmp_path / "e.csv").write_text(f"{head}{name},talk.mp4,{told},MaE,1,2\n")
        assert len(notes(tmp_path / "e.csv")) == count
    (tmp_path / "e.csv").write_text(f"{head}a,talk.mp4,10,MaE,1,2\na,chat.mp4,10,MaE,5,6\n")
    (line,) = notes(tmp_path / "e.csv")
    assert line.startswith("observation 'a' plays several files (talk, chat); each one's times")
    (tmp_path / "e.csv").write_text(f"{head}a,talk.mp4,10,MaE,1,2\nb,chat.mp4,10,MaE,5,6\n")
    assert not notes(tmp_path / "e.csv")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("MaE\t\t1.000\t2.500\n", 1),
        ("MaE\t\t1.000\t2.500\nMaE\t\t8.000\t9.500\n", 0),  # no expression lasts 9.5 s
        ("MaE\t\t1.000\t2.500\t1.500\n", 0),
        ("Tier\t\tBegin Time - ss.msec\tEnd Time - ss.msec\nMaE\t\t1.000\t2.500\n", 0),
    ],
)
def test_two_columns_of_times_may_be_begin_and_duration(tmp_path, text, count):
    (tmp_path / "talk.txt").write_text(text)
    found = notes(tmp_path / "talk.txt")
    assert len(found) == count and all("read as begin and end" in line for line in found)


def test_two_faces_are_said_of_every_file_that_tells_them(tmp_path):
    table = write_intervals(tmp_path / "i.csv")
    said = f"talk: intervals of faces 0 and 1, taken as {ONE}"
    for path in [table, *export_file(table, ["elan"], out=tmp_path)]:
        (line,) = (line for line in doubts(tmp_path, found=path) if ONE in line)
        assert line == f"{path.name}: {said}"
        assert f"{path.name}: {said}" in doubts(tmp_path, labels=path)
    (boris,) = export_file(table, ["boris"], out=tmp_path)
    said = f"talk: intervals of subjects face 0 and face 1, taken as {ONE}"
    assert f"{boris.name}: {said}" in doubts(tmp_path, found=boris)
    text = table.read_text().replace(",talk,1,", ",talk,0,")
    assert not [line for line in doubts(tmp_path, found=text, labels=text) if ONE in line]


def test_rejected_faces_are_not_counted(tmp_path):
    for last, count in (("rejected", 0), ("accepted", 2)):
        table = write_intervals(tmp_path / "i.csv", verdicts=["accepted"] * 4 + [last])
        found = doubts(tmp_path, labels=table, found=table)
        assert len([line for line in found if ONE in line]) == count


def test_many_videos_of_several_people_are_one_line():
    named = [(f"v{video}", name) for video in range(9) for name in ("b", "", "a", "c")]
    (line,) = say_people(named, "face")
    assert line.startswith("v0: intervals of faces a, b and c, taken as one")
    assert line.endswith("so are those of 8 more videos")
    assert not [*say_people([("a", "0"), ("b", "1"), ("b", "")], "face")]


def rows(onsets, seconds):
    return pd.DataFrame(dict(video="talk", onset=onsets, onset_s=[f"{s:.6f}" for s in seconds]))


@pytest.mark.parametrize("seed", range(20))
def test_frames_and_seconds_of_another_rate_are_said(seed):
    rng = np.random.default_rng(seed)
    fps = float(rng.choice([12.5, 23.976, 25, 29.97, 30, 60, 100, 200]))
    onsets = np.sort(rng.integers(200, 2000, rng.integers(1, 9)))
    of = lambda known, rate, at=0.0: [
        *say_table(rows(onsets, (onsets - at) / rate), {"talk": known}.get)
    ]
    exact = FrameTimes(fps, np.arange(2000) / fps, np.arange(1, 2001) / fps)
    for known in (FrameTimes(fps), exact):
        assert not [*of(known, fps, 1.0), *of(known, fps), *of(known, fps * 1.0001, 1.0)]
        for other in (24 / 30, 30 / 25, 1.03):
            (line,) = of(known, fps * other, 1.0)
            assert f"do not agree at its {fps:.4g} frames" in line and "(row 2: frame " in line


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_that_varies_is_no_doubt(seed):
    # A camera that slows down in the dark: the mean rate fits none of its frames.
    steps = np.where(np.arange(900) < 300, 1 / 30, np.where(np.arange(900) < 600, 1 / 15, 1 / 24))
    for starts in (np.cumsum(steps) - steps[0], frame_times(900, seed=seed)):
        fps = 899 / starts[-1]
        onsets = np.sort(np.random.default_rng(seed).choice(np.arange(50, 900), 8, replace=False))
        table = rows(onsets, starts[onsets - 1])
        assert not [*say_table(table, {"talk": FrameTimes(fps)}.get)]
        ends = np.append(starts[1:], starts[-1] + 0.03)
        assert not [*say_table(table, {"talk": FrameTimes(fps, starts, ends)}.get)]


def test_seconds_that_are_no_numbers_are_passed_over():
    table = pd.DataFrame(dict(video="talk", onset=[31, 61], onset_s=["0:01", None], face=None))
    assert not [*say_table(table, RATES.get)]
    assert not [*say_table(rows([31], [1.0]), {}.get)]


def test_evaluate_says_of_which_table_the_rate_is_another(tmp_path):
    header = "subject,video,kind,onset,offset,onset_s\n"
    other = header + "".join(f"{line},{at / 25}\n" for line, at in timed(LABELS))
    own = header + "".join(f"{line},{at / 30}\n" for line, at in timed(LABELS))
    assert doubts(tmp_path, own, own) == []
    told = ["talk", "chat", "call"]
    for given, name in ((dict(labels=other), "labels"), (dict(found=other), "found")):
        found = doubts(tmp_path, **given)
        assert [line.split(" ")[:2] for line in found] == [[f"{name}.csv:", f"{v}:"] for v in told]


def timed(text):
    return [(line, int(line.split(",")[3]) - 1) for line in text.splitlines()[1:]]


def of(text, *words):
    """A table with those rows that hold one of the words."""
    head, *lines = text.splitlines()
    return "\n".join([head, *(line for line in lines if any(word in line for word in words))])


def test_labels_of_one_video_of_three_are_said(tmp_path):
    assert doubts(tmp_path) == []
    assert doubts(tmp_path, labels=of(LABELS, "talk", "call")) == []  # a video without expressions
    (line,) = doubts(tmp_path, labels=of(LABELS, "talk"))
    assert line == (
        "labels.csv: 2 of 3 videos have no label (chat, call): taken as without expressions"
    )


def test_a_kind_without_labels_and_predictions_of_few_videos_are_said(tmp_path):
    (line,) = doubts(tmp_path, labels=of(LABELS, "ME"), found=of(LABELS, "talk,", "chat"))[:1]
    assert line == "labels.csv: no label of kind MaE: all 2 that are predicted count as false"
    assert doubts(tmp_path, labels=of(LABELS, ",ME,"), found=of(LABELS, ",ME,")) == []
    (line,) = doubts(tmp_path, found=of(LABELS, "call"))
    assert (
        line == "found.csv: 2 of 3 videos have no prediction (talk, chat): taken as nothing found"
    )
    assert doubts(tmp_path, found=of(LABELS, "no row")) == []


def test_a_span_of_two_kinds_is_said(tmp_path):
    (line,) = doubts(tmp_path, labels=LABELS + "s1,talk,MaE,31,42\n")
    assert line.startswith("labels.csv: labelled twice: talk 31-42 as ME and MaE;")
