import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.annotations.intervals import (
    ANNOTATION_COLUMNS,
    INTERVAL_COLUMNS,
    KINDS,
    VIDEO_COLUMNS,
    frame_labels,
    from_span,
    read_annotations,
    read_intervals,
    read_videos,
    to_span,
)
from jaxspot.errors import UserError
from jaxspot.files import write_table, write_text

VIDEOS = "subject,video,frames,fps\n"
ANNOTATIONS = "subject,video,kind,onset,apex,offset\n"
INTERVALS = "subject,video,kind,onset,offset\n"
TWO_VIDEOS = pd.DataFrame(
    {"subject": ["a", "b"], "video": ["v", "w"], "frames": [100, 50], "fps": [30.0, 200.0]}
)


def write(folder, text):
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(read, path, row, reason):
    """The mistake is one line with file, row of the file (the header is row 1) and reason."""
    with pytest.raises(UserError) as error:
        read(path)
    text = str(error.value)
    assert "\n" not in text
    assert str(path) in text and reason in text
    if row:
        assert f"row {row}:" in text


@given(st.integers(1, 10**6), st.integers(0, 10**4))
def test_spans_and_frames_are_inverse(onset, length):
    start, stop = to_span(onset, onset + length)
    assert stop - start == length + 1
    assert from_span(start, stop) == (onset, onset + length)


def test_read_videos(tmp_path):
    path = write(tmp_path, VIDEOS + "007,v1,120,29.97\ns2, v2,3,200\n")
    table = read_videos(path)
    assert tuple(table) == VIDEO_COLUMNS
    assert table.subject.tolist() == ["007", "s2"] and table.video.tolist() == ["v1", "v2"]
    assert table.frames.tolist() == [120, 3] and table.frames.dtype == np.int64
    assert table.fps.tolist() == [29.97, 200.0]


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + VIDEOS + "NA,v,3,30\n",
        VIDEOS.replace("\n", "\r\n") + "NA,v,3,30\r\n",
        VIDEOS + "\nNA,v,3,30\n\n\n",
        VIDEOS + 'NA,"v",3.0,30',
        "note,fps,frames,video,subject\nx,30,3,v,NA\n",
    ],
)
def test_spreadsheets_ways_of_writing_a_table_are_read(tmp_path, text):
    table = read_videos(write(tmp_path, text))
    assert table.values.tolist() == [["NA", "v", 3, 30.0]]
    assert list(table.index) == [0]


@pytest.mark.parametrize(
    ("rows", "row", "reason"),
    [
        ("a,v,3,30\na,v,4,30\n", 3, "video is listed twice"),
        ("a,v,0,30\n", 2, "frames must be 1 or more"),
        ("a,v,3,0\n", 2, "fps must be above 0"),
        ("a,v,3,-1\n", 2, "fps must be above 0"),
        ("a,v,3,\n", 2, "fps is empty; it must be a number"),
        ("a,v,3\n", 2, "fps is empty; it must be a number"),
        ("a,v,3,inf\n", 2, "fps is 'inf'"),
        ("a,v,3,nan\n", 2, "fps is 'nan'"),
        ("a,v,3,30\nb,w,2.5,30\n", 3, "frames is '2.5'; it must be a whole number"),
        ("a,v,3,30\n\n\nb,w,x,30\n", 5, "frames is 'x'; it must be a whole number"),
        ("a,v,3,30\n\nb,w,0,30\n", 4, "frames must be 1 or more"),
        ("a,v,1e30,30\n", 2, "frames is '1e30'"),
        ("a,v,inf,30\n", 2, "frames is 'inf'"),
        ("a,,3,30\n", 2, "video has no name"),
        ("a,v,3,30\nb,w,3,30,9,9\n", None, "not a readable CSV table"),
        ("a,v,3,30,\n", None, "rows hold more values than the header"),
    ],
)
def test_mistakes_in_videos_are_named_by_row(tmp_path, rows, row, reason):
    refused(read_videos, write(tmp_path, VIDEOS + rows), row, reason)


@pytest.mark.parametrize(
    ("rows", "row", "reason"),
    [
        ("a,v,me,1,2,3\n", 2, "kind must be ME or MaE"),
        ("a,v,ME,1,2,3\na,v,,1,2,3\n", 3, "kind must be ME or MaE"),
        ("a,v,ME,0,2,3\n", 2, "onset is before frame 1"),
        ("a,v,ME,4,4,3\n", 2, "offset is before onset"),
        ("a,v,ME,4,3,6\n", 2, "apex lies outside onset..offset"),
        ("a,v,ME,4,7,6\n", 2, "apex lies outside onset..offset"),
        ("a,v,ME,4,,6\n", 2, "apex is empty; it must be a whole number"),
        ("a,u,ME,4,5,6\n", 2, "video is not in the table of videos"),
        ("a,v,ME,4,5,6\n\na,v,MaE,90,95,101\n", 4, "offset is past the end of the video"),
        ("b,v,ME,4,5,6\n", 2, "subject is not that of the video"),
    ],
)
def test_mistakes_in_annotations_are_named_by_row(tmp_path, rows, row, reason):
    read = lambda path: read_annotations(path, TWO_VIDEOS)
    refused(read, write(tmp_path, ANNOTATIONS + rows), row, reason)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not a readable CSV table"),
        (VIDEOS.replace(",fps", ""), "column 'fps' is missing (the header has: subject, video"),
        (VIDEOS.replace(",", ";"), "column 'subject' is missing"),
        (VIDEOS.encode() + b"a\xff,v,3,30\n", "not a readable CSV table"),
        ((VIDEOS + "a,v,3,30\n").encode("utf-16"), "not a readable CSV table"),
        (VIDEOS + '"a,v,3,30\n', "not a readable CSV table"),
    ],
)
def test_files_that_are_no_table(tmp_path, text, reason):
    refused(read_videos, write(tmp_path, text), None, reason)


def test_missing_files_and_folders(tmp_path):
    refused(read_videos, tmp_path / "none.csv", None, "no such file")
    refused(read_videos, tmp_path, None, "cannot be read")


def test_annotations_without_a_table_of_videos(tmp_path):
    path = write(tmp_path, ANNOTATIONS + "a,x,MaE,500,600,700\n,v,ME,1,1,1\n")
    table = read_annotations(path)
    assert tuple(table) == ANNOTATION_COLUMNS
    assert table.values.tolist() == [["a", "x", "MaE", 500, 600, 700], ["", "v", "ME", 1, 1, 1]]


def test_intervals_may_carry_more(tmp_path):
    plain = read_intervals(write(tmp_path, INTERVALS + ",v,ME,1,9\n"), TWO_VIDEOS)
    assert tuple(plain) == ("subject", "video", "kind", "onset", "offset")
    header = "face," + ",".join(INTERVAL_COLUMNS) + ",onset_s\n"
    full = read_intervals(write(tmp_path, header + "1,a,v,ME,1,5,9,0.25,0.03\n"), TWO_VIDEOS)
    assert set(full) == set(INTERVAL_COLUMNS)
    assert full.loc[0, "apex"] == 5 and full.loc[0, "score"] == 0.25
    refused(read_intervals, write(tmp_path, header + "1,a,v,ME,1,5,9,x,0\n"), 2, "score is 'x'")


@pytest.mark.parametrize("name", ["Verdict", "verdict ", "SCORE", "Apex ", "Onset"])
def test_a_column_in_another_case_is_not_passed_over(tmp_path, name):
    known = name.strip().lower()
    header = ",".join([*INTERVAL_COLUMNS, "verdict"])
    row = "\na,v,ME,1,5,9,0.25,rejected\n"
    assert read_intervals(write(tmp_path, header + row)).empty
    other = write(tmp_path, header.replace(known, name) + row)
    refused(read_intervals, other, None, f"column {name!r}: call it {known!r}")
    # Beside the column itself, it is any other.
    assert read_intervals(write(tmp_path, f"{header},{name}{row.rstrip()},x\n")).empty


def test_blank_optional_cells_are_not_known(tmp_path):
    rows = "a,v,ME,1,,9,\na,v,ME,2, 3 ,9,0.5\na,v,ME,3,,9,\n"
    path = write(tmp_path, ",".join(INTERVAL_COLUMNS) + "\n" + rows)
    table = read_intervals(path, TWO_VIDEOS)
    assert table.apex.dtype == "Int64" and table.score.dtype == float
    assert table.apex.isna().tolist() == table.score.isna().tolist() == [True, False, True]
    assert (table.apex[1], table.score[1]) == (3, 0.5)
    write_table(table, path)
    pd.testing.assert_frame_equal(read_intervals(path), table)
    refused(read_annotations, path, 2, "apex is empty")


@pytest.mark.parametrize(
    ("read", "header"),
    [(read_videos, VIDEOS), (read_annotations, ANNOTATIONS), (read_intervals, INTERVALS)],
)
def test_empty_tables_keep_header_and_types(tmp_path, read, header):
    table = read(write(tmp_path, header))
    assert len(table) == 0 and ",".join(table) == header.strip()
    numbers = [name for name in ("frames", "onset", "offset") if name in table]
    assert all(table[name].dtype == np.int64 for name in numbers)
    write_table(table, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == header


def test_written_tables_read_back(tmp_path):
    path = tmp_path / "new" / "folder" / "videos.csv"
    videos = TWO_VIDEOS.assign(subject=['ü "x", y', "b"])
    write_table(videos, path)
    assert b"\r" not in path.read_bytes()
    pd.testing.assert_frame_equal(read_videos(path), videos)


def test_writing_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.csv"]


def test_half_a_text_never_appears(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "table.csv", "a" * 100_000 + "\udc80")
    assert os.listdir(tmp_path) == []


@given(
    st.integers(1, 40).flatmap(
        lambda frames: st.tuples(
            st.just(frames),
            st.lists(st.tuples(st.sampled_from(KINDS), *[st.integers(1, frames)] * 2), max_size=6),
        )
    )
)
def test_frame_labels_by_brute_force(drawn):
    frames, rows = drawn
    rows = [(kind, min(a, b), max(a, b)) for kind, a, b in rows]
    table = pd.DataFrame(rows, columns=["kind", "onset", "offset"])
    found = frame_labels(table, frames=frames)
    assert found.shape == (frames, 2) and found.dtype == bool
    for number in range(1, frames + 1):
        for column, kind in enumerate(KINDS):
            inside = any(k == kind and a <= number <= b for k, a, b in rows)
            assert found[number - 1, column] == inside
