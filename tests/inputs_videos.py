"""Videos as they are shown, found in folders, cut, damaged and oddly named."""

import os
import shutil
from fractions import Fraction
from functools import partial

import av
import cv2
import numpy as np
import pandas as pd
from input_case import Case
from inputs_times import intervals, of_a_head
from made_sources import as_of_the_twin, subjects_made, videos_made
from made_videos import write_video
from two_heads import two_heads
from video_files import encode, feat_clip, noise

from jaxspot.video.bank import open_bank

PREPARE = "prepare --dataset=video --source=in --out=bank"
SPOT = "spot --weights=weights"
COUNT = 6


def folder(here):
    (here / "in").mkdir(exist_ok=True)
    return here / "in"


def beside_a_twin(change, name="odd.mp4", **options):
    """A video of changed pictures of a head, and one of the pictures themselves."""

    def make(here):
        pictures = np.stack(of_a_head(COUNT))
        write_video(folder(here) / "twin.mp4", pictures)
        write_video(folder(here) / name, [change(p) for p in pictures], **options)

    return make


alike = partial(as_of_the_twin, what="faces", limit=6)


def same(what, change, name="odd.mp4", says="", **options):
    make = beside_a_twin(change, name, **options)
    return Case(what, PREPARE, make, says, 0, alike, f"{COUNT} faces as of the twin")


def squeezed(ratio):
    """A picture whose pixels are `ratio` times as wide as high."""
    width = lambda image: round(image.shape[1] / ratio) // 2 * 2
    return lambda image: cv2.resize(image, (width(image), image.shape[0]))


def turned(quarters):
    return lambda image: np.ascontiguousarray(np.rot90(image, quarters))


def pixels(ratio):
    return dict(aspect=Fraction(ratio))


def files(*kinds):
    """Small videos: (ending, codec, options)."""

    def make(here):
        for ending, codec, options in kinds:
            place = folder(here) / f"p{ending}" / f"{ending}.{ending.replace('qt', 'mov')}"
            place.parent.mkdir()
            write_video(place, noise(COUNT), codec=codec, **options)
            place.rename(place.with_suffix(f".{ending}"))

    return make


def cut_to(person):
    pictures = [p for who in (0, person) for p in two_heads([[(200, 40)]] * 8, people=(who,))]
    return lambda here: write_video(folder(here) / "a.mp4", pictures)


def tracks(here):
    bank = open_bank(here / "bank")
    return f"{1 + len(bank.begins('a'))} stays, the second from frame {bank.begins('a')[0]}"


def across(here):
    table = pd.read_csv(here / "spotted" / "a" / "intervals.csv")
    assert not ((table.onset <= 8) & (table.offset > 8)).any()
    return f"{len(table)} intervals, none across the cut"


def streams(*videos):
    """A file of several video streams: (pictures, codec, whether it is the default one)."""

    def make(here):
        with av.open(str(folder(here) / "a.mkv"), "w") as container:
            made = []
            for pictures, codec, default in videos:
                stream = container.add_stream(codec, rate=30)
                stream.height, stream.width = pictures[0].shape[:2]
                stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
                stream.disposition = av.stream.Disposition(int(default))
                made.append(stream)
            for stream, (pictures, _, _) in zip(made, videos, strict=True):
                for number, picture in enumerate(pictures):
                    frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                    frame.pts, frame.time_base = number, Fraction(1, 30)
                    container.mux(stream.encode(frame))
                container.mux(stream.encode())

    return make


def placed(write, name="v.mp4"):
    """`write` called with the path of a video."""
    return lambda here: write(folder(here) / name)


def cut_off(path):
    encode(path, noise(60), movflags="faststart")
    path.write_bytes(path.read_bytes()[:40000])


def without_index(path):
    encode(path, noise(60))
    path.write_bytes(path.read_bytes()[:40000])


def clip(name):
    return lambda path: shutil.copy(feat_clip(name), path)


def broken(what, says, write=lambda path: None, name="v.mp4"):
    return Case(
        what, f"{SPOT} in/{name}", placed(write, name), f"in/{name}: {says}", needs=("weights",)
    )


def named(what, name):
    make = placed(lambda path: encode(path, noise(6)), name)
    holds = r"0 MaE, 0 ME; 6 frames, 0.03\d+ s at most apart"
    says = "no face found in 6 frames"
    return Case(what, f"{SPOT} 'in/{name}'", make, says, 0, intervals, holds, ("weights",))


FILM, COVER = (noise(12), "libx264", True), (noise(1, 96, 128), "mjpeg", False)
SHAPES = [
    same("pixels twice as wide as high", squeezed(2), **pixels("2/1")),
    same("pixels of 64:45", squeezed(64 / 45), **pixels("64/45")),
    same("pixels half as wide as high, in MKV", squeezed(1 / 2), "odd.mkv", **pixels("1/2")),
    Case("pixels eight times as wide as high", PREPARE,
         placed(lambda path: write_video(path, noise(3), aspect=Fraction(8))),
         "its pixels are 8 times as wide as high; make"),
    same("a phone held upright", turned(-1), rotation=90),
    same("a phone held upside down", turned(2), rotation=180),
    same("a camera upside down that does not know", turned(2)),
    same("a camera on its side that does not know", turned(1)),
]  # fmt: skip
STREAMS = [
    Case("a cover before the film", PREPARE, streams(COVER, FILM), "", 0, videos_made,
         "12 frames at 30 fps"),
    Case("a cover after the film", PREPARE, streams(FILM, COVER), "", 0, videos_made,
         "12 frames at 30 fps"),
    Case("two films, the second is the default one", f"{SPOT} in/a.mkv",
         streams((noise(6), "libx264", False), FILM),
         "in/a.mkv: holds 2 video streams; the default one was read", 0, intervals,
         "0 MaE, 0 ME; 12 frames, .*", ("weights",)),
]  # fmt: skip
GIF, H264 = dict(pixels="rgb8", tick=Fraction(1, 100), ticks=range(0, 24, 4)), "libx264"
ENDINGS = [
    Case("a folder of `.ts`, `.gif`, `.asf`", PREPARE,
         files(("ts", H264, {}), ("gif", "gif", GIF), ("asf", "msmpeg4", {})), "", 0,
         subjects_made, "pasf: asf; pgif: gif; pts: ts"),
    Case("a folder of `.mxf`, `.qt`, `.mts`", PREPARE,
         files(("mxf", "mpeg2video", dict(rate=25)), ("qt", H264, {}), ("mts", H264, {})), "", 0,
         subjects_made, "pmts: mts; pmxf: mxf; pqt: qt"),
    Case("a folder of `.webm`, `.wmv`, `.flv`", PREPARE,
         files(("webm", "libvpx", {}), ("wmv", "wmv2", {}), ("flv", "flv", {})), "", 0,
         subjects_made, "pflv: flv; pwebm: webm; pwmv: wmv"),
    Case("a folder of `.h264`", PREPARE, files(("h264", H264, {})),
         "h264.h264: holds pictures without times"),
]  # fmt: skip
CUTS = [
    Case("a cut to another face", PREPARE, cut_to(1), "", 0, tracks,
         "2 stays, the second from frame 9"),
    Case("a cut to another face in `spot`", f"{SPOT} in/a.mp4", cut_to(33), "", 0, across,
         "4 intervals, none across the cut", ("weights",)),
    Case("no cut", PREPARE, cut_to(0), "", 0,
         lambda here: f"{1 + len(open_bank(here / 'bank').begins('a'))} stay", "1 stay"),
]  # fmt: skip
BROKEN = [
    broken("no such file", "no such video file"),
    broken("an empty folder", "is a folder without a video", lambda path: path.mkdir()),
    broken("an empty file", "the file is empty", lambda path: path.touch()),
    broken("a file of zeros", "not a video", lambda path: path.write_bytes(bytes(99999))),
    broken("text called `.mp4`", "not a video", lambda path: path.write_text("hello\n" * 99)),
    broken("text", "is text, not a video", lambda path: path.write_text("hello\n" * 99), "v.txt"),
    broken("a list of files for ffmpeg", ".*not a video",
           lambda path: path.write_text("ffconcat version 1.0\nfile a\n"), "v.txt"),
    broken("a video cut short", ".*cut off at", cut_off),
    broken("a video cut before its index", ".*cut off before its index", without_index),
    broken("a video of one frame", ".*at least two frames", lambda path: encode(path, noise(1))),
    broken("a photograph", ".*without times", clip("single_face.jpg"), "v.jpg"),
    broken("a picture", ".*without times", clip("Image_with_alpha.png"), "v.png"),
]  # fmt: skip
LONG = "ü" * 123 + "x.mp4"
PASSED_OVER = [
    Case("an empty file among others, passed over", f"{PREPARE} --skip-broken",
         lambda here: (files(("mp4", H264, {}))(here), (here / "in" / "b.mp4").touch()),
         "in/b.mp4: the file is empty; copy it again; left out", 0, subjects_made, "pmp4: mp4",
         doctor="videos left out as broken  +1: b"),
    Case("a file of another ending among videos", PREPARE,
         lambda here: (files(("mp4", H264, {}))(here), (here / "in" / "b.xyz").touch()),
         "in: b.xyz left out, no video by the ending; rename what is one", 0, subjects_made,
         "pmp4: mp4"),
]  # fmt: skip
NAMED = [
    named("a name with colons", "rec12:30:05.mp4"),
    named("a name like an address", "http:x.mov"),
    named("a name with brackets", "talk [take 1].mp4"),
    Case(f"a name of {len(os.fsencode(LONG))} bytes", f"{SPOT} in",
         placed(lambda path: encode(path, noise(6)), LONG),
         r"its name is too long for a folder \(200 bytes\); rename it", needs=("weights",)),
]  # fmt: skip
CASES = [*SHAPES, *STREAMS, *ENDINGS, *CUTS, *BROKEN, *PASSED_OVER, *NAMED]
