"""Folders of numbered images, and what OpenFace leaves."""

import cv2
import numpy as np
import pandas as pd
import pytest
from release_trees import write_images
from video_files import feat_clip

from jaxspot.datasets.images import (
    describe_numbers,
    image_frames,
    missing_numbers,
    number_images,
)
from jaxspot.datasets.openface import openface_fps, openface_frames, read_openface_csv
from jaxspot.errors import UserError
from jaxspot.video.picture import read_image

RNG = np.random.default_rng(0)
OLD = "frame, timestamp, confidence, success, x_0"
NEW = "frame, face_id, timestamp, confidence, success, x_0"


def pixels(count, size=8):
    return RNG.integers(30, 255, (count, size, size), dtype=np.uint8)


@pytest.mark.parametrize("name", ["016_7_{:04d}.png", "img{:03d}.png", "img_{}.png"])
def test_numbers_past_9999_and_without_padding_are_in_order(tmp_path, name):
    frames = pixels(30)
    write_images(tmp_path / "a", frames, name.format, first=9990)
    images = number_images(tmp_path / "a")
    assert list(images) == list(range(9990, 10020))
    for number, frame in zip(images, frames, strict=True):
        np.testing.assert_array_equal(read_image(images[number])[..., 0], frame)
    assert missing_numbers(images) == list(range(1, 9990))


def test_missing_and_cut_images_are_lost_frames_at_their_place(tmp_path):
    frames = pixels(9, 64)
    write_images(tmp_path / "a", frames, "img{}.jpg".format, leave_out=(2, 5, 6))
    for number, size in ((3, 200), (8, 0)):
        path = tmp_path / "a" / f"img{number}.jpg"
        path.write_bytes(path.read_bytes()[:size])
    images = number_images(tmp_path / "a")
    read = list(image_frames(images, 25.0))
    assert [frame.image is None for frame in read] == [n in (2, 3, 5, 6, 8) for n in range(1, 10)]
    np.testing.assert_allclose([frame.pts_s for frame in read], np.arange(9) / 25)
    assert describe_numbers(missing_numbers(images)) == "2, 5-6"


def test_a_folder_from_0_is_counted_from_1(tmp_path):
    write_images(tmp_path / "a", pixels(3), "{}.png".format, first=0)
    assert list(number_images(tmp_path / "a")) == [1, 2, 3]


@pytest.mark.parametrize(
    "names, says",
    [
        ([], "holds no image"),
        (["cover.png"], "cover.png: has no frame number"),
        (["img1.png", "img_001.png"], "img_001.png: is frame 1, as img1.png is"),
        (
            ["cover_0.png", *(f"img{n:03}.png" for n in range(1, 12))],
            r"cover_0.png: is named unlike the other images \(img001.png\)",
        ),
    ],
)
def test_a_folder_that_is_no_video_is_refused(tmp_path, names, says):
    for name in names:
        cv2.imwrite(str(tmp_path / name), pixels(1)[0])
    with pytest.raises(UserError, match=says):
        number_images(tmp_path)


def openface(folder, frames, header, rows, *, face="00_"):
    """An OpenFace run on one video: bmp files and CSV; gives back the folder of images."""
    aligned = folder / "clip_aligned"
    write_images(aligned, frames, lambda n: f"frame_det_{face}{n:06d}.bmp")
    lines = [header, *(", ".join(map(str, row)) for row in rows)]
    (folder / "clip.csv").write_text("\n".join(lines) + "\n")
    return aligned


@pytest.mark.parametrize("old", [True, False])
def test_openface_frames_are_its_images_and_failed_ones_have_no_face(tmp_path, old):
    frames = pixels(6, 112)
    frames[2] = 0
    success = [1, 1, 0, 0, 1, 1]
    rows = [
        (i + 1, *([] if old else [0]), round(i / 30, 3), 0.9 - i / 10, success[i], 5.5)
        for i in range(6)
    ]
    face = "" if old else "00_"
    aligned = openface(tmp_path, frames, OLD if old else NEW, rows, face=face)
    found = list(openface_frames(aligned, tmp_path / "clip.csv"))
    assert [frame.face for frame in found] == [0, 0, -1, -1, 0, 0]
    np.testing.assert_allclose([found[i].confidence for i in (0, 5)], [0.9, 0.4])
    for i in (0, 1, 4, 5):
        np.testing.assert_array_equal(found[i].image, frames[i])
    assert not found[2].image.any() and not found[3].image.any() and found[3].confidence == 0
    assert openface_fps(tmp_path / "clip.csv") == 30.0


def test_without_a_table_black_or_missing_images_have_no_face(tmp_path):
    frames = pixels(4, 112)
    frames[1] = 0
    aligned = openface(tmp_path, frames, NEW, [])
    (aligned / "frame_det_00_000003.bmp").unlink()
    assert [frame.face for frame in openface_frames(aligned, None)] == [0, -1, -1, 0]


def test_of_several_faces_the_one_seen_longest_is_taken(tmp_path):
    frames = pixels(5, 112)
    aligned = openface(tmp_path, frames[:2], NEW, [])
    for number, frame in enumerate(frames, 1):
        cv2.imwrite(str(aligned / f"frame_det_01_{number:06d}.bmp"), frame)
    found = list(openface_frames(aligned, None))
    assert [frame.face for frame in found] == [1] * 5
    np.testing.assert_array_equal(found[4].image, frames[4])


@pytest.mark.parametrize("fps", [25.0, 29.97, 30.0, 59.94, 200.0])
def test_fps_from_times_rounded_to_milliseconds(tmp_path, fps):
    rows = [(i + 1, round(i / fps, 3), 1, 1, 0) for i in range(600)]
    openface(tmp_path, pixels(1, 112), OLD, rows)
    assert openface_fps(tmp_path / "clip.csv") == pytest.approx(fps, rel=2e-4)


@pytest.mark.parametrize("fps", [25.0, 30.0, 200.0])
def test_fps_of_a_video_that_lost_frames(tmp_path, fps):
    """Of those that the video lost, and those that the table lacks."""
    rows = [(i + 1, round(i / fps + 0.9 * (i >= 20), 3), 1, 1, 0) for i in range(60)]
    openface(tmp_path, pixels(1, 112), OLD, [*rows[:30], *rows[34:]])
    assert openface_fps(tmp_path / "clip.csv") == fps


def test_real_openface_rows_parse():
    path = feat_clip("OpenFace_Test.csv")
    table = read_openface_csv(path)
    raw = pd.read_csv(path)
    assert len(table) == len(raw) > 0
    np.testing.assert_array_equal(table.frame, raw["frame"])
    np.testing.assert_array_equal(table.success, raw[" success"])


@pytest.mark.parametrize(
    "text, says",
    [
        ("frame, timestamp\n1, 0\n", "clip.csv: column 'confidence' is missing; is it a CSV file"),
        (f"{OLD}\n1, 0, 1, 1, 0\n2, x, 1, 1, 0\n", "clip.csv, row 3: timestamp is 'x'"),
        ("", "clip.csv: not a readable CSV table"),
    ],
)
def test_a_csv_that_is_not_openfaces_is_refused(tmp_path, text, says):
    (tmp_path / "clip.csv").write_text(text)
    with pytest.raises(UserError, match=says):
        read_openface_csv(tmp_path / "clip.csv")
