"""What lies beside videos, videos changed since, and such as need another tool first."""

import shutil

from input_case import Case
from inputs_videos import COUNT, H264, PREPARE, SPOT, files
from made_sources import label, subjects_made
from made_videos import write_video
from prepare_calls import call
from video_files import noise


def beside_videos(*names):
    """Two videos, mp4 and overlay, and empty files of these names beside them."""

    def make(here):
        files(("mp4", "libx264", {}))(here)
        place = here / "in" / "pmp4"
        shutil.copy(place / "mp4.mp4", place / "overlay.mp4")
        for name in names:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).touch()

    return make


def cut_since(here):
    """A bank of a video that was made shorter after it."""
    files(("mp4", "libx264", {}))(here)
    assert call("video", here / "in", here / "bank") == 0
    write_video(here / "in" / "pmp4" / "mp4.mp4", noise(COUNT)[2:])
    label(here / "in", "pmp4,mp4,ME,1,2,3")


CASES = [
    Case("an overlay of `spot` among videos", PREPARE, beside_videos("run.json", "intervals.csv"),
         "in: in/pmp4/overlay.mp4 left out, which `spot` wrote", 0, subjects_made, "pmp4: mp4"),
    Case("an overlay of `spot` among videos, in `spot`", f"{SPOT} in",
         beside_videos("run.json", "intervals.csv"), "in: in/pmp4/overlay.mp4 left out", 0,
         needs=("weights",)),
    Case("a folder of pictures among videos", PREPARE,
         beside_videos(*[f"pictures/{number:02}.jpg" for number in range(12)]),
         "in/pmp4/pictures: 12 pictures left out; name it in a videos.csv", 0, subjects_made,
         "pmp4: mp4, overlay"),
    Case("an .eaf file of ELAN beside the videos", PREPARE, beside_videos("mp4.eaf"),
         "in: labels in mp4.eaf not read; to take them, --labels=in/pmp4/mp4.eaf", 0,
         subjects_made, "pmp4: mp4, overlay"),
    Case("new labels for a video that was cut since", f"{PREPARE} --labels-only", cut_since,
         "holds video 'mp4' with other content than in/pmp4/mp4.mp4 has now; prepare again"),
    Case("an interlaced video", PREPARE, files(("ts", H264, dict(flags="+ilme+ildct"))),
         "in/pts/ts.ts: is marked as interlaced; if moving edges", 0, subjects_made, "pts: ts"),
    Case("an interlaced video in `spot`", f"{SPOT} in",
         files(("avi", "mpeg4", dict(flags="+ilme+ildct"))),
         "in/pavi/avi.avi: is marked as interlaced", 0, needs=("weights",)),
]  # fmt: skip
