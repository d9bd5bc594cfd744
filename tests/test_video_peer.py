"""Rate, count, size and side up of many kinds of files, beside OpenCV and FFmpeg's own ffprobe."""

import json
import shutil
import subprocess
from fractions import Fraction

import cv2
import numpy as np
import pytest
from made_videos import pack_b_frames, ramp, write_video

from jaxspot.video.container import frame_rate, probe
from jaxspot.video.decode import read_video
from jaxspot.video.frame_times import fps_of

FULL = dict(pixels="yuvj420p")
KINDS = {
    "mp4 h264": ("a.mp4", "libx264", {}),
    "mp4 h264 no B": ("a.mp4", "libx264", dict(bf="0")),
    "mp4 hevc": ("a.mp4", "libx265", {"x265-params": "log-level=none"}),
    "mp4 mpeg4": ("a.mp4", "mpeg4", {}),
    "mp4 turned": ("a.mp4", "libx264", dict(rotation=90)),
    "mp4 upside down": ("a.mp4", "mpeg4", dict(rotation=180)),
    "mp4 240 fps": ("a.mp4", "libx264", dict(rate=240)),
    "mov prores": ("a.mov", "prores_ks", dict(pixels="yuv422p10le")),
    "mov mjpeg": ("a.mov", "mjpeg", FULL),
    "mov animation": ("a.mov", "qtrle", dict(pixels="rgb24")),
    "mov turned": ("a.mov", "libx264", dict(rotation=-90)),
    "mov pixels": ("a.mov", "libx264", dict(aspect=Fraction(4, 3))),
    "mkv h264": ("a.mkv", "libx264", {}),
    "mkv ffv1": ("a.mkv", "ffv1", {}),
    "mkv vp9": ("a.mkv", "libvpx-vp9", {}),
    "mkv ntsc": ("a.mkv", "libx264", dict(rate=Fraction(30000, 1001))),
    "webm vp8": ("a.webm", "libvpx", {}),
    "avi mpeg4": ("a.avi", "mpeg4", dict(bf="2")),
    "avi xvid": ("a.avi", "packed", {}),
    "avi h264": ("a.avi", "libx264", {}),
    "avi mjpeg": ("a.avi", "mjpeg", FULL),
    "avi huffyuv": ("a.avi", "huffyuv", dict(pixels="yuv422p")),
    "ts h264": ("a.ts", "libx264", {}),
    "m2ts mpeg2": ("a.m2ts", "mpeg2video", {}),
    "mpg mpeg1": ("a.mpg", "mpeg1video", {}),
    "mpg mpeg2": ("a.mpg", "mpeg2video", dict(bf="2")),
    "vob": ("a.vob", "mpeg2video", {}),
    "m4v": ("a.m4v", "mpeg4", {}),
    "3gp": ("a.3gp", "h263", dict(size=(144, 176))),
    "flv": ("a.flv", "flv", {}),
    "wmv": ("a.wmv", "wmv2", {}),
    "asf": ("a.asf", "msmpeg4", {}),
    "mxf": ("a.mxf", "mpeg2video", dict(rate=25)),
    "nut": ("a.nut", "ffv1", {}),
    "y4m": ("a.y4m", "wrapped_avframe", {}),
    "apng": ("a.apng", "apng", dict(pixels="rgb24")),
}
ESTIMATED = ("mpg mpeg1", "mpg mpeg2", "vob", "apng")
"""Their headers do not tell how long they are."""


WITHOUT_TIMES = (".avi", ".mpg", ".vob")
"""They may give a frame no presentation time of its own."""


def made(path, codec, size=(48, 64), **options):
    grain = np.random.default_rng(0).integers(0, 15, (30, *size, 1), dtype=np.uint8)
    pictures = ramp(30, *size) + grain  # frames of some size: each has a time in any container
    if codec == "packed":
        return pack_b_frames(path, pictures)
    return write_video(path, pictures, codec=codec, **options)


def by_opencv(path):
    """Frame rate, shown size (before pixels become square), their shape, and all pictures."""
    reader = cv2.VideoCapture(str(path))
    tell = lambda name: reader.get(getattr(cv2, f"CAP_PROP_{name}"))
    pixel = (tell("SAR_NUM") or 1) / (tell("SAR_DEN") or 1)
    pictures = []
    while (read := reader.read())[0]:
        pictures.append(read[1][..., ::-1])
    return tell("FPS"), pixel, np.array(pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_as_opencv_reads_it(tmp_path, kind):
    name, codec, options = KINDS[kind]
    path = made(tmp_path / name, codec, **options)
    frames = list(read_video(path))
    fps, pixel, expected = by_opencv(path)
    assert len(frames) == len(expected) == 30
    times = np.array([frame.pts_s for frame in frames])
    assert fps_of(times, path) == pytest.approx(fps, rel=1e-3)
    assert frame_rate(path) == pytest.approx(fps, rel=1e-3)
    assert fps == pytest.approx(float(options.get("rate", 30)), rel=1e-3)
    np.testing.assert_allclose(times - times[0], np.arange(30) / fps, atol=1.1e-3)
    height, width = expected.shape[1:3]
    assert frames[0].image.shape == (height, round(width * pixel), 3)
    shown = np.array([cv2.resize(frame.image, (width, height)) for frame in frames])
    step = (slice(None), slice(4, None, 8), slice(4, None, 8))
    np.testing.assert_allclose(shown[step].astype(int), expected[step], atol=6)
    info = probe(path)
    if kind not in ESTIMATED:
        assert abs(info.frames - 30) <= 2
    assert info.fps == pytest.approx(fps, rel=0.01)


def by_ffprobe(path):
    """Presentation times (NaN where it gives none), rate, size as shown: turned, square pixels."""
    asked = "stream=width,height,sample_aspect_ratio,r_frame_rate:stream_side_data=rotation"
    asked += ":frame=pts_time"
    words = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", asked]
    said = subprocess.run([*words, "-of", "json", path], capture_output=True, check=True).stdout
    found = json.loads(said)
    (stream,) = found["streams"]
    times = [float(frame.get("pts_time", "nan")) for frame in found["frames"]]
    pixel = Fraction(stream.get("sample_aspect_ratio", "1:1").replace(":", "/"))
    size = [stream["height"], round(stream["width"] * (pixel or 1))]
    turned = sum(side.get("rotation", 0) for side in stream.get("side_data_list", []))
    shown = tuple(size[::-1] if turned % 180 else size)
    return np.array(times), float(Fraction(stream["r_frame_rate"])), shown


@pytest.mark.skipif(not shutil.which("ffprobe"), reason="ffprobe is not installed (ffmpeg)")
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_read_as_ffprobe_tells_it(tmp_path, kind):
    name, codec, options = KINDS[kind]
    path = made(tmp_path / name, codec, **options)
    frames = list(read_video(path))
    times, fps, size = by_ffprobe(path)
    own = np.array([frame.pts_s for frame in frames])
    assert len(own) == len(times)
    if np.isfinite(times).all() or not name.endswith(WITHOUT_TIMES):
        np.testing.assert_allclose(own - own[0], times - times[0], atol=1e-3)
    assert fps_of(own, path) == pytest.approx(fps, rel=1e-3)
    assert all(frame.image.shape[:2] == size for frame in frames)


def test_many_kinds_are_compared():
    assert len({(name, codec) for name, codec, _ in KINDS.values()}) > 25


def test_opencv_takes_the_steps_of_a_gif_for_its_rate(tmp_path):
    """Why the rate is the mean of steps: 30 fps in hundredths of a second are 3 and 4 in turn."""
    ticks = [round(number * 100 / 30) for number in range(30)]
    path = tmp_path / "a.gif"
    write_video(path, ramp(30), codec="gif", pixels="rgb8", tick="1/100", ticks=ticks)
    assert by_opencv(path)[0] == pytest.approx(100 / 3)
    assert frame_rate(path) == 30
