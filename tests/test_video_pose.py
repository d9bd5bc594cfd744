"""Posed crops against faces of known shape and pose, and on a real clip."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_faces import made_face, photograph, turned
from scipy.spatial.transform import Rotation
from video_files import encode, feat_clip, noise

from jaxspot.errors import UserError
from jaxspot.video import clip as clip_module
from jaxspot.video.align import face_similarity, mesh_template, warp_face
from jaxspot.video.clip import aligned_frames, posed_clip, posed_frames
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.mesh import Region, fit_mesh, region_of_mesh
from jaxspot.video.pose import (
    MAX_TURN,
    RIGID,
    Poses,
    crop_posed,
    fit_poses,
    front_surface,
    mean_face,
    plane_affine,
    pose_track,
    posed,
    smooth_poses,
    to_front,
    turn_angles,
    unposed,
    usable_poses,
)
from jaxspot.video.tracker import TrackedFrame

FACE = made_face()
TURNS = [dict(), dict(yaw=15), dict(yaw=-20), dict(pitch=10), dict(yaw=8, pitch=-6, roll=25)]

angle = st.floats(-44, 44)
poses = st.fixed_dictionaries(
    dict(yaw=angle, pitch=angle, roll=st.floats(-180, 180), scale=st.floats(0.3, 8))
)


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def apart(crops, others):
    """Mean difference of the inner face, in gray levels."""
    inner = np.s_[..., 25:90, 25:88]
    return np.abs(crops[inner].astype(float) - others[inner]).mean((-2, -1))


def shifted(crop, other):
    """How far the nose moved between two crops, in pixels."""
    nose = np.s_[40:80, 36:76]
    window = cv2.createHanningWindow((40, 40), cv2.CV_32F)
    return np.hypot(*cv2.phaseCorrelate(np.float32(crop[nose]), np.float32(other[nose]), window)[0])


@given(poses, st.floats(-900, 900), st.floats(-900, 900))
def test_a_known_pose_is_found(pose, x, y):
    seen = turned(FACE, **pose, shift=(x, y, 30))[None]
    found = fit_poses(FACE, seen)
    matrix = Rotation.from_euler("zxy", [pose["roll"], pose["pitch"], pose["yaw"]], degrees=True)
    np.testing.assert_allclose(found.scale, pose["scale"], rtol=1e-6)
    np.testing.assert_allclose(found.rotation[0], matrix.as_matrix(), atol=1e-6)
    np.testing.assert_allclose(posed(found, FACE), seen, atol=1e-5)
    np.testing.assert_allclose(unposed(found, seen)[0], FACE, atol=1e-4)
    looks_away = np.arccos(matrix.apply([0, 0, 1])[2])
    np.testing.assert_allclose(turn_angles(found), looks_away, atol=1e-6)


@given(poses)
def test_the_front_is_the_same_from_every_side(pose):
    np.testing.assert_allclose(to_front(turned(FACE, **pose)), FACE, atol=1e-4)


def test_the_front_lies_where_similarity_crops_have_it():
    index, target = mesh_template()
    np.testing.assert_allclose(FACE[index, :2], target, atol=1e-6)
    np.testing.assert_allclose(face_similarity(FACE[:, :2]), np.eye(2, 3), atol=1e-6)


def test_the_mean_face_ignores_expressions_and_noise():
    rng = np.random.default_rng(0)
    seen = np.stack([turned(FACE, yaw=yaw, pitch=5) for yaw in rng.uniform(-30, 30, 400)])
    mouth = np.setdiff1d(np.arange(478), [*RIGID, *mesh_template()[0]])
    seen[100:250, mouth] += [0, -9, 4]
    seen += rng.normal(0, 0.3, seen.shape)
    found = mean_face(seen.astype(np.float32))
    assert np.abs(found - FACE).max() < 0.5
    assert found.dtype == np.float64
    one = mean_face(seen[:1])
    assert one.shape == (478, 3) and np.abs(one - FACE).max() < 3


def test_crops_of_a_turning_head_are_alike_and_similarity_crops_are_not():
    pictures = [photograph(FACE, **turn) for turn in TURNS]
    seen = np.stack([turned(FACE, **turn) for turn in TURNS])
    track, usable = pose_track(seen, np.arange(len(TURNS)) / 30, smooth=False)
    assert usable.tolist() == list(range(len(TURNS)))
    crops = np.stack([crop_posed(p, track.surface, track.used, i) for i, p in enumerate(pictures)])
    flat = np.stack(
        [warp_face(p, face_similarity(s[:, :2])) for p, s in zip(pictures, seen, strict=True)]
    )
    assert apart(crops[1:], crops[0]).max() < 3 and apart(flat[1:], flat[0]).min() > 15
    assert max(shifted(crops[0], crop) for crop in crops[1:]) < 0.5
    assert min(shifted(flat[0], crop) for crop in flat[1:]) > 2
    assert apart(crops[0], flat[0]) < 2, "from the front both are the same crop"
    gray = crop_posed(pictures[1][..., 0], track.surface, track.used, 1)
    np.testing.assert_array_equal(gray, crops[1])


def test_the_surface_covers_the_crop_without_steps():
    surface = front_surface(FACE)
    assert surface.shape == (112, 112, 3) and surface.dtype == np.float32
    np.testing.assert_array_equal(surface[10, 20, :2], [20, 10])
    assert np.isfinite(surface).all()
    assert max(np.abs(np.diff(surface[..., 2], axis=axis)).max() for axis in (0, 1)) < 10


def test_beyond_the_picture_its_edge_is_repeated():
    pose = fit_poses(FACE, turned(FACE, shift=(-40, 150, 0))[None])
    crop = crop_posed(np.full((300, 320), 90, np.uint8), front_surface(FACE), pose, 0)
    assert (crop == 90).all()


def test_the_affine_of_the_eyes_takes_them_to_their_places():
    eyes = [33, 133, 263, 362]
    level = FACE.copy()
    level[eyes, 2] = level[eyes, 2].mean()
    seen = turned(level, yaw=20, pitch=-10, roll=30)
    affine = plane_affine(level, fit_poses(level, seen[None]), 0)
    at = seen[eyes, :2] @ affine[:, :2].T + affine[:, 2]
    np.testing.assert_allclose(at, level[eyes, :2], atol=1e-5)


@pytest.mark.parametrize("turn", [dict(yaw=46), dict(pitch=-46), dict(yaw=-35, pitch=35)])
def test_a_face_turned_too_far_or_fitted_badly_is_none(turn):
    seen = np.stack([turned(FACE), turned(FACE, **turn), turned(FACE, roll=170)])
    found = fit_poses(FACE, seen)
    assert turn_angles(found)[1] > MAX_TURN
    assert usable_poses(FACE, found, seen).tolist() == [True, False, True]
    seen[0] += np.random.default_rng(0).normal(0, 6, seen[0].shape)
    assert not usable_poses(FACE, fit_poses(FACE, seen), seen)[0]


def moving(times, *, speed=0.0, turn=0.0, jitter=0.0):
    """Poses of a head that drifts (pixels a second) and rolls (degrees a second)."""
    rng = np.random.default_rng(2)
    rotation = Rotation.from_euler("z", (170 + turn * times)[:, None], degrees=True).as_matrix()
    shift = np.outer(speed * times, [1, 0.5, 0]) + rng.normal(0, jitter, (len(times), 3))
    return Poses(np.full(len(times), 1.5), rotation, shift)


@settings(max_examples=20)
@given(st.floats(-300, 300), st.floats(-200, 200), st.sampled_from([15.0, 30.0, 200.0]))
def test_smoothing_neither_lags_nor_bends_an_even_motion(speed, turn, fps):
    even = moving(np.arange(40) / fps, speed=speed, turn=turn)
    smooth = smooth_poses(even, np.arange(40) / fps)
    np.testing.assert_allclose(smooth.shift, even.shift, atol=1e-6)
    np.testing.assert_allclose(smooth.scale, even.scale, rtol=1e-9)
    products = smooth.rotation @ np.swapaxes(smooth.rotation, 1, 2)
    np.testing.assert_allclose(products, np.broadcast_to(np.eye(3), products.shape), atol=1e-9)
    steps = Rotation.from_matrix(smooth.rotation) * Rotation.from_matrix(even.rotation).inv()
    assert steps.magnitude().max() < np.radians(4), "also across the half turn"


def test_smoothing_lowers_noise_and_does_not_reach_over_a_gap():
    times = np.arange(300) / 30
    shaky = moving(times, jitter=1.0)
    smooth = smooth_poses(shaky, times)
    assert np.diff(smooth.shift, axis=0).std() < 0.3 * np.diff(shaky.shift, axis=0).std()
    away = times + 5.0 * (np.arange(300) >= 150)
    first = smooth_poses(Poses(*(values[:150] for values in shaky)), times[:150])
    np.testing.assert_allclose(smooth_poses(shaky, away).shift[:150], first.shift, atol=1e-12)
    alone = smooth_poses(Poses(*(values[:1] for values in shaky)), times[:1])
    np.testing.assert_allclose(alone.shift, shaky.shift[:1])


def scene(monkeypatch, rows):
    """Posed frames of a made-up video; a row is (face, number, turn), or None for a lost frame."""

    def tracked(frames, landmarker, *, prefer):
        for frame, row in zip(frames, rows, strict=True):
            if row is None:
                yield TrackedFrame(frame, None, None, 0.0, -1)
                continue
            face, number, turn = row
            points = turned(face, **turn).astype(np.float32)
            yield TrackedFrame(frame, points[:, :2], points[:, 2], 0.75, number)

    def read():
        for number, row in enumerate(rows):
            yield VideoFrame(number / 30, row and photograph(row[0], **row[2]))

    monkeypatch.setattr(clip_module, "track_faces", tracked)
    return list(posed_frames(read, None))


def test_each_stay_of_a_face_is_posed_by_itself(monkeypatch):
    other = made_face(7)
    first = [(FACE, 0, dict(yaw=yaw)) for yaw in (0, 2, 4)]
    second = [(other, 1, dict(yaw=yaw, roll=10)) for yaw in (-4, 0, 60, 4)]
    both = scene(monkeypatch, [*first, None, *second])
    assert [frame.face for frame in both] == [0, 0, 0, -1, 1, 1, -1, 1]
    assert [frame.confidence for frame in both] == [0.75] * 3 + [0, 0.75, 0.75, 0, 0.75]
    assert not both[3].image.any() and not both[6].image.any() and both[6].similarity is None
    for frame, alone in zip(both[:3], scene(monkeypatch, first), strict=True):
        np.testing.assert_array_equal(frame.image, alone.image)
    for frame, alone in zip(both[4:], scene(monkeypatch, second), strict=True):
        assert np.abs(frame.image.astype(int) - alone.image).max() <= 1  # its times differ


def test_a_real_clip_gives_crops_like_aligned_ones(landmarker):
    frames = list(read_video(feat_clip("single_face.mp4")))[:20]
    crops = list(posed_frames(lambda: frames, landmarker))
    flat = list(aligned_frames(frames, landmarker))
    assert [f.pts_s for f in crops] == [f.pts_s for f in flat]
    assert [f.face for f in crops] == [f.face for f in flat]
    assert [f.confidence for f in crops] == [f.confidence for f in flat]
    for frame in crops:
        assert frame.image.shape == (112, 112) and frame.image.dtype == np.uint8
    index, target = mesh_template()
    for frame in crops[::6]:
        image = cv2.resize(np.repeat(frame.image[..., None], 3, 2), None, fx=4, fy=4)
        mesh = fit_mesh(landmarker, image, Region(224, 224, 600, 0.0))
        mesh = fit_mesh(landmarker, image, region_of_mesh(mesh.landmarks))
        eyes = np.linalg.norm((mesh.landmarks[index[:4]] + 0.5) / 4 - 0.5 - target[:4], axis=1)
        assert mesh.presence > 2 and eyes.max() < 3


def test_a_clip_without_a_face_and_files_without_a_video(tmp_path, landmarker):
    black = np.zeros((5, 48, 64, 3), np.uint8)
    blank = posed_clip(encode(tmp_path / "a.mp4", black), landmarker=landmarker, progress=False)
    assert blank.frames.shape == (5, 112, 112) and not blank.found.any() and not blank.frames.any()
    assert blank.fps == pytest.approx(30, rel=0.05) and (blank.faces == -1).all()
    cut = encode(tmp_path / "cut.mp4", noise(60), movflags="faststart")
    cut.write_bytes(cut.read_bytes()[:40000])
    (tmp_path / "text.mp4").write_text("hello")
    still = encode(tmp_path / "still.mp4", black[:1])
    for path, says in (
        (tmp_path / "none.mp4", "no such"),
        (tmp_path / "text.mp4", "not a video"),
        (cut, "damaged"),
        (still, "two frames"),
    ):
        with pytest.raises(UserError, match=says) as caught:
            posed_clip(path, landmarker=landmarker, progress=False)
        assert "\n" not in str(caught.value)


def test_a_bar_for_each_pass(tmp_path, landmarker, capfd):
    black = np.zeros((5, 48, 64, 3), np.uint8)
    posed_clip(encode(tmp_path / "a.mp4", black), landmarker=landmarker)
    bars = capfd.readouterr().err
    assert "a.mp4, landmarks: 100%" in bars and "a.mp4, faces: 100%" in bars
