"""`jaxspot spot` on what people have: folders, globs, pictures, many videos, twice."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from made_spotters import untrained
from numpy.testing import assert_allclose
from PIL import Image
from two_heads import two_heads
from video_files import encode, noise

from jaxspot.commands import spot
from jaxspot.datasets.folders import video_source
from jaxspot.datasets.images import number_images
from jaxspot.errors import UserError
from jaxspot.files import content_of
from jaxspot.own_video import videos as videos_module
from jaxspot.own_video.inputs import find_videos, unique_names
from jaxspot.own_video.reading import open_video
from jaxspot.own_video.videos import BrokenVideos, Stopped, spot_videos
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.video.container import probe

ROOT = Path(__file__).parents[1]
FILES = ["frames.csv", "intervals.csv", "review.html", "run.json", "scores.png", "spotted.json"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    save_spotter(folder, untrained())
    return folder


@pytest.fixture(scope="module")
def face(tmp_path_factory):
    """A short video of one head."""
    places = [((150.0 + 0.5 * number, 40.0),) for number in range(12)]
    return encode(tmp_path_factory.mktemp("face") / "talk.mp4", two_heads(places))


@pytest.fixture
def tree(tmp_path, face):
    """Two sessions with a talk each, another video, and things that are no videos."""
    root = tmp_path / "recordings"
    for name in ("s1/talk.mp4", "s2/talk.MP4", "s2/.hidden.mp4", "rest.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(face, root / name)
    (root / "notes.txt").write_text("no video")
    return root


def names(*places, **options):
    return [video.name for video in find_videos(places, **options).videos]


def pictures(folder, images):
    folder.mkdir(parents=True)
    for number, image in enumerate(images, 1):
        Image.fromarray(image).save(folder / f"img{number}.png")
    return folder


def test_folders_are_searched_and_names_are_unique(tree):
    assert names(tree) == ["rest", "s1/talk", "s2/talk"]
    assert names(tree / "s1") == ["talk"]
    assert names(tree / "s1" / "talk.mp4", tree) == ["s1/talk", "rest", "s2/talk"], "taken once"
    assert names(f"{tree}/*/*.mp4") == ["talk"]
    assert names(f"{tree}/**/*.*") == ["rest", "s1/talk", "s2/talk"]
    with pytest.raises(UserError, match="matches no video"):
        find_videos([f"{tree}/*.avi"])
    (tree / "empty").mkdir()
    with pytest.raises(UserError, match="without a video or pictures"):
        find_videos([tree / "empty"])


def test_names_differ_whatever_the_paths():
    paths = ["a/x.mp4", "b/X.mov", "b/c/x.mp4", "q/z.mp4", "q/z.mov", "y.mp4"]
    found = unique_names([Path(path) for path in paths])
    assert found == ["a/x", "b/X", "c/x", "z.mp4", "z.mov", "y"]
    with pytest.raises(UserError, match="same name"):
        unique_names([Path("/a/x.mp4"), Path("/A/x.mp4")])


def test_a_bracket_in_a_name_is_no_glob(tmp_path, face):
    path = shutil.copy(face, tmp_path / "talk [take 1].mp4")
    assert names(path) == ["talk [take 1]"]


def test_subjects(tree):
    assert {v.subject for v in find_videos([tree], subject="Ann").videos} == {"Ann"}
    found = find_videos([tree], subject="folder").videos
    assert [v.subject for v in found] == ["recordings", "s1", "s2"]


def test_a_session_is_no_person(tmp_path, face):
    root = tmp_path / "all"
    for name in ("anna/s1/a.mp4", "anna/s2/b.mp4", "bert/s1/c.mp4", "site/sub-03/s1/d.mp4"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(face, root / name)
    found = find_videos([root], subject="folder").videos
    assert [v.subject for v in found] == ["anna", "anna", "bert", "sub-03"]
    assert [v.subject for v in found] == [v.subject for v in video_source(root).videos]
    found = find_videos([root / "anna" / "s2" / "b.mp4", root], subject="folder").videos
    assert [v.subject for v in found] == ["s2", "anna", "bert", "sub-03"]


def test_pictures_are_taken_in_order_of_their_names(tmp_path, run, capsys):
    images = two_heads([((150.0 + number, 40.0),) for number in range(12)])
    folder = pictures(tmp_path / "all" / "p01" / "day", images)
    with pytest.raises(UserError, match="--fps"):
        find_videos([folder])
    (video,) = find_videos([tmp_path / "all"], fps=50).videos
    assert video.name == "day" and video.pictures == tuple(f"img{n}.png" for n in range(1, 13))
    encode(tmp_path / "all" / "p01" / "film.mp4", noise(2))
    assert "left out" in find_videos([tmp_path / "all"]).notes[0]
    options = dict(weights=run, out=tmp_path / "out", progress=False)
    table = spot_videos(folder, fps=50, subject="folder", **options)["day"]
    assert set(table.subject) == {"p01"}
    frames = pd.read_csv(tmp_path / "out" / "day" / "frames.csv")
    np.testing.assert_allclose(frames.pts_s, np.arange(12) / 50)
    assert frames.success.all()
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match="none of its pictures"):
        spot_videos(folder, fps=50, **options)


def test_fps_stands_for_times_that_a_file_lacks(tmp_path, run, face):
    raw = tmp_path / "raw.h264"
    images = two_heads([((150.0, 40.0),)] * 12)
    write_raw(raw, images)
    assert not probe(raw).timed and probe(face).timed
    lines = []
    options = dict(weights=run, out=tmp_path / "out", progress=False, say=lines.append)
    with pytest.raises(UserError, match=r"raw.h264: holds pictures without times.*--fps"):
        spot_videos(raw, **options)
    assert not (tmp_path / "out").exists()
    spot_videos(raw, fps=100, **options)
    assert not lines
    times = pd.read_csv(tmp_path / "out" / "raw" / "frames.csv").pts_s
    np.testing.assert_allclose(times, np.arange(12) / 100)


def write_raw(path, images):
    with av.open(str(path), "w", format="h264") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())


def test_what_was_done_is_not_done_again(tree, run, tmp_path, monkeypatch):
    done, lines = [], []
    work = videos_module.run_job
    spot_one = lambda job, *others: (done.append(job.video.name), work(job, *others))[1]
    monkeypatch.setattr(videos_module, "run_job", spot_one)
    out = tmp_path / "out"
    spotted = lambda **more: spot_videos(
        tree / "s1", weights=run, out=out, progress=False, say=lines.append, **more
    )
    first = spotted()["talk"]
    assert done == ["talk"] and sorted(p.name for p in (out / "talk").iterdir()) == FILES
    os.utime(tree / "s1" / "talk.mp4")
    again = spotted()["talk"]
    assert done == ["talk"] and "was done before" in lines[-1]
    pd.testing.assert_frame_equal(first, again, check_dtype=False)
    for change in (dict(per_minute=5.0), dict(again=True), dict(overlay=True), dict(subject="x")):
        spotted(**change)
        assert done.pop() == "talk" and done == ["talk"], change
    (out / "talk" / "scores.png").unlink()
    before = len(done)
    spotted(subject="x")
    assert len(done) == before + 1, "a file is missing"
    with open(tree / "s1" / "talk.mp4", "ab") as file:
        file.write(b"\0" * 8)
    spotted(subject="x")
    assert len(done) == before + 2, "another content"
    note = (out / "talk" / "run.json").read_text()
    assert str(tmp_path) not in note
    assert json.loads(note)["weights_sha256"] == load_spotter(run).sha256()


@pytest.mark.parametrize("table", ["talk/reviewed.csv", "talk.reviewed.csv"])
def test_results_of_another_video_are_replaced_unless_they_were_reviewed(
    tree, run, tmp_path, table
):
    out, lines = tmp_path / "out", []
    options = dict(weights=run, out=out, progress=False, say=lines.append)
    spot_videos(tree / "s1", **options)
    with open(tree / "s2" / "talk.MP4", "ab") as file:
        file.write(b"\0" * 8)
    (out / table).write_text("")
    before = (out / "talk" / "run.json").read_text()
    with pytest.raises(BrokenVideos, match=r"reviews another video called 'talk'.*another --out"):
        spot_videos(tree / "s2", again=True, **options)
    assert (out / "talk" / "run.json").read_text() == before
    spot_videos(tree / "s1", again=True, **options)
    with pytest.raises(BrokenVideos, match="reviews intervals found by another --face"):
        spot_videos(tree / "s1", face="left", **options)
    assert not any("replaces" in line for line in lines)
    (out / table).unlink()
    spot_videos(tree / "s2", **options)
    assert f"{out / 'talk'}: replaces the results of another video" in "\n".join(lines)


def test_content_does_not_depend_on_names_and_times(tmp_path):
    large = np.random.default_rng(0).bytes(3 * 2**20)
    (tmp_path / "a").write_bytes(large)
    (tmp_path / "b").write_bytes(large)
    changed = {}
    for place in (0, 2**20 - 1, 2**21, len(large) - 1):
        other = bytearray(large)
        other[place] ^= 1
        (tmp_path / "c").write_bytes(other)
        changed[place] = content_of([tmp_path / "c"])
    assert content_of([tmp_path / "a"]) == content_of([tmp_path / "b"])
    assert len({*changed.values(), content_of([tmp_path / "a"])}) == 5


def test_files_of_others_in_a_video_folder_stay(tree, run, tmp_path):
    options = dict(weights=run, out=tmp_path / "out", progress=False)
    spot_videos(tree / "s1", **options)
    (tmp_path / "out" / "talk" / "reviewed.csv").write_text("mine")
    spot_videos(tree / "s1", again=True, **options)
    assert (tmp_path / "out" / "talk" / "reviewed.csv").read_text() == "mine"


def test_videos_of_one_name_are_exported(tree, run, tmp_path):
    out = tmp_path / "out"
    spot_videos(tree, weights=run, out=out, formats=("webvtt",), progress=False)
    found = {path.relative_to(out).as_posix() for path in out.rglob("*.vtt")}
    assert found == {"rest/rest.vtt", "s1/talk/s1_talk.vtt", "s2/talk/s2_talk.vtt"}


def test_exports_of_earlier_intervals_are_told_and_stay(tree, run, tmp_path):
    """Named as exports are, of a video that is replaced; those that are made again are not told."""
    out, lines = tmp_path / "out", []
    everything, nothing = (-9.0, -9.0), (9.0, 9.0)
    options = dict(weights=run, out=out, progress=False, say=lines.append)
    do = lambda height, **more: spot_videos(tree, threshold=height, **options, **more)
    first = do(everything, formats=("elan", "bids"), overlay=True)
    assert not lines and len(first["s1/talk"])
    mine = out / "s1/talk/s1_talk.eaf"
    mine.write_text("with notes of a person")
    do(everything, again=True)
    assert not lines  # the same intervals
    assert do(nothing, formats=("bids",))["s1/talk"].empty
    old = [f"{out}/s1/talk/{name}" for name in ("s1_talk.eaf", "overlay.mp4")]
    assert [line for line in lines if "/s1/" in line] == [
        f"{path}: is of earlier intervals; make it again, or remove it" for path in old
    ]
    assert not any("bids" in line or "_events" in line for line in lines)
    assert mine.read_text() == "with notes of a person"
    lines.clear()
    do(nothing)
    assert not any("earlier" in line for line in lines)  # nothing is replaced


@pytest.mark.parametrize("name", ["talk\u200b.mp4", ".talk.mp4"])
def test_a_name_that_no_export_can_have_is_told_before_the_work(name, face, run, tmp_path):
    shutil.copy(face, tmp_path / name)
    options = dict(weights=run, out=tmp_path / "out", progress=False)
    with pytest.raises(UserError, match=r"--export: video .*talk"):
        spot_videos(tmp_path / name, formats=("webvtt",), **options)
    assert not (tmp_path / "out").exists()
    assert len(spot_videos(tmp_path / name, **options)) == 1


def test_threshold_goes_with_weights_without_a_judge(tree, run, tmp_path):
    options = dict(weights=run, progress=False)
    found = [
        len(spot_videos(tree / "s1", out=tmp_path / str(n), threshold=pair, **options)["talk"])
        for n, pair in enumerate([(-9.0, -9.0), (9.0, 9.0)])
    ]
    assert found[0] > found[1] == 0
    with pytest.raises(UserError, match="--min-chance does not go with them"):
        spot_videos(tree / "s1", out=tmp_path / "none", min_chance=0.5, **options)
    with pytest.raises(UserError, match="--threshold does not go with them"):
        spot_videos(tree / "s1", out=tmp_path / "none", threshold=(0.5, 0.5), progress=False)
    for wrong in (dict(face="middle"), dict(fps=0.0), dict(workers=0), dict(threshold=(1.0,))):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            spot_videos(tree / "s1", out=tmp_path / "none", **options, **wrong)
    assert not (tmp_path / "none").exists()


def test_workers_find_what_one_process_finds(tree, run, tmp_path, capfd):
    (tree / "bad.mp4").write_bytes(bytes(999))
    words = [f"--weights={run}", str(tree)]
    assert spot.main([*words, f"--out={tmp_path / 'one'}", "--workers=1"]) == 2
    capfd.readouterr()
    assert spot.main([*words, f"--out={tmp_path / 'two'}", "--workers=2"]) == 2
    out, error = capfd.readouterr()
    assert "bad.mp4: not a video" in error and "s2/talk: " in out
    for name in ("rest", "s1/talk", "s2/talk"):
        for file in ("frames.csv", "intervals.csv"):
            one, two = (tmp_path / way / name / file for way in ("one", "two"))
            assert one.read_bytes() == two.read_bytes()
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["rest", "s1", "s2"]


def test_ctrl_c_keeps_what_is_done_and_leaves_no_half_folder(tree, run, tmp_path, monkeypatch):
    work, out = videos_module.run_job, tmp_path / "out"

    def stop_at_second(job, spotter, pool):
        if job.progress.number:
            job.partial.mkdir(parents=True)
            (job.partial / "frames.csv").write_text("half")
            raise KeyboardInterrupt
        return work(job, spotter, pool)

    monkeypatch.setattr(videos_module, "run_job", stop_at_second)
    with pytest.raises(Stopped, match="1 of 3 videos done; the same command") as caught:
        spot_videos(tree, weights=run, out=out, progress=False)
    assert list(caught.value.found) == ["rest"] and caught.value.exit_code == 130
    assert [p.name for p in out.iterdir()] == ["rest"]
    monkeypatch.setattr(videos_module, "run_job", work)
    lines = []
    found = spot_videos(tree, weights=run, out=out, progress=False, say=lines.append)
    assert list(found) == ["rest", "s1/talk", "s2/talk"] and len(lines) == 1


def test_what_a_killed_process_left_is_removed(tree, run, tmp_path):
    out = tmp_path / "out"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getppid()):
        (out / f".{pid}.0.part").mkdir(parents=True)
    spot_videos(tree / "s1", weights=run, out=out, progress=False)
    assert sorted(p.name for p in out.iterdir()) == [f".{os.getppid()}.0.part", "talk"]


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="needs signals")
def test_ctrl_c_stops_workers(run, face, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(20):
        shutil.copy(face, folder / f"v{number}.mp4")
    words = ["launch/spot.py", f"--weights={run}", f"--out={tmp_path / 'out'}", "--workers=2"]
    process = subprocess.Popen(
        [sys.executable, *words, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Under load, Python may warn of semaphores of the workers; a warning is no error here.
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    limit = time.monotonic() + 240
    while not list((tmp_path / "out").glob("v*")) and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(1.0)  # until the command knows of it
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=120)
    assert process.returncode == 130, error
    assert "of 20 videos done; the same command does the others" in error
    assert "Traceback" not in error and "MaE" in out
    for video in (tmp_path / "out").iterdir():
        assert sorted(p.name for p in video.iterdir()) == FILES


def test_no_connection_is_opened_and_no_path_written(tree, run, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a network connection")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse, raising=False)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    options = dict(weights=run, progress=False, face="all", overlay=True)
    spot_videos(tree / "s1", out=tmp_path / "out", **options)
    host = re.compile(rf"\b{re.escape(os.uname().nodename)}\b")
    for path in (tmp_path / "out" / "talk").iterdir():
        for secret in (str(tmp_path), str(ROOT)):
            assert secret.encode() not in path.read_bytes(), path.name
        if path.suffix in (".csv", ".json"):
            assert not host.search(path.read_text())


def test_broken_videos_name_what_was_found(tree, run, tmp_path):
    (tree / "bad.mp4").touch()
    with pytest.raises(BrokenVideos, match="is empty") as caught:
        spot_videos(tree, weights=run, out=tmp_path / "out", progress=False)
    assert list(caught.value.found) == ["rest", "s1/talk", "s2/talk"]


LOST = "6 pictures are missing; frames 3-8 count as lost"
EVENLY = "pictures count as evenly spaced, in order of their names"


def elsewhere(pictures, bank):
    return f"frames 1 and 2 are pictures {pictures}; in a bank of `prepare` they are frames {bank}"


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("1", "2", "9"), [LOST]),
        (("0", "1", "2"), []),
        (("0", "2", "4", "8"), [elsewhere("0 and 2", "1 and 3"),
                                "1 picture is missing; frame 4 counts as lost"]),
        (("b8", "b9", "b10"), [elsewhere("8 and 9", "8 and 9")]),
        (("b1", "b3", "b5"), [elsewhere("1 and 3", "1 and 3")]),
        (("a", "b1", "b3"), [EVENLY]),
        (("1", "20260102"), []),
        (("1", "2", "20260102"), [EVENLY]),
        (("b1_9", "b2_3", "b2_4"), [EVENLY]),
    ],
)  # fmt: skip
def test_pictures_whose_numbers_skip_are_told(names, says, tmp_path):
    for name in names:
        (tmp_path / f"{name}.png").touch()
    assert find_videos([tmp_path], fps=30).notes == [f"{tmp_path}: {line}" for line in says]


@pytest.mark.parametrize("numbers", [range(101, 107), range(0, 12, 2), (5, 6, 9)])
def test_a_line_says_which_frames_of_a_bank_the_pictures_are(numbers, tmp_path):
    for number in numbers:
        (tmp_path / f"{number}.png").touch()
    found = find_videos([tmp_path], fps=30)
    line = next(line for line in found.notes if "in a bank" in line)
    said = [int(word) for word in re.findall(r"\d+", line.rpartition("frames ")[2])]
    in_bank = number_images(tmp_path)
    first = found.videos[0].pictures[0]
    assert in_bank[said[0]].name == first == f"{numbers[0]}.png"
    assert in_bank[said[1]].name == found.videos[0].pictures[1] == f"{numbers[1]}.png"


def test_missing_pictures_are_lost_frames(tmp_path):
    rng = np.random.default_rng(0)
    for number in (7, 8, 10, 13):
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), np.uint8)).save(
            tmp_path / f"{number}.png"
        )
    video = find_videos([tmp_path], fps=30).videos[0]
    assert video.pictures == ("7.png", "8.png", "", "10.png", "", "", "13.png")
    frames = list(open_video(video, fps=30).read())
    assert [frame.image is None for frame in frames] == [not name for name in video.pictures]
    assert_allclose([frame.pts_s for frame in frames], np.arange(7) / 30)
    (tmp_path / "cover_8.png").touch()
    with pytest.raises(UserError, match=r"cover_8.png: is picture 8, as 8.png is; keep one"):
        find_videos([tmp_path], fps=30)


def test_times_and_endings_that_do_not_count_are_told(tmp_path):
    encode(tmp_path / "talk.mp4", noise(9), times_ms=[40 * at for at in range(9)], last_ms=40)
    for name in ("talk.xyz", "notes.txt", "talk.eaf", "talk.png", ".talk.tmp"):
        (tmp_path / name).touch()
    assert find_videos([tmp_path]).notes == [
        f"{tmp_path}: talk.xyz left out, no video by the ending; rename what is one"
    ]
    talk = tmp_path / "talk.mp4"
    (line,) = find_videos([talk], fps=200).notes
    assert line.startswith(f"{talk}: plays 25 frames a second, counted as 200; in a player")
    assert not find_videos([talk], fps=25).notes
