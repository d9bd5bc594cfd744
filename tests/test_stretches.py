"""A video followed in stretches and joined, against one pass over it."""

import dataclasses
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from two_heads import two_heads
from video_files import encode, noise

from jaxspot.errors import UserError
from jaxspot.video import posed_reading, stretches
from jaxspot.video.clip import posed_clip
from jaxspot.video.decode import VideoFrame
from jaxspot.video.frame_file import FrameFile
from jaxspot.video.landmarker import known_landmarker
from jaxspot.video.mesh import Region
from jaxspot.video.posed_reading import Reading, read_posed
from jaxspot.video.source import Source, as_source
from jaxspot.video.stretches import (
    WARM_UP,
    Followed,
    Stretch,
    agree,
    divide,
    follow_stretch,
    join,
)
from jaxspot.video.tracker import MEMORY_S, coarse_region, track_faces
from jaxspot.workers import Pool


class Several(Pool):
    """A pool that does in this process what several workers would do; it counts the jobs."""

    workers = 3

    def __init__(self):
        self.jobs = []

    def map(self, function, jobs):
        self.jobs += [(function.__name__, len(jobs))]
        return super().map(function, jobs)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """A head that moves, leaves across the end of the second stretch, and comes back elsewhere."""
    there = [((60.0 + 0.4 * number, 40.0),) for number in range(60)]
    places = there + [(None,)] * 40 + [((320.0 - 0.4 * number, 40.0),) for number in range(40)]
    return encode(tmp_path_factory.mktemp("video") / "v.mp4", two_heads(places), g="25")


@pytest.fixture(scope="module")
def one(video):
    """What one pass gives."""
    return posed_clip(video, progress=False)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(stretches, "SHORTEST", 40)


def test_stretches_give_what_one_pass_gives(video, one, short, tmp_path):
    pool = Several()
    clip = read_posed(Reading(partial(as_source, video), tmp_path), pool)
    assert pool.jobs == [("_follow", 3), ("_crop", 3)], "all agreed at once"
    assert set(clip.faces) == {-1, 0, 1} and clip.fps == one.fps
    for name in ("times", "faces", "quality", "boxes", "upside_down"):
        np.testing.assert_array_equal(getattr(clip, name), getattr(one, name), err_msg=name)
    np.testing.assert_array_equal(clip.frames[np.arange(len(one.times))], one.frames)


@pytest.mark.parametrize("longer", [1, 40])
def test_stretches_that_do_not_agree_are_followed_again(
    video, one, short, tmp_path, monkeypatch, longer
):
    monkeypatch.setattr(stretches, "WARM_UP_S", 0.0)
    monkeypatch.setattr(stretches, "WARM_UP", 1)  # the detector's first guess
    monkeypatch.setattr(posed_reading, "LONGER", longer)
    pool = Several()
    clip = read_posed(Reading(partial(as_source, video), tmp_path), pool)
    assert len(pool.jobs) > 2
    assert (pool.jobs[-1] == ("_crop", 3)) == (longer == 40), "followed from earlier, or as one"
    np.testing.assert_array_equal(clip.faces, one.faces)
    np.testing.assert_array_equal(clip.frames[np.arange(len(one.times))], one.frames)


def test_the_tracker_forgets_where_it_began(video):
    frames = list(as_source(video).read())[:60]
    whole, late = (
        [seen.points for seen in track_faces(part, known_landmarker())]
        for part in (frames, frames[25:])
    )
    assert not np.array_equal(whole[25], late[0])
    assert all(np.array_equal(a, b) for a, b in zip(whole[55:], late[30:], strict=True))


def test_what_is_known_of_a_stretch_is_not_read_again(video, tmp_path):
    (tmp_path / "points").write_bytes(b"")
    (tmp_path / "whole").write_bytes(b"")
    times, read = as_source(video).times(), []
    follow = partial(follow_stretch, as_source(video), known_landmarker())
    whole = follow(Stretch(), landmarks=tmp_path / "whole")
    late = Stretch(20, None, 20, times[20])
    known = follow(late, landmarks=tmp_path / "points")
    assert not np.array_equal(known.rigid[0], whole.rigid[20])
    count = lambda: read.append(1)
    early = Stretch(20, None, 0, 0.0)
    part = follow(early, landmarks=tmp_path / "points", known=known, on_frame=count)
    assert 3 <= len(read) < 40
    for name, a, b in zip(part._fields[1:], part[1:], whole[1:], strict=True):
        np.testing.assert_array_equal(a, b, err_msg=name)
    points, own = (np.fromfile(tmp_path / name, np.float32) for name in ("whole", "points"))
    assert np.array_equal(points[20 * 478 * 3 :], own[20 * 478 * 3 :])


@given(
    x=st.floats(-1e4, 1e4),
    side=st.floats(10, 4000),
    angle=st.floats(-3, 3),
)
def test_a_coarse_region_is_near_and_its_own(x, side, angle):
    region = Region(x, -x, side, angle)
    coarse = coarse_region(region)
    far = [abs(a - b) for a, b in zip(coarse, region, strict=True)]
    assert max(far[:3]) <= side / 512 and far[3] <= 1 / 512
    if np.log2(side) % 1 > 0.01:  # rounding up may double the grid
        assert coarse_region(coarse) == coarse


@settings(deadline=None)
@given(
    st.integers(1, 20_000), st.integers(1, 16), st.sampled_from([5.0, 24.0, 30.0, 200.0, 1000.0])
)
def test_stretches_cover_a_video_once(frames, workers, fps):
    times = (np.arange(frames) / fps).tolist()
    parts = divide(times, least=workers)
    assert parts[0].first == 0 and parts[-1].stop is None
    assert all(a.stop == b.first for a, b in pairwise(parts))
    assert all(part.second == times[part.warm] for part in parts)
    for part in parts[1:]:
        assert part.first - part.warm >= min(WARM_UP, part.first)
        assert not part.warm or times[part.first] - times[part.warm] >= MEMORY_S
    if workers == 1 or frames < 240:
        assert len(parts) == 1
    else:
        assert len(parts) >= min(workers, frames // 120)


def followed(faces, *, first=0, warm=0, marks=None):
    """A stretch at 10 frames a second; `marks` tell meshes apart."""
    count = len(faces)
    marks = np.arange(count) + warm if marks is None else marks
    rigid = np.ones((count, 38, 3)) * np.reshape(marks, (-1, 1, 1))
    times = (warm + np.arange(count)) / 10
    stretch = Stretch(first, None, warm, warm / 10)
    values = (np.ones(count), np.zeros((count, 4)), np.zeros(count, bool), rigid)
    return Followed(stretch, times, np.array(faces), *values)


def test_stretches_agree_where_they_have_one_face_or_remember_none():
    before, empty = followed([0] * 20), [-1] * 20
    after = partial(followed, first=20, warm=5)
    assert agree(before, after([0] * 30))
    assert not agree(before, after([0] * 30, marks=np.arange(30) + 5.001)), "another mesh"
    assert not agree(before, after([-1] * 30)) and not agree(before, after([-1] * 15 + [0] * 15))
    assert not agree(followed([0] * 15 + [-1] * 5), after([-1] * 30)), "0.5 s ago"
    assert agree(followed([0] * 5 + [-1] * 15), after([-1] * 30)), "forgotten"
    assert agree(followed(empty), after([-1] * 30))
    assert not agree(followed(empty), after([-1] * 14 + [0] + [-1] * 15))
    assert not agree(followed([0] * 19), after([0] * 30)), "a frame is missing"


def test_tracks_are_numbered_through():
    parts = [
        followed([0, 0, -1, 1, 1, 1]),
        followed([0, 0, 0, -1, 1], first=6, warm=4),  # its first two are known as 1
        followed([-1, -1, 0, 0], first=9, warm=7),
    ]
    assert join(parts).faces.tolist() == [0, 0, -1, 1, 1, 1, 1, -1, 2, 3, 3]
    assert join(parts).times.tolist() == [i / 10 for i in range(11)]


def refuse(second):
    raise UserError("nothing can be decoded there")
    yield  # like `read_video`, which fails at its first frame


@pytest.mark.parametrize("begins", ["early", "late", "never", "refused", "late but from earlier"])
def test_a_file_that_cannot_be_searched_is_read_from_the_start(begins):
    frames, reads = [VideoFrame(float(number), None) for number in range(40)], []
    jumps = {
        "early": lambda second: frames[3:],
        "late": lambda second: frames[32:],
        "never": lambda second: [],
        "refused": refuse,
        "late but from earlier": lambda second: frames[int(second) + 2 :],
    }
    read = lambda: reads.append(1) or frames
    source = Source(Path("v"), 40, read, list, jumps[begins])
    assert list(source.read_from(28, 28.0)) == frames[28:]
    assert len(reads) == (begins in ("late", "never", "refused"))


def test_frames_that_a_jump_loses_are_read_from_the_start(video, one, short, tmp_path):
    source = as_source(video)

    def lossy(second):
        for number, frame in enumerate(source.jump(second)):
            if number not in (3, 4):
                yield frame

    opened = lambda: dataclasses.replace(source, jump=lossy)
    clip = read_posed(Reading(opened, tmp_path), Several())
    np.testing.assert_array_equal(clip.times, one.times)
    np.testing.assert_array_equal(clip.frames[np.arange(len(one.times))], one.frames)


def test_a_transport_stream_is_read_alike_by_any_number(tmp_path):
    places = [((60.0 + 0.5 * number, 40.0),) for number in range(100)]
    path = encode(tmp_path / "v.ts", two_heads(places))
    source = as_source(path)
    frames, times = list(source.read()), source.times()
    for number in (1, 30, 75, 99):
        found = list(source.read_from(number, times[number]))
        assert [frame.pts_s for frame in found] == [frame.pts_s for frame in frames[number:]]


def test_reading_goes_on_at_any_frame(tmp_path):
    path = encode(tmp_path / "v.mp4", noise(40), g="7", bf="2")
    source = as_source(path)
    frames, times = list(source.read()), source.times()
    np.testing.assert_allclose(times, [frame.pts_s for frame in frames], atol=1e-9)
    for number in (0, 1, 13, 39):
        found = list(source.read_from(number, times[number]))
        for a, b in zip(found, frames[number:], strict=True):
            assert a.pts_s == b.pts_s and np.array_equal(a.image, b.image)


def test_damage_and_an_empty_video_give_one_line(video, short, tmp_path):
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[: video.stat().st_size * 2 // 3])
    with pytest.raises(UserError, match=r"cut\.mp4"):
        read_posed(Reading(partial(as_source, cut), tmp_path), Several())
    nothing = Source(Path("none.mp4"), 0, lambda: ())
    with pytest.raises(UserError, match="no frame could be decoded"):
        read_posed(Reading(lambda: nothing, tmp_path), Several())


def test_a_frame_file_is_like_an_array(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (9, 4, 5), dtype=np.uint8)
    frames.tofile(tmp_path / "frames")
    file = FrameFile(tmp_path / "frames", frames.shape)
    assert len(file) == 9 and file.ndim == 3 and file.dtype == np.uint8
    places = np.array([[8, 0, 0], [3, 2, 7]])
    np.testing.assert_array_equal(file[places], frames[places])
    assert not isinstance(file[places], np.memmap), "nothing stays mapped"
    part = file[3:8]
    assert isinstance(part, FrameFile) and part.shape == (5, 4, 5)
    np.testing.assert_array_equal(part[1:][np.array([0, 3, -1])], frames[[4, 7, 7]])
    with pytest.raises(ValueError, match="steps of 1"):
        file[::2]
