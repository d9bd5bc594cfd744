"""Streams: what is numbered, what is dropped, what a camera and a played file give."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from video_files import encode, feat_clip, noise

from jaxspot.errors import UserError
from jaxspot.live import sources
from jaxspot.live.newest import WAITING, Newest
from jaxspot.live.sources import (
    Arrival,
    Stream,
    camera_stream,
    file_stream,
    measured_rate,
    on_grid,
)
from jaxspot.live.watch import numbered
from jaxspot.video.container import packet_times
from jaxspot.video.decode import read_video


def paced(count, step_s):
    """Frames that come every so many seconds, whether or not they are taken."""
    for number in range(count):
        time.sleep(step_s)
        yield Arrival(number, number * step_s, None, time.perf_counter())


def test_what_cannot_be_taken_in_time_gives_way_to_newer_frames():
    newest = Newest(Stream("made", 100.0, False, paced(60, 0.01)))
    taken, behind = [], []
    for arrival in newest:
        time.sleep(0.05)
        taken.append(arrival.number)
        behind.append(time.perf_counter() - arrival.came_s)
    newest.close()
    assert taken == sorted(set(taken)) and taken[-1] == 59
    assert newest.dropped > 20 and len(taken) + newest.dropped == 60
    # Without drops, the last frames would be behind by some seconds.
    assert np.median(behind) < (WAITING + 2) * 0.06 + 0.2


def test_nothing_is_dropped_when_frames_are_taken_in_time():
    newest = Newest(Stream("made", 20.0, False, paced(10, 0.05)))
    assert [arrival.number for arrival in newest] == list(range(10)) and not newest.dropped


def test_an_error_of_the_stream_is_raised_where_frames_are_taken():
    def broken():
        yield from paced(2, 0.01)
        raise UserError("camera 0: gives no more frames")

    taken = []
    with pytest.raises(UserError, match="no more frames"):
        taken += [a.number for a in Newest(Stream("made", 30.0, False, broken()))]


def test_a_closed_reader_ends_and_closes_its_stream():
    ended = []

    def endless():
        try:
            yield from paced(10_000, 0.01)
        finally:
            ended.append(True)

    newest = Newest(Stream("made", 100.0, False, endless()))
    for arrival in newest:
        if arrival.number >= 3:
            newest.close()
            break
    assert ended == [True]


@given(
    st.lists(st.floats(-0.45, 0.45), min_size=2, max_size=40),
    st.sets(st.integers(1, 39), max_size=10),
)
def test_numbers_follow_the_time_whatever_is_left_out(jitter, left_out):
    jitter[0] = 0.0
    kept = [n for n in range(len(jitter)) if n not in left_out]
    pictures = ((5 + (n + jitter[n]) / 30, None) for n in kept)
    assert [arrival.number for arrival in on_grid(pictures, 30.0)] == kept


def test_a_camera_that_is_faster_than_the_rate_gives_only_that_rate():
    found = list(on_grid(((n / 60, None) for n in range(600)), 30.0))
    numbers = [arrival.number for arrival in found]
    assert numbers == sorted(set(numbers)) and abs(len(numbers) - 300) <= 2
    assert max(abs(a.number / 30 - a.pts_s) for a in found) <= 1 / 30


def test_the_rate_of_a_camera_is_measured():
    shake = np.random.default_rng(0).normal(0, 0.003, 31)
    assert measured_rate(np.arange(31) / 30.1 + shake) == 30.0
    assert measured_rate(np.arange(31) / 15.0) == 15.0
    assert measured_rate(np.arange(31) / 12.5) == pytest.approx(12.5)


def test_every_frame_time_is_there_once():
    arrivals = [Arrival(n, 0.1 * n, None, 0.0) for n in (2, 3, 7)]
    found = list(numbered(arrivals, 10.0))
    np.testing.assert_allclose([pts_s for pts_s, _ in found], 0.1 * np.arange(8), atol=1e-9)
    assert [arrival and arrival.number for _, arrival in found] == [
        None,
        None,
        2,
        3,
        *[None] * 3,
        7,
    ]


class Camera:
    """Stands in for `cv2.VideoCapture`: a picture every 10 ms; blue, green, red."""

    opened, pictures, released = True, 1000, 0

    def __init__(self, index):
        self.index, self.left, self.next_s = index, type(self).pictures, time.perf_counter()

    def isOpened(self):
        return type(self).opened

    def read(self):
        if not self.left:
            return False, None
        self.left -= 1
        self.next_s = max(self.next_s + 0.01, time.perf_counter() - 0.02)
        time.sleep(max(0, self.next_s - time.perf_counter()))
        picture = np.zeros((8, 8, 3), np.uint8)
        picture[..., 0] = 200
        return True, picture

    def release(self):
        type(self).released += 1


@pytest.fixture
def camera(monkeypatch):
    kind = type("Made", (Camera,), {})
    monkeypatch.setattr(sources.cv2, "VideoCapture", kind)
    return kind


def test_a_camera_gives_rgb_pictures_and_is_released(camera):
    stream = camera_stream(3, fps=100.0)
    first = next(stream.arrivals)
    assert (first.number, first.pts_s) == (0, 0.0) and stream.name.startswith("camera3-")
    assert first.image[0, 0].tolist() == [0, 0, 200] and not stream.wait
    stream.arrivals.close()
    measured = camera_stream(0)
    assert 20 < measured.fps <= 110
    assert camera.released == 1


def test_a_camera_that_is_not_there_or_stops_is_one_line(camera, monkeypatch):
    camera.opened = False
    with pytest.raises(UserError, match=r"camera 1: cannot be opened; .*--camera"):
        camera_stream(1)
    camera.opened, camera.pictures = True, 3
    monkeypatch.setattr(sources, "MOST_GAP_S", 0.05)
    with pytest.raises(UserError, match="camera 0: gives no more frames"):
        list(camera_stream(0, fps=100.0).arrivals)
    with pytest.raises(UserError, match="camera 0: gives no more frames"):
        camera_stream(0)


def test_a_file_is_played_at_its_own_speed_or_fast(tmp_path):
    path = encode(tmp_path / "a.mp4", noise(20))
    began = time.perf_counter()
    played = list(file_stream(path).arrivals)
    assert time.perf_counter() - began >= 19 / 30
    assert (np.diff([a.came_s for a in played]) > 0).all()
    fast = file_stream(path, fast=True)
    assert fast.wait and (fast.name, fast.fps) == ("a", 30.0)
    same = list(fast.arrivals)
    assert [a[:2] for a in same] == [a[:2] for a in played]
    assert [a.number for a in same] == list(range(20))


@pytest.mark.parametrize("name", ["single_face.mp4", "noface_face.mov"])
def test_times_are_read_without_decoding(name):
    times = [frame.pts_s for frame in read_video(feat_clip(name))]
    np.testing.assert_allclose(packet_times(feat_clip(name)), times, atol=1e-9)


def test_times_of_a_varying_rate_are_read(tmp_path):
    times_ms = np.cumsum([0, 33, 33, 80, 33, 20, 33, 100]).tolist()
    path = encode(tmp_path / "a.mp4", noise(8), times_ms=times_ms)
    np.testing.assert_allclose(packet_times(path), np.array(times_ms) / 1000, atol=1e-9)
    assert file_stream(path, fps=25.0).fps == 25.0
    with pytest.raises(UserError, match="no such video"):
        file_stream(tmp_path / "none.mp4")
