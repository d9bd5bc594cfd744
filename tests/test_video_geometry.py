"""Pictures as they are shown: square pixels, right side up, of the right stream."""

from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from made_videos import write_video
from prepare_calls import call
from video_files import feat_clip, noise, quarters

from jaxspot.datasets.doctor import doctor_bank
from jaxspot.errors import UserError
from jaxspot.motion.pictures import MotionMeasure, motion_clip
from jaxspot.own_video.inputs import Video
from jaxspot.own_video.one import stream_lines
from jaxspot.own_video.overlay import write_overlay
from jaxspot.spotting.video_file import odd_lines, spot_faces
from jaxspot.video.clip import Aligner, aligned_clip, posed_clip
from jaxspot.video.container import probe
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.face_clips import every_face, whole_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.source import as_source


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


@pytest.fixture(scope="module")
def face():
    """A video of a face: 10 frames."""
    source = as_source(feat_clip("single_face.mp4"))
    frames = list(source.read())[:10]
    return replace(source, read=lambda: frames)


def disc(height=120, width=120):
    """Pictures of a round disc, uint8 (5, height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    far = np.hypot(x / width - 0.5, y / height - 0.5)
    return np.repeat(np.where(far < 0.35, 220, 30)[None, ..., None], 5, 0).repeat(3, 3).astype("u1")


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.mov", "mjpeg"), ("a.avi", "mpeg4")],
)
@pytest.mark.parametrize("aspect", ["2/1", "64/45", "1/2", "8/9"])
def test_pixels_become_square(tmp_path, name, codec, aspect):
    squeezed = disc(120, round(120 / Fraction(aspect)) // 2 * 2)
    ratio = Fraction(120, squeezed.shape[2])
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    path = write_video(tmp_path / name, squeezed, codec=codec, aspect=ratio, pixels=pixels)
    is_round(next(read_video(path)).image, squeezed[0])


@pytest.mark.parametrize(
    ("name", "codec", "aspect"), [("a.mpg", "mpeg2video", "64/45"), ("a.dv", "dvvideo", "16/15")]
)
def test_pixels_of_television_become_square(tmp_path, name, codec, aspect):
    ratio = Fraction(aspect)
    path = write_video(tmp_path / name, disc(576, 720), codec=codec, rate=25, aspect=ratio)
    assert next(read_video(path)).image.shape == (576, round(720 * ratio), 3)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pixels_become_square_before_the_picture_is_turned(tmp_path, rotation):
    squeezed = disc(120, 60)
    path = write_video(tmp_path / "a.mp4", squeezed, aspect=Fraction(2), rotation=rotation)
    is_round(next(read_video(path)).image, squeezed[0])
    squeezed[:, :, :30] = 0
    path = write_video(tmp_path / "b.mp4", squeezed, aspect=Fraction(2), rotation=rotation)
    half = np.rot90(cv2.resize(squeezed[0], (120, 120)), rotation // 90)
    np.testing.assert_allclose(
        next(read_video(path)).image[5::20, 5::20], half[5::20, 5::20], atol=40
    )


def is_round(image, stored):
    """Asserts that the disc is round, and no pixel thrown away."""
    shown = image[..., 0] > 125
    high, wide = (np.ptp(np.flatnonzero(shown.any(axis))) for axis in (1, 0))
    assert high / wide == pytest.approx(1, abs=0.04)
    assert shown.mean() == pytest.approx((stored[..., 0] > 125).mean(), abs=0.02)
    assert min(shown.shape) >= 120


def test_pixels_of_no_camera_are_refused(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(3), aspect=Fraction(8))
    with pytest.raises(UserError, match=r"a.mp4: its pixels are 8 times as wide as high; make"):
        list(read_video(path))


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv"])
@pytest.mark.parametrize("rotation", [90, 180, 270, 450])
def test_every_container_is_turned_as_opencv_turns_it(tmp_path, name, rotation):
    path = write_video(tmp_path / name, [quarters()] * 5, rotation=rotation)
    shown = next(read_video(path)).image
    reader = cv2.VideoCapture(str(path))
    expected = reader.read()[1]
    assert shown.shape == expected.shape
    np.testing.assert_allclose(shown[::7, ::7], expected[::7, ::7, ::-1], atol=25)


def write_streams(path, *videos):
    """Writes videos (pictures, options) as streams of one file."""
    with av.open(str(path), "w") as container:
        streams = []
        for pictures, disposition in videos:
            codec = "libx264" if len(pictures) > 1 else "mjpeg"
            stream = container.add_stream(codec, rate=30)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = "yuv420p" if codec == "libx264" else "yuvj420p"
            stream.disposition = disposition
            streams.append(stream)
        for stream, (pictures, _) in zip(streams, videos, strict=True):
            for number, picture in enumerate(pictures):
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "cover"),
    [("a.mkv", None), ("a.mp4", None), ("a.mov", None), ("a.mp4", "attached_pic")],
)
@pytest.mark.parametrize("first", [True, False])
def test_the_default_stream_is_read_never_a_cover(tmp_path, name, cover, first):
    flags = av.stream.Disposition
    thumbnail = (noise(1, 96, 128), flags[cover] if cover else flags(0))
    film = (noise(20), flags.default)
    path = write_streams(tmp_path / name, *((thumbnail, film) if first else (film, thumbnail)))
    frames = list(read_video(path))
    assert len(frames) == 20 and frames[0].image.shape == (48, 64, 3)
    assert (probe(path).height, probe(path).width) == (48, 64)
    lines = [f"{path}: holds 2 video streams; the default one was read"]
    assert stream_lines(Video(path, "a")) == lines * (cover is None)


def write_sizes(path, sizes):
    """Writes a Motion JPEG whose pictures change in size."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=30)
        stream.height, stream.width = sizes[0][0].shape[:2]
        stream.pix_fmt = "yuvj420p"
        number = 0
        for pictures in sizes:
            context = av.CodecContext.create("mjpeg", "w")
            context.height, context.width = pictures[0].shape[:2]
            context.pix_fmt, context.time_base = "yuvj420p", Fraction(1, 30)
            for picture in pictures:
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                for packet in context.encode(frame):
                    packet.stream, packet.time_base = stream, Fraction(1, 30)
                    packet.pts = packet.dts = number
                    container.mux(packet)
                number += 1
    return path


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_pictures_that_change_in_size_are_handled(tmp_path, name, face, landmarker):
    large = [frame.image for frame in face.read()]
    small = [cv2.resize(image, (large[0].shape[1] // 4 * 2, 180)) for image in large]
    path = write_sizes(tmp_path / name, [large[:4], small[:4]])
    shapes = [frame.image.shape for frame in read_video(path)]
    assert shapes == [large[0].shape] * 4 + [small[0].shape] * 4
    clip = aligned_clip(path, landmarker=landmarker, progress=False)
    assert clip.faces.tolist() == [0] * 4 + [1] * 4
    clips = every_face(path, Aligner, landmarker=landmarker)
    assert [one.first for one in clips.faces] == [0, 4]
    flat = lambda frames, fps: np.zeros((len(frames), 2))
    none = lambda scores, fps: pd.DataFrame(columns=["kind", "onset", "apex", "offset", "score"])
    spotted = spot_faces(whole_video(clip), name="v", score=flat, intervals=none)
    write_overlay(spotted, as_source(path), tmp_path / "overlay.mp4")
    assert len(list(read_video(tmp_path / "overlay.mp4"))) == 8


def turned(source, quarters):
    """The same video, each picture turned counterclockwise."""
    turn = lambda image: np.ascontiguousarray(np.rot90(image, quarters))
    frames = [VideoFrame(frame.pts_s, turn(frame.image)) for frame in source.read()]
    return replace(source, read=lambda: frames)


@pytest.mark.parametrize("read", [aligned_clip, posed_clip, motion_clip])
def test_a_face_is_found_whatever_way_the_camera_is_held(read, face, landmarker):
    upright = read(face, landmarker=landmarker, progress=False)
    assert upright.found.all() and not upright.upside_down.any()
    assert not odd_lines(face.path, whole_video(upright))
    for quarter in (1, 2, 3):
        clip = read(turned(face, quarter), landmarker=landmarker, progress=False)
        assert clip.found.all()
        difference = np.abs(clip.frames.astype(float) - upright.frames).mean()
        assert difference < 0.02 * np.abs(upright.frames.astype(float)).mean() + 0.02
        assert clip.upside_down.tolist() == [quarter == 2] * len(clip.times)
        lines = [f"{face.path}: the face is upside down in 10 frames; it was turned"]
        assert odd_lines(face.path, whole_video(clip)) == lines * (quarter == 2)


@pytest.mark.parametrize("measure", [Aligner, MotionMeasure])
def test_every_face_is_found_upside_down(measure, face, landmarker):
    clips = every_face(turned(face, 2), measure, landmarker=landmarker)
    ((first, clip),) = clips.faces
    assert first == 0 and clip.found.all() and clip.upside_down.all()


def test_a_bank_of_an_upside_down_video_says_so(tmp_path, face):
    pictures = [frame.image for frame in turned(face, 2).read()]
    write_video(tmp_path / "a.mp4", pictures)
    assert call("video", tmp_path, tmp_path / "bank") == 0
    (check,) = (one for one in doctor_bank(tmp_path / "bank") if "upside down" in one.what)
    assert check.found == "a 10"
