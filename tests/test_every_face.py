"""Two synthetic heads in one picture: two tracks that are never exchanged."""

import numpy as np
import pandas as pd
import pytest
from acted_faces import acted_face
from made_spotters import untrained
from two_heads import SIDE, two_heads
from video_files import encode

from jaxspot.motion.pictures import MotionMeasure
from jaxspot.own_video.videos import spot_videos
from jaxspot.spotting.saved_spotter import save_spotter
from jaxspot.video.clip import Aligner
from jaxspot.video.decode import VideoFrame
from jaxspot.video.every_face import track_every_face
from jaxspot.video.face_clips import every_face, every_posed_face
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.source import Source

FPS = 25


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def tracked(pictures, landmarker):
    """For each frame: track number -> middle of its face."""
    frames = [VideoFrame(number / FPS, image) for number, image in enumerate(pictures)]
    middle = lambda face: (face.box[0] + face.box[2]) / 2
    found = list(track_every_face(frames, landmarker))
    assert [frame.pts_s for frame, _ in found] == [frame.pts_s for frame in frames]
    return [{face.face: middle(face) for face in faces} for _, faces in found]


def far_from(found, places):
    """Largest distance of each track from the head of its number, in pixels."""
    errors = {0: [0.0], 1: [0.0]}
    for faces, heads in zip(found, places, strict=True):
        for face, x in faces.items():
            errors[face].append(abs(x - heads[face][0] - SIDE / 2))
    return {face: max(values) for face, values in errors.items()}


@pytest.mark.parametrize("people", [(0, 1), (5, 9)])
@pytest.mark.parametrize("front", [0, 1])
def test_heads_that_cross_keep_their_numbers(people, front, landmarker):
    count = 36
    right = [(40 + 280 * i / (count - 1), 40.0) for i in range(count)]
    left = [(330 - 280 * i / (count - 1), 44.0) for i in range(count)]
    places = list(zip(right, left, strict=True))
    drawn = places if front else [pair[::-1] for pair in places]
    pictures = two_heads(drawn, people=people if front else people[::-1])
    found = tracked(pictures, landmarker)
    assert set(found[0]) == set(found[-1]) == {0, 1}, "both before and after"
    assert set().union(*found) == {0, 1}, "no third face appears while one is half hidden"
    assert max(far_from(found, places).values()) < SIDE / 5
    assert sum(front in faces for faces in found) >= count - 4, "the one in front stays visible"


def test_a_face_that_leaves_leaves_the_other_alone(landmarker):
    stays, leaves = (60.0, 40.0), [(320.0 + 16 * i, 40.0) for i in range(18)]
    places = [(stays, place) for place in leaves] + [(stays, None)] * 4
    found = tracked(two_heads(places), landmarker)
    assert all(0 in faces for faces in found)
    assert set(found[0]) == {0, 1} and all(set(faces) == {0} for faces in found[-5:])
    assert all(abs(faces[0] - found[0][0]) < 4 for faces in found)


def test_who_comes_back_soon_keeps_the_number_and_a_newcomer_gets_one(landmarker):
    both, alone = [((60.0, 40.0), (320.0, 40.0))], [((60.0, 40.0), None)]
    found = tracked(two_heads(both * 3 + alone * 8 + both * 3 + alone * 30 + both * 3), landmarker)
    assert [sorted(faces) for faces in found[:14]] == [[0, 1]] * 3 + [[0]] * 8 + [[0, 1]] * 3
    assert [sorted(faces) for faces in found[-3:]] == [[0, 2]] * 3, "away for longer than a second"


@pytest.fixture(scope="module")
def smiling_right():
    """Two heads at rest, of which the right one moves its mouth in frames 10 to 20."""
    smile = np.zeros(30)
    smile[10:20] = np.hanning(10)
    names = [acted_face({"smile_open": smile}, person=1)]
    places = [((60.0, 40.0), (320.0, 40.0))] * 30
    return two_heads(places, faces=[None, names[0]])


@pytest.mark.parametrize("kind", ["aligned", "posed", "motion"])
def test_each_face_is_a_clip_of_its_own(kind, smiling_right, landmarker):
    frames = [VideoFrame(number / FPS, image) for number, image in enumerate(smiling_right)]
    frames = [VideoFrame(-1 / FPS, None), *frames]  # a lost picture before the faces appear
    source = Source("v", len(frames), lambda: frames)
    if kind == "posed":
        video = every_posed_face(source, landmarker=landmarker)
    else:
        measure = Aligner if kind == "aligned" else MotionMeasure
        video = every_face(source, measure, landmarker=landmarker)
    assert len(video.times) == 31 and video.fps == pytest.approx(FPS)
    assert [face.first for face in video.faces] == [1, 1]
    moved = []
    for number, (_, clip) in enumerate(video.faces):
        assert len(clip.times) == 30 and set(clip.faces) == {number}
        middle = clip.boxes[:, [0, 2]].mean(1)
        assert np.ptp(middle) < 6 and (middle[0] < 280) == (number == 0)
        mouth = clip.frames[:, 8:11] if kind == "motion" else clip.frames[:, 70:100].astype(float)
        change = np.abs(mouth) if kind == "motion" else np.abs(mouth - mouth[0])
        change = change.reshape(30, -1).mean(1)
        moved.append(change[10:20].max() / change[3:10].max())
    assert moved[1] > 1.5 * moved[0], "only the right face moves"


def test_intervals_and_frames_carry_the_face(smiling_right, tmp_path):
    video = encode(tmp_path / "two.mp4", smiling_right[:16])
    save_spotter(tmp_path / "run", untrained())
    options = dict(weights=tmp_path / "run", face="all", progress=False)
    table = spot_videos(video, out=tmp_path / "out", **options)["two"]
    assert set(table.face) == {0, 1} and set(table.kind) == {"ME", "MaE"}
    assert sorted(table["rank"]) == list(range(1, len(table) + 1))
    assert (table.sort_values("rank").score.diff().dropna() <= 0).all()
    frames = pd.read_csv(tmp_path / "out" / "two" / "frames.csv")
    expected = [[f, n] for f in range(1, 17) for n in (0, 1)]
    assert frames[["frame", "face"]].values.tolist() == expected
    scores = frames.pivot(index="frame", columns="face", values="p_me")
    assert scores.notna().all(axis=None) and not np.allclose(scores[0], scores[1])
    alone = spot_videos(video, out=tmp_path / "left", **options | dict(face="left"))["two"]
    first = pd.read_csv(tmp_path / "left" / "two" / "frames.csv")
    assert set(alone.face) == {0} and set(first.face) == {0}
    np.testing.assert_allclose(first.p_me, scores[0], atol=0.02)
