"""The peer `blendshapes` on curves worked out by hand and on heads that do what they are told."""

import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from acted_faces import acted_face

from jaxspot.annotations.intervals import INTERVAL_COLUMNS
from jaxspot.baselines import PEERS
from jaxspot.baselines.blendshapes import (
    EXPRESSIONS,
    blendshapes,
    crop_meshes,
    largest_rise,
    score_series,
)
from jaxspot.errors import UserError
from jaxspot.synthetic.events import profile
from jaxspot.video import landmarker as landmarker_module
from jaxspot.video.blendshapes import NAMES
from jaxspot.video.landmarker import load_landmarker

FPS = 15
SMILE, BLINK = (2.0, 3.6), (5.0, 5.4)
"""First and last second of each."""
K = {"ME": 3, "MaE": 12}


@pytest.fixture(scope="module")
def frames():
    """Six seconds of a head that smiles, then blinks: uint8 (90, 112, 112)."""
    times = np.arange(6 * FPS) / FPS
    smile = profile(times, start=SMILE[0], rise=0.5, hold=0.6, decay=0.5)
    blink = profile(times, start=BLINK[0], rise=0.15, hold=0.1, decay=0.15)
    return acted_face({"smile": smile, "blink": blink})


def column(name):
    return NAMES.index(name)


def acted_scores(frames=40, **scores):
    """A score series float32 (frames, 52) of 0 but for the named scores."""
    series = np.zeros((frames, len(NAMES)), np.float32)
    for name, values in scores.items():
        series[:, column(name)] = values
    return series


def bump(height, at=20, frames=40):
    return height * (np.arange(frames) == at)


def test_what_counts_are_expressions():
    assert len(EXPRESSIONS) == 39 and {"jawOpen", "eyeWideLeft", "browInnerUp"} < set(EXPRESSIONS)
    words = ("neutral", "Blink", "Look", "Squint")
    left_out = [name for name in NAMES if name not in EXPRESSIONS]
    assert all(any(word in name for word in words) for name in left_out)


def test_a_rise_is_taken_from_the_mean_of_those_k_before_and_after():
    curve = largest_rise(acted_scores(mouthPucker=np.arange(40) ** 2 / 1600), k=5)
    assert not curve[5:-5].any(), "a parabola lies below its chords"
    curve = largest_rise(acted_scores(mouthPucker=bump(0.5), browInnerUp=0.3), k=5)
    assert curve.dtype == np.float32
    np.testing.assert_allclose(curve, bump(0.5), atol=1e-6)


def test_the_score_that_rises_most_is_taken_and_falls_do_not_count():
    scores = acted_scores(mouthPucker=bump(0.5) + bump(0.2, 8), jawOpen=bump(0.4, 8))
    scores[:, column("mouthFrownLeft")] = 0.6 - bump(0.6, 30)
    expected = bump(0.5) + bump(0.4, 8)
    expected[[25, 35]] = 0.3  # 0.6 against the mean of 0.6 and 0
    np.testing.assert_allclose(largest_rise(scores, k=5), expected, atol=1e-6)


def test_lids_and_gaze_do_not_count():
    scores = acted_scores(eyeBlinkLeft=bump(1.0), eyeLookUpLeft=bump(1.0), eyeSquintLeft=bump(1.0))
    assert not largest_rise(scores, k=4).any()


def test_frames_without_a_face_have_no_score_and_are_bridged():
    scores = acted_scores(mouthPucker=np.linspace(0, 0.39, 40))
    scores[:2] = scores[10:14] = np.nan
    curve = largest_rise(scores, k=3)
    assert np.flatnonzero(np.isnan(curve)).tolist() == [0, 1, 10, 11, 12, 13]
    assert np.nanmax(curve[4:-3]) < 1e-6, "a straight line stays one"
    assert np.isnan(largest_rise(np.full((5, 52), np.nan, np.float32), k=2)).all()
    assert largest_rise(np.zeros((0, 52), np.float32), k=2).shape == (0,)


def test_a_smile_is_spotted_and_a_blink_is_not(frames):
    done = []
    scores, found = blendshapes(frames, k=K, subject="s", video="v", on_frame=done.append)
    assert scores.shape == (90, 2) and scores.dtype == np.float32 and (scores >= 0).all()
    assert list(found) == list(INTERVAL_COLUMNS) and sum(done) == 90
    macro: Any = found[found.kind == "MaE"].squeeze()
    first, last = (round(second * FPS) for second in SMILE)
    both = min(macro.offset, last) - max(macro.onset, first)
    assert both / (max(macro.offset, last) - min(macro.onset, first)) >= 0.5
    blink = slice(*(round(second * FPS) for second in BLINK))
    assert scores[blink].max() < 0.4 * scores[:, 1].max()


def test_what_comes_later_changes_no_score_of_a_face(frames):
    np.testing.assert_array_equal(score_series(frames[:5]), score_series(frames[:8])[:5])


def test_a_face_is_lost_and_found_again(frames):
    seen = np.concatenate([frames[:2], np.zeros((2, 112, 112), np.uint8), frames[:2]])
    meshes: list[Any] = list(crop_meshes(seen, load_landmarker()))
    assert [mesh is None for mesh in meshes] == [False, False, True, True, False, False]
    np.testing.assert_array_equal(meshes[4].landmarks, meshes[0].landmarks)
    scores, found = blendshapes(seen[2:4], k=K)
    assert scores.shape == (2, 2) and np.isnan(scores).all() and len(found) == 0
    assert blendshapes(seen[:0], k=K)[0].shape == (0, 2)


def test_a_bank_is_spotted_video_by_video_without_its_labels(frames):
    class Clips(NamedTuple):
        videos: pd.DataFrame
        frames: Callable[[str], np.ndarray]

    clips = {"a": frames[30:38], "b": frames[50:56]}
    videos = pd.DataFrame(dict(subject=["s1", "s2"], video=["a", "b"], fps=[15.0, 30.0]))
    bank: Any = Clips(videos, clips.__getitem__)
    k = lambda subject, fps: {"ME": int(subject[1]), "MaE": round(fps / 10)}
    done, spot = [], PEERS["blendshapes"]
    scores, found = spot(bank, folds=[], k=k, seed=0, on_frame=done.append)
    alone = blendshapes(clips["b"], k={"ME": 2, "MaE": 3}, subject="s2", video="b")
    assert list(scores) == ["a", "b"] and sum(done) == 14
    np.testing.assert_array_equal(scores["b"], alone[0])
    pd.testing.assert_frame_equal(found.query("subject == 's2'").reset_index(drop=True), alone[1])


def test_memory_grows_by_a_few_numbers_a_frame():
    def peak(count):
        black = (np.zeros((112, 112), np.uint8) for _ in range(count))  # read once, one by one
        tracemalloc.start()
        score_series(black)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    # A frame has 12.5 kB, its mesh 4 kB, its scores 208 bytes.
    assert peak(60) - peak(10) < 50 * 1000


def test_a_missing_model_is_one_line_with_its_remedy(monkeypatch):
    monkeypatch.setattr(landmarker_module, "find_spec", lambda name: None)
    clip: Any = np.zeros((3, 112, 112), np.uint8)
    with pytest.raises(UserError, match="not installed: run `make setup`") as error:
        blendshapes(clip, k=K)
    assert "\n" not in str(error.value)
