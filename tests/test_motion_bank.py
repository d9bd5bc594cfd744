"""Banks of region motion: what is refused, and what doctor finds in them."""

import json
import re
import shutil

import numpy as np
import pytest
from packs import samm_pack
from prepare_calls import call
from tiny_banks import rehash, write_bank

from jaxspot.commands import doctor
from jaxspot.errors import UserError
from jaxspot.motion.regions import TWELVE, Regions
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import save_motion


@pytest.fixture(scope="module")
def samm(tmp_path_factory):
    """The bank of a pack of SAMM-LV."""
    root = samm_pack(tmp_path_factory.mktemp("samm") / "pack")
    assert call("samm_lv", root, root.parent / "bank") == 0
    return open_bank(root.parent / "bank", verify=True)


def test_doctor_sees_what_cannot_be_used(samm, tmp_path, capsys):
    root = tmp_path / "bank"
    shutil.copytree(samm.root, root)
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
        samm.frames("006_1")
    assert "\n" not in str(error.value)
    bank = open_bank(write_bank(tmp_path))
    assert bank.regions is None
    with pytest.raises(UserError, match="holds frames, not region motion"):
        bank.motion("s1_1")


def test_a_motion_bank_is_checked_like_any_other(samm, tmp_path):
    root = tmp_path / "bank"
    shutil.copytree(samm.root, root)
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
