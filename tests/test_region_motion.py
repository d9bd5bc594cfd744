"""Region motion from pictures, against displacements that are known without any flow."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from prepare_calls import call, csv_tree
from video_files import encode, feat_clip

from jaxspot.datasets import prepare as work
from jaxspot.errors import UserError
from jaxspot.motion.measure import (
    SCALE,
    SIDE,
    TEMPLATE_POINTS,
    box_flow,
    face_box,
    nose_rectangle,
    read_regions,
    region_places,
)
from jaxspot.motion.pictures import (
    bank_faces,
    bank_motion,
    crop_motion,
    motion_clip,
    motion_frames,
)
from jaxspot.motion.regions import TWELVE
from jaxspot.synthetic.generate import plan_video, render_plan, synthetic_bank
from jaxspot.synthetic.heads import CANVAS
from jaxspot.synthetic.motion_error import motion_error
from jaxspot.synthetic.render import MARGIN
from jaxspot.synthetic.true_motion import true_places
from jaxspot.video.align import (
    apply_similarity,
    face_similarity,
    mesh_template,
    openface_template,
)
from jaxspot.video.bank import open_bank
from jaxspot.video.decode import read_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.tracker import track_faces

PLACES = openface_template()[list(TEMPLATE_POINTS)]
UPRIGHT = np.eye(2, 3)


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


@pytest.fixture(scope="module")
def clip():
    """Eight neutral frames of a man."""
    frames = []
    for frame in read_video(feat_clip("single_face.mp4")):
        frames.append(frame)
        if len(frames) == 8:
            break
    return frames


def texture(x, y):
    """Gray levels of a picture that is known at every point: waves of 6 to 20 pixels."""
    rng = np.random.default_rng(0)
    gray = np.full(np.shape(x), 128.0)
    for angle, length, phase in rng.uniform((0, 6, 0), (np.pi, 20, 6.3), (24, 3)):
        wave = np.cos(angle) * x + np.sin(angle) * y
        gray += 9 * np.sin(2 * np.pi * wave / length + phase)
    return gray


def draw(size, to_crop, shift=lambda x, y: (0.0, 0.0)):
    """The texture seen by a camera: pixels to crop by `to_crop`, moved by a field in the crop."""
    y, x = np.mgrid[:size, :size].astype(float)
    x, y = apply_similarity(to_crop, np.stack([x.ravel(), y.ravel()], 1)).T.reshape(2, size, size)
    dx, dy = shift(x, y)
    return np.clip(np.round(texture(x - dx, y - dy)), 0, 255).astype(np.uint8)


GROUPS = [0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 4, 2, 2]
"""Two brows, the nose, two corners of the mouth and the lips move each in its own way."""


def bumps(moves, *, sigma=12.0):
    """A field in which each group of regions carries its own (x, y), which ends softly."""

    def shift(x, y):
        field = np.zeros((2, *np.shape(x)))
        for (px, py), move in zip(PLACES, moves, strict=True):
            weight = np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2))
            field += np.reshape(move, (2, *[1] * np.ndim(x))) * weight
        return field

    return shift


def measured(first, second, to_crop):
    flow = box_flow()(face_box(first, to_crop), face_box(second, to_crop))
    return read_regions(flow, PLACES)


@pytest.mark.parametrize("zoom", [1.0, 0.37, 0.12])
def test_each_region_moves_as_it_was_moved(zoom):
    """At the size of a crop, of a face in a video, and of one that must be made smaller first."""
    size, middle = round(112 / zoom) + 8, np.array([56.0, 56.0])
    cos, sin = zoom * np.cos(0.1), zoom * np.sin(0.1)
    turn = np.array([[cos, -sin], [sin, cos]])
    to_crop = np.column_stack([turn, middle - turn @ [size / 2, size / 2]])
    moves = np.random.default_rng(1).uniform(-0.3, 0.3, (6, 2))[GROUPS]
    moves[12:] = 0
    shift = bumps(moves)
    found = measured(draw(size, to_crop), draw(size, to_crop, shift), to_crop)
    low, high = nose_rectangle(PLACES)
    nose = np.stack(np.meshgrid(*np.linspace(low, high, 21).T), -1)
    true = np.stack(shift(*PLACES[:12].T), -1)
    true = true - np.mean(np.stack(shift(nose[..., 0], nose[..., 1]), -1), axis=(0, 1))
    assert np.abs(true).max() > 0.5
    assert found.shape == (12, 2) and found.dtype == np.float32
    error = np.abs(found - true)
    assert np.median(error) < 0.03 and error.max() < 0.11
    assert 0.88 < (found * true).sum() / (true * true).sum() < 1.02


def test_a_twentieth_of_a_pixel_is_measured_to_a_hundredth():
    moves = 0.05 * np.array(
        [(0, -1)] * 3 + [(0, 1)] * 3 + [(0, 0)] * 2 + [(1, 0)] * 4 + [(0, 0)] * 2
    )
    found = measured(draw(112, UPRIGHT), draw(112, UPRIGHT, bumps(moves)), UPRIGHT)
    true = np.stack(bumps(moves)(*PLACES[:12].T), -1)
    assert np.abs(true).max() > 0.05
    assert np.sqrt(np.mean((found - true) ** 2)) < 0.015


def test_what_moves_as_the_nose_does_is_at_rest():
    whole = lambda x, y: (0.7, -0.4)
    first, second = draw(112, UPRIGHT), draw(112, UPRIGHT, whole)
    flow = box_flow()(face_box(first, UPRIGHT), face_box(second, UPRIGHT))
    np.testing.assert_allclose(flow[50:-50, 50:-50].mean((0, 1)) / SCALE, (0.7, -0.4), atol=0.02)
    assert np.abs(read_regions(flow, PLACES)).max() < 0.03


def test_regions_at_the_border_are_read_inside_the_box():
    flow = np.zeros((SIDE, SIDE, 2), np.float32)
    flow[0, :, 1] = SCALE
    places = PLACES.copy()
    places[0] = (56, -30)
    np.testing.assert_allclose(read_regions(flow, places)[0], (0, 1))


def test_regions_are_where_their_names_say():
    index, target = mesh_template()
    mesh = np.zeros((478, 2))
    mesh[index] = target
    names = dict(zip(TWELVE.names, PLACES, strict=False))
    assert names["left brow, outer"][0] < names["left brow, inner"][0] < 56
    assert names["nose tip"][1] < names["upper lip"][1] < names["lower lip"][1]
    assert region_places(mesh).shape == (14, 2)
    mirrored = PLACES[:12][list(TWELVE.mirror)] * (-1, 1) + (112, 0)
    np.testing.assert_allclose(mirrored, PLACES[:12], atol=1)


def test_the_mesh_points_lie_where_a_neutral_crop_has_the_regions(clip, landmarker):
    mesh = next(track_faces(clip, landmarker)).landmarks
    crop = apply_similarity(face_similarity(mesh), region_places(mesh))
    assert np.linalg.norm(crop - PLACES, axis=1).max() < 9
    assert np.linalg.norm(crop - PLACES, axis=1).mean() < 5


def test_a_still_picture_does_not_move(clip, landmarker):
    still = [clip[0]._replace(pts_s=i / 30) for i in range(4)]
    frames = list(motion_frames(still, landmarker))
    assert all(frame.face == 0 and frame.confidence > 0.9 for frame in frames)
    assert not np.any([frame.motion for frame in frames])


def test_rows_beside_a_lost_face_are_0_and_without_face(clip, landmarker):
    clip = [*clip]
    clip[3] = clip[3]._replace(image=None)
    frames = list(motion_frames(clip, landmarker))
    assert [frame.face for frame in frames] == [0, 0, 0, -1, -1, 0, 0, 0]
    moves = [bool(frame.motion.any()) for frame in frames]
    assert moves == [False, True, True, False, False, True, True, True]
    assert [frame.pts_s for frame in frames] == [frame.pts_s for frame in clip]


def test_crops_without_a_face_or_of_another_one_are_not_compared(landmarker):
    frames = np.stack([draw(112, UPRIGHT, lambda x, y, t=t: (0.1 * t, 0)) for t in range(6)])
    quality = np.array([[1, 1], [1, 0.5], [0, 0], [1, 1], [1, 1], [1, 1]], np.float32)
    faces = [*bank_faces(frames, quality, 30.0)]
    faces[5] = faces[5]._replace(face=1)
    found = list(crop_motion(faces, landmarker))
    assert [frame.face for frame in found] == [0, 0, -1, -1, 0, -1]
    assert found[1].confidence == 0.5 and found[4].pts_s == pytest.approx(4 / 30)


def test_a_video_file_gives_rows_faces_and_rate(clip, tmp_path, landmarker):
    path = encode(tmp_path / "v.mp4", [frame.image for frame in clip])
    found = motion_clip(path, landmarker=landmarker, progress=False)
    assert found.frames.shape == (8, 12, 2) and found.frames.dtype == np.float32
    assert not found.frames[0].any() and found.frames[1:].any((1, 2)).all()
    assert found.found.all() and found.fps == pytest.approx(30, abs=0.5)


def test_true_places_follow_a_spot_of_the_picture():
    rest = np.array([70.3, 66.8])
    plan = plan_video(subject=2, seconds=6.0, level="hard")
    y, x = np.mgrid[:CANVAS, :CANVAS]
    spot = 230 * np.exp(-((x - rest[0] - MARGIN) ** 2 + (y - rest[1] - MARGIN) ** 2) / 8)
    dark = np.zeros_like(plan.person.shading)
    person = replace(plan.person, neutral=spot.astype(np.float32), shading=dark)
    frames = render_plan(plan._replace(person=person, contrast=1.0, quality=100)).astype(float)
    light = np.where(frames > 50, frames, 0)[..., None] * np.stack(np.mgrid[:112, :112][::-1], -1)
    seen = light.sum((1, 2)) / np.where(frames > 50, frames, 0).sum((1, 2))[:, None]
    true = true_places(plan, rest[None])[:, 0]
    assert np.ptp(true, axis=0).min() > 0.5
    np.testing.assert_allclose(seen, true, atol=0.25)
    assert np.median(np.abs(seen - true)) < 0.04


def test_the_error_on_a_synthetic_video_is_small():
    table = motion_error("easy", people=[0], seconds=6.0, workers=1).set_index("region")
    assert [*table.index] == [*TWELVE.names, "all"]
    whole = table.loc["all"]
    assert whole["median"] < 0.04 and whole["rms"] < whole["true_rms"]
    assert whole["corr_0.5s"] > 0.5


def test_prepare_measures_motion_in_place_of_frames(tmp_path, capsys, landmarker):
    source = csv_tree(tmp_path / "source")
    assert call("csv", source, tmp_path / "frames") == 0
    assert call("csv", source, tmp_path / "motion", "--motion") == 0
    assert call("bank", tmp_path / "frames", tmp_path / "again") == 0
    frames, again = open_bank(tmp_path / "frames"), open_bank(tmp_path / "again", verify=True)
    bank = open_bank(tmp_path / "motion", verify=True)
    for made in (bank, again):
        assert made.regions == TWELVE and not (made.root / "frames").exists()
        assert made.motion("v").shape == (4, 12, 2) and not made.motion("v")[0].any()
        assert made.faces("v").all()
        assert made.videos.equals(frames.videos) and made.annotations.equals(frames.annotations)
        assert not (made.root / ".prepare").exists()
    motion, faces = bank_motion(frames, "v", landmarker=landmarker)
    np.testing.assert_array_equal(motion, again.motion("v"))
    assert faces.all() and again.meta["source"]["bank"]["sha256"] == frames.sha256
    capsys.readouterr()
    assert call("bank", tmp_path / "motion", tmp_path / "third") == 2
    assert "holds region motion already" in capsys.readouterr().err


def test_a_bank_of_region_motion_has_no_pictures_to_measure(tmp_path):
    csv_tree(tmp_path / "source")
    call("csv", tmp_path / "source", tmp_path / "motion", "--motion")
    with pytest.raises(UserError, match="region motion, not frames"):
        bank_motion(open_bank(tmp_path / "motion"), "v")


def test_a_cut_run_is_resumed_and_other_settings_are_refused(tmp_path, monkeypatch, capsys):
    source, out = csv_tree(tmp_path / "source"), tmp_path / "bank"
    with monkeypatch.context() as patch:
        patch.setattr(work, "finish_bank", lambda *a, **k: (_ for _ in ()).throw(UserError("cut")))
        assert call("csv", source, out, "--motion") == 2
    before = (out / "motion" / "v.npy").stat().st_mtime_ns
    capsys.readouterr()
    assert call("csv", source, out) == 2 and "was begun with" in capsys.readouterr().err
    assert call("csv", source, out, "--motion") == 0
    assert (out / "motion" / "v.npy").stat().st_mtime_ns == before


def test_a_synthetic_bank_becomes_one_of_motion_that_keeps_its_labels(tmp_path):
    scene: dict[str, Any] = dict(subjects=1, seconds=4.0, mae_per_minute=0.0, me_per_minute=15.0)
    frames = synthetic_bank(tmp_path / "frames", **scene, workers=1, progress=False)
    assert call("bank", tmp_path / "frames", tmp_path / "motion") == 0
    bank = open_bank(tmp_path / "motion")
    assert bank.annotations.equals(frames.annotations) and len(bank.annotations)
    assert bank.motion("s01_1").shape == (120, 12, 2)
    assert bank.meta["source"]["bank"]["source"]["kind"] == "synthetic"
