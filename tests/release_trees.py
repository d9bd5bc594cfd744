"""Small copies of the release folders: synthetic heads in the released layout, with its glitches.

Every tree has three subjects and one labelled video each; SAMM-LV also a video without labels, both
a label without its video, missing and unreadable frames, and what its sheet does to numbers.
"""

import functools

import cv2
import numpy as np
from release_sheets import write_cas_me2, write_samm_lv

from jaxspot.synthetic.generate import synthesise_video

FRAMES = 40
SAMM_VIDEOS = (("006", "006_1"), ("007", "007_3"), ("016", "016_7"))
CAS_PARTICIPANTS = {"s15": 1, "s16": 2, "s19": 3, "s23": 7}  # as the release numbers them
CAS_VIDEOS = (
    ("s15", "s15_0101", "15_0101disgustingteeth"),
    ("s16", "s16_0401", "16_0401girlcrashing"),
    ("s23", "s23_0102", "23_0102eatingworms"),
)


@functools.cache
def head(subject):
    """Frames uint8 (FRAMES, 72, 96) of a synthetic head in a small gray picture."""
    frames, _ = synthesise_video(subject=subject, seconds=8.0, seed=3)
    pictures = np.full((FRAMES, 72, 96), 120, np.uint8)
    for picture, frame in zip(pictures, frames, strict=False):
        picture[4:68, 16:80] = cv2.resize(frame, (64, 64), interpolation=cv2.INTER_AREA)
    return pictures


def write_images(folder, frames, name, *, first=1, leave_out=()):
    """Writes frames as `name(number)`, numbered from `first`."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, first):
        if number not in leave_out:
            assert cv2.imwrite(str(folder / name(number)), frame)


def samm_lv_tree(root, *, header_row=10, number_subjects=False):
    """A SAMM-LV folder; 016_7 runs past frame 9999 (only its last frames are there)."""
    frames = root / "SAMM_longvideos"
    for number, (_, video) in enumerate(SAMM_VIDEOS[:2]):
        write_images(frames / video, head(number), lambda n, v=video: f"{v}_{n:04d}.jpg")
    # As if frames were lost, so that the numbers pass 9999 within a few files.
    (frames / "007_3" / "007_3_0017.jpg").unlink()
    cut = frames / "007_3" / "007_3_0030.jpg"
    cut.write_bytes(cut.read_bytes()[:300])
    write_images(frames / "016_7", head(2), lambda n: f"016_7_{n:04d}.jpg")
    write_images(frames / "020_6", head(3)[:20], lambda n: f"020_6_{n:04d}.jpg")
    rows = [
        ("006", "006_1", "MaE", 5.4, 10.2, 20.6),  # fractions
        ("006", "006_1", "ME", 0, 27, 31),  # onset 0
        ("007", "007_3", "MaE", 8, -1, 24),  # no apex
        ("007", "007_3", "ME", 8, 11, 14),  # the same Filename again
        ("016", "016_7", "MaE", 12, 20, 28),
        ("016", "016_7", "ME", 30, 33, 70),  # past the end
        ("012", "012_4", "ME", 3, 5, 7),  # no such folder
        ("006", "006_1", "ME", 90, 95, 99),  # wholly past the end
    ]
    names = ["006_1_1", "006_1_2", "007_3_1", "007_3_1", "016_7_1", "016_7_2", "012_4_1", "006_1_3"]
    write_samm_lv(
        root / "SAMM_LongVideos_V2_Release.xlsx",
        rows,
        header_row=header_row,
        number_subjects=number_subjects,
        filenames=names,
    )
    return root


SAMM_LABELS = [
    ("006", "006_1", "MaE", 5, 10, 21),
    ("006", "006_1", "ME", 1, 27, 31),
    ("007", "007_3", "MaE", 8, 16, 24),
    ("007", "007_3", "ME", 8, 11, 14),
    ("016", "016_7", "MaE", 12, 20, 28),
    ("016", "016_7", "ME", 30, 33, 40),
]


def cas_me2_tree(root, *, crops=False):
    """A CAS(ME)^2 folder: rawpic with padded names, or face crops without padding."""
    top, name = ("longVideoFaceCropped", "img_{}.jpg") if crops else ("rawpic", "img{:03d}.jpg")
    for number, (subject, _, folder) in enumerate(CAS_VIDEOS):
        colour = np.repeat(head(number)[..., None], 3, -1)
        write_images(root / top / subject / folder, colour, lambda n: name.format(n))
    write_images(root / top / "s27" / "27_0503unloveliness", head(3)[:20], lambda n: name.format(n))
    rows = [
        ("s15", "s15_0101", "MaE", 6, 13, 0),  # no offset: falls as long as it rose
        ("s15", "s15_0101", "ME", 25, 28, 31),
        ("s16", "s16_0401", "MaE", 4, 20, 18),  # offset before apex
        ("s16", "s16_0401", "ME", 26, 0, 34),  # no apex
        ("s23", "s23_0102", "MaE", 10, 15, 22),
        ("s23", "s23_0102", "ME", 33, 36, 41),  # one frame past the end
        ("s19", "s19_0502", "ME", 5, 7, 9),  # no such folder
    ]
    write_cas_me2(root / "CAS(ME)^2code_final.xlsx", rows, participants=CAS_PARTICIPANTS)
    return root


CAS_LABELS = [
    ("s15", "s15_0101", "MaE", 6, 13, 20),
    ("s15", "s15_0101", "ME", 25, 28, 31),
    ("s16", "s16_0401", "MaE", 4, 18, 18),
    ("s16", "s16_0401", "ME", 26, 30, 34),
    ("s23", "s23_0102", "MaE", 10, 15, 22),
    ("s23", "s23_0102", "ME", 33, 36, 40),
]
