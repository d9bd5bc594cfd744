"""Folders and stacks of pictures: bits, pages, which side is up."""

from functools import partial

import cv2
import numpy as np
from input_case import Case
from made_sources import as_of_the_twin, videos_made
from PIL import Image
from prepare_calls import CSV
from release_trees import head, write_images

PREPARE = "prepare --dataset=csv --source=in --out=bank"
COUNT = 6
RNG = np.random.default_rng(0)
TURNS = {1: 0, 3: 2, 6: 1, 8: 3}
"""EXIF's orientation -> how often a picture was turned counterclockwise before it was stored."""


def sources(here, *names):
    """A table of videos, each at 30 fps."""
    (here / "in").mkdir(exist_ok=True)
    rows = "".join(f"p,{name.partition('.')[0]},{name},30\n" for name in names)
    (here / "in" / "videos.csv").write_text(CSV + rows)


def beside_a_twin(change):
    """A folder of pictures as `change` saves them, and one of the pictures themselves."""

    def make(here):
        write_images(here / "in" / "twin", head(0)[:COUNT], "{}.png".format)
        (here / "in" / "odd").mkdir()
        for number, picture in enumerate(head(0)[:COUNT], 1):
            change(here / "in" / "odd", number, picture)
        sources(here, "odd", "twin")

    return make


alike = partial(as_of_the_twin, what="frames", limit=3)


def deep(bits, ending="png"):
    def save(folder, number, picture):
        values = picture.astype(np.uint16) << (bits - 8)
        values[0, 0] = 2**bits - 1
        assert cv2.imwrite(str(folder / f"{number}.{ending}"), values)

    return save


def turned(orientation, ending):
    def save(folder, number, picture):
        exif = Image.Exif()
        exif[0x0112] = orientation
        mirrored = orientation == 2
        stored = picture[:, ::-1] if mirrored else np.rot90(picture, TURNS[orientation])
        rgb = np.repeat(np.ascontiguousarray(stored)[..., None], 3, 2)
        Image.fromarray(rgb).save(folder / f"{number}.{ending}", exif=exif, quality=98)

    return save


def same(what, change):
    return Case(
        what, PREPARE, beside_a_twin(change), "", 0, alike, f"{COUNT} frames as of the twin"
    )


def stack(name, *, count=12, bits=12):
    """A file of several pictures."""

    def make(here):
        (here / "in").mkdir()
        values = RNG.integers(0, 2**bits, (count, 40, 50), dtype=np.uint16)
        assert cv2.imwritemulti(str(here / "in" / name), list(values.astype(f"u{(bits + 7) // 8}")))
        sources(here, name)

    return make


def stack_among_pictures(here):
    stack("3.tif")(here)
    (here / "in" / "v").mkdir()
    (here / "in" / "3.tif").rename(here / "in" / "v" / "3.tif")
    for number in (1, 2):
        cv2.imwrite(str(here / "in" / "v" / f"{number}.tif"), head(0)[0])
    sources(here, "v")


def folder(*pictures, ending="tif", first=1):
    """A folder of pictures saved by Pillow."""

    def make(here):
        (here / "in" / "v").mkdir(parents=True)
        for number, picture in enumerate(pictures, first):
            Image.fromarray(picture).save(here / "in" / "v" / f"{number}.{ending}")
        sources(here, "v")

    return make


def cut(here):
    folder(*head(0)[:2], ending="png")(here)
    for path in (here / "in" / "v").iterdir():
        path.write_bytes(path.read_bytes()[:99])


def without_rate(make):
    def change(here):
        make(here)
        path = here / "in" / "videos.csv"
        path.write_text(path.read_text().replace(",30\n", ",\n"))

    return change


def named(*names):
    """A folder of pictures with these names."""

    def make(here):
        sources(here, "v")
        (here / "in" / "v").mkdir()
        for name in names:
            assert cv2.imwrite(str(here / "in" / "v" / f"{name}.png"), head(0)[0])

    return make


FRACTIONS = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
WIDE = np.full((2, 40_000), 90, np.uint8)
STACKS = [
    Case("a TIFF of 12 pictures", PREPARE, stack("a.tif"), "", 0, videos_made,
         "12 frames at 30 fps"),
    Case("a `.tiff` of 12 pictures, 8 bits", PREPARE, stack("a.tiff", bits=8), "", 0,
         videos_made, "12 frames at 30 fps"),
    Case("a TIFF of 12 pictures without a rate", PREPARE, without_rate(stack("a.tif")),
         "row 2: fps is blank|a.tif: holds pictures without times"),
    Case("a TIFF of 12 pictures in `spot`", "spot --weights=weights --fps=200 in/a.tif",
         stack("a.tif"), "in/a.tif: no face found in 12 frames", 0, needs=("weights",)),
    Case("a TIFF of several pictures among pictures", PREPARE, stack_among_pictures,
         "3.tif: holds 12 pictures; name the file itself as"),
]  # fmt: skip
BITS = [
    same("pictures of 10 bits in files of 16", deep(10)),
    same("pictures of 12 bits in files of 16", deep(12)),
    same("pictures of 14 bits in TIFF files of 16", deep(14, "tif")),
    Case("fractions in a TIFF", PREPARE, folder(FRACTIONS, FRACTIONS),
         "1.tif: holds fractions .float.; save it with 8 or"),
    Case("numbers of 32 bits in a TIFF", PREPARE,
         folder(*[np.arange(64, dtype=np.int32).reshape(8, 8) * 5000] * 2),
         "1.tif: holds numbers of over 16 bits; save it"),
]  # fmt: skip
SIDES = [
    same("EXIF: turned by 180 degrees", turned(3, "jpg")),
    same("EXIF: turned by 90 degrees", turned(6, "jpg")),
    same("EXIF: turned by 270 degrees, in PNG", turned(8, "png")),
    same("EXIF: mirrored", turned(2, "jpg")),
]
FOLDERS = [
    Case("pictures cut short", PREPARE, cut, "in/v: none of its images can be read"),
    Case("pictures numbered by date", PREPARE,
         folder(*head(0)[:2], ending="png", first=20240101),
         "20240102.png: would be frame 20240102, but there are 2 images"),
    Case("a picture 40,000 pixels wide", PREPARE, folder(WIDE, ending="png"),
         r"1.png: is too large \(40000 x 2 pixels\)"),
    Case("pictures without a rate in `spot`", "spot --weights=weights in/v",
         folder(*head(0)[:2], ending="png"), "in/v: .*--fps", needs=("weights",)),
    Case("pictures 101 to 103 in `spot`", "spot --weights=weights --fps=30 in/v",
         named("101", "102", "103"), "in/v: frames 1 and 2 are pictures 101 and 102; in a bank", 0,
         needs=("weights",)),
    Case("every other picture in `spot`", "spot --weights=weights --fps=30 in/v",
         named("1", "3", "5"), "in/v: frames 1 and 2 are pictures 1 and 3; in a bank", 0,
         needs=("weights",)),
    Case("pictures 1, 2 and 5 in `spot`", "spot --weights=weights --fps=30 in/v",
         named("1", "2", "5"), "in/v: 2 pictures are missing; frames 3-4 count as lost", 0,
         needs=("weights",)),
    Case("two pictures of one number in `spot`", "spot --weights=weights --fps=30 in/v",
         named("1", "2", "cover_2"), "in/v/cover_2.png: is picture 2, as 2.png is; keep one",
         needs=("weights",)),
    Case("a cover among numbered pictures", PREPARE,
         named("cover_0", *(f"img{number}" for number in range(1, 12))),
         "in/v/cover_0.png: is named unlike the other images"),
]  # fmt: skip
CASES = [*STACKS, *BITS, *SIDES, *FOLDERS]
