import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from scipy.ndimage import map_coordinates
from skimage.transform import SimilarityTransform

from jaxspot.video.align import (
    RIGID_POINTS,
    align_face,
    apply_similarity,
    face_similarity,
    fit_similarity,
    mesh_template,
    openface_similarity,
    openface_template,
    warp_face,
)
from jaxspot.video.smooth import smooth_similarity

poses = st.tuples(st.floats(0.2, 5), st.floats(-3, 3), st.floats(-500, 2000), st.floats(-500, 2000))


def similarity(scale, angle, x, y):
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def inverse(matrix):
    return cv2.invertAffineTransform(matrix)


def mesh_of(points20):
    """A mesh (478, 2) whose 20 template points are given; the others lie anywhere."""
    mesh = np.random.default_rng(0).uniform(0, 400, (478, 2))
    mesh[mesh_template()[0]] = points20
    return mesh


@given(poses)
def test_known_similarity_is_found_from_the_mesh(pose):
    placed = apply_similarity(inverse(similarity(*pose)), mesh_template()[1])
    mapped = apply_similarity(face_similarity(mesh_of(placed)), placed)
    np.testing.assert_allclose(mapped, mesh_template()[1], atol=0.05)
    np.testing.assert_allclose(face_similarity(mesh_of(placed)), similarity(*pose), atol=1e-6)


@given(poses)
def test_known_similarity_is_found_from_68_points(pose):
    placed = apply_similarity(inverse(similarity(*pose)), openface_template())
    mapped = apply_similarity(face_similarity(placed), placed)
    np.testing.assert_allclose(mapped, openface_template(), atol=0.05)


def test_mesh_fit_agrees_with_umeyama():
    rng = np.random.default_rng(1)
    source = rng.uniform(0, 300, (20, 2))
    target = apply_similarity(similarity(0.3, 0.4, 5, -9), source) + rng.normal(0, 3, (20, 2))
    peer = SimilarityTransform.from_estimate(source, target)
    np.testing.assert_allclose(fit_similarity(source, target), peer.params[:2], rtol=1e-6)


def test_68_points_follow_openface_by_kabsch():
    rng = np.random.default_rng(2)
    placed = apply_similarity(similarity(2.5, -0.3, 200, 150), openface_template())
    placed += rng.normal(0, 4, placed.shape)
    rigid = placed[list(RIGID_POINTS)] - placed[list(RIGID_POINTS)].mean(0)
    goal = openface_template()[list(RIGID_POINTS)]
    rotation = orthogonal_procrustes(rigid, goal - goal.mean(0))[0].T
    assert np.linalg.det(rotation) > 0
    linear = 35.642 / np.sqrt((rigid**2).sum(1).mean()) * rotation
    found = openface_similarity(placed)
    np.testing.assert_allclose(found[:, :2], linear, rtol=1e-4)
    np.testing.assert_allclose(apply_similarity(found, placed).mean(0), [56, 56], atol=1e-9)


def test_warp_agrees_with_scipy_and_is_black_outside():
    image = cv2.GaussianBlur(
        np.random.default_rng(3).integers(0, 255, (90, 120), dtype=np.uint8), (0, 0), 3
    )
    matrix = similarity(0.9, 0.2, 10, -5)
    columns, rows = np.meshgrid(np.arange(112.0), np.arange(112.0))
    places = apply_similarity(inverse(matrix), np.stack([columns.ravel(), rows.ravel()], 1))
    peer = map_coordinates(image.astype(float), places.T[::-1], order=1).reshape(112, 112)
    inside = ((places > 0) & (places < [119, 89])).all(1).reshape(112, 112)
    outside = ((places < -1) | (places > [120, 90])).any(1).reshape(112, 112)
    face = warp_face(image, matrix)
    assert np.abs(face - peer)[inside].max() <= 2
    assert outside.any() and not face[outside].any()


def test_align_face_gives_gray_of_any_size():
    image = np.random.default_rng(4).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    placed = apply_similarity(inverse(similarity(0.5, 0.1, -10, -10)), openface_template())
    small, large = align_face(image, placed), align_face(image, placed, size=224)
    assert small.dtype == np.uint8 and small.shape == (112, 112) and large.shape == (224, 224)
    gray = align_face(np.repeat(image[..., :1], 3, axis=2), placed)
    np.testing.assert_array_equal(gray, align_face(image[..., 0], placed))
    with pytest.raises(ValueError, match="5 landmarks"):
        align_face(image, np.zeros((5, 2)))


def steadied(similarities, *, fps=30.0):
    state, steady = None, []
    for i, raw in enumerate(similarities):
        state, smooth = smooth_similarity(state, raw, i / fps)
        steady.append(smooth)
    return np.stack(steady)


def face_places(similarities):
    """Where the middle of the crop lies in the image, (n, 2)."""
    return np.stack([apply_similarity(inverse(s), np.array([[56.0, 56]]))[0] for s in similarities])


def test_a_face_at_rest_stays_and_its_noise_falls():
    rng = np.random.default_rng(5)
    still = [similarity(0.5, 0.1, -20, 10)] * 300
    np.testing.assert_allclose(steadied(still), still, atol=1e-9)
    noisy = [similarity(0.5, 0.1, *rng.normal([-20, 10], 0.1)) for _ in range(300)]
    raw, smooth = face_places(noisy), face_places(steadied(noisy))
    assert np.diff(smooth, axis=0).std() < 0.5 * np.diff(raw, axis=0).std()


@pytest.mark.parametrize("speed", [5, 50, 300])
@pytest.mark.parametrize("fps", [30.0, 200.0])
def test_a_moving_face_is_followed_within_a_quarter_pixel(speed, fps):
    moving = [similarity(1, 0, -speed * i / fps, 0) for i in range(int(3 * fps))]
    lag = np.linalg.norm(face_places(steadied(moving, fps=fps)) - face_places(moving), axis=1)
    assert lag[int(fps) :].max() < 0.26


def test_smoothing_is_causal_and_passes_the_half_turn():
    turning = [similarity(1, np.pi + 0.02 * (i - 20), 50, 50) for i in range(40)]
    whole = steadied(turning)
    np.testing.assert_array_equal(whole[:25], steadied(turning[:25]))
    assert np.abs(whole - turning).max() < 20
