import json
import os

import numpy as np
import pandas as pd
import pytest
from damage import Count, damages

from jaxspot.errors import UserError
from jaxspot.video.bank import finish_bank, open_bank
from jaxspot.video.writer import save_video

VIDEOS = pd.DataFrame(
    [("a", "a_1", 4, 30.0), ("b", "b_1", 3, 200.0)], columns=["subject", "video", "frames", "fps"]
)
ANNOTATIONS = pd.DataFrame(
    [("a", "a_1", "ME", 1, 2, 3)],
    columns=["subject", "video", "kind", "onset", "apex", "offset"],
)
FILES = ["videos.csv", "annotations.csv"]
FILES += [f"{kind}/{video}.npy" for kind in ("frames", "quality") for video in ("a_1", "b_1")]


def pixels(frames, seed):
    return np.random.default_rng(seed).integers(0, 256, (frames, 112, 112)).astype(np.uint8)


def faces(frames, seed):
    return np.random.default_rng(seed).random((frames, 2)).astype(np.float32)


@pytest.fixture
def root(tmp_path):
    for seed, row in enumerate(VIDEOS.itertuples()):
        save_video(tmp_path, row.video, pixels(row.frames, seed), faces(row.frames, seed))
    finish_bank(
        tmp_path,
        videos=VIDEOS,
        annotations=ANNOTATIONS,
        source={"name": "made up"},
        alignment={"size": 112},
    )
    return tmp_path


def refused(root, named, reason, verify=False):
    with pytest.raises(UserError) as error:
        open_bank(root, verify=verify)
    text = str(error.value)
    assert str(root / named) in text and reason in text and "\n" not in text


def test_round_trip(root):
    bank = open_bank(str(root), verify=True)
    pd.testing.assert_frame_equal(bank.videos, VIDEOS)
    pd.testing.assert_frame_equal(bank.annotations, ANNOTATIONS)
    for seed, row in enumerate(VIDEOS.itertuples()):
        np.testing.assert_array_equal(bank.frames(row.video), pixels(row.frames, seed))
        np.testing.assert_array_equal(bank.quality(row.video), faces(row.frames, seed))
        assert bank.frames(row.video).dtype == np.uint8
        assert bank.quality(row.video).dtype == np.float32
        assert isinstance(bank.frames(row.video), np.memmap)
        assert not bank.frames(row.video).flags.writeable
    assert bank.meta["source"] == {"name": "made up"} and bank.meta["alignment"] == {"size": 112}
    assert sorted(bank.meta["sha256"]) == sorted(FILES)
    assert not [name for _, _, names in os.walk(root) for name in names if "part" in name]


def test_bank_hash_follows_the_content(root, tmp_path_factory):
    bank = open_bank(root)
    frames = pixels(4, 0)
    frames[0, 0, 0] ^= 1
    save_video(root, "a_1", frames, faces(4, 0))
    other = finish_bank(root, videos=VIDEOS, annotations=ANNOTATIONS, source={}, alignment={})
    assert other.sha256 != bank.sha256 and len(bank.sha256) == 64


def test_verify_sees_every_flipped_bit_and_truncated_file(root, tried):
    count = Count()
    for seed, name in enumerate(FILES):
        for kind in damages(root / name, seed=seed, flips=3, cuts=2):
            refused(root, name, "altered", verify=True)
            count.add(kind, True)
    assert count.all
    tried.row("Damage", "a bank", *count.cells, "refused by file")


@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_named(root, name):
    (root / name).unlink()
    refused(root, name, "", verify=False)
    refused(root, name, "missing", verify=True)


@pytest.mark.parametrize("name", FILES[2:])
@pytest.mark.parametrize("keep", [0, 5, 100, 130, -1])
def test_truncated_arrays_are_named_even_without_verify(root, name, keep):
    path = root / name
    path.write_bytes(path.read_bytes()[:keep])
    refused(root, name, "prepare")


def test_lengths_must_agree_with_the_table(root):
    np.save(root / "frames" / "a_1.npy", pixels(5, 0))
    refused(root, "frames/a_1.npy", "videos.csv says 4 frames")


@pytest.mark.parametrize("shape", [(5, 2), (4, 3), (4,)])
def test_quality_must_hold_two_numbers_a_frame(root, shape):
    np.save(root / "quality" / "a_1.npy", np.ones(shape, np.float32))
    refused(root, "quality/a_1.npy", "videos.csv says 4 frames")


def test_frames_must_be_bytes(root):
    np.save(root / "frames" / "a_1.npy", pixels(4, 0).astype(np.float32))
    refused(root, "frames/a_1.npy", "float32")


def test_tables_must_agree(root):
    path = root / "annotations.csv"
    path.write_text(path.read_text() + "a,a_2,ME,1,2,3\n")
    refused(root, "annotations.csv", "row 3: video is not in the table of videos")
    path.write_text("subject,video,kind,onset,apex,offset\na,a_1,ME,1,2,5\n")
    refused(root, "annotations.csv", "row 2: offset is past the end")


def test_a_video_without_frames_on_disk(root):
    path = root / "videos.csv"
    path.write_text(path.read_text() + "c,c_1,3,30\n")
    refused(root, "frames/c_1.npy", "missing")


@pytest.mark.parametrize(
    "text", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"format": 1}', b'{"format": 9}']
)
def test_a_damaged_description(root, text):
    (root / "bank.json").write_bytes(text)
    refused(root, "bank.json", "")


def test_no_bank_there(tmp_path):
    with pytest.raises(UserError, match="no frame bank here"):
        open_bank(tmp_path)
    with pytest.raises(UserError, match="no frame bank here"):
        open_bank(tmp_path / "none")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="no frame bank here"):
        open_bank(tmp_path / "file")


def test_a_bank_is_there_only_when_finished(tmp_path):
    save_video(tmp_path, "a_1", pixels(4, 0), faces(4, 0))
    with pytest.raises(UserError, match=r"bank\.json is missing"):
        open_bank(tmp_path)
    with pytest.raises(FileNotFoundError):
        finish_bank(tmp_path, videos=VIDEOS, annotations=ANNOTATIONS, source={}, alignment={})
    assert not (tmp_path / "bank.json").exists()


@pytest.mark.parametrize(
    ("frames", "quality"),
    [
        (np.zeros((4, 112, 111), np.uint8), faces(4, 0)),
        (np.zeros((4, 112, 112), np.float32), faces(4, 0)),
        (pixels(4, 0), faces(3, 0)),
        (pixels(4, 0), faces(4, 0).astype(np.float64)),
        (pixels(4, 0), np.ones(4, np.float32)),
    ],
)
def test_wrong_arrays_are_not_written(tmp_path, frames, quality):
    with pytest.raises(ValueError, match="must be"):
        save_video(tmp_path, "a_1", frames, quality)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["s15/15_0101", "../a", "a\\b", "", ".", "..", ".x.part"])
def test_names_that_cannot_be_those_of_files(tmp_path, name):
    with pytest.raises(UserError, match="files are named after it"):
        save_video(tmp_path / "bank", name, pixels(4, 0), faces(4, 0))
    assert not list(tmp_path.iterdir())


def test_a_table_cannot_name_files_outside_the_bank(root):
    text = (root / "videos.csv").read_text()
    (root / "videos.csv").write_text(text.replace("b_1", "../frames/b_1"))
    refused(root, "videos.csv", "row 3: video '../frames/b_1'")


def test_a_video_without_frames_is_not_written(tmp_path):
    with pytest.raises(UserError, match="has no frames"):
        save_video(tmp_path, "a_1", pixels(0, 0), faces(0, 0))
    assert not list(tmp_path.iterdir())


def test_tables_that_do_not_agree_are_no_bank(tmp_path):
    for video, frames in (("a_1", 4), ("b_1", 3)):
        save_video(tmp_path, video, pixels(frames, 0), faces(frames, 0))
    late = ANNOTATIONS.assign(offset=5)
    with pytest.raises(UserError, match="past the end"):
        finish_bank(tmp_path, videos=VIDEOS, annotations=late, source={}, alignment={})
    assert not (tmp_path / "bank.json").exists()


def test_arrays_are_written_as_numpy_does(root, tmp_path):
    np.save(tmp_path / "a.npy", pixels(4, 0))
    assert (root / "frames" / "a_1.npy").read_bytes() == (tmp_path / "a.npy").read_bytes()


def test_an_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        save_video(tmp_path, "a_1", pixels(4, 0), faces(4, 0))
    assert not [name for _, _, names in os.walk(tmp_path) for name in names]


def test_description_is_json_that_people_can_read(root):
    meta = json.loads((root / "bank.json").read_text())
    assert meta["format"] == 1
    assert all(len(value) == 64 for value in meta["sha256"].values())
