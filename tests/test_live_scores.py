"""Live scores are those that the whole video gives, frame for frame."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from face_clips import head_clip, head_pictures
from live_streams import EARLIER, FPS, causal, stream_of
from made_faces import made_face, photograph, turned
from made_spotters import seen_as_motion, untrained

from jaxspot.configs import load_config
from jaxspot.errors import UserError
from jaxspot.live import posed, scorer
from jaxspot.live.posed import MEAN_S, posed_so_far
from jaxspot.live.scorer import LiveScorer, load_causal
from jaxspot.live.sources import file_stream
from jaxspot.live.watch import watch
from jaxspot.own_video.videos import spot_videos
from jaxspot.spotting.saved_spotter import load_spotter, save_shipped, save_spotter
from jaxspot.spotting.spotter_file import CAUSAL
from jaxspot.spotting.video_file import clip_frames, usable_frames
from jaxspot.video.clip import Clip, aligned_frames
from jaxspot.video.decode import VideoFrame
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.shown import ShownFrames
from jaxspot.video.tracker import TrackedFrame

FACE = made_face()


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def offline(spotter, frames, faces, fps):
    """Scores of a whole video, NaN where a face is missing or another one."""
    scores = spotter.score(ShownFrames(frames, faces >= 0), fps).astype(float)
    scores[~usable_frames(faces, np.unique(spotter.skips(fps)))] = np.nan
    return scores


def faces_of(kind, count):
    faces = np.zeros(count, int)
    if kind == "lost":
        faces[:7], faces[30:33], faces[57:60] = -1, -1, -1
        faces[60:] = 1  # another one
        faces[80] = -1
    if kind == "late":
        faces[: count - 12] = -1
    return faces


@pytest.mark.parametrize("trunk", ["motion", "convolution"])
@pytest.mark.parametrize("seen", ["always", "lost", "late"])
def test_a_live_score_is_that_of_the_whole_video(trunk, seen):
    spotter, frames = causal(trunk=trunk), seen_as_motion(100)
    faces = faces_of(seen, len(frames))
    live = LiveScorer(spotter, 30.0)
    found = np.array([live.score(*pair) for pair in zip(frames, faces, strict=True)])
    expected = offline(spotter, frames, faces, 30.0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    known = expected[np.isfinite(expected).all(1)]
    assert len(known) > 5 and np.ptp(known, axis=0).min() > 1e-5
    assert live._step._cache_size() == 1, "every frame runs the program compiled at the start"


def test_a_file_played_live_gives_the_tables_of_spot(tmp_path, landmarker):
    """Similarity crops need no later frame, so all is the same from the file on."""
    path, spotter = head_clip(tmp_path / "head.mp4", frames=40), causal()
    record = watch(file_stream(path, fast=True), spotter, landmarker)
    save_spotter(tmp_path / "causal", spotter)
    spot_videos(path, weights=tmp_path / "causal", out=tmp_path / "spotted", progress=False)
    record.write(tmp_path / "live", spotter)
    for name in ("frames", "intervals"):
        live, spotted = (
            pd.read_csv(tmp_path / place / "head" / f"{name}.csv") for place in ("live", "spotted")
        )
        if name == "frames":
            assert not live.pop("missing").any() and live.p_me.notna().all()
        pd.testing.assert_frame_equal(live, spotted, atol=2e-6)


def test_a_missing_frame_counts_as_one_without_a_face(landmarker):
    pictures, spotter, gone = head_pictures(frames=40), causal(), {10, 11, 25}
    record = watch(stream_of(pictures, left_out=gone), spotter, landmarker)
    frames = [
        VideoFrame(number / FPS, None if number in gone else image)
        for number, image in enumerate(pictures)
    ]
    aligned = list(aligned_frames(frames, landmarker))
    faces = np.array([frame.face for frame in aligned], np.int32)
    crops = np.stack([frame.image for frame in aligned])
    expected = offline(spotter, crops, faces, FPS)
    np.testing.assert_allclose(record.scores(), expected, atol=1e-5)
    table = record.frames()
    assert table.frame[table.missing == 1].tolist() == [11, 12, 26] and record.missing == 3
    assert not table.success[table.missing == 1].any()
    confidence = [frame.confidence for frame in aligned]
    quality = np.stack([faces >= 0, confidence], 1).astype(np.float32)
    times = np.array([frame.pts_s for frame in aligned])
    whole = clip_frames(Clip(crops, quality, times, FPS, faces), expected)
    pd.testing.assert_frame_equal(table.drop(columns="missing"), whole, atol=2e-6)


def tracked(number, face=0, **pose):
    """A frame of the made-up face at 30 fps, with its true landmarks."""
    points = turned(FACE, **pose).astype(np.float32)
    frame = VideoFrame(number / 30, photograph(FACE, **pose))
    return TrackedFrame(frame, points[:, :2], points[:, 2], 0.9, face)


@pytest.fixture(scope="module")
def turning():
    """A head that is still for 2.5 s, then turns by 16 degrees within half a second."""
    still = [tracked(number) for number in range(75)]
    return still + [tracked(75 + step, yaw=float(step)) for step in range(1, 17)]


def test_posed_crops_wait_for_the_mesh_and_undo_turns(turning):
    crops = list(posed_so_far(turning))
    first = next(number for number, crop in enumerate(crops) if crop.face >= 0)
    assert turning[first - 1].frame.pts_s == pytest.approx(MEAN_S)
    assert all(crop.face == 0 for crop in crops[first:])
    inner = np.s_[30:85, 30:80]
    still = crops[first].image[inner].astype(float)
    change = [np.abs(crop.image[inner] - still).mean() for crop in crops]
    moved = photograph(FACE, yaw=16.0)[..., 0].astype(float) - photograph(FACE)[..., 0]
    assert max(change[first:]) < 0.35 * np.abs(moved[90:210, 110:210]).mean()


def test_a_posed_crop_depends_on_no_later_frame(turning):
    whole = list(posed_so_far(turning))
    part = list(posed_so_far(turning[:80]))
    for early, late in zip(part, whole, strict=False):
        assert early.face == late.face
        np.testing.assert_array_equal(early.image, late.image)


def test_another_face_has_a_mesh_of_its_own_and_a_lost_one_keeps_it(turning):
    lost = TrackedFrame(VideoFrame(75 / 30, None), None, None, 0.0, -1)
    other = [frame._replace(face=1) for frame in turning[76:]]
    found = [crop.face for crop in posed_so_far([*turning[:74], lost, turning[75], *other])]
    assert found[73:76] == [0, -1, 0] and set(found[76:]) == {-1}


def test_a_face_that_turns_away_counts_as_none(turning):
    away = [*turning[:70], tracked(70, yaw=60.0)]
    assert [crop.face for crop in posed_so_far(away)][-2:] == [0, -1]


def test_slow_streams_take_the_mesh_from_enough_frames(monkeypatch):
    seen = []
    monkeypatch.setattr(posed, "mean_face", lambda points: seen.append(len(points)) or FACE)
    slow = [
        frame._replace(frame=VideoFrame(0.5 * number, frame.frame.image))
        for number, frame in enumerate([tracked(0)] * (posed.MEAN_FRAMES + 2))
    ]
    list(posed_so_far(slow))
    assert seen == [posed.MEAN_FRAMES]


def test_weights_that_look_ahead_and_those_of_region_motion_are_refused():
    with pytest.raises(UserError, match=r"later ones; build .*shipped:causal"):
        LiveScorer(untrained(), 30.0)
    with pytest.raises(UserError, match=r"take region motion.*shipped:causal"):
        LiveScorer(untrained(trunk="regions", references=EARLIER), 30.0)


def test_without_causal_weights_one_line_says_how_to_build_them(tmp_path, monkeypatch):
    monkeypatch.setattr(scorer, "CAUSAL", tmp_path / "causal.npz")
    with pytest.raises(UserError, match=r"causal.npz: no causal weights yet; build .*--out=") as e:
        load_causal()
    assert "\n" not in str(e.value)
    with pytest.raises(UserError, match="later ones"):
        load_causal(CAUSAL.with_name("spotter.npz"))


@pytest.mark.parametrize("name", ["shipped", "synthetic:best", "synthetic:paper"])
def test_a_causal_config_differs_by_its_references_alone(name):
    before = load_config(name).to_dict()
    after = load_config(f"{name}{',' if ':' in name else ':'}causal").to_dict()
    references = after["model"].pop("references")
    assert references == tuple(r for r in before["model"].pop("references") if r[1] > 0)
    assert {kind for kind, _ in references} == {"ME", "MaE"} and after == before


def test_cards_of_both_weights_lie_in_one_folder(tmp_path):
    other = dataclasses.replace(causal(), k_seconds=((0.1, 0.3), (0.1, 0.3)))
    save_shipped(tmp_path / "spotter.npz", causal(), {"of": "spot"})
    save_shipped(tmp_path / "causal.npz", other, {"of": "live"})
    assert load_spotter(tmp_path / "spotter.npz").k_seconds == causal().k_seconds
    assert load_causal(tmp_path / "causal.npz").k_seconds == other.k_seconds
    names = ["card.json", "causal.npz", "causal_card.json", "spotter.npz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
