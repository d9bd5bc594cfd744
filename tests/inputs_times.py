"""When frames were filmed: rates, ticks, gaps, files without times."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
from input_case import Case
from made_sources import videos_made
from made_videos import pack_b_frames, ramp, write_video
from prepare_calls import CSV
from two_heads import two_heads
from video_files import noise

PREPARE = "prepare --dataset=video --source=in --out=bank"
TABLE = "prepare --dataset=csv --source=in --out=bank"
SPOT = "spot --weights=weights"


def film(name, *, count=24, pictures=None, **options):
    """A video `in/name`; by default of noise, which compresses badly."""

    def make(here):
        path = here / "in" / name
        path.parent.mkdir(exist_ok=True)
        write_video(path, noise(count) if pictures is None else pictures(count), **options)

    return make


def ticked(name, fps, tick, *, count=60, **options):
    """A video whose times are rounded to ticks."""
    ticks = [round(number / fps / tick) for number in range(count)]
    return film(name, count=count, rate=fps, tick=tick, ticks=ticks, **options)


def joined(name, codec):
    """Two videos, one file after the other, so that times begin again."""

    def make(here):
        film(name, codec=codec)(here)
        path = here / "in" / name
        path.write_bytes(path.read_bytes() * 2)

    return make


def packed(here):
    (here / "in").mkdir()
    pack_b_frames(here / "in" / "xvid.avi", ramp(31))
    (here / "in" / "xvid.m4v").unlink()


def of_a_head(count):
    return two_heads([((150.0 + 0.5 * number, 40.0),) for number in range(count)])


def rate(what, make, holds, says=""):
    return Case(what, PREPARE, make, says, 0, videos_made, holds)


def intervals(here):
    """Such as '0 ME, 2 MaE; of 24 frames 24 have scores'."""
    (folder,) = (here / "spotted").iterdir()
    kinds = pd.read_csv(folder / "intervals.csv").kind.tolist()
    frames = pd.read_csv(folder / "frames.csv")
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("MaE", "ME"))
    return f"{counts}; {len(frames)} frames, {np.diff(frames.pts_s).max():.4g} s at most apart"


def spotted(what, name, make, holds, says, **more):
    return Case(what, f"{SPOT} in/{name}", make, says, 0, intervals, holds, ("weights",), **more)


def untimed(name, codec, **options):
    return film(name, codec=codec, **options)


def marked(onset, offset):
    """A video whose first picture lasts half a second, and a label of ELAN in seconds."""

    def make(here):
        film("p_a.mp4", ticks=[0, *range(15, 38)])(here)
        text = f"ME\t\t{onset:.3f}\t{offset:.3f}\t{offset - onset:.3f}\tx\tp_a.eaf\n"
        (here / "in" / "elan.txt").write_text(text)

    return make


def marked_even(here):
    film("p_a.mp4")(here)
    (here / "in" / "elan.txt").write_text("ME\t\t0.400\t0.600\t0.200\tx\tp_a.eaf\n")


def beside(fps, make):
    """What `make` makes of the video p_a, with a table that names a rate for it."""

    def with_table(here):
        make(here)
        (here / "in" / "videos.csv").write_text(f"{CSV}p,p_a,p_a.mp4,{fps}\n")

    return with_table


def first_label(here):
    row = pd.read_csv(here / "bank" / "annotations.csv").iloc[0]
    return f"a label of frames {row.onset}-{row.offset}"


GIF = dict(codec="gif", pixels="rgb8")
TICK = Fraction(1, 600)
RATES = [
    rate("240 fps in ticks of 1/600 s", ticked("a.mov", 240, TICK), "60 frames at 240 fps"),
    rate("50 fps in ticks of 1/90 s", ticked("a.mov", 50, Fraction(1, 90)), "60 frames at 50 fps"),
    rate("300 fps in milliseconds", ticked("a.mkv", 300, Fraction(1, 1000)),
         "60 frames at 300 fps"),
    rate("a GIF of 30 fps in hundredths", ticked("a.gif", 30, Fraction(1, 100), **GIF),
         "60 frames at 30 fps"),
    rate("a GIF of 15 fps in hundredths", ticked("a.gif", 15, Fraction(1, 100), **GIF),
         "60 frames at 15 fps"),
    rate("XviD with packed B-frames", packed, "31 frames at 30 fps"),
    rate("H.264 with B-frames in AVI", film("a.avi", pictures=ramp, bf="3"),
         "24 frames at 30 fps"),
    rate("MPEG-4 with B-frames in AVI",
         film("a.avi", pictures=ramp, codec="mpeg4", bf="2"), "24 frames at 30 fps"),
    rate("NTSC, 30000/1001 fps", film("a.mp4", count=60, rate=Fraction(30000, 1001)),
         "60 frames at 29.97 fps"),
]  # fmt: skip
UNTIMED = [
    Case("raw H.264", f"{SPOT} in/a.h264", untimed("a.h264", "libx264"),
         "in/a.h264: holds pictures without times; name their rate .--fps", needs=("weights",)),
    Case("raw Motion JPEG", f"{SPOT} in/a.mjpeg", untimed("a.mjpeg", "mjpeg", pixels="yuvj420p"),
         "in/a.mjpeg: holds pictures without times", needs=("weights",)),
    Case("raw MPEG-2", f"{SPOT} in/a.m2v", untimed("a.m2v", "mpeg2video"),
         "in/a.m2v: holds pictures without times", needs=("weights",)),
    Case("raw H.264, its rate named", f"{SPOT} --fps=100 in/a.h264", untimed("a.h264", "libx264"),
         "in/a.h264: no face found in 24 frames", 0, intervals,
         "0 MaE, 0 ME; 24 frames, 0.01 s at most apart", ("weights",)),
    Case("a rate beside that of the file", f"{SPOT} --fps=200 in/a.mp4", film("a.mp4"),
         "in/a.mp4: plays 30 frames a second, counted as 200; in a player", 0, intervals,
         "0 MaE, 0 ME; 24 frames, 0.005 s at most apart", ("weights",)),
    Case("raw H.264 for a bank", PREPARE, untimed("a.h264", "libx264"),
         "in/a.h264: holds pictures without times"),
]  # fmt: skip
AGAIN = r"times do not grow, 0.00 s comes late or twice .joined files.*--fps"
JOINED = [
    Case("joined transport streams", PREPARE, joined("a.ts", "libx264"), AGAIN),
    Case("joined camera files (`.mts`)", PREPARE, joined("a.mts", "libx264"), AGAIN),
    Case("joined program streams", PREPARE, joined("a.mpg", "mpeg2video"), AGAIN),
]
HOUR = [number + 30 * 3600 * (number > 11) for number in range(24)]
MINUTES = [number + 30 * 120 * (number > 11) for number in range(24)]
SECONDS = [number + 75 * (number > 11) for number in range(24)]
SLOW = [
    spotted("a face at 1 fps", "a.mp4", film("a.mp4", pictures=of_a_head, rate=1),
            "1 MaE, 0 ME; 24 frames, 1 s at most apart",
            "1 fps are too slow for micro-expressions; none given"),
    spotted("a face at 5 fps", "a.mp4", film("a.mp4", pictures=of_a_head, rate=5),
            "1 MaE, 0 ME; 24 frames, 0.2 s at most apart",
            "5 fps are too slow for micro-expressions; none given"),
    replace(rate("5 fps for a bank", film("a.mp4", rate=5), "24 frames at 5 fps"),
            doctor="videos under 15 frames a second"),
    Case("a frame every other second", PREPARE, film("a.mp4", rate=1, tick=2),
         "has a frame only every 2.0 s; a video needs at least one a second"),
]  # fmt: skip
GAPS = [
    spotted("two minutes without a frame", "a.mp4",
            film("a.mp4", pictures=of_a_head, ticks=MINUTES),
            "2 MaE, 2 ME; 24 frames, 120 s at most apart",
            "120.0 s without a frame after 0.37 s; nothing is compared"),
    spotted("2.5 s without a frame", "a.mkv", film("a.mkv", pictures=of_a_head, ticks=SECONDS),
            "2 MaE, 2 ME; 24 frames, 2.5.* s at most apart",
            "2.5 s without a frame after 0.37 s; nothing is compared"),
    Case("an hour without a frame, for a bank", PREPARE, film("a.mp4", ticks=HOUR),
         "a.mp4: has no frame from 0.37 s to 3600.40 s .frame 13.; cut it there"),
]  # fmt: skip
MARKED = [
    Case("a label of ELAN after a first picture of half a second",
         f"{PREPARE} --labels=in/elan.txt", marked(16 / 30, 20 / 30), "", 0, first_label,
         "a label of frames 3-6"),
]  # fmt: skip
NAMED = [
    Case("a rate in a table that is not the file's", f"{TABLE} --labels=in/elan.txt",
         beside(50, marked_even), "in/p_a.mp4: plays 30 frames a second, counted as 50", 0,
         first_label, "a label of frames 13-18"),
    Case("a rate in a table that is not the file's, seen by `doctor`",
         "doctor --dataset=csv --source=in", beside(50, film("p_a.mp4")),
         "other rates than the files'  +1: in/p_a.mp4: plays 30 frames a second, counted as 50", 1),
    Case("the file's own rate in a table, a label of ELAN after a long first picture",
         f"{TABLE} --labels=in/elan.txt", beside(30, marked(16 / 30, 20 / 30)), "", 0, first_label,
         "a label of frames 3-6"),
    Case("the file's own rate in a table, two minutes without a frame", TABLE,
         beside(30, film("p_a.mp4", ticks=MINUTES)), "p_a.mp4: has no frame from 0.37 s to 120.40"),
]  # fmt: skip
VARYING = [number + 0.4 * (number % 3 == 1) for number in range(24)]
UNEVEN = [
    Case("a frame rate that varies", PREPARE,
         film("p_a.mkv", tick=Fraction(1, 1000), ticks=[round(n * 1000 / 30) for n in VARYING]),
         "p_a: frame rate varies .*taken as", 0, videos_made, "24 frames at 30 fps",
         doctor="videos of varying frame rate .uneven steps. +p_a"),
]  # fmt: skip
CASES = [*RATES, *UNTIMED, *JOINED, *SLOW, *GAPS, *MARKED, *NAMED, *UNEVEN]
