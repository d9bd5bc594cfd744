"""Pictures from cameras and programs: side up, bits that hold something, several in one file."""

import io
import struct
from fractions import Fraction

import av
import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from prepare_calls import call

from jaxspot.datasets.images import image_frames, number_images
from jaxspot.errors import UserError
from jaxspot.own_video.inputs import Video, find_videos
from jaxspot.own_video.reading import open_video
from jaxspot.video.container import probe
from jaxspot.video.decode import read_video
from jaxspot.video.picture import read_image, used_bits

RNG = np.random.default_rng(0)


def scene(count, bits):
    """Gray pictures uint16 (count, 40, 50) that use so many bits, and what they show, uint8."""
    values = RNG.integers(0, 2**bits, (count, 40, 50), dtype=np.uint16)
    values[:, 0, 0] = 2**bits - 1
    return values, (values >> (bits - 8)).astype(np.uint8)


def save(path, picture):
    assert cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("colour", [False, True])
def test_pictures_of_any_depth_are_equally_bright(tmp_path, bits, ending, colour):
    values, seen = scene(5, bits)
    for number, value in enumerate(values, 1):
        value = np.stack([value, value // 2, value // 4], -1) if colour else value
        save(tmp_path / f"{number}.{ending}", value)
    frames = list(image_frames(number_images(tmp_path), 30.0))
    names = tuple(f"{number}.{ending}" for number in range(1, 6))
    spotted = open_video(Video(tmp_path, "v", pictures=names), fps=30.0).read()
    for frame, other, expected in zip(frames, spotted, seen, strict=True):
        assert frame.image.dtype == np.uint8 and frame.image.shape == (40, 50, 3)
        np.testing.assert_array_equal(frame.image, other.image)
        blue = frame.image[..., 2]
        np.testing.assert_array_equal(blue, expected)
        if colour:
            np.testing.assert_allclose(frame.image[..., 0], expected // 4, atol=1)


def test_one_bright_picture_does_not_flicker(tmp_path):
    """All pictures of a video are scaled alike, whatever each of them holds."""
    for number, level in enumerate([100, 900, 4000, 200], 1):
        save(tmp_path / f"{number}.png", np.full((8, 8), level, np.uint16))
    images = [frame.image.mean() for frame in image_frames(number_images(tmp_path), 30.0)]
    assert images == [100 >> 4, 900 >> 4, 4000 >> 4, 200 >> 4]
    assert used_bits([tmp_path / "1.png"]) == 8
    save(tmp_path / "5.png", np.full((8, 8), 200, np.uint8))
    assert read_image(tmp_path / "5.png", bits=12).mean() == 200


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_exif_says_which_side_is_up(tmp_path, orientation, ending):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.kron(RNG.permutation(6).reshape(2, 3) * 40, np.ones((16, 16))).astype(np.uint8)
    path = tmp_path / f"a.{ending}"
    Image.fromarray(np.repeat(stored[..., None], 3, 2)).save(path, exif=exif)
    np.testing.assert_allclose(read_image(path)[..., 0], shown(stored, orientation), atol=3)
    Image.fromarray(stored).save(tmp_path / f"gray.{ending}", exif=exif)
    gray = read_image(tmp_path / f"gray.{ending}")
    np.testing.assert_allclose(gray[..., 0], shown(stored, orientation), atol=3)
    deep = write_tiff(tmp_path / "deep.tif", stored.astype(np.uint16) * 257, orientation)
    np.testing.assert_array_equal(read_image(deep)[..., 0], shown(stored, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["mjpeg", "avi"])
def test_exif_of_motion_jpeg_says_which_side_is_up(tmp_path, orientation, ending):
    exif, data = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    stored = np.kron(RNG.permutation(6).reshape(2, 3) * 40, np.ones((16, 16))).astype(np.uint8)
    Image.fromarray(np.repeat(stored[..., None], 3, 2)).save(data, "JPEG", exif=exif, quality=95)
    path = tmp_path / f"a.{ending}"
    if ending == "mjpeg":
        path.write_bytes(3 * data.getvalue())
    else:
        mux(path, [data.getvalue()] * 3, *stored.shape)
    for frame in read_video(path, fps=25):
        assert frame.image[..., 0].shape == shown(stored, orientation).shape
        np.testing.assert_allclose(frame.image[..., 0], shown(stored, orientation), atol=9)


def mux(path, pictures, height, width):
    """Writes JPEG pictures as the frames of a video file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuvj420p"
        for number, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)


def shown(stored, orientation):
    """By the words of the standard: where its first row and first column are seen."""
    first_row = {1: "top", 2: "top", 3: "bottom", 4: "bottom"}
    first_row |= {5: "left", 6: "right", 7: "right", 8: "left"}
    first_column = {1: "left", 2: "right", 3: "right", 4: "left"}
    first_column |= {5: "top", 6: "top", 7: "bottom", 8: "bottom"}
    row, column = first_row[orientation], first_column[orientation]
    image = stored if row in ("top", "bottom") else stored.T
    if "bottom" in (row, column):
        image = image[::-1]
    return image[:, ::-1] if "right" in (row, column) else image


def write_tiff(path, gray, orientation):
    """Writes a picture of 16-bit colours, which Pillow cannot."""
    pixels = np.repeat(gray[..., None], 3, 2)
    height, width = gray.shape
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 134), (259, 3, 1, 1)]
    tags += [(262, 3, 1, 2), (273, 4, 1, 140), (274, 3, 1, orientation), (277, 3, 1, 3)]
    tags += [(278, 4, 1, height), (279, 4, 1, pixels.nbytes)]
    words = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + words + bytes(4)
    path.write_bytes(head + struct.pack("<3H", 16, 16, 16) + pixels.astype("<u2").tobytes())
    return path


def stack(path, bits=12, count=12):
    values, seen = scene(count, bits)
    assert cv2.imwritemulti(str(path), list(values))
    return seen


def test_the_pictures_of_one_tiff_file_are_a_video(tmp_path):
    seen = stack(tmp_path / "a.tif")
    assert (probe(tmp_path / "a.tif").frames, probe(tmp_path / "a.tif").timed) == (12, False)
    frames = list(read_video(tmp_path / "a.tif", fps=200))
    np.testing.assert_array_equal([frame.image[..., 0] for frame in frames], seen)
    np.testing.assert_allclose([frame.pts_s for frame in frames], np.arange(12) / 200)
    with pytest.raises(UserError, match=r"a.tif: holds pictures without times; name their rate"):
        list(read_video(tmp_path / "a.tif"))


def test_folders_of_stacks_are_videos_and_none_is_lost(tmp_path):
    for name in ("one/a.tif", "two/a.tiff", "two/b.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        stack(tmp_path / name)
    found = find_videos([tmp_path], fps=100).videos
    assert [video.name for video in found] == ["one/a", "two/a", "b"]
    globbed = find_videos([f"{tmp_path}/*/*.tif"], fps=100).videos
    assert [video.path.name for video in globbed] == ["a.tif", "b.tif"]
    (tmp_path / "videos.csv").write_text("subject,video,path,fps\np,v,one/a.tif,100\n")
    assert call("csv", tmp_path, tmp_path / "bank") == 0
    table = pd.read_csv(tmp_path / "bank" / "videos.csv")
    assert table[["frames", "fps"]].values.tolist() == [[12, 100]]


def test_a_stack_among_pictures_is_refused(tmp_path, capfd):
    for number in (1, 2):
        save(tmp_path / f"{number}.tif", scene(1, 8)[1][0])
    stack(tmp_path / "3.tif")
    with pytest.raises(UserError, match=r"3.tif: holds 12 pictures; name the file itself as"):
        list(open_video(find_videos([tmp_path], fps=30).videos[0], fps=30).read())


def test_a_small_copy_behind_a_picture_is_no_frame(tmp_path):
    """Programs keep a thumbnail in the same file."""
    picture = Image.fromarray(scene(1, 8)[1][0])
    picture.save(tmp_path / "a.tif", save_all=True, append_images=[picture.resize((10, 8))])
    assert read_image(tmp_path / "a.tif").shape == (40, 50, 3)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.linspace(0, 1, 64, dtype=np.float32), "holds fractions .float.; save it with 8 or"),
        (np.arange(64, dtype=np.int32) * 5000, "holds numbers of over 16 bits; save it"),
        (np.arange(-5, 59, dtype=np.int32), "holds numbers of over 16 bits; save it"),
    ],
)
def test_numbers_that_are_no_brightness_are_refused(tmp_path, picture, words):
    for number in (1, 2):
        Image.fromarray(picture.reshape(8, 8)).save(tmp_path / f"{number}.tif")
    with pytest.raises(UserError, match=rf"1.tif: {words}") as caught:
        list(image_frames(number_images(tmp_path), 30.0))
    assert "\n" not in str(caught.value)


def test_colours_in_fractions_are_refused(tmp_path):
    for number in (1, 2):
        save(tmp_path / f"{number}.tif", RNG.random((8, 8, 3), dtype=np.float32))
    video = find_videos([tmp_path], fps=30).videos[0]
    with pytest.raises(UserError, match=r"none of its pictures can be read; .* or save as PNG"):
        list(open_video(video, fps=30).read())
