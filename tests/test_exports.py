import csv
import io
import json
import os
import re
import shutil
import socket
import xml.etree.ElementTree as ET
import zipfile
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from made_intervals import HEADER, ROWS, write_intervals
from pympi.Praat import TextGrid
from video_files import encode, noise

from jaxspot.commands.export import main
from jaxspot.errors import UserError
from jaxspot.exports.formats import FORMATS, export_file, parse_formats
from jaxspot.exports.medium import Medium
from jaxspot.exports.megc2020 import megc2020_file
from jaxspot.exports.spans import read_spans
from jaxspot.exports.tiers import tiers
from jaxspot.files import content_of
from jaxspot.spotting.decision import video_address
from jaxspot.video.container import packet_times

# kind, face, onset, offset, score: overlaps in one face, in two faces, and two that touch.
TIERS = {"ME face 0": [0], "MaE face 0": [1, 3], "MaE face 0 (2)": [2]}
TIERS |= {"ME face 1": [4], "MaE face 1": []}
NO_LABELS = [name for name in FORMATS if name != "megc2020"]


def times_ms():
    """Starts and ends of ROWS at 30 frames a second, reckoned here in whole milliseconds."""
    return [(round((on - 1) * 1000 / 30), round(off * 1000 / 30)) for _, _, on, off, _ in ROWS]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return encode(tmp_path_factory.mktemp("videos") / "talk.mp4", noise(100))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, video):
    out = video.parent / "spotted"
    intervals = write_intervals(tmp_path_factory.mktemp("table") / "intervals.csv")
    written = export_file(intervals, NO_LABELS, out=out, videos=[video])
    assert sorted(written) == sorted(out.iterdir())
    return out


def test_eaf_has_the_structure_of_its_schema(folder):
    root = ET.parse(folder / "talk.eaf").getroot()
    order = ["LICENSE", "HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE", "LOCALE", "LANGUAGE"]
    order += ["CONSTRAINT", "CONTROLLED_VOCABULARY", "LEXICON_REF", "EXTERNAL_REF"]
    places = [order.index(child.tag) for child in root]
    assert places == sorted(places) and {1, 2, 3, 4} <= set(places)
    assert {"AUTHOR", "DATE", "VERSION"} <= set(root.attrib)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", root.get("DATE"))
    header = root.find("HEADER")
    assert header.get("TIME_UNITS") == "milliseconds" and header.get("MEDIA_FILE") == ""
    assert [child.tag for child in header] == ["MEDIA_DESCRIPTOR", "PROPERTY"]
    media = header.find("MEDIA_DESCRIPTOR").attrib
    assert media["MIME_TYPE"] == "video/mp4"
    assert (folder / media["RELATIVE_MEDIA_URL"]).resolve() == (
        folder.parent / "talk.mp4"
    ).resolve()
    slots = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.find("TIME_ORDER")}
    values = [int(value) for value in slots.values()]
    assert values == sorted(values) and len(slots) == 2 * len(ROWS)
    notes = root.findall("TIER/ANNOTATION/ALIGNABLE_ANNOTATION")
    names = [note.get("ANNOTATION_ID") for note in notes] + list(slots)
    assert len(set(names)) == len(names) and all(name[0].isalpha() for name in names)
    used = [note.get(ref) for note in notes for ref in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")]
    assert sorted(used) == sorted(slots)
    assert [[child.tag for child in note] for note in notes] == [["ANNOTATION_VALUE"]] * len(ROWS)
    types = {one.get("LINGUISTIC_TYPE_ID"): one for one in root.findall("LINGUISTIC_TYPE")}
    for tier in root.findall("TIER"):
        assert types[tier.get("LINGUISTIC_TYPE_REF")].get("TIME_ALIGNABLE") == "true"
    ids = [tier.get("TIER_ID") for tier in root.findall("TIER")]
    assert ids == list(TIERS)
    last = {one.get("NAME"): one.text for one in header.findall("PROPERTY")}
    numbers = [int(note.get("ANNOTATION_ID")[1:]) for note in notes]
    assert int(last["lastUsedAnnotationId"]) == max(numbers)


def test_eaf_has_the_times_and_no_overlap_in_a_tier(folder):
    root = ET.parse(folder / "talk.eaf").getroot()
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE")) for s in root.find("TIME_ORDER")}
    for tier in root.findall("TIER"):
        found = []
        for note in tier.iter("ALIGNABLE_ANNOTATION"):
            ends = (slots[note.get(ref)] for ref in ("TIME_SLOT_REF1", "TIME_SLOT_REF2"))
            found.append((*ends, note.find("ANNOTATION_VALUE").text))
        rows = TIERS[tier.get("TIER_ID")]
        says = lambda row: f"{row[0]} {row[4]:.2f}" if row[4] is not None else row[0]
        assert found == [(*times_ms()[at], says(ROWS[at])) for at in rows]
        assert all(a[1] <= b[0] for a, b in pairwise(found)) and all(a[0] < a[1] for a in found)


def test_boris_project_has_the_fields_and_pairs_of_boris(folder):
    project = json.loads((folder / "talk.boris").read_text(encoding="ascii"))
    assert project["project_format_version"] == "7.0"
    # What BORIS 7 to 10 write; they add `behavioral_categories_config` where it is missing.
    fields = "time_format project_date project_name project_description project_format_version"
    fields += " subjects_conf behaviors_conf observations behavioral_categories coding_map"
    fields += " independent_variables behaviors_coding_map converters"
    assert set(project) - {"behavioral_categories_config"} == set(fields.split())
    known = {"type", "key", "code", "description", "color", "category", "modifiers", "excluded"}
    codes = {row["code"]: row["type"] for row in project["behaviors_conf"].values()}
    assert codes == dict.fromkeys(("ME", "MaE"), "State event")
    assert all(set(row) == {*known, "coding map"} for row in project["behaviors_conf"].values())
    assert all(set(s) == {"key", "name", "description"} for s in project["subjects_conf"].values())
    ((name, seen),) = project["observations"].items()
    assert name == "talk" and seen["type"] == "MEDIA" and seen["time offset"] == 0
    file = seen["file"]["1"][0]
    assert (folder / file).resolve() == (folder.parent / "talk.mp4").resolve()
    assert set(seen["file"]) == set("12345678")
    info = seen["media_info"]
    assert info["length"][file] == pytest.approx(100 / 30, abs=1e-3)
    assert info["fps"] == {file: 30} and info["hasVideo"] == {file: True}
    assert info["hasAudio"] == {file: False}
    events = seen["events"]
    assert all(len(event) == 5 for event in events)
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    subjects = {subject["name"] for subject in project["subjects_conf"].values()}
    assert {event[1] for event in events} == subjects
    # BORIS takes every other event of a subject and behaviour for a start.
    found, keys = [], [tuple(event[1:4]) for event in events]
    for key in dict.fromkeys(keys):
        own = [event[0] for event in events if tuple(event[1:4]) == key]
        assert len(own) % 2 == 0 and len(set(own)) == len(own)
        found += [(key[1], *pair) for pair in zip(own[::2], own[1::2], strict=True)]
    expected = [(row[0], a / 1000, b / 1000) for row, (a, b) in zip(ROWS, times_ms(), strict=True)]
    assert sorted(found) == sorted(expected)


def test_textgrid_tiles_the_file(folder):
    grid = TextGrid(str(folder / "talk.TextGrid"))
    assert (grid.xmin, grid.xmax) == (0, pytest.approx(100 / 30, abs=1e-3))
    assert [tier.name for tier in grid.get_tiers()] == list(TIERS)
    for tier in grid.get_tiers():
        parts = list(tier.get_all_intervals())
        assert parts[0][0] == 0 and parts[-1][1] == grid.xmax
        assert all(a[1] == b[0] for a, b in pairwise(parts))
        found = [(round(1000 * a), round(1000 * b)) for a, b, text in parts if text]
        assert found == [times_ms()[at] for at in TIERS[tier.name]]


@pytest.mark.parametrize("ending", ["vtt", "srt"])
def test_captions_are_read_by_ffmpeg(folder, ending):
    with av.open(str(folder / f"talk.{ending}")) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
    unit = 1000 * stream.time_base
    found = {bytes(p).decode(): (p.pts * unit, (p.pts + p.duration) * unit) for p in packets}
    texts = [f"{row[0]}{'' if row[4] is None else f' {row[4]:.2f}'} face {row[1]}" for row in ROWS]
    assert found == dict(zip(texts, times_ms(), strict=True))


def test_workbook_holds_the_table(folder):
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(folder / "talk.xlsx") as book:
        shared = "xl/sharedStrings.xml"
        strings = ET.fromstring(book.read(shared)) if shared in book.namelist() else []
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    texts = ["".join(one.itertext()) for one in strings]

    def value(cell):
        text = "".join(cell.itertext())
        return texts[int(text)] if cell.get("t") == "s" else text

    rows = [{c.get("r")[0]: value(c) for c in row} for row in sheet.iter(f"{name}row")]
    kinds = {c.get("t", "n") for c in list(sheet.iter(f"{name}row"))[1] if value(c)}
    assert kinds == {"n", "inlineStr"} or kinds == {"n", "s"}
    titles = {title: letter for letter, title in rows[0].items()}
    assert list(titles)[: HEADER.count(",") + 1] == HEADER.split(",")
    found = {(row[titles["kind"]], int(row[titles["onset"]])): row for row in rows[1:]}
    assert len(rows) == len(found) + 1 == len(ROWS) + 1
    for (kind, _, on, off, _), (start, stop) in zip(ROWS, times_ms(), strict=True):
        row = found[kind, on]
        assert int(row[titles["offset"]]) == off
        assert float(row[titles["onset_s"]]) == pytest.approx(start / 1000, abs=5e-4)
        assert float(row[titles["offset_s"]]) == pytest.approx(stop / 1000, abs=5e-4)


def test_tables_hold_the_rows(folder):
    in_order = sorted(range(len(ROWS)), key=lambda at: ROWS[at][2:4])
    with (folder / "talk_events.tsv").open(newline="") as file:
        events = list(csv.DictReader(file, delimiter="\t"))
    for at, row in zip(in_order, events, strict=True):
        start, stop = times_ms()[at]
        assert 1000 * float(row["onset"]) == pytest.approx(start, abs=0.5)
        end = 1000 * (float(row["onset"]) + float(row["duration"]))
        assert end == pytest.approx(stop, abs=0.5) and row["trial_type"] == ROWS[at][0]
    assert events[-1]["score"] == "n/a"
    sidecar = json.loads((folder / "talk_events.json").read_text())
    assert set(sidecar) == set(events[0])
    with (folder / "talk_megc2022.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["vid", "pred_onset", "pred_offset", "type"]
    rows = [ROWS[at] for at in in_order]
    assert lines[1:] == [["talk", str(r[2]), str(r[3]), r[0].lower()] for r in rows]


def test_activitynet_is_predictions_and_ground_truth(folder):
    whole = json.loads((folder / "talk_activitynet.json").read_text())
    assert {"version", "results", "external_data", "database"} == set(whole)
    truth = whole["database"]["talk"]
    assert truth["duration"] == pytest.approx(100 / 30, abs=1e-3) and truth["fps"] == 30
    results = whole["results"]["talk"]
    assert [one["score"] for one in results] == [0.25, 0.2, 0.5, 0.45, 1.0]
    for one, label in zip(results, truth["annotations"], strict=True):
        assert label == {name: one[name] for name in ("label", "segment")}
    found = sorted((one["label"], *(round(1000 * t) for t in one["segment"])) for one in results)
    assert found == sorted((r[0], *ends) for r, ends in zip(ROWS, times_ms(), strict=True))


def test_no_file_tells_where_it_was_made(folder):
    private = [
        str(folder),
        str(folder.parent.parent),
        socket.gethostname(),
        os.path.expanduser("~"),
    ]
    for path in folder.iterdir():
        data = path.read_bytes()
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(io.BytesIO(data)) as book:
                data = b"\n".join(map(book.read, book.namelist()))
        for word in private:
            assert word.encode() not in data, f"{path.name} holds {word}"


def test_a_path_is_relative_or_only_a_name(tmp_path):
    assert video_address(Path("/a/b/talk.mp4"), Path("/a/b")) == "talk.mp4"
    assert video_address(Path("/a/b/talk.mp4"), Path("/a/c/d")) == "../../b/talk.mp4"
    assert video_address(Path("/home/ann/talk.mp4"), Path("/data/out")) == "talk.mp4"


def test_rejected_rows_are_left_out_and_counted(tmp_path, capsys):
    verdicts = ["open", "accepted", "rejected", "accepted", "rejected"]
    path = write_intervals(tmp_path / "reviewed.csv", verdicts=verdicts)
    assert main([str(path), "--to=megc2022"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == ["2 rejected rows left out", f"wrote {tmp_path}/talk_megc2022.csv"]
    lines = (tmp_path / "talk_megc2022.csv").read_text().splitlines()
    assert lines[1:] == ["talk,3,9,me", "talk,20,70,mae", "talk,91,95,mae"]


def test_many_videos_give_a_file_each_or_one(tmp_path):
    table = "video,kind,onset,offset,onset_s,offset_s\nb,ME,1,9,0,0.3\na,MaE,31,60,1,2\n"
    (tmp_path / "mine.csv").write_text(table)
    written = export_file(tmp_path / "mine.csv", NO_LABELS, out=tmp_path / "out")
    names = {path.name for path in written}
    assert {"a.eaf", "b.eaf", "mine.boris", "mine_megc2022.csv", "a_events.json"} <= names
    project = json.loads((tmp_path / "out" / "mine.boris").read_text())
    assert list(project["observations"]) == ["b", "a"] and project["subjects_conf"] == {}
    tiers_of_a = [t.get("TIER_ID") for t in ET.parse(tmp_path / "out" / "a.eaf").iter("TIER")]
    assert tiers_of_a == ["ME", "MaE"]


def test_videos_of_one_name_are_told_by_their_folders(tmp_path, video):
    """As `spot` names them; so a video finds its rows, and each its own file."""
    for name in ("s1/talk.mp4", "s2/talk.mp4", "moved/talk.mp4"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(video, tmp_path / name)
    table = "video,kind,onset,offset\ns1/talk,ME,1,9\ns2/talk.mp4,MaE,31,60\n"
    (tmp_path / "mine.csv").write_text(table)
    both = [tmp_path / "s2/talk.mp4", tmp_path / "s1/talk.mp4"]
    written = export_file(tmp_path / "mine.csv", NO_LABELS, out=tmp_path / "out", videos=both)
    assert {path.parent for path in written} == {tmp_path / "out"} and written.notes == []
    links = {
        path.name: ET.parse(path).find(".//MEDIA_DESCRIPTOR").get("RELATIVE_MEDIA_URL")
        for path in written
        if path.suffix == ".eaf"
    }
    assert links == {
        "s1_talk.eaf": "../s1/talk.mp4",
        "s2_talk.mp4.eaf": "../s2/talk.mp4",
    }
    (tmp_path / "one.csv").write_text("".join(table.splitlines(keepends=True)[:2]))
    moved = [tmp_path / "moved/talk.mp4"]
    written = export_file(tmp_path / "one.csv", ["srt"], out=tmp_path / "o", videos=moved)
    assert [path.name for path in written] == ["s1_talk.srt"]
    assert written.notes == [f"s1/talk: taken to be {moved[0]}, which lies in another folder"]


def test_a_review_of_a_video_named_with_its_folder_has_the_frames_of_the_run(tmp_path):
    """The review page calls the video by its own folder: talk, not s1/talk."""
    run = tmp_path / "s1" / "talk"
    run.mkdir(parents=True)
    frames = "".join(f"{at},{(at - 1) / 5}\n" for at in range(1, 101))
    (run / "frames.csv").write_text("frame,pts_s\n" + frames)
    (run / "intervals.csv").write_text("video,kind,onset,offset\ns1/talk,ME,3,9\n")
    (run / "reviewed.csv").write_text("video,kind,onset,offset,verdict\ntalk,ME,4,9,accepted\n")
    for name, stem, onset in (("intervals", "s1_talk", 0.4), ("reviewed", "talk", 0.6)):
        export_file(run / f"{name}.csv", ["bids"], out=run)
        events = pd.read_csv(run / f"{stem}_events.tsv", sep="\t")
        assert events.onset.tolist() == pytest.approx([onset])
        assert events.duration.tolist() == pytest.approx([1.8 - onset])


def test_times_come_from_the_frames_of_the_video(tmp_path):
    starts = [0, 40, 80, 200, 240, 280]
    video = encode(tmp_path / "odd.mp4", noise(6), times_ms=starts)
    (tmp_path / "p.csv").write_text("video,kind,onset,offset\nodd,ME,2,3\nodd,ME,5,6\n")
    export_file(tmp_path / "p.csv", ["bids"], out=tmp_path, videos=[video])
    events = pd.read_csv(tmp_path / "odd_events.tsv", sep="\t")
    np.testing.assert_allclose(events.onset, [0.04, 0.24], atol=5e-4)
    np.testing.assert_allclose(events.onset + events.duration, [0.2, 0.32], atol=5e-4)
    with pytest.raises(UserError, match=r"p.csv, row 2: has no onset_s.*--video"):
        export_file(tmp_path / "p.csv", ["bids"], out=tmp_path)
    (tmp_path / "p.csv").write_text("video,kind,onset,offset\nodd,ME,2,7\n")
    with pytest.raises(UserError, match=r"p.csv, row 2: offset is 7, but video 'odd' has 6 frames"):
        export_file(tmp_path / "p.csv", ["bids"], out=tmp_path, videos=[video])


def test_the_length_comes_from_frames_csv_beside(tmp_path):
    path = write_intervals(tmp_path / "intervals.csv")
    frames = "".join(f"{at},{(at - 1) / 30:.6f}\n" for at in range(1, 301))
    (tmp_path / "frames.csv").write_text("frame,pts_s\n" + frames)
    written = export_file(path, ["textgrid"], out=tmp_path)
    assert TextGrid(str(written[0])).xmax == pytest.approx(10, abs=1e-3)
    assert written.notes == []


@pytest.mark.parametrize("told", ["intervals.csv", "spotted.json", ""])
def test_frames_csv_of_another_video_is_not_taken(told, tmp_path, video):
    """The times of a table beside it are those of the video that is named."""
    rows = [["talk", "ME", 3, 9], ["walk", "ME", 3, 9]]
    for name, row in zip(("talk.csv", "walk.csv"), rows, strict=True):
        text = "video,kind,onset,offset\n" + ",".join(map(str, row)) + "\n"
        (tmp_path / name).write_text(text)
    frames = "".join(f"{at},{(at - 1) / 5}\n" for at in range(1, 101))
    (tmp_path / "frames.csv").write_text("frame,pts_s\n" + frames)
    if told == "intervals.csv":
        (tmp_path / told).write_bytes((tmp_path / "walk.csv").read_bytes())
    elif told:
        (tmp_path / told).write_text(json.dumps({"video": "../walk.mp4"}))
    out = tmp_path / "o"
    export_file(tmp_path / "talk.csv", ["bids"], out=out, videos=[video])
    export_file(tmp_path / "walk.csv", ["bids"], out=out)
    onsets = [pd.read_csv(out / f"{v}_events.tsv", sep="\t").onset[0] for v in ("talk", "walk")]
    times = packet_times(video)
    assert onsets == pytest.approx([times[2], 0.4], abs=1e-3) and times[2] < 0.3
    if told:
        with pytest.raises(UserError):
            export_file(tmp_path / "talk.csv", ["bids"], out=out)


def test_another_video_than_that_of_frames_csv_is_refused(tmp_path, video):
    """Shorter, or as long at other times; a copy of other bytes is told where a run is known."""
    times = packet_times(video)
    frames = "".join(f"{at},{time:.6f}\n" for at, time in enumerate(times, 1))
    (tmp_path / "frames.csv").write_text("frame,pts_s\n" + frames)
    (tmp_path / "intervals.csv").write_text("video,kind,onset,offset\ntalk,ME,3,9\n")
    (tmp_path / "run.json").write_text(json.dumps({"video_sha256": content_of([video])}))
    stamps = [round(1000 * time) for time in times]
    others = {"short": stamps[:50], "slow": [2 * stamp for stamp in stamps], "same": stamps}
    for name, own in others.items():
        (tmp_path / name).mkdir()
        others[name] = encode(tmp_path / name / "talk.mp4", 255 - noise(len(own)), times_ms=own)
    made = lambda film: export_file(
        tmp_path / "intervals.csv", ["elan"], out=tmp_path / "o", videos=[film]
    )
    with pytest.raises(UserError, match=r"talk.mp4: has 50 frames, but .*frames.csv has 100; name"):
        made(others["short"])
    with pytest.raises(UserError, match=r"talk.mp4: frame 2 starts at .* but in .*frames.csv at"):
        made(others["slow"])
    assert not (tmp_path / "o").exists()
    assert made(video).notes == []
    assert [note.partition(": ")[2] for note in made(others["same"]).notes] == [
        "is not the file that was spotted; taken as a copy of it (as many frames)"
    ]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("19,25,31,0.6,0.8,1.033333", ""),  # as spot writes it
        ("18,24,30,0.6,0.8,1.0", ""),  # by a program that counts from 0, or by starts alone
        ("19,,31,,,", ""),
        ("20,25,31,0.6,0.8,1.033333", ""),
        ("13,25,31,0.6,0.8,1.033333", "onset is frame 13, which starts at 0.400 s by"),
        ("19,22,31,0.6,0.8,1.033333", "apex is frame 22, which starts at 0.700 s by"),
        ("19,25,28,0.6,0.8,1.033333", "offset is frame 28, which ends at 0.933 s by"),
        ("19,35,31,0.6,0.8,1.033333", "apex is outside onset..offset"),
        ("19,0,31,,,", "apex is outside onset..offset"),
    ],
)
@pytest.mark.parametrize("known", ["frames.csv", "talk.mp4"])
def test_seconds_that_are_not_those_of_their_frame_are_refused(row, says, known, video, tmp_path):
    header = "video,kind,onset,apex,offset,onset_s,apex_s,offset_s\ntalk,ME,1,2,3,,,\ntalk,MaE,"
    (tmp_path / "intervals.csv").write_text(f"{header}{row}\n")
    frames = "".join(f"{at},{(at - 1) / 30:.6f}\n" for at in range(1, 101))
    films = [video] * (known == "talk.mp4")
    if not films:
        (tmp_path / "frames.csv").write_text("frame,pts_s\n" + frames)
    made = lambda: export_file(tmp_path / "intervals.csv", ["srt"], out=tmp_path, videos=films)
    if not says:
        assert len(made()) == 1
        return
    with pytest.raises(UserError, match=f"intervals.csv, row 3: {re.escape(says)}") as caught:
        made()
    assert "outside" in says or (
        known in str(caught.value) and "correct either" in str(caught.value)
    )


def test_a_video_without_intervals_gives_files_without_any(tmp_path, video):
    (tmp_path / "intervals.csv").write_text(HEADER + "\n")
    with pytest.raises(UserError, match="holds no interval; name its video by --video"):
        export_file(tmp_path / "intervals.csv", ["elan"], out=tmp_path)
    written = export_file(tmp_path / "intervals.csv", NO_LABELS, out=tmp_path / "o", videos=[video])
    assert len(written) == 10 and written.notes == ["talk: no interval"]
    root = ET.parse(tmp_path / "o" / "talk.eaf").getroot()
    assert len(root.findall("TIER")) == 2 and not list(root.iter("ANNOTATION"))
    assert TextGrid(str(tmp_path / "o" / "talk.TextGrid")).tier_num == 2


@pytest.mark.parametrize("seed", range(5))
def test_tiers_keep_all_intervals_and_no_overlap(seed, tmp_path):
    rng = np.random.default_rng(seed)
    onset = rng.uniform(0, 10, 40).round(4)
    cells = [
        ("v", "ME", 1, 1, on, round(on + w, 4), f)
        for on, w, f in zip(onset, rng.uniform(1e-4, 1, 40), rng.integers(0, 2, 40), strict=True)
    ]
    columns = ["video", "kind", "onset", "offset", "onset_s", "offset_s", "face"]
    table = pd.DataFrame(cells, columns=columns)
    table.to_csv(tmp_path / "t.csv", index=False)
    for gap in (0, 1):
        made = list(tiers(read_spans(tmp_path / "t.csv").table, gap_ms=gap))
        assert len({tier.name for tier in made}) == len(made)
        for tier in made:
            assert all(a.stop_ms + gap <= b.start_ms for a, b in pairwise(tier.cues))
            assert all(cue.stop_ms > cue.start_ms for cue in tier.cues)
        kept = sorted((c.start_ms, c.face) for tier in made for c in tier.cues)
        starts = [round(1000 * on) for on in table.onset_s]
        assert kept == sorted(zip(starts, table.face, strict=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("video,kind,onset\nv,ME,1\n", "column 'offset' is missing"),
        ("video,kind,onset,offset\nv,XX,1,2\n", "row 2: kind must be ME or MaE"),
        ("video,kind,onset,offset\nv,ME,3,2\n", "row 2: offset is before onset"),
        ("video,kind,onset,offset,verdict\nv,ME,1,2,maybe\n", "row 2: verdict must be one of"),
        (
            "video,kind,onset,offset,onset_s,offset_s\nv,ME,1,1,2,2\n",
            "row 2: offset_s is not after",
        ),
        (
            "video,kind,onset,offset\n../v,ME,1,2\n",
            "row 2: the video's name: its files are named after it",
        ),
        ("video,kind,onset,offset\n\x7f,ME,1,2\n", "row 2: the video's name"),
        ("video,kind,onset,offset\n/tmp/v,ME,1,2\n", "row 2: the video's name"),
        ("video,kind,onset,offset\ns/../../v,ME,1,2\n", "row 2: the video's name"),
        ("video,kind,onset,offset\ns//v,ME,1,2\n", "row 2: the video's name"),
        ("video,kind,onset,offset\ns\\v,ME,1,2\n", "row 2: the video's name"),
        ("video,kind,onset,offset\ns/v,ME,1,2\ns_v,ME,1,2\n", "'s/v' and 's_v' would have one"),
        ("subject,video,kind,onset,offset\n\a,v,ME,1,2\n", "row 2: the name of the video or"),
    ],
)
def test_a_mistake_is_one_line_with_its_row(tmp_path, capsys, text, says):
    (tmp_path / "i.csv").write_text(text)
    assert main([str(tmp_path / "i.csv"), "--to=megc2022,srt", f"--out={tmp_path}/o"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and says in said
    assert not (tmp_path / "o").exists()


def test_formats_are_known_by_name():
    assert parse_formats("elan, boris,elan") == ("elan", "boris")
    with pytest.raises(UserError, match="Did you mean 'elan'"):
        parse_formats("elann")
    with pytest.raises(UserError, match="no format is named"):
        parse_formats(",")
    with pytest.raises(UserError, match="--labels of"):
        parse_formats("megc2020", labels=False)


def test_log_of_2020_needs_labels(tmp_path):
    path = write_intervals(tmp_path / "i.csv")
    with pytest.raises(UserError, match="megc2022, which needs none"):
        export_file(path, ["megc2020"], out=tmp_path)
    (tmp_path / "own.csv").write_text("subject,video,kind,onset,offset\ns,talk,ME,3,9\n")
    with pytest.raises(UserError, match="holds no labels of SAMM-LV or CAS"):
        megc2020_file(read_spans(path).table, tmp_path / "own.csv")


def test_a_medium_of_which_nothing_is_known():
    assert Medium("v").fps is None and Medium("v").duration_s is None
