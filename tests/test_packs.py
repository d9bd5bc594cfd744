"""Packs of region motion: their values, their native frame numbers, and every mistake in one."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from packs import CAS_PACK, SAMM_PACK, change, walks, write_pack
from prepare_calls import call
from release_sheets import save_as_csv, write_cas_me2, write_samm_lv
from release_trees import CAS_PARTICIPANTS
from tiny_banks import rehash, said, write_bank

from jaxspot.commands import doctor, prepare
from jaxspot.datasets import prepare_video
from jaxspot.datasets.prepare import prepare as prepare_bank
from jaxspot.datasets.releases import cas_me2_source
from jaxspot.errors import UserError
from jaxspot.motion.regions import TWELVE, Regions
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import save_motion

PIXELS = 20 / 500 * 112
CAS_ROWS = [
    ("s15", "s15_0101", "MaE", 6, 13, 0),  # no offset: falls as long as it rose
    ("s16", "s16_0401", "ME", 250, 256, 261),
    ("s23", "s23_0102", "ME", 33, 36, 44),  # past the end
]
CAS_LABELS = [
    ("s15", "s15_0101", "MaE", 6, 13, 20),
    ("s16", "s16_0401", "ME", 250, 256, 261),
    ("s23", "s23_0102", "ME", 33, 36, 40),
]
SAMM_LABELS = [
    ("006", "006_1", "ME", 1, 40, 83),
    ("007", "007_3", "MaE", 1203, 1301, 1999),
    ("016", "016_7", "ME", 2941, 2979, 3001),  # to the last native frame
]


@pytest.fixture(scope="module")
def cas_places():
    return walks(CAS_PACK)


@pytest.fixture
def cas(tmp_path, cas_places):
    """A folder with a pack of CAS(ME)^2 and its workbook."""
    return cas_pack(tmp_path / "cas", cas_places)


@pytest.fixture(scope="module")
def samm(tmp_path_factory):
    """A pack of SAMM-LV, its workbook, its bank by the command, and where its regions were."""
    root, places = tmp_path_factory.mktemp("samm"), walks(SAMM_PACK, seed=1)
    write_pack(root / "pack", places, every=8, top="feature_segment_25")
    write_samm_lv(root / "labels.xlsx", SAMM_LABELS)
    flags = [f"--labels={root / 'labels.xlsx'}", f"--out={root / 'bank'}"]
    assert prepare.main(["--dataset=samm_lv", f"--source={root / 'pack'}", *flags]) == 0
    return root, open_bank(root / "bank", verify=True), places


def cas_pack(root, places):
    write_pack(root, places)
    write_cas_me2(root / "code_final.xlsx", CAS_ROWS, participants=CAS_PARTICIPANTS)
    return root


def segment(root, video, start):
    (path,) = root.rglob(f"{video}_{start:04d}.npz")
    return path


def labels(bank):
    return sorted(bank.annotations.itertuples(index=False, name=None))


def contents(root):
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def test_a_pack_becomes_a_bank(cas, cas_places, capsys):
    out = cas / "bank"
    assert call("cas_me2", cas, out) == 0
    assert "3 subjects, 3 videos, 852 rows with region motion, 1 MaE and 2 ME" in (
        capsys.readouterr().out
    )
    bank = open_bank(out, verify=True)
    assert bank.regions == TWELVE and bank.meta["source"]["kind"] == "cas_me2"
    assert sorted(bank.videos.video) == ["s15_0101", "s16_0401", "s23_0102"]
    assert set(bank.videos.fps) == {30.0} and set(bank.videos.subject) == {"s15", "s16", "s23"}
    for name, places in cas_places.items():
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
    _, bank, places = samm
    assert labels(bank) == SAMM_LABELS and bank.regions.every == 8
    assert set(bank.videos.fps) == {200.0}
    rows = pd.read_csv(bank.root / "repairs.csv")
    assert rows.empty
    for name, native in places.items():
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


def test_labels_are_found_beside_the_pack_or_named(cas, capfd):
    workbook = cas / "code_final.xlsx"
    table = save_as_csv(workbook, cas.parent / "sheet.csv")
    text = table.read_text("utf-8-sig")
    workbook.unlink()
    assert call("cas_me2", cas, cas / "a") == 2
    assert "holds no workbook (.xlsx) of labels; name it by --labels" in said(capfd, "prepare")
    table.write_text(text.replace("\n4,", "\n7,"), "utf-8")
    write_labels(cas)
    assert call("cas_me2", cas, cas / "b") == 0
    assert labels(open_bank(cas / "b")) == [("s15", "s15_0101", "ME", 2, 4, 9)]


def test_labels_only_renews_them(samm, tmp_path):
    root, bank, _ = samm
    shutil.copytree(bank.root, tmp_path / "bank")
    rows = [*SAMM_LABELS, ("020", "020_6", "ME", 3, 5, 70)]
    write_samm_lv(tmp_path / "new.xlsx", rows)
    flags = [f"--labels={tmp_path / 'new.xlsx'}", "--labels-only"]
    assert call("samm_lv", root / "pack", tmp_path / "bank", *flags) == 0
    renewed = open_bank(tmp_path / "bank", verify=True)
    assert labels(renewed) == rows and renewed.regions == bank.regions


def test_a_dry_run_writes_nothing(samm, tmp_path, capsys):
    root, bank, _ = samm
    flags = [f"--labels={root / 'labels.xlsx'}", "--dry-run"]
    before = contents(root)
    assert call("samm_lv", root / "pack", tmp_path / "bank", *flags) == 0
    rows = sum(len(bank.motion(video)) for video in bank.videos.video)
    assert f"would write {rows:,} rows of region motion" in capsys.readouterr().out
    assert contents(root) == before and not (tmp_path / "bank").exists()


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


def nan(values):
    values[99, 3, 1] = np.nan
    return values


def other(values):
    values[258, 3, 1] += 1
    return values


def padded(values):
    values[256:] = 0
    return values


def padded_start(values):
    values[:14] = 0
    return values


def going_on(values):
    values[263:] = values[200]
    return values


@pytest.mark.parametrize(
    ("start", "edit", "reason"),
    [
        (0, nan, "has NaN or infinity in row 99"),
        (0, other, "its row 2 (from 0) is not row 258 of casme_016_0401_0000.npz"),
        (0, lambda values: values[:269], "holds float64 (269, 12, 2), need floats (270, 12, 2)"),
        (0, lambda values: values[:, :11], "name a pack of twelve regions"),
        (0, lambda values: values.astype(int), "holds int64 (270, 12, 2)"),
        (256, going_on, "casme_016_0401_0512.npz: is missing, the video goes on there"),
    ],
)
def test_a_bad_segment_is_named(cas, capfd, start, edit, reason):
    change(segment(cas, "casme_016_0401", start), edit)
    refused(cas, capfd, reason)


def refused(cas, capfd, reason):
    """That prepare names one video's mistake in a line, and goes on without it where told to."""
    assert call("cas_me2", cas, cas / "bank") == 2
    text = capfd.readouterr().err
    lines = [line for line in text.splitlines() if ".npz" in line]
    assert len(lines) == 1 and reason in lines[0] and "casme_016_0401" in lines[0]
    assert re.search(r"copy|name", lines[0].partition(".npz: ")[2]) and "Traceback" not in text
    with pytest.raises(UserError):
        open_bank(cas / "bank")
    assert doctor.main(["--dataset=cas_me2", f"--source={cas}"]) == 1
    assert reason in capfd.readouterr().out
    assert call("cas_me2", cas, cas / "bank", "--skip-broken") == 0
    assert open_bank(cas / "bank").videos.video.tolist() == ["s15_0101", "s23_0102"]


def test_a_segment_of_the_end_in_the_middle(cas, capfd):
    change(segment(cas, "casme_016_0401", 0), padded)
    change(segment(cas, "casme_016_0401", 256), padded_start)
    refused(cas, capfd, "ends with zeros, as the last segment of a video does")


def test_a_video_of_zeros(cas, capfd):
    for start in (0, 256):
        change(segment(cas, "casme_016_0401", start), np.zeros_like)
    segment(cas, "casme_016_0401", 256).unlink()
    refused(cas, capfd, "its video is all zeros")


@pytest.mark.parametrize(
    ("start", "missing"), [(0, "casme_016_0401_0000.npz"), (256, "casme_016_0401_0256.npz")]
)
def test_a_missing_segment(cas, capfd, start, missing):
    segment(cas, "casme_016_0401", start).unlink()
    refused(cas, capfd, f"{missing}: is missing")


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04"])
def test_an_unreadable_file(cas, capfd, data):
    segment(cas, "casme_016_0401", 0).write_bytes(data)
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")


def test_a_cut_file(cas, capfd):
    path = segment(cas, "casme_016_0401", 0)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")


def test_damaged_bytes_and_another_array(cas, capfd):
    path = segment(cas, "casme_016_0401", 0)
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 9] = b"\xff" * 9
    path.write_bytes(data)
    refused(cas, capfd, "casme_016_0401_0000.npz: cannot be read")
    shutil.rmtree(cas / "bank")
    np.savez(path, motion=np.zeros(3))
    refused(cas, capfd, "holds no array 'feature'")


def test_another_step(cas, capfd):
    path = segment(cas, "casme_016_0401", 256)
    path.rename(path.with_stem("casme_016_0401_0240"))
    refused(cas, capfd, "begins with value 240, but segments begin every 256")


def test_two_packs_mixed(cas, capfd):
    write_pack(cas, walks(SAMM_PACK), every=8)
    assert call("cas_me2", cas, cas / "bank") == 2
    line = said(capfd, "prepare")
    assert "is a segment of CAS(ME)^2, but" in line and "is one of SAMM-LV" in line
    assert "name the folder of one pack by --source" in line and not (cas / "bank").exists()


def test_a_pack_twice(cas, capfd):
    shutil.copytree(cas / "feature_segment", cas / "feature_segment_25")
    assert call("cas_me2", cas, cas / "bank") == 2
    assert "is there a second time, beside" in said(capfd, "prepare")


def test_the_pack_of_another_data_set(cas, capfd):
    assert call("samm_lv", cas, cas / "bank") == 2
    line = said(capfd, "prepare")
    assert line.endswith("is a segment of CAS(ME)^2; use --dataset=cas_me2")


def test_no_pack(tmp_path, capfd):
    (tmp_path / "notes.npz").write_text("mine")
    for name, example in (("cas_me2", "casme_015_0101"), ("samm_lv", "samm_006_1")):
        assert call(name, tmp_path, tmp_path / "bank") == 2
        assert f"nor segments of region motion such as {example}_0000.npz" in said(capfd, "prepare")


def test_other_files_are_passed_over(cas, capsys):
    np.savez(cas / "features.npz", feature=np.zeros(3))
    (cas / "feature_segment" / "._casme_015_0101_0000.npz").write_text("of a Mac")
    assert call("cas_me2", cas, cas / "bank") == 0
    out = capsys.readouterr().out
    assert "features.npz: is not named like a segment" in out and "._casme" not in out


def test_doctor_looks_through_a_pack_and_its_bank(samm, capsys):
    root, bank, _ = samm
    pack = ["--dataset=samm_lv", f"--source={root / 'pack'}", f"--labels={root / 'labels.xlsx'}"]
    for flags in (pack, [f"--bank={bank.root}"]):
        assert doctor.main(flags) == 1  # fewer videos than the release
        out = capsys.readouterr().out
        rows = sum(len(bank.motion(video)) for video in bank.videos.video)
        assert f"{rows:,}, one in 8 frames" in out and "482,797 to 482,861" in out
        assert "the pack does not hold the whole release" in out
        assert re.search(r"rows without any motion +0\.00%", out)
        assert re.search(r"median motion a row.*left brow, outer \d\.\d\d\d; ", out)
        assert re.search(r"ok +videos with NaN or infinite motion +none", out)
        assert "face" not in out and "empty or cut images" not in out


def test_doctor_sees_what_cannot_be_used(samm, tmp_path, capsys):
    root = tmp_path / "bank"
    shutil.copytree(samm[1].root, root)
    for video, value in (("006_1", 0.0), ("007_3", np.nan)):
        path = root / "motion" / f"{video}.npy"
        motion = np.load(path)
        motion[5:] = value
        motion[:5] = 0
        np.save(path, motion)
        rehash(root, f"motion/{video}.npy")
    assert doctor.main([f"--bank={root}"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"broken +videos with NaN or infinite motion +1: 007_3 295 rows", out)
    assert re.search(r"broken +videos whose motion is all 0 +1: 006_1", out)


def test_the_other_kind_of_bank_is_refused_in_a_line(samm, tmp_path):
    with pytest.raises(UserError, match=r"holds region motion.*--config=samm_lv:motion") as error:
        samm[1].frames("006_1")
    assert "\n" not in str(error.value)
    bank = open_bank(write_bank(tmp_path))
    assert bank.regions is None
    with pytest.raises(UserError, match="holds frames, not region motion"):
        bank.motion("s1_1")


def test_a_motion_bank_is_checked_like_any_other(samm, tmp_path):
    root = tmp_path / "bank"
    shutil.copytree(samm[1].root, root)
    path = root / "motion" / "006_1.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"\1")
    with pytest.raises(UserError, match="altered since the bank was made"):
        open_bank(root, verify=True)
    path.write_bytes(whole[:-100])
    with pytest.raises(UserError, match="missing or damaged"):
        open_bank(root)
    np.save(path, np.zeros((249, 12, 2), np.float32))
    with pytest.raises(UserError, match=r"videos\.csv says 2000 frames, so float32"):
        open_bank(root)
    path.write_bytes(whole)
    meta = json.loads((root / "bank.json").read_text())
    assert meta["motion"]["unit"] == "pixels of the 112 crop" and meta["motion"]["every"] == 8
    for key, value in (("mirror", [1] * 12), ("unit", "mm"), ("every", 0), ("regions", None)):
        changed = meta | {"motion": meta["motion"] | {key: value}}
        (root / "bank.json").write_text(json.dumps(changed))
        with pytest.raises(UserError, match=r"bank\.json: .*prepare it again"):
            open_bank(root)


def test_a_mirrored_face_moves_the_other_way():
    motion = np.random.default_rng(0).normal(size=(5, 12, 2)).astype(np.float32)
    flipped = TWELVE.flip(motion)
    assert flipped.dtype == np.float32
    np.testing.assert_array_equal(TWELVE.flip(flipped), motion)
    for here, there in (("left brow, outer", "right brow, outer"), ("nose tip", "nose tip")):
        ours, theirs = TWELVE.names.index(here), TWELVE.names.index(there)
        np.testing.assert_array_equal(flipped[:, ours], motion[:, theirs] * [-1, 1])
    with pytest.raises(ValueError, match="mirror must exchange pairs"):
        Regions(("a", "b", "c"), (1, 2, 0))


@pytest.mark.parametrize(
    "motion",
    [np.zeros((3, 12, 2)), np.zeros((3, 12), np.float32), np.full((3, 12, 2), np.nan, np.float32)],
)
def test_wrong_motion_is_not_written(tmp_path, motion):
    with pytest.raises(ValueError, match="must be"):
        save_motion(tmp_path, "a_1", motion, np.ones((3, 2), np.float32))
    assert not list(tmp_path.iterdir())
