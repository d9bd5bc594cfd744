"""What a bank or a source holds against what it should, and how the doctor says it."""

import numpy as np
import pandas as pd
import pytest
from release_trees import cas_me2_tree, head, samm_lv_tree, write_images
from tiny_banks import replace, rewrite, said, write_bank

from jaxspot.commands import doctor
from jaxspot.datasets import checks, expected
from jaxspot.datasets.checks import Check, check_counts, check_durations, expect_equal, expect_none
from jaxspot.datasets.doctor import doctor_source
from jaxspot.datasets.expected import EXPECTED
from jaxspot.datasets.folders import csv_source


def by_what(found):
    return {check.what: check for check in found}


def lines(capsys):
    """What was printed, by what was looked at: verdict and the rest."""
    out = capsys.readouterr().out.splitlines()
    rows = [line for line in out if line[:8].strip() in ("ok", "differs", "broken")]
    return {line[10:].split("  ")[0]: line for line in rows}


def made_up(name, *, subjects, videos, frames, labels):
    """Tables with the given counts, lengths and durations of a release."""
    rows = [
        (f"p{i % subjects}", f"v{i}", frames // videos, EXPECTED[name].fps) for i in range(videos)
    ]
    table = pd.DataFrame(rows, columns=["subject", "video", "frames", "fps"])
    table.loc[0, "frames"] += frames - int(table.frames.sum())
    spans = [
        (row[1], kind, 1, length)
        for kind, lengths in labels.items()
        for row, length in zip(
            np.resize(np.array(rows, object), (len(lengths), 4)), lengths, strict=True
        )
    ]
    return table, pd.DataFrame(spans, columns=["video", "kind", "onset", "offset"])


def test_a_whole_release_is_well_and_one_video_less_is_not():
    known = EXPECTED["cas_me2"]
    # Onset 1: N = offset - 1 frames; shortest, longest, and the rest at the mean of Table 2.
    spans = lambda least, mean, most, n: [least, most, *[mean] * (n - 2)]
    labels = {"ME": spans(9, 13, 17, 57), "MaE": spans(4, 38, 118, 300)}
    videos, annotations = made_up(
        "cas_me2",
        subjects=22,
        videos=98,
        frames=254_094,
        labels={k: list(map(int, v)) for k, v in labels.items()},
    )
    found = by_what(check_counts(videos, annotations, known))
    assert {check.verdict for check in found.values()} == {"ok", ""}
    assert found["videos"].found == "98" and found["frames"].found == "254,094"
    fewer = by_what(check_counts(videos[1:], annotations, known))
    assert (
        fewer["videos"].verdict == fewer["frames"].verdict == "differs" and fewer["videos"].remedy
    )


def test_paper_values_stand_beside_those_of_the_labels():
    videos, annotations = made_up(
        "samm_lv",
        subjects=2,
        videos=4,
        frames=40_000,
        labels={"ME": [30, 74, 102], "MaE": [102, 434, 5176]},
    )
    found = by_what(check_durations(videos, annotations, EXPECTED["samm_lv"]))
    seconds = "seconds, shortest / mean / longest (Table 2)"
    assert found[f"ME {seconds}"].found == "0.15 / 0.34 / 0.51"
    assert found[f"ME {seconds}"].expected == "0.15 / 0.37 / 0.51"
    assert found["ME k in frames (Table 3)"] == expect_equal(
        "ME k in frames (Table 3)", (30 + 74 + 102 + 3) // 6, 37
    )
    moved = 0
    for video in videos.video:
        rows = annotations[annotations.video == video]
        moved += rows.offset.max() if len(rows) else 0
    ratio = moved / (40_000 - moved)
    assert found["move-to-neutral ratio (section 3.2)"].found == f"{ratio:.2f}"


def test_of_an_unknown_set_nothing_is_expected():
    videos, annotations = made_up(
        "cas_me2", subjects=2, videos=3, frames=900, labels={"ME": [9, 9]}
    )
    found = check_counts(videos, annotations, None) + check_durations(videos, annotations, None)
    assert all(check.verdict == "" for check in found) and checks.is_well(found)


def test_a_long_list_names_the_first_few():
    check = expect_none("x", [f"v{i}" for i in range(9)], "mend it")
    assert check.found == "9: v0; v1; v2; v3; and 5 more" and check.verdict == "broken"
    assert expect_none("x", [], "mend it") == Check("x", "none", "none", "ok")


@pytest.mark.parametrize("name, tree", [("samm_lv", samm_lv_tree), ("cas_me2", cas_me2_tree)])
def test_the_glitches_of_a_release_are_found_in_its_folders(tmp_path, capsys, name, tree):
    tree(tmp_path)
    assert doctor.main([f"--dataset={name}", f"--source={tmp_path}"]) == 1
    rows = lines(capsys)
    assert rows["videos"].split()[:3] == ["differs", "videos", "4"]
    if name == "samm_lv":
        assert "1: 007_3: 17" in rows["missing frame numbers"]
        assert "007_3_0030.jpg" in rows["empty or cut images"]
        assert "1: 012_4" in rows["labels without their video"]
    else:
        assert rows["missing frame numbers"].startswith("ok")
        assert rows["empty or cut images"].startswith("ok")
        assert "1: s19_0502" in rows["labels without their video"]


def test_a_sound_set_of_ones_own_is_well(tmp_path):
    write_images(tmp_path / "v", head(0)[:5], "{}.png".format)
    (tmp_path / "videos.csv").write_text("subject,video,path,fps\np,v,v,30\n")
    found = doctor_source(csv_source(tmp_path), progress=False)
    assert checks.is_well(found) and by_what(found)["frames"].found == "5"


def test_a_bank_is_looked_through(tmp_path, capfd):
    bank = write_bank(tmp_path / "bank", frames=60)
    assert doctor.main([f"--bank={bank}", f"--figure={tmp_path / 'f.png'}"]) == 0
    assert (tmp_path / "f.png").read_bytes()[:4] == b"\x89PNG"
    out = capfd.readouterr().out
    assert "frames with a face" in out and "100.00%" in out
    replace(bank, "annotations.csv", "s1_1,ME,6", "s1_1,ME,5")
    assert doctor.main([f"--bank={bank}"]) == 0
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file" / "f.png", "/proc/f.png"):
        capfd.readouterr()
        assert doctor.main([f"--bank={bank}", f"--figure={place}"]) == 2
        assert f"{place}: cannot be written" in said(capfd, "doctor")
    path = bank / "frames" / "s1_1.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    capfd.readouterr()
    assert doctor.main([f"--bank={bank}"]) == 2
    assert "s1_1.npy: altered since the bank was made" in said(capfd, "doctor")


def test_what_was_lost_while_preparing_is_broken(tmp_path):
    bank = write_bank(tmp_path / "bank", frames=60)
    detail = dict(
        found=50, stays=2, missing="3-5", unreadable="9", uneven=0.1, jitter_px=[0.2, 0.1]
    )
    rewrite(bank, source=dict(kind="csv", left_out=["v9"], videos={"s1_1": detail}))
    from jaxspot.datasets.doctor import doctor_bank

    found = by_what(doctor_bank(bank))
    assert found["frames without a readable image"].found == "1: s1_1: 3-5, 9"
    assert found["videos left out as broken"].found == "1: v9"
    assert found["alignment noise, median of videos"].found == "0.200 px, 0.100 px as used"
    assert found["videos whose face was away or cut (stays)"].found == "s1_1 2"
    assert not checks.is_well(list(found.values()))


@pytest.mark.parametrize(
    "flags", [[], ["--dataset=csv"], ["--bank=x", "--dataset=csv", "--source=y"]]
)
def test_flags_that_do_not_go_together_are_refused(flags, capsys):
    with pytest.raises(SystemExit) as stop:
        doctor.main(flags)
    assert stop.value.code == 2 and "name --bank" in capsys.readouterr().err


def test_table_2_and_3_are_the_papers():
    assert expected.EXPECTED["samm_lv"].k == {"ME": 37, "MaE": 217}
    assert expected.EXPECTED["cas_me2"].k == {"ME": 6, "MaE": 19}
