import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from release_sheets import SAMM_LV_HEADER, cache_formulas, write_samm_lv, write_workbook

from jaxspot import read_samm_lv
from jaxspot.annotations.csv_sheets import read_sheets
from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.annotations.samm_lv import label_version, samm_lv_labels, samm_lv_video
from jaxspot.errors import UserError

ROWS = [
    ("006", "006_1", "ME", 562, 580, 600),
    ("006", "006_1", "MaE", 590, 700, 1001),
    ("016", "016_7", "MaE", 9990, 10000, 11770),
    ("037", "037_4", "ME", 1, 1, 1),
]
frames = st.lists(st.integers(1, 12000), min_size=3, max_size=3).map(sorted)
videos = st.sampled_from([("006", "006_1"), ("006", "006_2"), ("011", "011_10"), ("037", "037_4")])
tables = st.lists(
    st.tuples(videos, st.sampled_from(["ME", "MaE"]), frames).map(lambda x: (*x[0], x[1], *x[2])),
    min_size=1,
    max_size=6,
)
WAYS = {  # of writing a frame number that need no repair
    "number": lambda frame: frame,
    "decimal": lambda frame: float(frame),
    "text": lambda frame: f" {frame}\t",
    "decimal text": lambda frame: f"{frame}.0",
}


def table(rows):
    return pd.DataFrame(rows, columns=list(ANNOTATION_COLUMNS)).astype(
        dict.fromkeys(("subject", "video", "kind"), str)
    )


def refusal(path):
    with pytest.raises(UserError) as error:
        read_samm_lv(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_release_as_it_is(tmp_path):
    path = write_samm_lv(tmp_path / "labels.xlsx", ROWS)
    pd.testing.assert_frame_equal(read_samm_lv(path), table(ROWS))
    labels = samm_lv_labels(read_sheets(path))
    assert labels.annotations.row.tolist() == [11, 12, 13, 14]
    assert labels.repairs.empty and labels.file == str(path)


@settings(max_examples=25)
@given(
    rows=tables,
    header_row=st.sampled_from([1, 10]),
    number_subjects=st.booleans(),
    sheet=st.sampled_from(["FACS_Movement_Only", "Sheet1"]),
    blank_rows=st.sets(st.integers(11, 16)),
    way=st.sampled_from(list(WAYS)),
)
def test_every_form_reads_as_the_same_table(tmp_path_factory, rows, way, **form):
    path = tmp_path_factory.mktemp("form") / "labels.xlsx"
    written = [(*row[:3], *map(WAYS[way], row[3:])) for row in rows]
    labels = samm_lv_labels(read_sheets(write_samm_lv(path, written, **form)))
    pd.testing.assert_frame_equal(labels.annotations.drop(columns="row"), table(rows))
    assert labels.repairs.empty and not set(labels.annotations.row) & form["blank_rows"]


@settings(max_examples=25)
@given(tables, st.data())
def test_each_glitch_reads_as_the_label_it_stands_for(tmp_path_factory, rows, data):
    """Makes glitches whose repair is known, and reads the true table back."""
    written, wanted, expected = [], [], []
    for number, (*who, onset, apex, offset) in enumerate(rows, 11):
        middle = (onset + offset) // 2
        shift = data.draw(st.floats(-0.45, 0.45).filter(lambda value: abs(value) > 0.01))
        kind, cells, true = data.draw(
            st.sampled_from(
                [
                    (None, (onset, apex, offset), (onset, apex, offset)),
                    ("round_fraction", (onset, apex, offset + shift), (onset, apex, offset)),
                    ("onset_zero", (0, apex, offset), (1, apex, offset)),
                    ("missing_offset", (onset, apex, 0), (onset, apex, 2 * apex - onset)),
                    ("missing_offset", (onset, apex, None), (onset, apex, 2 * apex - onset)),
                    ("offset_before_onset", (onset, apex, -1), (onset, apex, 2 * apex - onset)),
                    ("missing_apex", (onset, -1, offset), (onset, middle, offset)),
                    ("missing_apex", (onset, None, offset), (onset, middle, offset)),
                    ("apex_after_offset", (onset, offset + 3, offset), (onset, offset, offset)),
                ]
            )
        )
        written.append((*who, *cells))
        wanted.append((*who, *true))
        expected += [(number, kind)] if kind else []
    path = tmp_path_factory.mktemp("glitch") / "labels.xlsx"
    labels = samm_lv_labels(read_sheets(write_samm_lv(path, written)))
    pd.testing.assert_frame_equal(labels.annotations.drop(columns="row"), table(wanted))
    listed = labels.repairs[["row", "rule"]].itertuples(index=False, name=None)
    assert list(listed) == expected


def test_a_filename_that_occurs_twice_is_kept(tmp_path):
    rows = [("037", "037_4", "ME", 10, 15, 20), ("037", "037_4", "MaE", 10, 25, 40)]
    path = write_samm_lv(tmp_path / "labels.xlsx", rows, filenames=["037_4_1", "037_4_1"])
    pd.testing.assert_frame_equal(read_samm_lv(path), table(rows))


def test_formulas_count_as_their_saved_results(tmp_path):
    rows = [("006", "006_1", "ME", "=D12-20", 10, 20), ("006", "006_1", "ME", 25, 30, "=E12+5")]
    path = write_samm_lv(tmp_path / "labels.xlsx", rows)
    said = refusal(path)
    assert said.startswith(f"{path}, sheet 'FACS_Movement_Only', row 11: Onset is a formula")
    assert "=D12-20" in said and "save it" in said
    cache_formulas(path, {"D11": 5, "F12": 35, "G12": 11})
    wanted = [("006", "006_1", "ME", 5, 10, 20), ("006", "006_1", "ME", 25, 30, 35)]
    pd.testing.assert_frame_equal(read_samm_lv(path), table(wanted))


def test_columns_may_change_places_and_notes_stand_below(tmp_path):
    header = ["", "Notes", *reversed(SAMM_LV_HEADER[:8])]
    rows = [header, [0, "x", "Macro", None, 20, 10, 5, 1, "6_1_3", None], [None, "502 in all"]]
    path = write_workbook(tmp_path / "labels.xlsx", {"Sheet1": rows})
    pd.testing.assert_frame_equal(read_samm_lv(path), table([("006", "006_1", "MaE", 5, 10, 20)]))


def test_the_sheet_of_movements_is_taken_among_several(tmp_path):
    copy = [SAMM_LV_HEADER, ["006", "006_1_1", 1, 1, 2, 3, None, "Macro"]]
    path = tmp_path / "labels.xlsx"
    write_samm_lv(path, ROWS, other_sheets={"All": copy, "Read me": [["SAMM"]]})
    assert len(read_samm_lv(path)) == len(ROWS)
    write_samm_lv(path, ROWS, sheet="Sheet1", other_sheets={"All": copy})
    assert "2 sheets hold labels (Sheet1, All); keep one" in refusal(path)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Type", "Neither", "Type is 'Neither'; it must be Micro or Macro"),
        ("Type", None, "Type is ''"),
        ("Filename", "006_1", "Filename is '006_1'; it must be like '006_1_3'"),
        ("Filename", 61, "Filename is '61'"),
        ("Subject", "007", "Subject is '007', but Filename begins with '006'"),
        ("Onset", "early", "Onset is 'early'; it must be a frame number"),
        ("Onset", "5_6", "Onset is '5_6'"),
        ("Onset", "nan", "Onset is 'nan'"),
        ("Apex", True, "Apex is True"),
        ("Offset", "#REF!", "Offset is '#REF!'"),
        ("Offset", 1e300, "Offset is 1e+300"),
        ("Onset", None, "no rule mends onset empty, apex 10, offset 20"),
        ("Apex", 2, "no rule mends onset 5, apex 2, offset 20"),
    ],
)
def test_a_bad_cell_is_named_by_file_sheet_and_row(column, value, words, tmp_path):
    good = ["006", "006_1_3", 1, 5, 10, 20, None, "Macro"]
    bad = [value if name == column else cell for name, cell in zip(SAMM_LV_HEADER, good)]  # noqa: B905
    rows = [SAMM_LV_HEADER, good, [], bad, good]
    path = write_workbook(tmp_path / "labels.xlsx", {"Sheet1": rows})
    said = refusal(path)
    assert said.startswith(f"{path}, sheet 'Sheet1', row 4: ") and words in said


def test_a_column_that_is_missing_is_named(tmp_path):
    path = write_samm_lv(tmp_path / "labels.xlsx", ROWS)
    header = [name for name in SAMM_LV_HEADER if name != "Apex"]
    write_workbook(path, {"Sheet1": [["SAMM"], header, ["006", "006_1_1", 1, 5, 9, 5, "Macro"]]})
    assert refusal(path).startswith(f"{path}, sheet 'Sheet1', row 2: column 'Apex' is missing")
    write_workbook(path, {"Sheet1": [["SAMM"], SAMM_LV_HEADER]})
    assert refusal(path) == f"{path}, sheet 'Sheet1': no label below row 2"


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("006_1", ("006", "006_1")),
        ("6_1", ("006", "006_1")),
        ("016_10", ("016", "016_10")),
        ("006_1_1", None),
        ("006", None),
        ("s15_0401", None),
        ("15_0101disgustingteeth", None),
        ("006_1.zip", None),
    ],
)
def test_video_of_a_folder(name, video):
    assert samm_lv_video(name) == video


@pytest.mark.parametrize(
    ("ones", "twos", "zeros", "version"),  # rows with one and with two fractions, onsets of 0
    [
        (1, 71, 10, "V1/V2"),
        (140, 3, 10, "V1/V2"),
        (0, 0, 1, "V3"),
        (0, 0, 0, "unknown"),
        (143, 0, 1, "unknown"),
        (3, 0, 10, "unknown"),
        (3, 0, 1, "unknown"),
    ],
)
def test_version_by_the_glitches(ones, twos, zeros, version, tmp_path):
    rows = [("006", "006_1", "MaE", 566.4, 600.2, 700)] * twos
    rows += [("006", "006_1", "MaE", 566, 600.5, 700)] * ones
    rows += [("006", "006_1", "ME", 0, 10, 20)] * zeros + ROWS
    path = write_samm_lv(tmp_path / "labels.xlsx", rows)
    for rules in ({}, {"rules": ()}):
        found = label_version(samm_lv_labels(read_sheets(path), **rules))
        assert found.startswith(version)
        if version == "unknown":
            assert f"{ones + 2 * twos} frames" in found and f"{zeros} onsets of 0" in found
    assert len(read_samm_lv(path)) == len(rows)
