import itertools
import wave

import numpy as np
import pytest
from video_files import encode, feat_clip, noise, quarters

from jaxspot.errors import UserError
from jaxspot.video.container import probe
from jaxspot.video.decode import read_video
from jaxspot.video.geometry import turn_matrix, upright


def refusal(path):
    """The one line with which a video is refused."""
    with pytest.raises(UserError) as caught:
        list(read_video(path))
    message = str(caught.value)
    assert str(path) in message and "\n" not in message
    return message


def cut(path, share):
    """The first part of a file, beside it."""
    data = path.read_bytes()
    part = path.with_name("cut" + path.suffix)
    part.write_bytes(data[: int(len(data) * share)])
    return part


def test_times_are_those_of_the_file(tmp_path):
    steps = np.random.default_rng(1).integers(10, 200, 40)
    times = np.concatenate([[0], np.cumsum(steps)]).tolist()
    path = encode(tmp_path / "varying.mkv", noise(41), times_ms=times)
    frames = list(read_video(path))
    np.testing.assert_allclose([frame.pts_s for frame in frames], np.array(times) / 1000, atol=2e-3)


def test_times_count_from_the_start_of_the_container(tmp_path):
    path = encode(tmp_path / "late.ts", noise(30))
    assert next(read_video(path)).pts_s == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_frames_come_in_presentation_order(tmp_path, codec):
    ramp = [np.full((48, 64, 3), 4 * i, np.uint8) for i in range(60)]
    frames = list(read_video(encode(tmp_path / "ramp.mp4", ramp, codec=codec)))
    levels = [frame.image.mean() for frame in frames]
    assert len(frames) == 60
    np.testing.assert_allclose(levels, 4 * np.arange(60), atol=4)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
@pytest.mark.parametrize("mirror", [False, True])
def test_display_matrix_is_applied(tmp_path, rotation, mirror):
    picture = quarters()
    path = encode(tmp_path / "turned.mp4", [picture] * 5, rotation=rotation, mirror=mirror)
    turned = np.rot90(picture, rotation // 90)
    wanted = turned[:, ::-1] if mirror else turned
    shown = next(read_video(path)).image
    assert shown.shape == wanted.shape
    np.testing.assert_allclose(shown[::7, ::7], wanted[::7, ::7], atol=25)


def test_upright_follows_the_matrix_for_all_eight_orientations():
    image = np.arange(12).reshape(3, 4)
    for swap, x, y in itertools.product([False, True], [-1, 1], [-1, 1]):
        matrix = np.array([[0, y], [x, 0]] if swap else [[x, 0], [0, y]])
        places = np.array([(c, r) for r in range(3) for c in range(4)]) @ matrix
        places -= places.min(0)
        shown = upright(image, matrix)
        assert shown.size == image.size
        for (column, row), value in zip(places, image.ravel(), strict=True):
            assert shown[row, column] == value


@pytest.mark.parametrize("degrees", [0, 90, 180, -180, -90])
def test_a_turn_of_its_matrix_is_counterclockwise(degrees):
    turned = upright(quarters(), turn_matrix(degrees))
    np.testing.assert_array_equal(turned, np.rot90(quarters(), degrees // 90))


def test_missing_empty_and_no_video(tmp_path):
    empty, text = tmp_path / "empty.mp4", tmp_path / "text.mp4"
    empty.touch()
    text.write_text("not a video\n" * 100)
    assert "no such" in refusal(tmp_path / "missing.mp4")
    assert "is a folder" in refusal(tmp_path)
    assert "empty" in refusal(empty)
    assert "not a video" in refusal(text)


def test_sound_alone_is_refused(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(16000))
    assert "no video stream" in refusal(tmp_path / "sound.wav")


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_truncated_file_says_where_it_ends(tmp_path, name, codec):
    path = encode(tmp_path / name, noise(60), codec=codec, movflags="faststart")
    second = float(refusal(cut(path, 0.6)).split(" at ")[1].split(" s")[0])
    assert 0.5 < second < 1.5


def test_a_long_last_frame_is_no_damage(tmp_path):
    path = encode(tmp_path / "a.mp4", noise(31), codec="mpeg4", last_ms=4000)
    assert len(list(read_video(path))) == 31


def test_file_without_its_index_is_refused(tmp_path):
    assert "not a video" in refusal(cut(encode(tmp_path / "a.mp4", noise(30)), 0.6))


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_corrupt_packet_says_where(tmp_path, codec):
    path = encode(tmp_path / "a.mp4", noise(60), codec=codec, movflags="faststart")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(2).bytes(3000)
    path.write_bytes(data)
    second = float(refusal(path).split(" at ")[1].split(" s")[0])
    assert 0.4 < second < 1.2


def test_probe_needs_no_decoding(tmp_path):
    info = probe(encode(tmp_path / "a.mp4", noise(60)))
    assert (info.frames, info.height, info.width) == (60, 48, 64)
    assert info.fps == pytest.approx(30, rel=0.01)
    assert probe(feat_clip("single_face.mp4")).frames == 72
    with pytest.raises(UserError, match="no such"):
        probe(tmp_path / "missing.mp4")


def test_reading_is_lazy_and_may_stop_early(tmp_path):
    frames = read_video(encode(tmp_path / "a.mp4", noise(60)))
    assert next(frames).image.shape == (48, 64, 3)
    frames.close()
