"""Weights that were trained on region motion spot in video files."""

import jax
import numpy as np
import pandas as pd
import pytest
from tiny_banks import one_line
from video_files import encode, feat_clip, noise

from jaxspot.commands import spot
from jaxspot.evaluation.score_files import read_predictions
from jaxspot.motion.pictures import motion_clip
from jaxspot.network.inputs import init_variables
from jaxspot.network.model import build_model, frame_shape
from jaxspot.network.region_motion import region_frames
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.saved_spotter import load_spotter, save_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.video_file import CLIP_INTERVAL_COLUMNS
from jaxspot.video.decode import read_video
from jaxspot.video.shown import ShownFrames

RULE = FittedRule(IntervalRule(), (0, 0), (1, 1), (0.0, 0.0), (0.5, 0.5))
"""Every frame with a score is in an interval."""


def untrained(**fields):
    """A spotter of two networks that were never trained."""
    references = (("ME", 1.0), ("ME", -1.0))
    model = build_model(widths=(3, 4, 8), multiplier=2, references=references, **fields)
    start = lambda: init_variables(model, jax.random.key(0), frame_shape(model, 112))
    draw = np.random.default_rng(0).random
    random = lambda leaf: draw((2, *leaf.shape), np.float32) - 0.5 * (leaf.ndim > 1)
    variables = jax.tree.map(random, jax.eval_shape(start))
    return Spotter(model, variables, ((0.05, 0.2), (0.1, 0.2)), (RULE, RULE))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    save_spotter(run / "checkpoints" / "spotter", untrained(trunk="regions"))
    return run


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Eight frames of a smile, three without a face, six more of the smile."""
    images = [frame.image for frame in read_video(feat_clip("single_face.mp4"))][20:34]
    black = [np.zeros_like(images[0])] * 3
    path = tmp_path_factory.mktemp("video") / "smile.mp4"
    return encode(path, [*images[:8], *black, *images[8:]])


def call(weights, out, *videos):
    return spot.main([f"--weights={weights}", f"--out={out}", *map(str, videos)])


def test_motion_of_a_video_is_measured_and_scored(weights, video, tmp_path, capfd):
    assert call(weights, tmp_path, video) == 0
    out, progress = capfd.readouterr()
    assert "smile: " in out and "/17" in progress and "frame/s" in progress
    folder = tmp_path / "smile"
    written = ["frames.csv", "intervals.csv", "review.html", "run.json", "scores.png"]
    written += ["spotted.json"]
    assert sorted(p.name for p in folder.iterdir()) == written
    intervals = pd.read_csv(folder / "intervals.csv")
    assert tuple(intervals.columns) == CLIP_INTERVAL_COLUMNS
    assert set(intervals.kind) == {"ME", "MaE"} and set(intervals.face) == {0}
    frames = pd.read_csv(folder / "frames.csv")
    assert ",".join(frames.columns) == "frame,pts_s,face,success,confidence,p_me,p_mae"
    # The first frame after the gap has none to be compared with.
    seen = [1] * 8 + [0] * 4 + [1] * 5
    assert frames.success.tolist() == seen
    for name in ("face", "p_me", "p_mae"):
        np.testing.assert_array_equal(frames[name].notna(), seen)
    clip = motion_clip(video, progress=False)
    scores = load_spotter(weights).score(ShownFrames(clip.frames, clip.found), clip.fps)
    assert scores.shape == (17, 2) and scores.dtype == np.float32
    np.testing.assert_allclose(frames.p_me[clip.found], scores[clip.found, 0], atol=1e-5)
    assert np.ptp(scores[:, 0]) > 1e-4


def test_videos_without_a_face_and_damaged_ones(weights, tmp_path, capfd):
    blank = encode(tmp_path / "blank.mp4", noise(12))
    (tmp_path / "bad.mp4").write_bytes(bytes(9999))
    assert call(weights, tmp_path / "out", blank, tmp_path / "bad.mp4") == 2
    out, error = capfd.readouterr()
    assert f"{blank}: no face found in 12 frames" in out
    assert "bad.mp4: " in one_line(error.splitlines()[-1] + "\n", "spot")
    frames = pd.read_csv(tmp_path / "out" / "blank" / "frames.csv")
    assert len(frames) == 12 and frames[["face", "p_me", "p_mae"]].isna().to_numpy().all()
    assert pd.read_csv(tmp_path / "out" / "blank" / "intervals.csv").empty


def test_pictures_and_region_motion_are_not_mixed_up():
    pictures, motion = np.zeros((9, 112, 112), np.uint8), np.zeros((9, 12, 2), np.float32)
    spotter = untrained(trunk="regions")
    assert spotter.takes_motion and not untrained(trunk="motion").takes_motion
    for given in (pictures, ShownFrames(pictures, np.ones(9, bool)), motion.astype(float)):
        with pytest.raises(TypeError, match="takes region motion, float32"):
            spotter.score(given, 30.0)
    with pytest.raises(TypeError, match="not pictures or other list"):
        spotter.score([1, 2], 30.0)  # pyright: ignore[reportArgumentType]
    for shape in ((9, 11, 2), (9, 12), (0, 12, 2)):
        with pytest.raises(ValueError, match=r"shape \(frames, 12, 2\), not "):
            spotter.score(np.zeros(shape, np.float32), 30.0)
    for given in (motion, ShownFrames(motion, np.ones(9, bool))):
        with pytest.raises(TypeError, match="aligned faces, uint8, not float32 region motion"):
            untrained(trunk="motion").score(given, 30.0)


def test_a_gap_does_not_change_what_is_usual():
    motion = np.tile(np.float32([[[0.3, 0.4], [0.0, 0.1]]]), (60, 1, 1))
    seen = np.ones(60, bool)
    seen[10:50] = False
    whole = region_frames(motion, fps=30)
    motion[~seen] = 0
    frames = region_frames(motion, fps=30, seen=seen)
    assert (np.ptp(frames[9:50, :, :3], axis=0) == 0).all(), "it stays where it was"
    usual = lambda frames: np.exp(frames[0, :, 4:])
    # Over 1/30, 1/10 and 1/4 s; there are no longer stretches.
    np.testing.assert_allclose(usual(frames)[:, :3], usual(whole)[:, :3], rtol=1e-5)
    np.testing.assert_allclose(usual(frames)[0, 3:], 0.001 + 0.5 * 10, rtol=1e-5)
    assert usual(region_frames(motion, fps=30))[0, 0] == pytest.approx(0.001)
    alternate = np.arange(60) % 2 == 0
    assert np.isfinite(region_frames(motion, fps=30, seen=alternate)).all()


def test_exports_are_written_beside_the_intervals(weights, video, tmp_path, capfd):
    words = [f"--weights={weights}", f"--out={tmp_path}", str(video)]
    assert spot.main(["--export=megc2020", *words]) == 2
    assert "--labels" in capfd.readouterr().err and not list(tmp_path.iterdir())
    assert spot.main(["--export=elan,megc2022", *words]) == 0
    names = {path.name for path in (tmp_path / "smile").iterdir()}
    assert {"intervals.csv", "review.html", "smile.eaf", "smile_megc2022.csv"} < names
    intervals = pd.read_csv(tmp_path / "smile" / "intervals.csv")
    videos = pd.DataFrame({"subject": [""], "video": ["smile"], "frames": [17], "fps": [30.0]})
    for name in ("smile.eaf", "smile_megc2022.csv"):
        read = read_predictions(tmp_path / "smile" / name, videos)
        rows = lambda table: sorted(table[["kind", "onset", "offset"]].values.tolist())
        assert rows(read) == rows(intervals)
