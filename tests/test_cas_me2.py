import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from release_sheets import (
    CAS_ME2_CODES,
    CAS_ME2_HEADER,
    save_as_csv,
    write_cas_me2,
    write_workbook,
)

from jaxspot import read_cas_me2
from jaxspot.annotations.cas_me2 import NUMBERS, cas_me2_labels, cas_me2_video
from jaxspot.annotations.csv_sheets import read_sheets
from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.errors import UserError

ROWS = [
    ("s15", "s15_0101", "MaE", 557, 572, 608),
    ("s15", "s15_0401", "ME", 698, 703, 711),
    ("s19", "s19_0508", "MaE", 1, 2, 3),
    ("s40", "s40_0502", "MaE", 40, 40, 52),
]
CODES = sorted(CAS_ME2_CODES.values())
HEADERS = [None, CAS_ME2_HEADER, range(9), [f"Unnamed: {n}" for n in range(9)]]
frames = st.lists(st.integers(1, 5000), min_size=3, max_size=3).map(sorted)
who = st.tuples(st.sampled_from([15, 16, 19, 23, 40]), st.sampled_from(CODES))
label = st.tuples(who, st.sampled_from(["ME", "MaE"]), frames).map(
    lambda x: (f"s{x[0][0]}", f"s{x[0][0]}_{x[0][1]}", x[1], *x[2])
)
SUBJECTS = [[15, "s15", 1], [16, "s16", 2]]
VIDEOS = [["0401", "anger1"], ["0101", "disgust1"]]
GOOD = [1, "anger1_1", 5, 10, 20, "4", "negative", "micro-expression", "anger"]


def table(rows):
    return pd.DataFrame(rows, columns=list(ANNOTATION_COLUMNS)).astype(
        dict.fromkeys(("subject", "video", "kind"), str)
    )


def refusal(path):
    with pytest.raises(UserError) as error:
        read_cas_me2(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_release_as_it_is(tmp_path):
    path = write_cas_me2(tmp_path / "code.xlsx", ROWS)
    pd.testing.assert_frame_equal(read_cas_me2(path), table(ROWS))
    labels = cas_me2_labels(read_sheets(path))
    assert labels.annotations.row.tolist() == [1, 2, 3, 4]
    assert labels.repairs.empty and labels.file == str(path)


def test_more_than_nine_expressions_of_a_video(tmp_path):
    rows = [("s15", "s15_0503", "MaE", 10 * n, 10 * n + 1, 10 * n + 5) for n in range(1, 13)]
    pd.testing.assert_frame_equal(
        read_cas_me2(write_cas_me2(tmp_path / "a.xlsx", rows)), table(rows)
    )


@settings(max_examples=25)
@given(
    rows=st.lists(label, min_size=1, max_size=6),
    names=st.permutations(["CASFEcode_final", "naming rule1", "naming rule2"]),
    header=st.sampled_from(HEADERS),
    index=st.booleans(),
    number_codes=st.booleans(),
    subjects=st.sampled_from(["participant", "name"]),
    blank_rows=st.sets(st.integers(2, 6)),
)
def test_every_form_reads_as_the_same_table(tmp_path_factory, rows, names, **form):
    path = tmp_path_factory.mktemp("form") / "code.xlsx"
    header = form["header"]
    if form["index"] and header is not None:
        form["header"] = [None, *header]
    labels = cas_me2_labels(read_sheets(write_cas_me2(path, rows, sheets=names, **form)))
    pd.testing.assert_frame_equal(labels.annotations.drop(columns="row"), table(rows))
    assert labels.repairs.empty and not set(labels.annotations.row) & form["blank_rows"]


def test_subjects_by_number_in_all_rows(tmp_path):
    path = write_cas_me2(tmp_path / "code.xlsx", ROWS, subjects="number")
    pd.testing.assert_frame_equal(read_cas_me2(path), table(ROWS))


def test_numbers_are_participants_where_they_can_be(tmp_path):
    """As in the release: participants 1..22 are s15..s40."""
    subjects = [[15, "s15", 16], [16, "s16", 15]]
    labels = [[15, *GOOD[1:]], ["s15", *GOOD[1:]]]
    path = tmp_path / "a.xlsx"
    write_workbook(path, {"labels": labels, "rule1": subjects, "rule2": VIDEOS})
    assert read_cas_me2(path).subject.tolist() == ["s16", "s15"]


@pytest.mark.parametrize("as_csv", [False, True])
def test_numbers_that_may_be_participants_or_subjects_are_refused(as_csv, tmp_path):
    participants = {f"s{number}": n for n, number in enumerate(NUMBERS, 1)}
    both = [("s16", "s16_0101", "MaE", 5, 6, 7), ("s15", "s15_0401", "ME", 8, 9, 9)]

    def read(rows, subjects):
        path = tmp_path / "code.xlsx"
        write_cas_me2(path, rows, subjects=subjects, participants=participants)
        return read_cas_me2(save_as_csv(path, tmp_path / "code.csv") if as_csv else path)

    with pytest.raises(UserError, match=r"row 1: 16 may be participant 16 \(s33\) or subject s16"):
        read(both, "number")
    wanted = table(both)
    for rows, subjects in ((both, "name"), (both, "participant"), ([*both, ROWS[3]], "number")):
        pd.testing.assert_frame_equal(read(rows, subjects).iloc[:2], wanted)


def test_two_header_rows(tmp_path):
    rows = [range(9), CAS_ME2_HEADER, GOOD, GOOD, GOOD]
    path = write_workbook(tmp_path / "a.xlsx", {"a": rows, "rule1": SUBJECTS, "rule2": VIDEOS})
    assert cas_me2_labels(read_sheets(path)).annotations.row.tolist() == [3, 4, 5]


def test_sheets_in_another_order_and_names_turned_into_numbers(tmp_path):
    subjects = [["number", "name", "participant"], [15, 15, 1], [16, 16, 2]]
    codes = [["code", "video"], [101, "Disgust1"], [401, "anger1"]]
    labels = [GOOD, [2, "disgust1_1", 7, 8, 9, 4, None, "Macro-expression", None]]
    path = write_workbook(tmp_path / "a.xlsx", {"1": codes, "2": subjects, "3": labels})
    wanted = [("s15", "s15_0401", "ME", 5, 10, 20), ("s16", "s16_0101", "MaE", 7, 8, 9)]
    pd.testing.assert_frame_equal(read_cas_me2(path), table(wanted))


def test_the_glitches_of_the_release(tmp_path):
    glitches = [
        ("s15", "s15_0101", "MaE", 557, 572, 0),  # still moving at the end
        ("s15", "s15_0401", "ME", 698, 0, 711),
        ("s19", "s19_0508", "MaE", 10, 30, 25),
        ("s40", "s40_0502", "MaE", 40, 45, 35),
    ]
    path = write_cas_me2(tmp_path / "code.xlsx", glitches)
    labels = cas_me2_labels(read_sheets(path))
    frames = labels.annotations[["onset", "apex", "offset"]].values.tolist()
    assert frames == [[557, 572, 587], [698, 704, 711], [10, 25, 25], [40, 45, 50]]
    listed = ["row", "subject", "video", "rule", "before", "after"]
    assert labels.repairs[listed].values.tolist() == [
        [1, "s15", "s15_0101", "missing_offset", "offset 0", "offset 587"],
        [2, "s15", "s15_0401", "missing_apex", "apex 0", "apex 704"],
        [3, "s19", "s19_0508", "apex_after_offset", "apex 30", "apex 25"],
        [4, "s40", "s40_0502", "offset_before_onset", "offset 35", "offset 50"],
    ]
    assert set(labels.repairs.file) == {"code.xlsx"}
    assert read_cas_me2(path, rules=[]).empty


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (7, "mixed", "type is 'mixed'; it must be Micro or Macro"),
        (7, None, "type is ''"),
        (1, "fear1_1", "no code is known of the video 'fear1_1'"),
        (1, "anger1", "no code is known of the video 'anger1'"),
        (1, None, "no code is known of the video ''"),
        (0, 99, "participant '99' stands in no other sheet"),
        (0, None, "participant '' stands in no other sheet"),
        (2, "soon", "onset is 'soon'; it must be a frame number"),
        (2, "=A1+1", "onset is a formula without its result (=A1+1)"),
        (3, -1.5, "no rule mends onset 5, apex -1, offset 0"),
        (2, None, "no rule mends onset empty, apex 10, offset 20"),
    ],
)
def test_a_bad_cell_is_named_by_file_sheet_and_row(column, value, words, tmp_path):
    bad = [value if at == column else cell for at, cell in enumerate(GOOD)]
    if column == 3:
        bad[4] = 0
    sheets = {"labels": [GOOD, [], bad, GOOD], "rule1": SUBJECTS, "rule2": VIDEOS}
    path = write_workbook(tmp_path / "code.xlsx", sheets)
    said = refusal(path)
    assert said.startswith(f"{path}, sheet 'labels', row 3: ") and words in said


def test_a_first_row_with_a_mistake_is_no_header(tmp_path):
    for column, value, others in ((1, "anger", 2), (7, "mixed", 2), (7, "mixed", 0)):
        bad = [value if at == column else cell for at, cell in enumerate(GOOD)]
        rows = [bad, *[GOOD] * others]
        sheets = {"labels": rows, "rule1": SUBJECTS, "rule2": VIDEOS}
        path = write_workbook(tmp_path / "code.xlsx", sheets)
        assert refusal(path).startswith(f"{path}, sheet 'labels', row 1: ")


def test_sheets_that_lack_or_contradict_each_other(tmp_path):
    path = tmp_path / "code.xlsx"
    write_workbook(path, {"labels": [GOOD], "rule2": VIDEOS})
    assert refusal(path).startswith(f"{path}: no sheet names the subjects")
    write_workbook(path, {"labels": [GOOD], "rule1": SUBJECTS})
    assert refusal(path).startswith(f"{path}: no sheet names the videos")
    write_workbook(path, {"one": [GOOD], "two": [GOOD], "rule1": SUBJECTS, "rule2": VIDEOS})
    assert "2 sheets hold labels (one, two); keep one" in refusal(path)
    doubled = [*VIDEOS, ["0402", "anger1"]]
    write_workbook(path, {"labels": [GOOD], "rule1": SUBJECTS, "rule2": doubled})
    said = f"{path}, sheet 'rule2', row 3: 'anger1' is '0402', but '0401' above"
    assert refusal(path) == said


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("15_0101disgustingteeth", ("s15", "s15_0101")),
        ("37_0507climbingthewall", ("s37", "s37_0507")),
        ("s15_0401", ("s15", "s15_0401")),
        ("15_0401", ("s15", "s15_0401")),
        ("15_04012", None),
        ("15_101teeth", None),
        ("s15", None),
        ("006_1", None),
        ("img001.jpg", None),
    ],
)
def test_video_of_a_folder(name, video):
    assert cas_me2_video(name) == video
