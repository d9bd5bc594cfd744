"""Interlaced video: a line, in `spot` and `prepare`, and a check of `doctor`."""

import pytest
from made_videos import ramp, write_video
from prepare_calls import call

from jaxspot.datasets.doctor import doctor_source
from jaxspot.datasets.folders import video_source
from jaxspot.own_video.inputs import find_videos
from jaxspot.video.interlaced import is_interlaced

FIELDS = dict(flags="+ilme+ildct")
PROGRESSIVE = {
    "a.mp4": {},
    "a.avi": dict(codec="mjpeg", pixels="yuvj420p"),
    "a.mpg": dict(codec="mpeg2video"),
    "a.gif": dict(codec="gif", pixels="rgb8"),
    "a.webm": dict(codec="libvpx"),
    "a.mkv": dict(codec="ffv1"),
}
INTERLACED = {
    "a.mp4": FIELDS,
    "bottom.mkv": {"x264-params": "bff=1"},
    "a.ts": {"x264-params": "tff=1"},
    "a.mpg": dict(codec="mpeg2video", **FIELDS),
    "a.avi": dict(codec="mpeg4", **FIELDS),  # its header does not say
    "a.mov": dict(codec="prores_ks", pixels="yuv422p10le", flags="+ildct"),
}
LINE = "is marked as interlaced; if moving edges look combed"


def combed_checks(folder):
    checks = doctor_source(video_source(folder), progress=False)
    return [check.verdict for check in checks if check.what == "videos marked as interlaced"]


@pytest.mark.parametrize("name", INTERLACED)
def test_an_interlaced_file_is_told(tmp_path, name, capsys):
    path = write_video(tmp_path / name, ramp(6), **INTERLACED[name])
    assert is_interlaced(path)
    assert [note.startswith(f"{path}: {LINE}") for note in find_videos([path]).notes] == [True]
    assert call("video", tmp_path, tmp_path / "bank", "--dry-run") == 0
    assert capsys.readouterr().out.count(LINE) == 2  # in the lines, and by the doctor
    assert combed_checks(tmp_path) == ["differs"]


@pytest.mark.parametrize("name", PROGRESSIVE)
def test_a_progressive_file_is_not(tmp_path, name):
    path = write_video(tmp_path / name, ramp(6), **PROGRESSIVE[name])
    assert not is_interlaced(path)
    assert find_videos([path]).notes == [] and combed_checks(tmp_path) == []
