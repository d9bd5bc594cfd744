"""Tables of intervals: for `evaluate`, and for `export`."""

import codecs
import json

from input_case import Case
from made_intervals import write_intervals
from video_files import encode, noise

HEADER = "subject,video,kind,onset,apex,offset,score\n"
ROWS = HEADER + "s1,s1_1,ME,6,,12,\ns1,s1_1,MaE,21, ,45,0.5\n"
TRUTH = "--videos=bank/videos.csv --annotations=bank/annotations.csv"
EVALUATE = f"evaluate {TRUTH} --intervals=mine.csv --out=out"


def mine(content):
    data = content if isinstance(content, bytes) else content.encode()
    return lambda here: (here / "mine.csv").write_bytes(data)


def refused(what, content, says, **more):
    return Case(what, EVALUATE, mine(content), f"mine.csv.*{says}", needs=("bank",), **more)


def unreadable(what, content):
    return refused(what, content, "not a readable CSV table", varies=True)


def scored(here):
    """Such as '2 right, 0 false'."""
    found = json.loads((here / "out" / "scores.json").read_text())["overall"]
    return f"{found['tp']} right, {found['fp']} false, {found['fn']} missed"


def taken(what, content, holds="2 right, 0 false, 4 missed"):
    return Case(what, EVALUATE, mine(content), "", 0, scored, holds, ("bank",))


def published(what, row, rule, holds):
    """Labels as a release has them, with a fault that it is known for."""

    def make(here):
        (here / "bank" / "annotations.csv").write_text(f"{HEADER}s1,s1_1,{row},\n")
        mine(ROWS)(here)

    says = rf"1 label mended \({rule}\)"
    return Case(what, EVALUATE, make, says, 0, scored, holds, ("bank",))


def placed(here):
    mine(ROWS)(here)
    (here / "file").write_text("mine")


def export(what, words, says, make=lambda here: write_intervals(here / "i.csv"), **more):
    return Case(what, f"export i.csv {words}", make, says, **more)


def with_frames(row, frames=100):
    """A table of one row, and the times of the frames of its video at 30 a second."""

    def make(here):
        header = "video,kind,onset,apex,offset,onset_s,apex_s,offset_s\n"
        (here / "i.csv").write_text(f"{header}{row}\n")
        times = "".join(f"{at},{(at - 1) / 30:.6f}\n" for at in range(1, frames + 1))
        (here / "frames.csv").write_text(f"frame,pts_s\n{times}")

    return make


def shorter(here):
    with_frames("talk,ME,3,5,9,,,")(here)
    (here / "intervals.csv").write_bytes((here / "i.csv").read_bytes())
    encode(here / "talk.mp4", noise(60))


PLACES = [
    Case(f"results for {name}", EVALUATE.replace("out=out", f"out={place}"), placed,
         f"evaluate: {place}: ", needs=("bank",), varies=True)
    for name, place in (("a file", "file"), ("a folder under a file", "file/below"),
                        ("a place that cannot be written", "/sys/jaxspot"))
]  # fmt: skip
REFUSED = [
    refused("intervals parted by semicolons", ROWS.replace(",", ";"), "semicolons.*with commas"),
    refused("intervals parted by tabs", ROWS.replace(",", "\t"), "tabs.*with commas"),
    unreadable("intervals in UTF-16", ROWS.encode("utf-16")),
    unreadable("names in Latin-1", ROWS.replace("s1,", "Jürgen,").encode("latin-1")),
    unreadable("an empty table of intervals", b""),
    unreadable("an archive called `.csv`", b"PK\x03\x04\x00\x00\xff\xfe"),
    refused("an apex `x`", HEADER + "s1,s1_1,ME,6,x,12,\n", "row 2: apex is 'x'"),
    refused("a score `high`", HEADER + "s1,s1_1,ME,6,,12,high\n", "row 2: score is 'high'"),
    refused("an empty onset", HEADER + "s1,s1_1,ME,,,12,\n", "row 2: onset is empty"),
    refused("intervals of a video that is not there", HEADER + "s1,s9_1,ME,6,,12,\n",
            "row 2: .*not in the table of videos"),
    refused("intervals of a video with its ending", ROWS.replace("s1_1", "S1_1.mp4"),
            "row 2: .*not in the table of videos"),
]  # fmt: skip
TAKEN = [
    taken("line ends of Windows", ROWS.replace("\n", "\r\n")),
    taken("a table of Excel", codecs.BOM_UTF8 + ROWS.replace("\n", "\r\n").encode()),
]
REVIEWED = HEADER.replace("score", "verdict") + "".join(
    f"s1,s1_1,{row}\n"
    for row in ("ME,6,8,12,accepted", "MaE,21,30,45,rejected", "ME,50,51,52,open")
)


def reviewed_labels(table):
    """A reviewed table as labels, and its first two intervals as predictions."""

    def make(here):
        (here / "bank" / "annotations.csv").write_text(table)
        mine(ROWS)(here)

    return make


def second_download(here):
    (here / "in").mkdir()
    (here / "in" / "a.reviewed (1).csv").write_text(REVIEWED)


VERDICTS = [
    Case("a reviewed table as predictions", EVALUATE, mine(REVIEWED),
         "mine.csv: rejected intervals, left out: 1", 0, scored, "1 right, 1 false, 5 missed",
         ("bank",)),
    Case("a reviewed table as labels", EVALUATE, reviewed_labels(REVIEWED),
         r"accepted intervals \(the labels\): 1; left out: 1 rejected, 1 open", 0, scored,
         "1 right, 1 false, 0 missed", ("bank",)),
    Case("a table as labels that nobody reviewed", EVALUATE,
         reviewed_labels(REVIEWED.replace("accepted", "open").replace("rejected", "open")),
         "none of its 3 intervals was reviewed", needs=("bank",)),
    Case("a second download of a review", "prepare --dataset=reviewed --source=in --out=bank",
         second_download, r"in/a.reviewed \(1\).csv: is not read; .* if it is a second download"),
    refused("a column `Verdict`", REVIEWED.replace("verdict", "Verdict"),
            "column 'Verdict': call it 'verdict'"),
    Case("a column `verdict ` in labels", EVALUATE,
         reviewed_labels(REVIEWED.replace("verdict", "verdict ")),
         "annotations.csv: column 'verdict ': call it 'verdict'", needs=("bank",)),
    refused("a verdict `maybe`", REVIEWED.replace("open", "maybe"), "row 4: verdict must be"),
]  # fmt: skip
QUEUE = {"file": {"1": ["s1_1.mp4", "s2_1.mp4"]}, "events": [[1.0, "", "ME", "", ""]]}
PROJECT = json.dumps({"project_format_version": "7.0", "behaviors_conf": {},
                      "observations": {"one": QUEUE}})  # fmt: skip
SPLIT = "ME,6,8,12,accepted,0", "MaE,21,30,45,accepted,1"
FACES = HEADER.replace("score", "verdict,face") + "".join(f"s1,s1_1,{row}\n" for row in SPLIT)


def said(what, make, says, holds):
    return Case(what, EVALUATE, make, says, 0, scored, holds, ("bank",))


DOUBTS = [
    said("labels of one video, predictions of all", reviewed_labels(FACES.replace(",1\n", ",0\n")),
         r"\d of \d videos have no label \(.*\): taken as without expressions",
         "2 right, 0 false, 0 missed"),
    said("labels of two faces in one video", reviewed_labels(FACES),
         "s1_1: intervals of faces 0 and 1, taken as one person's", "2 right, 0 false, 0 missed"),
    Case("an observation of BORIS that plays two files", EVALUATE, mine(PROJECT),
         r"observation 'one': plays several files \(s1_1.mp4, s2_1.mp4\) in player 1",
         needs=("bank",)),
]  # fmt: skip
PUBLISHED = [
    published("a published onset 0", "ME,0,8,12", "onset_zero", "1 right, 1 false, 0 missed"),
    published("a published apex after the offset", "ME,6,14,12", "apex_after_offset",
              "1 right, 1 false, 0 missed"),
    published("a published offset past the end", "MaE,21,30,90", "past_end",
              "1 right, 1 false, 0 missed"),
]  # fmt: skip
EXPORTS = [
    export("an unknown format", "--to=elann", "Did you mean 'elan'"),
    export("no format", "--to=,", "no format is named"),
    export("intervals without seconds, and no video", "--to=elan",
           "i.csv, row 2: has no onset_s.*--video",
           lambda here: write_intervals(here / "i.csv", seconds=False)),
    export("frames that were edited, beside their old seconds", "--to=elan",
           r"row 2: onset is frame 61, which starts at 2.000 s .* onset_s is 1; correct either",
           with_frames("talk,ME,61,65,70,1.0,1.1,1.3")),
    export("an apex outside its interval", "--to=elan", "row 2: apex is outside onset..offset",
           with_frames("talk,ME,61,35,70,,,")),
    export("a video that is named with its folder", "--to=elan --out=out", "",
           with_frames("s1/talk,ME,61,65,70,,,"), code=0,
           shows=lambda here: next((here / "out").iterdir()).name, holds="s1_talk.eaf"),
    export("a name that leaves the folder", "--to=elan", "row 2: the video's name: its files",
           with_frames("s1/../../talk,ME,61,65,70,,,")),
    export("the file of another video", "--to=elan --video=talk.mp4",
           "talk.mp4: has 60 frames, but frames.csv has 100; name the video that was", shorter),
    export("a table that is not there", "--to=elan", "i.csv", lambda here: None),
]  # fmt: skip
CASES = [*PLACES, *REFUSED, *TAKEN, *VERDICTS, *DOUBTS, *PUBLISHED, *EXPORTS]
