"""Expressions of the heads, warped into a face in a video."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from face_clips import FPS, head_clip
from made_faces import made_face
from made_spotters import untrained
from numpy.testing import assert_allclose
from scipy.interpolate import LinearNDInterpolator
from sklearn.linear_model import LinearRegression

from jaxspot.datasets.folders import csv_source
from jaxspot.errors import UserError
from jaxspot.faces import clips, script
from jaxspot.faces.benchmark import make_benchmark
from jaxspot.faces.clips import Stretch, find_clips, played, read_stretch
from jaxspot.faces.found import SPAN, read_found
from jaxspot.faces.heads import Head, measured_head
from jaxspot.faces.inject import face_grid, place_head
from jaxspot.faces.measures import NAMES, face_measures
from jaxspot.faces.methods import spot_by_weights
from jaxspot.faces.stretches import find_stretches, stratum_of
from jaxspot.faces.table import read_stretches
from jaxspot.faces.takes import take_frames
from jaxspot.own_video.videos import spot_videos
from jaxspot.spotting.saved_spotter import save_spotter
from jaxspot.video.decode import VideoFrame, read_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.mesh import SKIN_POINTS
from jaxspot.video.pose import fit_poses, mean_face
from jaxspot.video.tracker import track_faces


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return head_clip(tmp_path_factory.mktemp("clips") / "talk.mp4")


@pytest.fixture(scope="module")
def tracked(clip, landmarker):
    return read_stretch(Stretch(clip, "p", 2, 9, "still"), landmarker)


def takes_of(tracked, landmarker, weights, **options):
    order = np.resize(np.arange(len(tracked.images)), len(weights))
    poses = fit_poses(mean_face(tracked.points), tracked.points)
    head = measured_head(5, landmarker)
    grid_of = lambda n: face_grid(tracked.points[n, :, :2], tracked.images[0].shape[:2])
    frames = take_frames(tracked, grid_of, poses, order, head, weights, **options)
    shown = (VideoFrame(n / FPS, image) for n, image in enumerate(frames))
    found = list(track_faces(shown, landmarker))
    images = np.array([f.frame.image for f in found])
    points = np.array([np.column_stack([f.landmarks, f.depth]) for f in found])
    return images, points, order, head


def smile(head_units, levels):
    weights = np.zeros((len(levels), len(head_units)), np.float32)
    weights[:, head_units.index("smile")] = levels
    return weights


def test_mouth_follows_the_script(tracked, landmarker):
    units = measured_head(5, landmarker).units
    levels = np.array([0, 0, 0.3, 0.6, 0.9, 0.6, 0.3, 0, 0, 0], np.float32)
    images, points, order, _ = takes_of(tracked, landmarker, smile(units, levels))
    measures = face_measures(points)
    assert np.corrcoef(measures["mouth_width"], levels)[0, 1] > 0.95
    assert np.ptp(measures["mouth_width"]) > 2
    assert np.ptp(measures["corner_lift"]) > 0.7
    sources = np.array(tracked.images)[order]
    assert (images[:, :, :20] == sources[:, :, :20]).all()  # the background stays
    assert (images[levels == 0] == sources[levels == 0]).all()


def test_resampling_moves_nothing(tracked, landmarker):
    units = measured_head(5, landmarker).units
    levels = np.array([0.9, 0.6, 0.3, 0.9], np.float32)
    plain = takes_of(tracked, landmarker, smile(units, 0 * levels))
    again = takes_of(tracked, landmarker, smile(units, levels), resampled=True)
    assert (plain[0] != again[0]).any()
    moved = face_measures(again[1])["mouth_width"] - face_measures(plain[1])["mouth_width"]
    assert abs(moved).max() < 0.2
    assert abs(again[0].astype(int) - plain[0]).mean() < 1


def short_benchmark(clip, folder, monkeypatch, rows):
    """A benchmark in FOLDER/faces of one take a stretch, of a few seconds each."""
    monkeypatch.setattr(clips, "SECONDS", (6.0, 8.0))
    monkeypatch.setattr(script, "PER_MINUTE", dict(mae_per_minute=10.0, me_per_minute=10.0))
    table = folder / "stretches.csv"
    table.write_text("clip,person,first,last,stratum\n" + rows)
    return make_benchmark(folder / "faces", [clip], table=table, takes=1, workers=1)


def test_benchmark_of_a_clip(clip, tmp_path, monkeypatch):
    made = short_benchmark(clip, tmp_path, monkeypatch, "talk,p,1,9,drift\ntalk,p,,,speech\n")
    assert made.videos.video.tolist() == ["talk-1-injected0", "talk-1-resampled1", "talk"]
    assert made.videos.stratum.tolist() == ["drift", "drift", "speech"]
    assert made.videos["take"].tolist() == ["injected", "resampled", "untouched"]
    assert made.videos.frames.tolist() == [90, 90, 10]
    assert sorted(made.labels.kind) == ["ME", "MaE"]
    assert made.labels.offset.max() <= 90
    assert set(made.resampled_labels.video) == {"talk-1-resampled1"}
    for video, frames in zip(made.videos.path, made.videos.frames, strict=True):
        assert len(list(read_video(video))) == frames
    assert all(
        len(made.measures(v)["lids"]) == n
        for v, n in zip(made.videos.video, (90, 90, 10), strict=True)
    )
    source = csv_source(tmp_path / "faces")
    assert [v.video for v in source.videos] == made.videos.video.tolist()
    first, last = (next(iter(read_video(p))).image for p in made.videos.path[:2])
    assert abs(first.astype(int) - last).mean() < 2


def test_weights_find_what_spot_finds(clip, tmp_path, monkeypatch):
    made = short_benchmark(clip, tmp_path, monkeypatch, "talk,p,1,9,still\n")
    save_spotter(tmp_path / "spotter", replace(untrained(), alignment="posed"))
    for _ in range(2):  # the second time, from the bank that is there
        found = spot_by_weights(made, tmp_path / "spotter", workers=1)
    spot_videos(made.videos.path, weights=tmp_path / "spotter", out=tmp_path / "spotted")
    spotted = read_found(tmp_path / "spotted", made)
    for video, scores in spotted.scores.items():
        np.testing.assert_allclose(found.scores[video], scores, atol=2e-6)
        mine, theirs = (t[t.video == video][SPAN] for t in (found.intervals, spotted.intervals))
        assert mine.to_numpy().tolist() == theirs.to_numpy().tolist() != []


def test_short_stretches_run_to_and_fro():
    order = played(4, 0.5)
    assert order.tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert played(25, 1.0).tolist() == list(range(25))
    assert len(played(90, 1.0)) == 30


def quiet(frames):
    rng = np.random.default_rng(0)
    return {name: 10 + 0.05 * rng.standard_normal(frames) for name in NAMES}


def test_finds_what_is_between_expressions():
    measures = quiet(300)
    measures["mouth_width"][100:150] += 6
    assert find_stretches(measures, 30.0) == [(1, 100, "still"), (151, 300, "still")]
    measures["nose_x"][150:] += 3 * np.sin(np.arange(150) / 20)
    measures["lip_gap"][:100] += 5 * (np.arange(100) % 10 < 5)
    assert find_stretches(measures, 30.0) == [(1, 100, "speech"), (151, 300, "drift")]
    measures["brow"][40:60] = np.nan
    measures["lip_gap"][40:60] = np.nan
    assert [s[:2] for s in find_stretches(measures, 30.0)] == [(1, 40), (61, 100), (151, 300)]


def test_stratum_of_short_stretches():
    assert stratum_of(quiet(12), 30.0) == "still"


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ("talk,p,1,9,calm", "stratum must be one of"),
        ("talk,p,5,5,still", "last must be after first"),
        ("talk,p,5,,still", "first or last is missing"),
        ("talk,p,0,5,still", "first must be 1 or more"),
    ],
)
def test_table_names_the_row(tmp_path, row, error):
    path = tmp_path / "stretches.csv"
    path.write_text(f"clip,person,first,last,stratum\n{row}\n")
    with pytest.raises(UserError, match=error):
        read_stretches(path, {})


def test_clips_are_found_by_name(tmp_path, clip):
    assert find_clips([clip.parent]) == {"talk": clip}
    with pytest.raises(UserError, match="no video file"):
        find_clips([tmp_path])
    with pytest.raises(UserError, match="no such video file"):
        find_clips([tmp_path / "x.mp4"])


def test_scripts_depend_on_names_alone():
    given = dict(frames=600, fps=30.0, subject="p", video="v")
    one, same, other = (script.write_take(n, 0, **given) for n in ("a", "a", "b"))
    assert one.labels.equals(same.labels) and not one.labels.equals(other.labels)
    assert script.write_take("a", 1, **given).head != one.head
    assert pd.Series(one.labels.kind).value_counts().to_dict() == {"ME": 3, "MaE": 3}


def test_points_of_a_head_lie_in_a_face_as_scipy_interpolates_them():
    landmarks = 1.5 * made_face()[:, :2] + [90, 70]
    head = Head(("a",), made_face(1)[:, :2] + 20, *np.zeros((2, 1, 4, 4)), 1.0, 100.0)
    place = place_head(head, face_grid(landmarks, (400, 500)))
    grid, target = place.grid, head.landmarks[:SKIN_POINTS]
    x = grid.left + grid.step * np.arange(grid.shares.shape[1])
    y = grid.top + grid.step * np.arange(grid.shares.shape[0])
    face, ring = np.split(grid.points, [SKIN_POINTS])
    fit = LinearRegression().fit(face, target)
    values = np.column_stack([np.vstack([target, fit.predict(ring)]), grid.points])
    one = LinearNDInterpolator(grid.points, values, fill_value=0)(*np.meshgrid(x, y))
    assert_allclose(place.canvas, one[..., :2], atol=1e-3)
    inside = grid.shares.any(-1)
    assert 0.7 < inside.mean() < 0.85  # a circle in its square
    assert_allclose(one[inside, 2:], np.stack(np.meshgrid(x, y), -1)[inside], atol=1e-6)
    assert place.weight[inside].min() >= 0 and np.all(place.weight[~inside] == 0)
    assert place.weight.max() == pytest.approx(1)
