"""Banks that are damaged, or hold what training would be wrong on."""

import json
import shutil

import numpy as np
from input_case import Case
from tiny_banks import finish_tiny_bank, rehash, replace, rewrite

from jaxspot.video.writer import save_video

TRAIN = "train --config=default:best --config.data.bank=bank --out=run"
DOCTOR = "doctor --bank=bank"
FRAMES = "frames/s2_1.npy"


def cut(bank):
    path = bank / FRAMES
    path.write_bytes(path.read_bytes()[:-1000])


def cut_before_hashing(bank):
    cut(bank)
    rehash(bank, FRAMES)


def alter(bank):
    data = bytearray((bank / FRAMES).read_bytes())
    data[5000] ^= 1
    (bank / FRAMES).write_bytes(data)


def empty(bank):
    np.save(bank / FRAMES, np.zeros((0, 112, 112), np.uint8))
    rehash(bank, FRAMES)


def unlisted(bank):
    listed = json.loads((bank / "bank.json").read_text())["sha256"]
    del listed["quality/s3_1.npy"]
    rewrite(bank, sha256=listed)


def another_alignment(bank):
    text = (bank / "bank.json").read_text()
    changed = text.replace('"alignment": {}', '"alignment": {"kind": "posed112"}')
    assert changed != text
    (bank / "bank.json").write_text(changed)


def two_subjects(bank):
    replace(bank, "videos.csv", "s3,", "s2,")
    replace(bank, "annotations.csv", "s3,", "s2,")
    replace(bank, "annotations.csv", "s3,", "s2,")


def table(name, old, new):
    return lambda bank: replace(bank, f"{name}.csv", old, new)


def damaged(what, says, damage):
    return Case(what, TRAIN, lambda here: damage(here / "bank"), says, needs=("bank",))


def one_video(what, says, *, fps=30.0, level=90, blind=(), frames=60, label=("ME", 6, 8, 12)):
    """A bank of one video, which `doctor` is not content with unless `says` is empty."""

    def make(here):
        quality = np.ones((frames, 2), np.float32)
        quality[list(blind)] = 0
        bank, pixels = here / "bank", np.full((frames, 112, 112), level, np.uint8)
        save_video(bank, "v", pixels, quality)
        finish_tiny_bank(bank, [("p", "v", frames, fps)], [("p", "v", *label)])

    return Case(what, DOCTOR, make, says or "frames with a face", int(bool(says)))


def lost(what, says, **source):
    """A bank that lost something while it was prepared."""

    def make(here):
        detail = dict(found=50, stays=1, missing="", unreadable="", uneven=0, jitter_px=None)
        videos = {name: detail | own for name, own in source.pop("videos", {}).items()}
        rewrite(here / "bank", source=dict(kind="csv", videos=videos) | source)

    return Case(what, DOCTOR, make, says, 1, needs=("bank",))


def one_copied(here):
    bank = here / "bank"
    shutil.copy(bank / FRAMES, bank / "frames" / "s3_1.npy")
    rehash(bank, "frames/s3_1.npy")


DAMAGED = [
    damaged("no bank", "bank: no frame bank", shutil.rmtree),
    damaged("a file that is gone", "s2_1.npy: missing.*prepare",
            lambda bank: (bank / FRAMES).unlink()),
    damaged("a file cut short", "s2_1.npy: altered.*prepare", cut),
    damaged("a file cut short before its hash was taken",
            "s2_1.npy: missing or damaged.*prepare", cut_before_hashing),
    damaged("one bit of a file", "s2_1.npy: altered.*prepare", alter),
    damaged("a file that is not listed", "s3_1.npy: not listed.*prepare", unlisted),
    damaged("another alignment in `bank.json`", "bank.json: altered.*prepare", another_alignment),
    damaged("a video of 0 frames", "videos.csv, row 3.*frames must be 1 or more",
            table("videos", "s2_1,60", "s2_1,0")),
    damaged("an array without frames", "bank/frames/s2_1.npy.*prepare", empty),
    damaged("0 fps", "videos.csv, row 2.*fps must be above 0", table("videos", "60,30.0", "60,0")),
    damaged("-30 fps", "videos.csv, row 2.*fps must be above 0",
            table("videos", "60,30.0", "60,-30")),
    damaged("fps that are no number", "videos.csv, row 2.*it must be a number",
            table("videos", "60,30.0", "60,nan")),
    damaged("a video twice", "videos.csv, row 4.*listed twice",
            table("videos", "s3,s3_1", "s3,s2_1")),
    damaged("a video outside of the bank", r"videos.csv, row 3.*'../../s2_1'.*without /",
            table("videos", "s2_1", "../../s2_1")),
    damaged("a label past the end", "annotations.csv, row 3.*past the end",
            table("annotations", "30,45", "30,61")),
    damaged("a label turned round", "annotations.csv, row 2.*before onset",
            table("annotations", "6,8,12", "12,8,6")),
    damaged("a label of the kind `mae`", "annotations.csv, row 3.*kind must be ME or MaE",
            table("annotations", "MaE", "mae")),
    damaged("two subjects", "at least 3 subjects", two_subjects),
]  # fmt: skip
NOT_WELL = [
    one_video("a sound bank", ""),
    one_video("a bank of 5 fps", "videos under 15 frames a second  +1: v 5", fps=5.0,
              label=("MaE", 6, 8, 12)),
    one_video("a bank nearly black", "videos nearly black  +1: v", level=1),
    one_video("a label without a face", "labels mostly without a face  +1: v 6-12",
              blind=range(5, 11)),
    one_video("a video mostly without a face", "videos with a face in under 50% of the frames",
              blind=range(15, 60)),
    one_video("a bank of one frame", "videos of one frame  +1: v", frames=1, label=("ME", 1, 1, 1)),
    one_video("micro-expressions as long as macro-expressions",
              "labels of odd length  +1: half of the ME", frames=600, label=("ME", 6, 100, 500)),
    one_video("a micro-expression of 16 s", "ME labels over 1.5 s  +1: v 6-500", frames=600,
              label=("ME", 6, 100, 500)),
    one_video("a macro-expression of 2 frames", "labels of odd length .* half of the MaE",
              label=("MaE", 6, 6, 7)),
    Case("a video and its copy, of two people", DOCTOR, one_copied,
         "videos with the same pictures  +1: s2_1, s3_1", 1, needs=("bank",)),
    lost("a video left out as broken", "videos left out as broken  +1: v9", left_out=["v9"]),
    lost("pictures that were missing", "frames without a readable image  +1: s1_1: 3-5, 9",
         videos={"s1_1": dict(missing="3-5", unreadable="9")}),
]  # fmt: skip
CASES = [*DAMAGED, *NOT_WELL]
