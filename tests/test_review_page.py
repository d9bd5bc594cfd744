"""What the review page holds: curves, times and intervals as in the tables, and nothing private."""

import base64
import getpass
import io
import json
import re
import socket

import numpy as np
import pandas as pd
import pytest
from made_reviews import CHANCES, FOUND, THRESHOLDS, frame_times, frames_table, made_folder
from PIL import Image
from video_files import encode, feat_clip

from jaxspot import write_review
from jaxspot.commands.review import main
from jaxspot.errors import UserError
from jaxspot.files import content_of, write_table
from jaxspot.spotting.automated_iou import apply_rule
from jaxspot.spotting.decision import Decision, read_decision, video_address, write_decision
from jaxspot.video.clip import aligned_clip
from jaxspot.video.container import packet_times
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import load_landmarker


def told(page):
    """The data of a page."""
    (text,) = re.findall(r'id="review-data">(.*?)</script>', page.read_text("utf-8"))
    return json.loads(text)


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.mark.parametrize("slow", [False, True])
def test_times_are_those_of_the_table_to_the_microsecond(tmp_path, slow):
    times = frame_times(200, seed=3) + 0.5
    if slow:
        times[100:] += 3  # a step that two bytes do not hold
    folder, _ = made_folder(tmp_path, times=times, video=False)
    data = told(write_review(folder))
    steps = numbers(data["steps"], "<u2" if data["step_bytes"] == 2 else "<f8")
    assert data["step_bytes"] == (8 if slow else 2)
    stamps = data["first_us"] + np.append(0, np.cumsum(steps.astype(np.int64)))
    written = pd.read_csv(folder / "frames.csv").pts_s
    np.testing.assert_array_equal(stamps, np.rint(written * 1e6))
    ends = {"100": 1e6 * (times[99] + np.diff(times)[:99].mean())} if slow else {}
    assert data["gaps"] == pytest.approx(ends, abs=2000)
    steps = np.diff(times)
    assert data["last_us"] == pytest.approx(1e6 * steps[steps < 1].mean(), abs=1)


def test_curves_and_thresholds_are_the_rules(tmp_path):
    folder, times = made_folder(tmp_path, decision=THRESHOLDS, video=False)
    frames = pd.read_csv(folder / "frames.csv")
    scores = frames[["p_me", "p_mae"]].to_numpy()
    fps = fps_of(times, "v")
    smooth = apply_rule(scores, fps=fps, fitted=THRESHOLDS.rule)[0]
    for number, kind in enumerate(told(write_review(folder))["kinds"]):
        codes = numbers(kind["smooth"], np.uint8)
        step = (kind["high"] - kind["low"]) / 254
        values = np.where(codes == 255, np.nan, kind["low"] + codes * step)
        np.testing.assert_allclose(values, smooth[:, number], atol=step)
        assert kind["threshold"] == THRESHOLDS.rule.threshold[number]
        assert kind["least_chance"] is None


def test_chances_have_a_least_chance_and_the_raw_scores(tmp_path):
    folder, _ = made_folder(tmp_path, video=False)
    page = write_review(folder)
    frames = pd.read_csv(folder / "frames.csv")
    for number, kind in enumerate(told(page)["kinds"]):
        codes = numbers(kind["raw"], np.uint8)
        values = np.where(codes == 255, np.nan, codes / 254 * kind["high"])
        np.testing.assert_allclose(values, frames[["p_me", "p_mae"]].iloc[:, number], atol=0.003)
        assert (kind["threshold"], kind["smooth"]) == (None, None)
        assert kind["least_chance"] == CHANCES.least_chance[number]
    assert "about 1 of the 2 ME and about 1 of the 2 MaE" in page.read_text()


def test_gaps_faces_and_rows_are_those_of_the_tables(tmp_path):
    folder, _ = made_folder(tmp_path, video=False)
    data = told(write_review(folder))
    assert data["faces"] == [[1, 0], [105, -1], [121, 1]]
    rows = [
        (r["kind"], r["onset"], r["apex"], r["offset"], float(r["score"])) for r in data["rows"]
    ]
    assert rows == FOUND
    assert [row["rank"] for row in data["rows"]] == ["2", "3", "4", "1"]


def test_ten_minutes_at_30_and_200_fps_stay_small(tmp_path):
    for fps, most in ((30, 500_000), (200, 1_500_000)):
        times = np.arange(600 * fps) / fps
        found = [("ME", 20 * i + 1, 20 * i + 4, 20 * i + 8, 0.5) for i in range(400)]
        folder, _ = made_folder(tmp_path / str(fps), times=times, found=found, video=False)
        assert write_review(folder).stat().st_size < most


def test_the_page_is_alone_and_tells_nothing_of_the_machine(tmp_path):
    folder, _ = made_folder(tmp_path)
    text = write_review(folder).read_text("utf-8")
    assert told(folder / "review.html")["video"] == "../../talk.mp4"
    assert str(tmp_path) not in text and socket.gethostname() not in text
    assert getpass.getuser() not in re.sub(r"[A-Za-z0-9+/=]{60,}", "", text).split()
    addresses = set(re.findall(r"https?://[^\"\s]+", text))
    # Names of the EAF format, which nothing loads.
    assert {address.split("/")[2] for address in addresses} == {"www.w3.org", "www.mpi.nl"}
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=\"(?!data:)", text)
    assert "image/jpeg;base64" not in text


def test_a_video_that_shares_only_the_root_is_known_by_its_name(tmp_path, monkeypatch):
    assert video_address("/data/alice/talk.mp4", "/spotted/talk") == "talk.mp4"
    assert video_address("/data/a/talk.mp4", "/data/b/talk") == "../../a/talk.mp4"
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "home" / "bob")
    home = tmp_path / "home"
    assert video_address(home / "alice" / "x.mp4", home / "bob" / "out") == "x.mp4"


def test_a_decision_comes_back_as_written(tmp_path):
    for decision in (CHANCES, THRESHOLDS, Decision(least_chance=(0.1, 0.1), per_minute=3.0)):
        write_decision(tmp_path, decision, tmp_path / "v.mp4")
        assert read_decision(tmp_path) == (decision, "v.mp4")
    (tmp_path / "spotted.json").write_text('{"rule": {"low": 3}}')
    with pytest.raises(UserError, match=r"spotted\.json: cannot be used .*; spot the video again"):
        read_decision(tmp_path)
    assert read_decision(tmp_path / "none") == (Decision(), "")


def test_without_spotted_json_there_is_no_threshold_and_no_link(tmp_path):
    folder, _ = made_folder(tmp_path, decision=None, video=False)
    data = told(write_review(folder))
    assert data["video"] == ""
    assert [(k["threshold"], k["least_chance"]) for k in data["kinds"]] == [(None, None)] * 2


def test_a_name_cannot_end_the_script_or_make_an_element(tmp_path):
    name = "</script><b>&amp;"
    folder = tmp_path / "a" / "v"
    times = frame_times(50)
    write_table(frames_table(times), folder / "frames.csv")
    columns = "subject,video,face,kind,onset,apex,offset,score,rank\n"
    (folder / "intervals.csv").write_text(f"{columns}{name},{name},0,ME,2,3,4,0.5,1\n")
    page = write_review(folder)
    assert told(page)["rows"][0]["subject"] == name
    assert "<b>" not in page.read_text()


@pytest.mark.parametrize(
    ("file", "change", "words"),
    [
        ("frames.csv", lambda t: t.drop(columns="pts_s"), "column 'pts_s' is missing"),
        ("frames.csv", lambda t: t.drop(index=3), "row 5: frame skipped; spot the video again"),
        ("frames.csv", lambda t: t.head(1), "has 1 frames"),
        ("frames.csv", lambda t: t.head(150), "row 5: offset is past the last frame"),
        ("frames.csv", lambda t: t.assign(pts_s=1.0), "row 3: pts_s does not grow"),
        ("intervals.csv", lambda t: t.assign(apex=1), "row 2: apex is empty or outside"),
        ("intervals.csv", lambda t: t.drop(columns="rank"), "column 'rank' is missing"),
    ],
)
def test_a_wrong_table_is_one_line(tmp_path, capsys, file, change, words):
    folder, _ = made_folder(tmp_path, video=False)
    table = pd.read_csv(folder / file)
    write_table(change(table), folder / file)
    assert main([str(folder)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (folder / "review.html").exists()


def test_the_command_makes_the_page_again(tmp_path, capsys):
    folder, _ = made_folder(tmp_path)
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == f"open {folder}/review.html\n"
    (tmp_path / "moved").mkdir()
    video = (tmp_path / "talk.mp4").rename(tmp_path / "moved" / "it.mp4")
    assert main([str(folder), f"--video={video}"]) == 0
    assert told(folder / "review.html")["video"] == "../../moved/it.mp4"
    assert main([str(folder), "--video=gone.mp4"]) == 2
    assert "gone.mp4: no such video file" in capsys.readouterr().err
    assert main([str(folder), "--include-frames"]) == 2
    assert "talk.mp4: no such video file; name it by --video" in capsys.readouterr().err


def test_pictures_are_the_aligned_faces_of_the_video(tmp_path):
    clip = aligned_clip(feat_clip("single_face.mp4"), landmarker=load_landmarker(), progress=False)
    found = [("MaE", 15, 30, 60, 0.7), ("ME", 20, 22, 24, 0.4)]
    folder, _ = made_folder(tmp_path, times=clip.times, found=found, video=False)
    frames = frames_table(clip.times, gap=(200, 201))
    write_table(frames, folder / "frames.csv")
    page = write_review(folder, feat_clip("single_face.mp4"), include_frames=True, progress=False)
    pictures = told(page)["pictures"]
    assert [list(own) for own in pictures] == [["onset", "apex", "offset", "difference"]] * 2
    decoded = lambda uri: _gray(base64.b64decode(uri.partition(",")[2]))
    for own, (_, onset, apex, offset, _) in zip(pictures, found, strict=True):
        for moment, frame in (("onset", onset), ("apex", apex), ("offset", offset)):
            assert abs(decoded(own[moment]) - clip.frames[frame - 1]).mean() < 3
        change = clip.frames[apex - 1].astype(float) - clip.frames[onset - 1]
        expected = np.clip(128 + 3 * change, 0, 255)
        assert abs(decoded(own["difference"]) - expected).mean() < 6
    assert page.stat().st_size < 130_000


def note_run(folder, video, **options):
    """A run.json, as of a run on a video."""
    note = {"video_sha256": content_of([video]), "options": options}
    (folder / "run.json").write_text(json.dumps(note))


def copy_of(folder, times, name="copy.mp4"):
    """Other pictures at other times, as a video in the folder."""
    pictures = np.zeros((len(times), 64, 64, 3), np.uint8)
    stamps = np.rint(np.asarray(times) * 1000).astype(int).tolist()
    return encode(folder / name, pictures, times_ms=stamps)


@pytest.mark.parametrize("include_frames", [True, False])
@pytest.mark.parametrize("noted", [True, False])
def test_another_video_is_refused(noted, include_frames, tmp_path):
    """A shorter one, and one of as many frames at another rate; a copy is told where it can be."""
    folder, times = made_folder(tmp_path)
    if noted:
        note_run(folder, tmp_path / "talk.mp4", fps=None)
    page = lambda video, lines: write_review(
        folder, video, include_frames=include_frames, progress=False, say=lines.append
    )
    says = {
        "short.mp4": (times[:60], "has 60 frames, but .*frames.csv has 200; name the video that"),
        "slow.mp4": (
            times * 2,
            r"frame 2 starts at 0\.\d+ s, but in .*frames.csv at 0\.\d+ s; name",
        ),
    }
    for name, (others, words) in says.items():
        with pytest.raises(UserError, match=words):
            page(copy_of(tmp_path, others, name), [])
    assert not (folder / "review.html").exists()
    if include_frames:
        return  # these videos show no face that could be followed
    for video, told_so in ((copy_of(tmp_path, times), noted), (tmp_path / "talk.mp4", False)):
        lines = []
        page(video, lines)
        assert len(lines) == told_so and all("is not the file" in line for line in lines)


def test_a_video_that_was_replaced_where_it_lay_is_refused(tmp_path):
    folder, times = made_folder(tmp_path)
    note_run(folder, tmp_path / "talk.mp4")
    write_review(folder)
    copy_of(tmp_path, times[:60], "talk.mp4")
    with pytest.raises(UserError, match=r"talk.mp4: has 60 frames, but"):
        write_review(folder)


def test_times_that_were_given_on_purpose_are_no_other_video(tmp_path):
    """After `spot --fps` the number of frames tells; pictures are read at that rate."""
    clip = feat_clip("single_face.mp4")
    frames = len(packet_times(clip))
    found = [("MaE", 15, 30, 60, 0.7)]
    folder, _ = made_folder(tmp_path, times=np.arange(frames) / 200, found=found, video=False)
    write_review(folder, clip)
    note_run(folder, clip, fps=200.0)
    page = write_review(folder, clip, include_frames=True, progress=False)
    assert [list(own) for own in told(page)["pictures"]] == [
        ["onset", "apex", "offset", "difference"]
    ]
    with pytest.raises(UserError, match="has 30 frames"):
        write_review(folder, copy_of(tmp_path, np.arange(30) / 200))


def _gray(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), float)
