"""CAS(ME)^3 and SMIC-E-Long, in small copies of their layouts from synthetic heads."""

import numpy as np
import pytest
from prepare_calls import call
from release_sheets import write_workbook
from release_trees import head, write_images
from tiny_banks import said

from jaxspot.commands import doctor
from jaxspot.datasets.later_releases import cas_me3_source
from jaxspot.video.bank import open_bank

CAS3 = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Expression type"]
SMIC = ["Subject", "Filename", "FirstF", "OnsetF", "OffsetF"]


def cas_me3_tree(root):
    """Part A: one video numbered from 0, one from 2 with a gap, one from 1."""
    part = root / "part_A" / "data" / "part_A"
    for person, letter, first, lost in (("spNO.1", "a", 0, ()), ("spNO.1", "b", 2, (9,)),
                                        ("spNO.16", "a", 1, ())):  # fmt: skip
        frames = head(len(letter))[:20]
        place = part / person / letter / "color"
        write_images(place, frames, "{}.jpg".format, first=first, leave_out=lost)
        write_images(place.parent / "depth", frames[:2], "{}.png".format)
    rows = [
        ["spNO.1", "a", 3, 4, 6, "4", "Micro-expression"],
        ["spNO.1", "b", 5, 5, 18, "12", "Macro-expression"],  # onset = apex
        [16, "a", 2, 0, 9, None, "macro"],
        ["spNO.2", "a", 1, 2, 3, "4", "Micro-expression"],  # no such video
    ]
    write_workbook(root / "labels.xlsx", {"Sheet1": [CAS3, *rows]})
    return root


def smic_tree(root, first):
    """Two clips; the images of the second are numbered from `first`, the sheet from 300."""
    write_images(root / "HS" / "s1" / "s1_ne_01", head(0)[:20], "image{:06d}.bmp".format)
    write_images(root / "HS" / "s2" / "s2_po_03", head(1)[:20], "{:05d}.bmp".format, first=first)
    rows = [
        [1, "s1_ne_01", 1, 4, 9],
        [2, "s2_po_03", 300, 303, 310],
        [2, "s2_po_03", 300, 315, 318],
    ]
    write_workbook(root / "SMIC-HS-E_annotation.xlsx", {"a": [SMIC, *rows]})
    return root


def rows_of(bank):
    return sorted(bank.annotations.itertuples(index=False, name=None))


def test_cas_me3_is_read_by_the_numbers_of_its_files(tmp_path, capsys):
    tree = cas_me3_tree(tmp_path / "in")
    assert call("cas_me3", tree, tmp_path / "bank") == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.videos[["subject", "video", "frames", "fps"]].values.tolist() == [
        ["spNO.1", "spNO.1_a", 20, 30.0],
        ["spNO.1", "spNO.1_b", 21, 30.0],
        ["spNO.16", "spNO.16_a", 20, 30.0],
    ]
    assert rows_of(bank) == [
        ("spNO.1", "spNO.1_a", "ME", 4, 5, 7),  # file 3 is the fourth frame
        ("spNO.1", "spNO.1_b", "MaE", 5, 5, 18),
        ("spNO.16", "spNO.16_a", "MaE", 2, 5, 9),
    ]
    assert np.flatnonzero(~bank.faces("spNO.1_b")).tolist() == [0, 8]
    out = capsys.readouterr().out
    assert "the images of 1 videos do not begin with 1; labels were moved with them" in out
    assert "1 left out (no_video)" in out
    assert doctor.main(["--dataset=cas_me3", f"--source={tree}"]) == 1
    assert "1: spNO.2_a" in capsys.readouterr().out


def test_an_onset_of_0_is_right_where_images_begin_with_0(tmp_path):
    tree = tmp_path / "in"
    rows = []
    for letter, first in (("a", 0), ("b", 1)):
        write_images(tree / "spNO.1" / letter / "color", head(0)[:9], "{}.jpg".format, first=first)
        rows += [["spNO.1", letter, onset, 4, 6, "4", "Micro-expression"] for onset in (0, 2)]
    write_workbook(tree / "labels.xlsx", {"Sheet1": [CAS3, *rows]})
    dataset = cas_me3_source(tree)
    columns = ["video", "onset", "apex", "offset"]
    assert dataset.labels.annotations[columns].values.tolist() == [
        ["spNO.1_a", 1, 5, 7], ["spNO.1_a", 3, 5, 7], ["spNO.1_b", 1, 4, 6], ["spNO.1_b", 2, 4, 6],
    ]  # fmt: skip
    assert dataset.labels.repairs.video.tolist() == ["spNO.1_b"]


@pytest.mark.parametrize("first", [1, 0, 300])
def test_smic_counts_from_the_first_frame_of_a_clip(first, tmp_path):
    tree = smic_tree(tmp_path / "in", first)
    assert call("smic_long", tree, tmp_path / "bank") == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.videos.subject.tolist() == ["s1", "s2"] and set(bank.videos.fps) == {100.0}
    start = 300 if first == 300 else 1
    assert rows_of(bank) == [
        ("s1", "s1_ne_01", "ME", 4, 6, 9),
        ("s2", "s2_po_03", "ME", start + 3, start + 6, start + 10),
        ("s2", "s2_po_03", "ME", start + 15, start + 16, start + 18),
    ]
    face = bank.faces("s2_po_03")
    assert face[start - 1 :].all() and not face[: start - 1].any()


@pytest.mark.parametrize(
    ("dataset", "rows", "words"),
    [
        ("cas_me3", [CAS3[:-1]], "is not a workbook of CAS(ME)^3"),
        ("cas_me3", [[*CAS3[:-1], "Objective class"], ["spNO.1", "a", 1, 2, 3, 4, "I"]],
         "column 'Expression type' is missing"),
        ("cas_me3", [CAS3, ["anna", "a", 1, 2, 3, 4, "Micro"]], "row 2: Subject is 'anna'"),
        ("cas_me3", [CAS3, ["spNO.1", "a", 1, 2, 3, 4, "?"]], "row 2: Expression type is '?'"),
        ("cas_me3", [SMIC, [1, "s1", 1, 2, 3]], "is the workbook of SMIC-E-Long; use"),
        ("smic_long", [SMIC, [1, "s1", "x", 2, 3]], "row 2: FirstF is 'x'"),
        ("smic_long", [SMIC, [1, "s1", None, 2, 3]], "row 2: FirstF is nan"),
        ("smic_long", [SMIC, [1, None, 1, 2, 3]], "row 2: Filename is empty"),
        ("smic_long", [CAS3, ["spNO.1", "a", 1, 2, 3, 4, "Micro"]], "workbook of CAS(ME)^3; use"),
    ],
)  # fmt: skip
def test_a_sheet_with_a_mistake_is_one_line(dataset, rows, words, tmp_path, capfd):
    tree = cas_me3_tree(tmp_path / "in") if dataset == "cas_me3" else smic_tree(tmp_path / "in", 1)
    book = write_workbook(tmp_path / "mine.xlsx", {"a": rows})
    assert call(dataset, tree, tmp_path / "bank", f"--labels={book}") == 2
    assert words in said(capfd, "prepare") and not (tmp_path / "bank").exists()


@pytest.mark.parametrize("dataset", ["cas_me3", "smic_long"])
def test_a_folder_without_videos_is_one_line(dataset, tmp_path, capfd):
    assert call(dataset, tmp_path, tmp_path / "bank") == 2
    assert "check --source" in said(capfd, "prepare")
