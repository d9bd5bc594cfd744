"""52 scores of facial expression, beside LiteRT's and on faces whose expression is known."""

import numpy as np
import pytest
from acted_faces import acted_face
from video_files import feat_clip

from jaxspot.errors import UserError
from jaxspot.motion.pictures import WHOLE_CROP
from jaxspot.video import landmarker as landmarker_module
from jaxspot.video.blendshapes import LANDMARKS, NAMES, blendshape_scores, load_blendshapes
from jaxspot.video.decode import read_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.mesh import fit_mesh, region_of_mesh
from jaxspot.video.tracker import track_faces

# fmt: off
LITERT = (
    .0003, .1756, .1600, .4400, .0490, .1386, .0024, .0002, .0000, .1582, .2366, .8152, .0242,
    .1432, .6066, .4253, .0298, .0196, .7922, .3097, .1642, .1637, .1196, .0017, .0018, .0773,
    .0299, .0193, .0005, .7056, .0982, .0466, .0007, .0979, .0119, .0393, .0077, .3019, .1790,
    .0053, .2124, .1106, .1984, .0433, .0227, .0659, .0155, .1022, .0009, .0053, .0001, .0000,
)
"""What ai-edge-litert 2.3.0 gives for `RANDOM`."""
# fmt: on
RANDOM = np.random.default_rng(0).uniform(0, 500, (478, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def net():
    return load_blendshapes()


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def test_each_score_has_a_name_and_each_landmark_is_read_once():
    assert len(NAMES) == len(set(NAMES)) == 52
    assert len(LANDMARKS) == len(set(LANDMARKS)) == 146
    assert min(LANDMARKS) == 0 and max(LANDMARKS) == 477


def test_scores_are_those_of_another_runtime(net):
    scores = blendshape_scores(net, RANDOM, (500, 500))
    assert scores.shape == (52,) and scores.dtype == np.float32
    np.testing.assert_allclose(scores, LITERT, atol=1e-4)


def test_place_and_scale_change_nothing(net):
    there = blendshape_scores(net, 3 * RANDOM + 100, (1700, 1700))
    np.testing.assert_allclose(there, blendshape_scores(net, RANDOM, (500, 500)), atol=1e-4)


def test_a_smile_is_seen_on_a_real_face(net, landmarker):
    scores = []
    for frame in track_faces(read_video(feat_clip("single_face.mp4")), landmarker):
        assert frame.landmarks is not None and frame.frame.image is not None
        scores.append(blendshape_scores(net, frame.landmarks, frame.frame.image.shape[:2]))
    smile = np.array(scores)[:, [NAMES.index("mouthSmileLeft"), NAMES.index("mouthSmileRight")]]
    assert smile[:15].max() < 0.1 and smile[25:65].min() > 0.7


@pytest.mark.parametrize("unit, name", [
    ("smile_left", "mouthSmileLeft"), ("smile_right", "mouthSmileRight"),
    ("brow_raise_inner", "browInnerUp"), ("pucker", "mouthPucker"), ("blink", "eyeBlinkLeft"),
])  # fmt: skip
def test_the_score_that_rises_most_is_of_what_a_head_shows(unit, name, net, landmarker):
    scores = []
    for gray in acted_face({unit: np.arange(2)}):
        image = np.repeat(gray[..., None], 3, axis=2)
        mesh = fit_mesh(landmarker, image, WHOLE_CROP)
        mesh = fit_mesh(landmarker, image, region_of_mesh(mesh.landmarks))
        scores.append(blendshape_scores(net, mesh.landmarks, gray.shape))
    assert NAMES[int(np.argmax(scores[1] - scores[0]))] == name


def test_other_numbers_of_landmarks_are_refused(net):
    with pytest.raises(ValueError, match="68, 2"):
        blendshape_scores(net, np.zeros((68, 2), np.float32), (100, 100))


def test_a_missing_model_is_one_line_with_its_remedy(monkeypatch):
    monkeypatch.setattr(landmarker_module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="not installed: run `make setup`"):
        load_blendshapes()
