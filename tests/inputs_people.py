"""Who is who: folders of people, and OpenFace output."""

from itertools import groupby

import cv2
import numpy as np
from input_case import Case
from made_sources import faces_found, videos_made
from prepare_calls import LABELS
from release_trees import head, write_images
from video_files import encode, noise

from jaxspot.video.bank import open_bank

HEADER = "frame, face_id, timestamp, confidence, success\n"
OPENFACE = "prepare --dataset=openface --source=in --out=bank"
WHO = "prepare --dataset=video --source=in --dry-run"
DOCTOR = "doctor --dataset=video --source=in"
VALUE = 40
"""What the number of a face adds to the brightness of its images, which is their frame's number."""


def openface_run(faces, *, label="ME,22,24,26", gap_s=0):
    """An OpenFace run on one video; `faces` maps a number to the frames it was seen in.

    Before frame 16, the video has a gap.
    """

    def make(here):
        rows = []
        (here / "in" / "p_1_aligned").mkdir(parents=True)
        for face, frames in faces.items():
            for number in frames:
                image = np.full((112, 112), VALUE * face + number, np.uint8)
                name = f"frame_det_{face:02d}_{number:06d}.bmp"
                assert cv2.imwrite(str(here / "in" / "p_1_aligned" / name), image)
                rows.append(
                    (number, face, f"{(number - 1) / 30 + gap_s * (number > 15):.3f}", 0.9, 1)
                )
        lines = "".join(", ".join(map(str, row)) + "\n" for row in sorted(rows))
        (here / "in" / "p_1.csv").write_text(HEADER + lines)
        (here / "in" / "annotations.csv").write_text(f"{LABELS}p,p_1,{label}\n")

    return make


def faces_kept(here):
    """Such as 'face 0: 1-15, face 1: 16-30, 1 label'."""
    bank, parts = open_bank(here / "bank", verify=True), []
    values = bank.frames("p_1")[:, 0, 0].astype(int)
    np.testing.assert_array_equal(bank.faces("p_1"), values > 0)
    numbers = np.arange(1, len(values) + 1)
    whose = np.where(values > 0, (values - numbers) // VALUE, -1)
    for face, frames in groupby(zip(whose, numbers, strict=True), key=lambda pair: pair[0]):
        first, *_, last = [number for _, number in frames]
        parts.append(f"{f'face {face}' if face >= 0 else 'no face'}: {first}-{last}")
    return f"{', '.join(parts)}, {len(bank.annotations)} label"


def followed(what, faces, holds, says):
    return Case(what, OPENFACE, openface_run(faces), says, 0, faces_kept, holds)


def commas(between):
    def make(here):
        images = np.full((3, 112, 112), 90, np.uint8)
        write_images(here / "in" / "p_1_aligned", images, "frame_det_00_{:06d}.bmp".format)
        rows = [(n, 0, f"0,{33 * (n - 1):03d}", "0,98", 1) for n in (1, 2, 3)]
        lines = "".join(between.join(map(str, row)) + "\n" for row in rows)
        (here / "in" / "p_1.csv").write_text(HEADER.replace(", ", between) + lines)

    return make


def confident(here):
    bank = open_bank(here / "bank")
    np.testing.assert_allclose(bank.quality("p_1"), [[1, 0.98]] * 3, rtol=1e-6)
    return f"{bank.videos.fps[0]:.3g} fps, confidence 0.98"


def rows(*lines):
    """An OpenFace table of two images."""

    def make(here):
        write_images(here / "in" / "a_aligned", head(0)[:2], "frame_det_00_{:06d}.bmp".format)
        (here / "in" / "a.csv").write_text(HEADER + "\n".join(lines))

    return make


def broken(what, says, *lines):
    return Case(what, f"{OPENFACE} --fps=30", rows(*lines), f"in/a.csv.*{says}")


def films(*files):
    def make(here):
        for file in files:
            path = here / "in" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            encode(path.with_suffix(".mp4"), noise(3)).rename(path)

    return make


def who(what, files, says, found=None):
    return [
        Case(what, WHO, films(*files), says, 0),
        Case(f"{what}, seen by `doctor`", DOCTOR, films(*files), found or says, int(bool(found))),
    ]


FACES = [
    followed("a face that changes its number halfway",
             {0: range(1, 16), 1: range(16, 31)}, "face 0: 1-15, face 1: 16-30, 1 label",
             "p_1_aligned: faces 0, 1 are taken for one, lost between"),
    followed("a face that is lost and found under another number",
             {0: range(1, 11), 3: range(15, 31)},
             "face 0: 1-10, no face: 11-14, face 3: 15-30, 1 label",
             "faces 0, 3 are taken for one, lost between"),
    followed("three numbers, not in order",
             {2: range(1, 4), 0: range(4, 20), 5: range(19, 31)},
             "face 2: 1-3, face 0: 4-19, face 5: 20-30, 1 label",
             "faces 0, 2, 5 are taken for one, lost between"),
    followed("two people at once",
             {0: range(1, 31), 1: range(5, 25)}, "face 0: 1-30, 1 label",
             "p_1_aligned: faces 1, beside face 0, are left out"),
    Case("a face lost during the only label", OPENFACE,
         openface_run({0: [*range(1, 15), *range(29, 31)]}, label="ME,18,20,26"), "", 0,
         faces_found, "30 frames, 16 with a face", doctor="labels mostly without a face"),
    Case("decimal commas, columns parted by comma and blank", OPENFACE, commas(", "), "", 0,
         confident, "30 fps, confidence 0.98"),
    Case("decimal commas, columns parted by semicolons", OPENFACE, commas(";"), "", 0,
         confident, "30 fps, confidence 0.98"),
    Case("decimal commas, columns parted by commas", OPENFACE, commas(","), "LC_ALL=C"),
    Case("an OpenFace table with a gap of two seconds", OPENFACE,
         openface_run({0: range(1, 31)}, gap_s=2),
         r"p_1.csv: has no frame from 0.47 s to 2.50 s \(frame 16\); cut the video"),
    Case("a rate beside other time stamps of OpenFace", f"{OPENFACE} --fps=200",
         openface_run({0: range(1, 31)}), "in/p_1.csv: its time stamps are those of 30 frames", 0,
         videos_made, "30 frames at 200 fps"),
    broken("an OpenFace row twice", r"row 3: stands twice; run OpenFace again \(frame=1, face_id=0",
           "1, 0, 0, 1, 1", "1, 0, 0.1, 1, 1"),
    broken("an OpenFace row cut short", "row 3: confidence is empty; it must be a number",
           "1, 0, 0, 1, 1", "2, 0, 0.1"),
    broken("half a frame in an OpenFace table", "row 2: frame is '1.5'; it must be a whole number",
           "1.5, 0, 0, 1, 1"),
    broken("frame 900,000,000 in an OpenFace table", "would be frame 900000000",
           "1, 0, 0, 1, 1", "900000000, 0, 9, 1, 1"),
    broken("an OpenFace table without rows", "holds no frame; run OpenFace again"),
]  # fmt: skip
PEOPLE = [
    *who("people as BIDS names them, with sessions",
         ("sub-01/ses-1/a.mp4", "sub-01/ses-2/b.mp4", "sub-02/ses-1/c.mp4"), "sub-01: a, b"),
    *who("BIDS under another folder", ("raw/sub-01/a.mp4", "raw/sub-02/ses-1/b.mp4"), "sub-02: b"),
    *who("a folder for each person", ("anna/a.mp4", "bert/b.mp4"), "anna: a"),
    *who("names that begin with a person", ("anna_1.mp4", "anna_2.mp4", "bert_1.mp4"),
         "anna: anna_1, anna_2"),
    *who("one person under two spellings", ("s01/a.mp4", "S_1/b.mp4", "s-1-1/c.mp4", "s11/d.mp4"),
         "subjects that may be one person: S_1, s01; give each person one spelling",
         "subjects that may be one person .*1: S_1, s01 "),
    *who("three people in one folder", ("all/anna.mp4", "all/bert.mp4", "all/carl.mp4"),
         "all 3 videos are taken for one person", "videos all of one person .* anna; bert; carl"),
    *who("two people in one folder, other endings", ("all/anna.ts", "all/bert.gif"),
         "all 2 videos are taken for one person", "videos all of one person .* anna; bert"),
]  # fmt: skip
CASES = [*FACES, *PEOPLE]
