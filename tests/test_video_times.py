"""The times of frames: in order, at the right rate, and apart where nothing was filmed between."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_videos import pack_b_frames, ramp, write_video
from prepare_calls import call
from video_files import feat_clip, noise

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.exports.medium import find_medium
from jaxspot.spotting.video_file import odd_lines, spot_faces
from jaxspot.video import decode
from jaxspot.video.clip import Clip, aligned_clip
from jaxspot.video.container import frame_rate, packet_times
from jaxspot.video.decode import read_video
from jaxspot.video.every_face import track_every_face
from jaxspot.video.face_clips import whole_video
from jaxspot.video.frame_times import fps_of, frame_ends, in_order, stretches
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.source import as_source


def times_of(path, **options):
    return np.array([frame.pts_s for frame in read_video(path, **options)])


def refused(path, words, **options):
    """Whether a video is refused in one line that names it."""
    with pytest.raises(UserError, match=words) as caught:
        list(read_video(path, **options))
    line = str(caught.value)
    return line.startswith(f"{path}: ") and "\n" not in line


@pytest.mark.parametrize(
    ("name", "codec", "fps", "tick", "pixels"),
    [
        ("phone.mov", "libx264", 240, Fraction(1, 600), "yuv420p"),
        ("film.mov", "libx264", 50, Fraction(1, 90), "yuv420p"),
        ("ninety.mov", "libx264", 60, Fraction(1, 90), "yuv420p"),
        ("a.gif", "gif", 30, Fraction(1, 100), "rgb8"),
        ("a.gif", "gif", 15, Fraction(1, 100), "rgb8"),
        ("a.mkv", "libx264", 300, Fraction(1, 1000), "yuv420p"),
    ],
)
def test_the_rate_is_that_of_times_rounded_to_ticks(tmp_path, name, codec, fps, tick, pixels):
    ticks = [round(number / fps / tick) for number in range(60)]
    path = tmp_path / name
    write_video(path, noise(60), codec=codec, rate=fps, tick=tick, ticks=ticks, pixels=pixels)
    times = times_of(path)
    np.testing.assert_allclose(times, np.array(ticks) * float(tick), atol=1e-3)
    assert len(set(np.diff(times).round(4))) > 1, "steps alternate"
    assert fps_of(times, path) == frame_rate(path) == pytest.approx(fps, rel=2e-3)


@given(
    st.floats(10, 500),
    st.floats(0.8e-3, 0.8),
    st.floats(0, 1),
    st.integers(40, 400),
    st.sets(st.integers(1, 400), max_size=10),
)
def test_rounding_and_lost_frames_do_not_change_the_rate(fps, share, start, count, lost):
    tick = share / fps
    times = tick * np.floor((np.arange(count) / fps) / tick + start)
    rounding = 2 * max(tick, 0.001) * fps / count
    assert fps_of(times, "v") == pytest.approx(fps, rel=rounding + 1e-6)
    kept = [number for number in range(count) if number not in lost or len(lost) > count / 20]
    if share < 0.2:
        assert fps_of(times[kept], "v") == pytest.approx(fps, rel=rounding + 0.03)


@given(st.permutations(range(12)), st.integers(0, 12))
def test_times_are_sorted_or_refused(order, late):
    frames = [(float(at), number) for number, at in enumerate(order)]
    far = max(number - sorted(order[: number + 1]).index(at) for number, at in enumerate(order))
    try:
        found = list(in_order(frames, "v", late=late))
    except UserError:
        assert far > late
    else:
        assert found == [(float(number), number) for number in range(12)]


def test_times_for_decoding_are_sorted(tmp_path):
    """AVI has no others; with B frames they stand at other frames."""
    paths = [pack_b_frames(tmp_path / "xvid.avi", ramp(31))]
    paths += [write_video(tmp_path / "x264.avi", ramp(31), bf="3")]
    paths += [write_video(tmp_path / "mpeg4.avi", ramp(31), codec="mpeg4", bf="2")]
    for path in paths:
        frames = list(read_video(path))
        levels = [frame.image.mean() for frame in frames]
        np.testing.assert_allclose(levels, ramp(31).mean((1, 2, 3)), atol=7)
        np.testing.assert_allclose(np.diff([frame.pts_s for frame in frames]), 1 / 30, atol=1e-6)
        np.testing.assert_allclose(packet_times(path), times_of(path), atol=1e-6)
        assert frame_rate(path) == 30


@pytest.mark.parametrize(("name", "held"), [("a.mp4", 0), ("a.mkv", 0), ("a.ts", 0), ("a.avi", 16)])
def test_frames_are_held_back_where_their_times_are_for_decoding(name, held, tmp_path, monkeypatch):
    path, seen = write_video(tmp_path / name, ramp(31), bf="3"), []
    in_order = decode.in_order
    spy = lambda frames, path, late: (seen.append(late), in_order(frames, path, late=late))[1]
    monkeypatch.setattr(decode, "in_order", spy)
    assert len(times_of(path)) == 31 and seen == [held]


def test_the_last_frame_of_a_program_stream_has_a_time_of_its_own(tmp_path):
    path = write_video(tmp_path / "a.mpg", noise(30), codec="mpeg2video", bf="2")
    np.testing.assert_allclose(times_of(path), np.arange(30) / 30, atol=1e-4)
    np.testing.assert_allclose(packet_times(path), np.arange(30) / 30, atol=1e-4)


@pytest.mark.parametrize("ending", ["ts", "mts", "mpg"])
def test_joined_files_whose_times_start_again_are_refused(tmp_path, ending):
    codec = "mpeg2video" if ending == "mpg" else "libx264"
    path = write_video(tmp_path / f"a.{ending}", noise(40), codec=codec)
    path.write_bytes(path.read_bytes() * 2)
    assert refused(path, r"times do not grow, 0.00 s comes late or twice .joined files.*--fps")
    assert len(times_of(path, fps=25)) >= 79


def test_two_frames_at_one_time_are_refused():
    ticks = [number - (number > 20) for number in range(40)]
    frames = [(float(tick), tick) for tick in ticks]
    with pytest.raises(UserError, match=r"v: its times do not grow, 20.00 s comes late or twice"):
        list(in_order(frames, "v", late=16))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.h264", "libx264"), ("a.mjpeg", "mjpeg"), ("a.m2v", "mpeg2video")]
)
def test_pictures_without_times_need_a_rate(tmp_path, name, codec):
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / name, noise(20), codec=codec, pixels=pixels)
    assert refused(path, "holds pictures without times; name their rate .--fps")
    for read in (as_source, frame_rate):
        with pytest.raises(UserError, match="without times"):
            read(path)
    with pytest.raises(UserError, match="carry no times"):
        find_medium("a", out=tmp_path, video=path)
    np.testing.assert_allclose(times_of(path, fps=50), np.arange(20) / 50)
    (tmp_path / "videos.csv").write_text(f"subject,video,path,fps\np,v,{name},50\n")
    assert call("csv", tmp_path, tmp_path / "bank") == 0
    assert pd.read_csv(tmp_path / "bank" / "videos.csv").fps.tolist() == [50]
    (tmp_path / "videos.csv").write_text(f"subject,video,path,fps\np,v,{name},\n")
    assert call("csv", tmp_path, tmp_path / "other") == 2


def with_gap(fps=30.0, gap=3600.0):
    """A clip of one face, 40 frames and 40 more after a gap."""
    times = np.arange(80) / fps + gap * (np.arange(80) >= 40)
    faces = (np.arange(80) >= 40).astype(np.int32)
    frames = np.zeros((80, 112, 112), np.uint8)
    return Clip(frames, np.ones((80, 2), np.float32), times, fps_of(times, "v"), faces)


def spotted(clip, kinds=("ME", "MaE")):
    """Finds an expression that fills all it is given; tells how much that was each time."""
    given = []

    def score(frames, fps):
        given.append(len(frames))
        return np.full((len(frames), 2), 0.5)

    def intervals(scores, fps):
        rows = [(kind, 1, 2, len(scores), 0.9) for kind in kinds]
        return pd.DataFrame(rows, columns=["kind", "onset", "apex", "offset", "score"])

    found = spot_faces(whole_video(clip), name="v", score=score, intervals=intervals)
    return found, given


def test_frames_in_pairs_keep_their_mean_rate():
    pairs = np.arange(60) // 2 / 15 + np.arange(60) % 2 / 1000
    assert fps_of(pairs, "v") == pytest.approx(30, rel=0.03)


def test_so_many_a_minute_are_of_a_face_not_of_what_lies_between_gaps():
    def two(scores, fps):
        rows = [(kind, 5 * n + 1, 5 * n + 2, 5 * n + 4, n / 10) for n in range(4) for kind in KINDS]
        return pd.DataFrame(rows, columns=["kind", "onset", "apex", "offset", "score"])

    given = dict(name="v", score=lambda shown, fps: np.zeros((len(shown), 2)), intervals=two)
    found = spot_faces(whole_video(with_gap()), per_minute=20.0, **given).intervals
    assert found.kind.value_counts().to_dict() == {"ME": 1, "MaE": 1}  # 80 frames: 0.9
    assert (found.score == 0.3).all()


def test_nothing_is_compared_or_spotted_across_a_gap():
    found, given = spotted(with_gap(), kinds=("MaE",))
    assert given == [40, 40]
    table = found.intervals
    assert table[["onset", "offset", "face"]].values.tolist() == [[1, 40, 0], [41, 80, 1]]
    np.testing.assert_allclose(table.offset_s - table.onset_s, 40 / 30, atol=1e-5)
    (line,) = odd_lines("v.mp4", whole_video(with_gap()))
    assert line.startswith("v.mp4: 3600.0 s without a frame after 1.30 s; nothing is compared")
    assert not odd_lines("v.mp4", whole_video(with_gap(gap=0.0)))


@pytest.mark.parametrize(("fps", "kinds"), [(15, ["ME", "MaE"]), (14, ["MaE"]), (1, ["MaE"])])
def test_a_slow_video_has_no_micro_expressions(fps, kinds):
    clip = with_gap(fps=float(fps), gap=0.0)
    found, _ = spotted(clip)
    assert found.intervals.kind.tolist() == [kind for kind in ("ME", "MaE") if kind in kinds]
    lines = odd_lines("v.mp4", whole_video(clip))
    slow = [f"v.mp4: {fps} fps are too slow for micro-expressions; none given"]
    assert lines == slow * ("ME" not in kinds)


def test_a_frame_every_other_second_is_no_video():
    with pytest.raises(UserError, match=r"v: has a frame only every 2.0 s; a video needs"):
        fps_of(np.arange(10) * 2.0, "v")
    assert fps_of(np.arange(10) * 1.0, "v") == 1


def test_a_gap_ends_every_track(tmp_path):
    pictures = [frame.image for frame in list(read_video(feat_clip("single_face.mp4")))[:12]]
    ticks = [number + 60 * (number > 5) for number in range(12)]
    path = write_video(tmp_path / "a.mp4", pictures, ticks=ticks)
    landmarker = load_landmarker()
    clip = aligned_clip(path, landmarker=landmarker, progress=False)
    assert clip.faces.tolist() == [0] * 6 + [1] * 6
    tracked = track_every_face(read_video(path), landmarker)
    assert [[one.face for one in found] for _, found in tracked] == [[0]] * 6 + [[1]] * 6


@given(st.lists(st.floats(0.01, 3), min_size=1, max_size=30))
def test_stretches_and_ends_of_frames(steps):
    times = np.cumsum([0.0, *steps])
    parts = stretches(times)
    assert np.concatenate([times[part] for part in parts]).tolist() == times.tolist()
    assert all((np.diff(times[part]) <= 1.001).all() for part in parts)
    assert all(times[b.start] - times[a.stop - 1] > 1.001 for a, b in pairwise(parts))
    ends = frame_ends(times)
    assert (ends > times).all()
    short = np.diff(times) <= 1.001
    np.testing.assert_array_equal(ends[:-1][short], times[1:][short])
    if short.any():
        assert (ends[:-1] <= times[1:]).all()
