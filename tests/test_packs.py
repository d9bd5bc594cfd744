"""Packs of region motion become banks: their values, native frame numbers and labels."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
from packs import (
    CAS_LABELS,
    CAS_PACK,
    SAMM_LABELS,
    SAMM_PACK,
    cas_pack,
    samm_pack,
    walks,
    write_pack,
)
from prepare_calls import call
from release_sheets import save_as_csv, write_samm_lv
from tiny_banks import said

from jaxspot.commands import doctor
from jaxspot.datasets import prepare_video
from jaxspot.datasets.prepare import prepare as prepare_bank
from jaxspot.datasets.releases import cas_me2_source
from jaxspot.errors import UserError
from jaxspot.motion.regions import TWELVE
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import save_motion

PIXELS = 20 / 500 * 112


@pytest.fixture
def cas(tmp_path):
    return cas_pack(tmp_path / "cas")


@pytest.fixture(scope="module")
def samm(tmp_path_factory):
    """A pack of SAMM-LV and its bank."""
    root = samm_pack(tmp_path_factory.mktemp("samm") / "pack")
    assert call("samm_lv", root, root.parent / "bank") == 0
    return root, open_bank(root.parent / "bank", verify=True)


def labels(bank):
    return sorted(bank.annotations.itertuples(index=False, name=None))


def contents(root):
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_a_pack_becomes_a_bank(cas, capsys):
    out = cas / "bank"
    assert call("cas_me2", cas, out) == 0
    assert "3 subjects, 3 videos, 852 rows with region motion, 1 MaE and 2 ME" in (
        capsys.readouterr().out
    )
    bank = open_bank(out, verify=True)
    assert bank.regions == TWELVE and bank.meta["source"]["kind"] == "cas_me2"
    assert sorted(bank.videos.video) == ["s15_0101", "s16_0401", "s23_0102"]
    assert set(bank.videos.fps) == {30.0} and set(bank.videos.subject) == {"s15", "s16", "s23"}
    for name, places in walks(CAS_PACK).items():
        _, subject, code = name.split("_")
        motion = bank.motion(f"s{int(subject)}_{code}")
        assert isinstance(motion, np.memmap) and not motion.flags.writeable
        assert motion.dtype == np.float32 and motion.shape == places.shape
        assert not motion[0].any()
        path = np.cumsum(motion, 0, dtype=np.float64)
        np.testing.assert_allclose(path, PIXELS * (places - places[0]), atol=1e-4)
        np.testing.assert_array_equal(bank.quality(f"s{int(subject)}_{code}"), 1)
    assert labels(bank) == CAS_LABELS
    repairs = pd.read_csv(out / "repairs.csv")
    assert sorted(repairs.rule) == ["missing_offset", "past_end"]


def test_frame_numbers_of_a_thinned_pack_are_native(samm):
    _, bank = samm
    assert labels(bank) == SAMM_LABELS and bank.regions.every == 8
    assert set(bank.videos.fps) == {200.0}
    rows = pd.read_csv(bank.root / "repairs.csv")
    assert rows.empty
    for name, native in walks(SAMM_PACK, seed=1).items():
        video = name.removeprefix("samm_")
        motion = bank.motion(video)
        frames = int(bank.videos.set_index("video").frames[video])
        assert frames == 8 * len(motion) == len(bank.quality(video)) >= len(native)
        path = np.cumsum(motion, 0, dtype=np.float64)
        shown = native[[8 * row for row in range(len(motion))]]  # row j is frame 8 j + 1
        np.testing.assert_allclose(path, PIXELS * (shown - native[0]), atol=1e-4)


def test_a_longer_signal_can_end_on_any_value(tmp_path):
    """As many values as segments hold, one more, one fewer; a start of five digits."""
    lengths = {"casme_015_0101": 257, "casme_015_0102": 258, "casme_016_0401": 256}
    lengths["casme_019_0102"] = 10_300
    write_pack(tmp_path, walks(lengths))
    source = cas_me2_source(tmp_path, labels=write_labels(tmp_path))
    bank = prepare_bank(source, tmp_path / "bank", progress=False)
    assert bank.videos.frames.tolist() == [257, 258, 256, 10_300]


def write_labels(root):
    """A canonical table of labels that fits every video."""
    path = root / "annotations.csv"
    path.write_text("subject,video,kind,onset,apex,offset\ns15,s15_0101,ME,2,4,9\n")
    return path


@pytest.mark.parametrize("inside", ["feature_segment", "feature_segment/train"])
def test_the_folder_may_be_any_above_the_segments(cas, inside):
    flags = f"--labels={cas / 'code_final.xlsx'}"
    assert call("cas_me2", cas / inside, cas / "bank", flags) == 0
    assert len(open_bank(cas / "bank").videos) == 3


def test_labels_are_found_beside_the_pack_or_named(cas, tmp_path, capfd):
    workbook = cas / "code_final.xlsx"
    table = save_as_csv(workbook, tmp_path / "sheet.csv")
    workbook.rename(tmp_path / workbook.name)  # beside the folder
    assert call("cas_me2", cas, tmp_path / "beside") == 0
    (tmp_path / workbook.name).unlink()
    capfd.readouterr()
    assert call("cas_me2", cas, tmp_path / "none") == 2
    assert "holds no workbook (.xlsx) of labels; name it by --labels" in said(capfd, "prepare")
    assert call("cas_me2", cas, tmp_path / "named", f"--labels={table}") == 0
    for bank in ("beside", "named"):
        assert labels(open_bank(tmp_path / bank)) == CAS_LABELS
    write_labels(cas)
    assert call("cas_me2", cas, tmp_path / "table") == 0
    assert labels(open_bank(tmp_path / "table")) == [("s15", "s15_0101", "ME", 2, 4, 9)]


def test_labels_only_renews_them(samm, tmp_path):
    root, bank = samm
    shutil.copytree(bank.root, tmp_path / "bank")
    rows = [*SAMM_LABELS, ("020", "020_6", "ME", 3, 5, 70)]
    write_samm_lv(tmp_path / "new.xlsx", rows)
    flags = [f"--labels={tmp_path / 'new.xlsx'}", "--labels-only"]
    assert call("samm_lv", root, tmp_path / "bank", *flags) == 0
    renewed = open_bank(tmp_path / "bank", verify=True)
    assert labels(renewed) == rows and renewed.regions == bank.regions


def test_a_dry_run_writes_nothing(samm, tmp_path, capsys):
    root, bank = samm
    before = contents(root.parent)
    assert call("samm_lv", root, tmp_path / "bank", "--dry-run") == 0
    rows = sum(len(bank.motion(video)) for video in bank.videos.video)
    assert f"would write {rows:,} rows of region motion" in capsys.readouterr().out
    assert contents(root.parent) == before and not (tmp_path / "bank").exists()


def test_a_run_that_was_cut_leaves_no_bank_and_can_be_run_again(cas, monkeypatch):
    out, written = cas / "bank", []

    def pull_the_plug(root, video, *arrays):
        if written:
            raise OSError("pulled plug")
        written.append(video)
        save_motion(root, video, *arrays)

    with monkeypatch.context() as patch:
        patch.setattr(prepare_video, "save_motion", pull_the_plug)
        with pytest.raises(OSError, match="pulled plug"):
            prepare_bank(cas_me2_source(cas), out, progress=False)
    with pytest.raises(UserError, match=r"bank\.json is missing"):
        open_bank(out)
    prepare_bank(cas_me2_source(cas), out, progress=False)
    prepare_bank(cas_me2_source(cas), cas / "other", progress=False)
    assert contents(out) == contents(cas / "other")
    with pytest.raises(UserError, match="holds a bank already"):
        prepare_bank(cas_me2_source(cas), out, progress=False)


def test_doctor_looks_through_a_pack_and_its_bank(samm, capsys):
    root, bank = samm
    for flags in (["--dataset=samm_lv", f"--source={root}"], [f"--bank={bank.root}"]):
        assert doctor.main(flags) == 1  # fewer videos than the release
        out = capsys.readouterr().out
        rows = sum(len(bank.motion(video)) for video in bank.videos.video)
        assert f"{rows:,}, one in 8 frames" in out and "482,797 to 482,861" in out
        assert "the pack does not hold the whole release" in out
        assert re.search(r"rows without any motion +0\.00%", out)
        assert re.search(r"median motion a row.*left brow, outer \d\.\d\d\d; ", out)
        assert re.search(r"ok +videos with NaN or infinite motion +none", out)
        assert "face" not in out and "empty or cut images" not in out
