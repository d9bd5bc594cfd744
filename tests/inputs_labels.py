"""Labels in tables: names, units and rows as people write them."""

from dataclasses import replace

from input_case import Case
from made_sources import image_videos, label, labels_kept, talks
from prepare_calls import CSV, LABELS, add, csv_tree

PREPARE = "prepare --dataset=csv --source=in --out=bank"


def kept(what, make, holds, says="", **more):
    return Case(what, PREPARE, make, says, 0, labels_kept, holds, **more)


def row(file, text):
    """A source with one more row in one of its tables."""

    def make(here):
        add(csv_tree(here / "in") / file, text)

    return make


def tables(name, text):
    def make(here):
        (csv_tree(here / "in") / name).write_text(text)

    return make


def renamed(*names):
    """A source whose table of labels has these names."""

    def make(here):
        source = image_videos(here, "talk1", "talk2", "Talk3")
        for name in names:
            label(source, "p0,talk1,ME,1,2,3", name=name)

    return make


def broken(what, says, make):
    return Case(what, PREPARE, make, says)


ALL = "3 labels of talk1, talk2, Talk3"
NAMES = [
    kept(
        "names with an ending, or in other case",
        talks("p0,talk1,ME,1,2,3", "p1,talk2.mp4,ME,1,2,3", "p2,TALK3,ME,1,2,3"),
        ALL,
        r"2 labels mended \(video_name\): see bank/repairs.csv",
    ),
    kept(
        "subjects and names in other case, `.AVI`",
        talks("P0,TALK1,ME,1,2,3", "P1,talk2.AVI,ME,1,2,3", "P2,talk3,ME,1,2,3"),
        ALL,
        r"3 labels mended \(video_name\): see bank/repairs.csv",
    ),
    kept(
        "names with folders, also of Windows",
        talks("p0,in/talk1.mp4,ME,1,2,3", r"p1,C:\videos\Talk2.m2ts,ME,1,2,3", "p2,Talk3,ME,1,2,3"),
        ALL,
        r"2 labels mended \(video_name\): see bank/repairs.csv",
    ),
    kept(
        "a name with a slip (`tlak3`)",
        talks("p0,talk1,ME,1,2,3", "p1,talk2,ME,1,2,3", "p2,tlak3,ME,1,2,3"),
        "2 labels of talk1, talk2",
        r"1 label left out \(no_video\): see bank/repairs.csv",
        doctor=r"row 4 tlak3 \(no_video\)",
    ),
    broken(
        "names of which most fit no video",
        r"annotations.csv: 2 of 3 labels do not fit: no video is called as in 2",
        talks("p0,one,ME,1,2,3", "p1,two,ME,1,2,3", "p2,talk3,ME,1,2,3"),
    ),
    broken(
        "names that may be two videos",
        r"annotations.csv: 1 of 1 label",
        lambda here: label(image_videos(here, "a.mp4", "a.avi"), "p0,a,ME,1,2,3"),
    ),
    kept("a table called `Annotations.csv`", renamed("Annotations.csv"), "1 label of talk1"),
    kept("a table called `ANNOTATIONS.CSV`", renamed("ANNOTATIONS.CSV"), "1 label of talk1"),
    kept("a table called `annotations.CSV`", renamed("annotations.CSV"), "1 label of talk1"),
    broken(
        "two tables whose names differ in case alone",
        r"keep one, as annotations.csv",
        renamed("Annotations.csv", "ANNOTATIONS.csv"),
    ),
]
UNITS = [
    broken(
        "times in milliseconds",
        r"2 begin past the end of their video \(row 2: onset 1200.*milliseconds",
        talks("p0,talk1,ME,1200,1300,1400", "p1,talk2,ME,40,50,60", "p2,talk3,ME,1,2,3"),
    ),
    broken(
        "milliseconds of a video that is not there",
        r"2 of 2 labels .*no video is called as in 1.*1 begin past the end",
        talks("p0,nobody,ME,1,2,3", "p1,talk2,ME,40,50,60"),
    ),
    kept(
        "milliseconds in one row of three",
        talks("p0,talk1,ME,1,2,3", "p1,talk2,ME,1,2,3", "p2,talk3,ME,1200,1300,1400"),
        "2 labels of talk1, talk2",
        r"1 label left out \(past_end\): see bank/repairs.csv",
        doctor=r"row 4 talk3 \(past_end\)",
    ),
    kept(
        "whole seconds",
        talks("p0,talk1,MaE,1,2,3", "p1,talk2,MaE,1,1,2", "p2,talk3,ME,1,1,1"),
        ALL,
        r"half of the MaE labels last at most 0.0833 s \(frames: 2.5\)",
        doctor="labels of odd length .* half of the MaE labels last at most",
    ),
    broken(
        "seconds with fractions",
        r"row 2: onset 2.1, offset 2.4: most onsets and offsets are no whole numbers; write frames",
        talks("p0,talk1,ME,2.1,2.2,2.4", "p1,talk2,ME,1.2,1.3,1.5", "p2,talk3,ME,1,1.3,1.6"),
    ),
    kept(
        "seconds of which one has fractions",
        talks("p0,talk1,MaE,1,2,3", "p1,talk2,MaE,1,1,2", "p2,talk3,ME,2.1,2.2,2.4"),
        ALL,
        r"half of the ME labels last at most 0.0333 s \(frames: 1\)",
        doctor="labels of odd length .* half of the ME labels last at most",
    ),
    kept(
        "frames that are right",
        lambda here: label(image_videos(here, "a", frames=24), "p0,a,ME,3,6,12"),
        "1 label of a",
    ),
]
TWICE = [
    kept(
        "a row twice",
        talks("p0,talk1,ME,1,2,3", "p0,talk1,ME,2,2,3", "p0,talk1,ME,1,2,3"),
        "2 labels of talk1",
        r"1 label left out \(duplicate\)",
    ),
    kept(
        "a row twice, under two names",
        talks("p0,talk1,ME,1,2,3", "p0,talk1,ME,2,2,3", "p0,TALK1.mp4,ME,1,2,3"),
        "2 labels of talk1",
        r"1 label left out \(duplicate\)",
    ),
    kept(
        "a row twice, with another apex",
        talks("p0,talk1,ME,1,2,3", "p0,talk1,ME,2,2,3", "p0,talk1,ME,1,3,3"),
        "2 labels of talk1",
        r"1 label left out \(duplicate\)",
    ),
    kept(
        "an expression that two coders marked",
        talks("p0,talk1,ME,1,2,3", "p0,talk1,ME,1,2,4", "p1,talk2,MaE,1,2,3", "p1,talk2,ME,1,2,3"),
        "4 labels of talk1, talk2",
        r"labels of one kind overlap by half \(talk1 1-3 and 1-4\); are they of two coders\?",
        doctor="expressions marked twice .* 1: talk1 1-3 and 1-4",
    ),
    kept(
        "one span as ME and as MaE",
        talks("p0,talk1,ME,1,2,3", "p0,talk1,MaE,1,2,3", "p0,talk1,MaE,1,2,4"),
        "3 labels of talk1",
        "labelled twice: talk1 1-3 as ME and MaE; delete the label that is wrong",
        doctor="spans of two kinds .* 1: talk1 1-3 as ME and MaE",
    ),
    replace(
        kept(
            "a row twice, and the rule switched off",
            talks("p0,talk1,ME,1,2,3", "p0,talk1,ME,1,2,3"),
            "2 labels of talk1",
        ),
        command=f"{PREPARE} --rules-off=duplicate",
    ),
]
ROWS = [
    broken("a video whose path is wrong", "videos.csv, row 4: .*/w is not there",
           row("videos.csv", "\np,w,w,30")),
    broken("a video in two rows, of two people",
           "in/../in/v: video 'w' of q is the same file as video 'v' of p; keep one of them",
           row("videos.csv", "q,w,../in/v,30")),
    broken("a video named `a/b`", "videos.csv, row 3: video 'a/b': its files are named after",
           row("videos.csv", "p,a/b,v,30")),
    broken("a name of 201 letters", "videos.csv, row 3: video 'x+': .* at most 200",
           row("videos.csv", f"p,{'x' * 201},v,30")),
    broken("a label of another person", "annotations.csv, row 3: subject is 'q', but video v",
           row("annotations.csv", "q,v,ME,1,1,1")),
    broken("an onset after the offset", "annotations.csv, row 3: no rule mends onset 2, apex 1",
           row("annotations.csv", "p,v,ME,2,1,1")),
    broken("the kind `me`", "annotations.csv, row 3: kind must be ME or MaE",
           row("annotations.csv", "p,v,me,1,1,1")),
    broken("an onset `a`", "annotations.csv, row 3: onset is 'a'; it must be a",
           row("annotations.csv", "p,v,ME,a,2,3")),
    broken("a column `onset` that stands twice", "annotations.csv: two columns are called 'onset'",
           tables("annotations.csv", f"{LABELS.strip()},onset\np,v,ME,1,2,3,2\n")),
    broken("a column `Apex`", "annotations.csv: column 'Apex': call it 'apex'",
           tables("annotations.csv", LABELS.replace("apex", "Apex") + "p,v,ME,1,1,3\n")),
    broken("a table without rows", "videos.csv: lists no video", tables("videos.csv", CSV)),
    broken("semicolons", "annotations.csv: .* it separates by semicolons",
           tables("annotations.csv", LABELS.replace(",", ";"))),
]  # fmt: skip
CASES = [*NAMES, *UNITS, *TWICE, *ROWS]
