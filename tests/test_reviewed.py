"""From videos and reviewed tables to a bank: which rows become labels, and of whom."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from face_clips import head_clip
from made_reviews import found_table, frame_times
from prepare_calls import add, call
from tiny_banks import said
from video_files import encode, noise

from jaxspot.commands import doctor
from jaxspot.datasets.reviewed import reviewed_source
from jaxspot.errors import UserError
from jaxspot.files import content_of
from jaxspot.video.bank import open_bank
from jaxspot.video.clip import posed_frames
from jaxspot.video.decode import read_video
from jaxspot.video.landmarker import load_landmarker

HEADER = "subject,video,face,kind,onset,apex,offset,score,rank,onset_s,apex_s,offset_s,verdict\n"
ROWS = {
    "accepted": "{s},{v},0,ME,2,3,4,0.61,1,0.07,0.13,0.27,accepted\n",
    "rejected": "{s},{v},0,ME,1,2,2,0.55,2,0.0,0.07,0.13,rejected\n",
    "open": "{s},{v},0,MaE,5,6,9,0.35,3,0.27,0.33,0.6,open\n",
    "added": "{s},{v},,MaE,4,,8,,,0.2,,0.53,accepted\n",
}


def table(path, video, *rows, subject=""):
    """A reviewed table with these rows of ROWS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(ROWS[row].format(s=subject, v=video) for row in rows))
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips of ten frames in a folder of their own."""
    folder = tmp_path_factory.mktemp("clips")
    for number, name in enumerate(("anna_1", "ben")):
        head_clip(folder / f"{name}.mp4", head=number)
    return folder


@pytest.fixture
def spotted(tmp_path):
    """Results of `spot`: one reviewed table in its folder, one as the page saves it, one not."""
    table(tmp_path / "in" / "anna_1" / "reviewed.csv", "anna_1", *ROWS, subject="anna")
    table(tmp_path / "in" / "ben.reviewed.csv", "ben", "rejected", "open")
    (tmp_path / "in" / "carl").mkdir()
    (tmp_path / "in" / "carl" / "intervals.csv").write_text(HEADER)
    return tmp_path / "in"


def test_accepted_intervals_are_labels_and_crops_are_posed(spotted, clips, tmp_path, capsys):
    assert call("reviewed", spotted, tmp_path / "bank", f"--videos={clips}") == 0
    out = capsys.readouterr().out
    assert "2 reviewed tables: 2 intervals accepted (the labels), 2 rejected, 2 still open" in out
    assert "who is who, by the column subject:\n  anna: anna_1\n" in out
    assert "no subject is known of ben: " in out and "not reviewed, so left out: carl" in out
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.videos[["subject", "video", "frames"]].values.tolist() == [
        ["anna", "anna_1", 10],
        ["ben", "ben", 10],
    ]
    assert bank.annotations.values.tolist() == [
        ["anna", "anna_1", "ME", 2, 3, 4],
        ["anna", "anna_1", "MaE", 4, 6, 8],
    ]
    assert bank.alignment == "posed"
    read = lambda: read_video(clips / "anna_1.mp4")
    by_hand = [frame.image for frame in posed_frames(read, load_landmarker())]
    np.testing.assert_array_equal(bank.frames("anna_1"), by_hand)
    assert bank.meta["source"]["labels"]["file"] == "in"


def test_a_table_reviewed_again_renews_the_labels(spotted, clips, tmp_path, capsys):
    flags = ["reviewed", spotted, tmp_path / "bank", f"--videos={clips}"]
    assert call(*flags) == 0
    before = open_bank(tmp_path / "bank").meta
    table(spotted / "ben.reviewed.csv", "ben", "accepted", "rejected")
    assert call(*flags, "--labels-only") == 0
    bank = open_bank(tmp_path / "bank", verify=True)
    assert bank.annotations.video.tolist() == ["anna_1", "anna_1", "ben"]
    assert bank.meta["source"]["labels"]["sha256"] != before["source"]["labels"]["sha256"]
    assert bank.meta["sha256"]["frames/ben.npy"] == before["sha256"]["frames/ben.npy"]
    assert doctor.main(["--dataset=reviewed", f"--source={spotted}", f"--videos={clips}"]) == 0


def test_videos_lie_beside_the_tables_or_where_the_run_says(spotted, clips, tmp_path):
    shutil.copy(clips / "ben.mp4", spotted / "ben.mp4")
    run = dict(video="../../elsewhere/anna_1.mp4")
    (spotted / "anna_1" / "spotted.json").write_text(json.dumps(run))
    with pytest.raises(UserError, match=r"there is no video 'anna_1' .* --videos"):
        reviewed_source(spotted)
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(clips / "anna_1.mp4", tmp_path / "elsewhere")
    places = [video.path.resolve() for video in reviewed_source(spotted).videos]
    assert places == [tmp_path / "elsewhere" / "anna_1.mp4", spotted / "ben.mp4"]


def test_an_interval_past_the_end_is_clipped_and_listed(spotted, clips, tmp_path):
    add(spotted / "anna_1" / "reviewed.csv", "anna,anna_1,0,MaE,7,8,30,0.3,4,0.4,0.5,2,accepted")
    assert call("reviewed", spotted, tmp_path / "bank", f"--videos={clips}") == 0
    repairs = pd.read_csv(tmp_path / "bank" / "repairs.csv")
    kept = repairs[["video", "row", "rule", "after"]].values.tolist()
    assert ["anna_1", 6, "past_end", "offset 10"] in kept


def test_intervals_of_several_faces_are_said(spotted, clips):
    add(spotted / "anna_1" / "reviewed.csv", "anna,anna_1,1,ME,6,7,8,0.3,4,0.333,0.4,0.53,accepted")
    notes = reviewed_source(spotted, videos=clips).notes
    assert [note for note in notes if "several faces: anna_1; the bank follows one face" in note]


def test_a_table_without_rows_is_a_video_without_expressions(spotted, clips):
    table(spotted / "ben.reviewed.csv", "ben")
    found = reviewed_source(spotted, videos=clips)
    assert [video.video for video in found.videos] == ["anna_1", "ben"]
    assert set(found.labels.annotations.video) == {"anna_1"}


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ("anna,anna_1,0,ME,2,3,4,0.6,1,0,0,0,maybe", "row 6: verdict must be accepted, rejected"),
        ("anna,anna_1,0,smile,2,3,4,0.6,1,0,0,0,open", "row 6: kind must be ME or MaE"),
        ("anna,other,0,ME,2,3,4,0.6,1,0,0,0,open", "row 6: video must be 'anna_1'"),
        ("eva,anna_1,0,ME,2,3,4,0.6,1,0,0,0,open", "row 6: subject was 'anna' before"),
        ("anna,anna_1,0,ME,x,3,4,0.6,1,0,0,0,open", "row 6: onset is 'x'; it must be a number"),
        ("anna,anna_1,0,ME,9,3,4,0.6,1,,,,accepted", "row 6: no rule mends onset 9, apex 3"),
    ],
)
def test_a_mistake_is_one_line_with_its_row(spotted, clips, tmp_path, capfd, row, line):
    add(spotted / "anna_1" / "reviewed.csv", row)
    assert call("reviewed", spotted, tmp_path / "bank", f"--videos={clips}") == 2
    assert f"reviewed.csv, {line}" in said(capfd, "prepare")
    assert not (tmp_path / "bank").exists()


def test_what_cannot_be_used_is_refused_with_a_remedy(spotted, clips, tmp_path, capfd):
    refused = lambda *flags: call("reviewed", spotted, tmp_path / "bank", *flags) == 2
    table(spotted / "ben.reviewed.csv", "ben", "open", "open")
    assert refused(f"--videos={clips}")
    assert "none of its 2 intervals was reviewed" in said(capfd, "prepare")
    table(spotted / "ben.reviewed.csv", "ben", "rejected")
    table(spotted / "ben" / "reviewed.csv", "ben", "rejected")
    assert refused(f"--videos={clips}")
    assert "keep the newer one" in said(capfd, "prepare")
    shutil.rmtree(spotted / "ben")
    two = tmp_path / "two"
    for folder in ("a", "b"):
        shutil.copytree(clips, two / folder)
    assert refused(f"--videos={two}")
    assert "its video may be " in said(capfd, "prepare")
    assert refused(f"--videos={clips}", "--labels=x.csv")
    assert "--labels does not go with reviewed tables" in said(capfd, "prepare")
    for name in ("anna_1.reviewed (1).csv", "Reviewed.csv"):
        table(spotted / name, "anna_1", "accepted")
        assert refused(f"--videos={clips}")
        assert f"{name}: is not read; a reviewed table is named" in said(capfd, "prepare")
        (spotted / name).unlink()
    for path in [*spotted.rglob("*reviewed.csv")]:
        path.unlink()
    assert refused(f"--videos={clips}")
    assert "holds no reviewed.csv" in said(capfd, "prepare")
    with pytest.raises(SystemExit):
        call("video", clips, tmp_path / "bank", f"--videos={clips}")
    assert "--videos goes with --dataset=reviewed" in capfd.readouterr().err


def spotted_by(folder, video, **options):
    """The note of a run of `spot` on a video."""
    run = dict(video_sha256=content_of([video]), options=options)
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(run))


@pytest.mark.parametrize("place", ["anna_1/reviewed.csv", "anna_1.reviewed.csv"])
def test_the_video_is_the_one_that_was_spotted(spotted, clips, tmp_path, place):
    (spotted / "anna_1" / "reviewed.csv").rename(spotted / place)
    spotted_by(spotted / "anna_1", clips / "ben.mp4")
    with pytest.raises(UserError, match=r"reviews another video than .*anna_1.mp4.*--videos"):
        reviewed_source(spotted, videos=clips)
    both = tmp_path / "both"
    shutil.copytree(clips, both / "a")
    (both / "b").mkdir()
    shutil.copy(clips / "ben.mp4", both / "b" / "anna_1.mp4")
    shutil.rmtree(spotted / "carl")
    (spotted / "ben.reviewed.csv").unlink()
    found = reviewed_source(spotted, videos=both)
    assert [video.path for video in found.videos] == [both / "b" / "anna_1.mp4"]


def test_the_bank_has_the_face_and_the_rate_of_the_run(spotted, clips, tmp_path, capfd):
    spotted_by(spotted / "anna_1", clips / "anna_1.mp4", face="left", fps=20.0)
    flags = ["reviewed", spotted, tmp_path / "bank", f"--videos={clips}", "--align=similarity"]
    assert call(*flags) == 2
    assert "`spot` followed the face 'left'" in (line := said(capfd, "prepare"))
    assert line.endswith("prepare it with --face=left")
    assert call(*flags, "--face=left") == 0
    videos = open_bank(tmp_path / "bank").videos.set_index("video")
    assert videos.fps["anna_1"] == 20 and videos.fps["ben"] != 20
    assert doctor.main(["--dataset=reviewed", f"--source={spotted}", f"--videos={clips}"]) == 0


def test_which_of_all_faces_was_accepted_is_said(spotted, clips):
    spotted_by(spotted / "anna_1", clips / "anna_1.mp4", face="all", fps=None)
    notes = "\n".join(reviewed_source(spotted, videos=clips, face="right").notes)
    assert "spotted by --face=all, accepted: anna_1 (face 0);" in notes


def test_frames_and_seconds_that_contradict_each_other_are_refused(spotted, clips):
    frames = [
        f"{number},{(number - 1) / 15:.6f},{face}\n" for number in range(1, 11) for face in "01"
    ]
    (spotted / "anna_1" / "frames.csv").write_text("frame,pts_s,face\n" + "".join(frames))
    file = spotted / "anna_1" / "reviewed.csv"
    assert len(reviewed_source(spotted, videos=clips).videos) == 2
    file.write_text(file.read_text().replace(",ME,2,3,4,", ",ME,3,3,4,"))
    with pytest.raises(UserError, match="row 2: frame onset does not start at onset_s"):
        reviewed_source(spotted, videos=clips)


@pytest.mark.parametrize("name", ["even", "uneven"])
def test_a_table_alone_is_laid_on_the_version_that_was_spotted(tmp_path, name):
    times = dict(even=np.arange(60) / 25, uneven=frame_times(60, fps=25.0))
    for version, starts in [*times.items(), ("fast", np.arange(60) / 30)]:
        (tmp_path / version).mkdir()
        encode(tmp_path / version / "talk.mp4", noise(60), times_ms=np.rint(starts * 1000).tolist())
    table = found_table(times[name], [("ME", 20, 23, 26, 0.9), ("MaE", 40, 45, 50, 0.8)])
    (tmp_path / "dl").mkdir()
    table.assign(verdict="accepted").to_csv(tmp_path / "dl" / "talk.reviewed.csv", index=False)
    found = reviewed_source(tmp_path / "dl", videos=tmp_path / name)
    assert found.labels.annotations.onset.tolist() == [20, 40]
    (note,) = (note for note in found.notes if "cannot be checked" in note)
    assert note.startswith(f"{tmp_path / 'dl' / 'talk.reviewed.csv'}: no run of `spot` beside it;")
    assert f"whether {tmp_path / name / 'talk.mp4'} is" in note
    with pytest.raises(UserError, match=r"row 2: .* onset_s in .*fast/talk.mp4; .* by --videos"):
        reviewed_source(tmp_path / "dl", videos=tmp_path / "fast")


def test_beside_its_run_a_table_says_nothing_of_it(spotted, clips):
    notes = lambda: [n for n in reviewed_source(spotted, videos=clips).notes if "no run of" in n]
    (line,) = notes()
    assert "anna_1/reviewed.csv" in line and line.endswith("(and so for 1 more tables)")
    spotted_by(spotted / "anna_1", clips / "anna_1.mp4")
    (line,) = notes()
    assert "ben.reviewed.csv" in line and line.endswith("cannot be checked")
    spotted_by(spotted / "ben", clips / "ben.mp4")
    assert not notes()
