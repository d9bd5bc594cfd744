"""Files with bytes altered or cut off are read or refused in one line, never anything else."""

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_videos import ramp, write_video
from video_files import noise

from jaxspot.errors import UserError
from jaxspot.video.container import frame_rate, has_audio, packet_times, probe
from jaxspot.video.decode import read_video
from jaxspot.video.picture import read_image

KINDS = {
    "a.mp4": ("libx264", {}),
    "a.mov": ("mjpeg", dict(pixels="yuvj420p")),
    "a.mkv": ("libx264", {}),
    "a.webm": ("libvpx", {}),
    "a.avi": ("mpeg4", dict(bf="2")),
    "a.ts": ("mpeg2video", {}),
    "a.mpg": ("mpeg2video", {}),
    "a.gif": ("gif", dict(pixels="rgb8")),
    "a.flv": ("flv", {}),
    "a.wmv": ("wmv2", {}),
    "a.y4m": ("wrapped_avframe", {}),
}
FRAMES, HEIGHT, WIDTH = 8, 32, 48


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder, and the bytes of a small video of each kind."""
    folder = tmp_path_factory.mktemp("kinds")
    pictures = ramp(FRAMES, HEIGHT, WIDTH)
    for name, (codec, options) in KINDS.items():
        write_video(folder / name, pictures, codec=codec, **options)
    cv2.imwritemulti(str(folder / "a.tif"), [p[..., 0].astype(np.uint16) * 9 for p in pictures])
    cv2.imwrite(str(folder / "a.png"), pictures[0])
    cv2.imwrite(str(folder / "a.jpg"), pictures[0])
    return folder, {path.name: path.read_bytes() for path in folder.iterdir()}


def damaged(changes, data, share):
    """Bytes with some of them replaced, often near the start, and cut to a share."""
    found = bytearray(data)
    for place, near, value in changes:
        found[int(place * min(len(found), 600 if near else len(found)))] = value
    return bytes(found[: round(len(found) * share)])


unit = st.floats(0, 1, exclude_max=True)
replaced = st.lists(st.tuples(unit, st.booleans(), st.integers(0, 255)), max_size=6)
shares = st.one_of(st.just(1.0), unit)


def in_one_line(path, read):
    """What a function of a path gives; None: it is refused in one line that names the path."""
    try:
        return read(path)
    except UserError as error:
        assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
        return None


@given(st.sampled_from([*KINDS, "a.tif"]), replaced, shares)
def test_a_damaged_video_is_read_or_refused(files, name, changes, share):
    folder, kinds = files
    path = folder / f"damaged.{name}"
    path.write_bytes(damaged(changes, kinds[name], share))
    fps = 30.0 if name == "a.tif" else None
    frames = in_one_line(path, lambda one: list(read_video(one, fps=fps)))
    for frame in frames or ():
        assert frame.image.dtype == np.uint8 and frame.image.ndim == 3
    if frames:
        assert (np.diff([frame.pts_s for frame in frames]) > 0).all()
        assert len(frames) <= 10 * FRAMES
    if frames and not changes and name not in ("a.tif", "a.gif"):
        whole = list(read_video(folder / name))[: len(frames)]
        same = [np.array_equal(a.image, b.image) for a, b in zip(frames, whole, strict=True)]
        assert sum(same) >= len(frames) - 2, "only the last may be cut"
    for read in (probe, has_audio, packet_times, frame_rate):
        in_one_line(path, read)


@given(st.sampled_from(["a.tif", "a.png", "a.jpg"]), replaced, shares)
def test_a_damaged_picture_is_read_or_refused(files, name, changes, share):
    folder, kinds = files
    path = folder / f"damaged.{name}"
    path.write_bytes(damaged(changes, kinds[name], share))
    image = in_one_line(path, read_image)
    assert image is None or (image.dtype == np.uint8 and image.shape[2] == 3)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "a.flv"])
def test_words_that_are_no_utf_8_do_not_matter(tmp_path, name):
    """Titles and places that a camera wrote in another alphabet."""
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "caf\N{LATIN SMALL LETTER E WITH ACUTE} xyz"
        stream = container.add_stream("mpeg4" if name == "a.avi" else "libx264", rate=30)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for picture in noise(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    data = path.read_bytes()
    assert b"caf\xc3\xa9" in data
    path.write_bytes(data.replace(b"caf\xc3\xa9", b"caf\xe9\xe8"))
    assert len(list(read_video(path))) == 10 and frame_rate(path) == 30
