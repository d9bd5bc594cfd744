import numpy as np
import pandas as pd
import pytest
from video_files import encode, feat_clip, noise

from jaxspot.annotations.intervals import read_intervals
from jaxspot.errors import UserError
from jaxspot.network.model import build_model
from jaxspot.own_video.results import write_results
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.video_file import (
    CLIP_INTERVAL_COLUMNS,
    clip_frames,
    clip_intervals,
    in_seconds,
    odd_lines,
    ranked,
    spot_faces,
    usable_frames,
)
from jaxspot.video.clip import Clip, aligned_clip
from jaxspot.video.face_clips import whole_video
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.shown import ShownFrames
from jaxspot.video.source import as_source

RESULTS = ["frames.csv", "intervals.csv", "review.html", "run.json", "scores.png", "spotted.json"]


@pytest.fixture(scope="module")
def landmarker():
    return load_landmarker()


def change(frames, fps):
    """A stand-in for a network: how much each frame differs from the first, twice."""
    frames = frames[np.arange(len(frames))]
    assert frames.dtype == np.uint8 and frames.shape[1:] == (112, 112)
    assert 20 < fps < 40
    curve = np.abs(frames - frames[0].astype(np.float32)).mean((1, 2)) / 255
    return np.stack([curve, curve], 1)


def one_of_each(scores, fps):
    """A stand-in for the rule: an ME and a MaE at known frames."""
    rows = [("ME", 3, 5, 9, 0.25), ("MaE", 20, 30, 70, 0.5), ("MaE", 75, 80, 90, 0.5)]
    table = pd.DataFrame(rows, columns=["kind", "onset", "apex", "offset", "score"])
    return table[table.offset <= len(scores)]


def refuse_to_score(*_):
    raise AssertionError("a video without a face must not be scored")


def spot_clip(path, *, out, landmarker=None, **functions):
    """Spots one face of a video file with stand-ins and writes OUT/<name>/."""
    source = as_source(path)
    video = whole_video(aligned_clip(source, landmarker=landmarker, progress=False))
    for line in odd_lines(path, video):
        print(line)
    spotted = spot_faces(video, name=path.stem, **functions)
    write_results(out / path.stem, spotted, source, made_from={})
    return spotted.intervals


def made_clip(faces, *, step=0.1):
    faces = np.array(faces, np.int32)
    quality = np.stack([faces >= 0, faces >= 0], 1).astype(np.float32)
    frames = np.zeros((len(faces), 112, 112), np.uint8)
    return Clip(frames, quality, step * np.arange(len(faces)), 1 / step, faces)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("face_noface.mov", [1] * 72 + [0] * 97),
        ("noface_face.mov", [0] * 96 + [1] * 72 + [0]),  # its last frame is black
    ],
)
def test_frames_without_a_face_are_kept_black_and_of_quality_0(landmarker, name, seen):
    clip = aligned_clip(feat_clip(name), landmarker=landmarker, progress=False)
    assert clip.frames.shape == (len(seen), 112, 112) and clip.frames.dtype == np.uint8
    assert clip.quality.dtype == np.float32 and clip.times.dtype == np.float64
    np.testing.assert_array_equal(clip.quality[:, 0], seen)
    np.testing.assert_array_equal(clip.quality[:, 1] > 0.5, clip.found)
    np.testing.assert_array_equal(clip.frames.any((1, 2)), clip.found)
    assert (np.diff(clip.times) > 0).all()


def test_spotting_a_file_writes_whole_tables_and_a_plot(tmp_path, landmarker, capfd):
    path = feat_clip("single_face.mp4")
    table = spot_clip(
        path,
        score=change,
        intervals=one_of_each,
        out=tmp_path,
        skips=lambda fps: np.array([[6, 19]]),
        landmarker=landmarker,
    )
    folder = tmp_path / "single_face"
    assert capfd.readouterr() == ("", "")
    written = RESULTS
    assert sorted(p.name for p in folder.iterdir()) == written
    assert tuple(table.columns) == CLIP_INTERVAL_COLUMNS
    np.testing.assert_allclose(table.onset_s, (table.onset - 1) / 30, atol=1e-6)
    np.testing.assert_allclose(table.offset_s, table.offset / 30, atol=1e-6)
    written = read_intervals(folder / "intervals.csv")
    assert written.subject.tolist() == ["", ""] and set(written.video) == {"single_face"}
    assert written[["kind", "onset", "apex", "offset"]].values.tolist() == [
        ["ME", 3, 5, 9],
        ["MaE", 20, 30, 70],
    ]
    frames = pd.read_csv(folder / "frames.csv")
    assert ",".join(frames.columns) == "frame,pts_s,face,success,confidence,p_me,p_mae"
    assert frames.frame.tolist() == list(range(1, 73)) and frames.success.all()
    assert frames.p_me.notna().all() and frames.p_me[0] == 0
    # The smile (frames 19 to 70) differs from the first frame more than the neutral face does.
    assert frames.p_mae[25:65].min() > frames.p_mae[1:15].max()


def test_video_without_a_face_gives_an_empty_table_and_a_line(tmp_path, landmarker, capsys):
    table = spot_clip(
        feat_clip("no_face.mp4"),
        score=refuse_to_score,
        intervals=refuse_to_score,
        out=tmp_path,
        landmarker=landmarker,
    )
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 and "no face" in said[0]
    assert table.empty and tuple(table.columns) == CLIP_INTERVAL_COLUMNS
    text = (tmp_path / "no_face" / "intervals.csv").read_text()
    assert text == ",".join(CLIP_INTERVAL_COLUMNS) + "\n"
    assert read_intervals(tmp_path / "no_face" / "intervals.csv").empty
    frames = pd.read_csv(tmp_path / "no_face" / "frames.csv")
    assert len(frames) == 95 and not frames.success.any()
    assert frames[["face", "p_me", "p_mae"]].isna().all(axis=None)


def test_broken_video_leaves_nothing_behind(tmp_path, landmarker):
    path = encode(tmp_path / "a.mp4", noise(60), movflags="faststart")
    path.write_bytes(path.read_bytes()[:40000])
    with pytest.raises(UserError, match="damaged"):
        spot_clip(
            path,
            score=change,
            intervals=one_of_each,
            out=tmp_path / "out",
            landmarker=landmarker,
        )
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_written_are_one_line(tmp_path, landmarker):
    path = encode(tmp_path / "a.mp4", noise(10))
    (tmp_path / "out" / "a" / "frames.csv").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be written") as caught:
        spot_clip(
            path,
            score=refuse_to_score,
            intervals=refuse_to_score,
            out=tmp_path / "out",
            landmarker=landmarker,
        )
    assert "\n" not in str(caught.value)
    assert [p.name for p in (tmp_path / "out" / "a").iterdir()] == ["frames.csv"]


def test_earlier_intervals_never_stand_beside_later_frames(tmp_path, landmarker, monkeypatch):
    path = encode(tmp_path / "a.mp4", noise(10))
    options = dict(score=refuse_to_score, intervals=refuse_to_score, out=tmp_path / "out")
    options |= dict(landmarker=landmarker)
    spot_clip(path, **options)
    before = {p.name: p.read_bytes() for p in (tmp_path / "out" / "a").iterdir()}
    assert sorted(before) == RESULTS

    def full(*arguments):
        raise OSError(28, "No space left")

    longer = encode(tmp_path / "a.mp4", noise(12))
    with pytest.raises(OSError, match="No space"):
        monkeypatch.setattr("jaxspot.own_video.results.plot_spotted", full)
        spot_clip(longer, **options)
    assert {p.name: p.read_bytes() for p in (tmp_path / "out" / "a").iterdir()} == before
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a"]


def test_a_frame_without_a_face_is_never_compared():
    frames, usable = np.arange(6)[:, None, None], np.array([0, 1, 1, 0, 0, 1], bool)
    shown = ShownFrames(frames, usable)
    assert len(shown) == 6
    places = np.array([[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(shown[places][..., 0, 0], [[1, 1, 2], [2, 2, 5]])


def test_a_score_needs_the_same_face_in_all_its_frames():
    faces = np.array([-1, 0, 0, 0, -1, 0, 0, 1, 1, 1, 1])
    shown = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1])
    same = lambda t, place: shown[min(max(place, 0), 10)] == faces[t] >= 0
    expected = [all(same(t, t - skip) for skip in (0, 1, 3)) for t in range(11)]
    np.testing.assert_array_equal(usable_frames(faces, [1, 3]), expected)
    expected = [same(t, t + 2) for t in range(11)]
    np.testing.assert_array_equal(usable_frames(faces, [-2]), expected)
    assert usable_frames(np.zeros(5, int), [1, -3]).all(), "at the ends their frames serve"


def test_the_faces_compared_are_those_that_the_networks_compared(monkeypatch):
    """A skip below half a frame is 1 when scoring; one network's references count for the mean."""
    clip = made_clip([0] * 10 + [1] * 10)
    score = lambda self, frames, fps: np.full((len(frames), 2), 0.5)
    model = build_model(widths=(2, 3, 4), multiplier=2)
    rule = FittedRule(IntervalRule(), *[(0.0, 0.0)] * 2, *[(2.0, 2.0)] * 2)
    spotter = Spotter(model, {}, ((0.01, 0.02), (0.01, 0.3)), (rule, rule))
    monkeypatch.setattr(Spotter, "score", score)
    assert spotter.skips(clip.fps).tolist() == [[1, 1], [1, 3]]
    functions = dict(score=spotter.score, intervals=spotter.intervals, skips=spotter.skips)
    blank = spot_faces(whole_video(clip), name="v", **functions).frames.p_me.isna()
    assert np.flatnonzero(blank).tolist() == [10, 11, 12]


def test_intervals_mostly_without_a_face_are_dropped():
    clip = made_clip([0] * 4 + [-1] * 4 + [1] * 4)
    spans = pd.DataFrame(
        [("ME", 3, 4, 6, 0.1), ("ME", 3, 4, 7, 0.2), ("MaE", 8, 10, 12, 0.3)],
        columns=["kind", "onset", "apex", "offset", "score"],
    )
    table = clip_intervals(spans, clip.faces)
    assert table.score.tolist() == [0.1, 0.3] and table.face.tolist() == [0, 1]
    table = in_seconds(ranked(table.assign(subject="", video="v")), clip.times)
    assert list(table.columns) == list(CLIP_INTERVAL_COLUMNS) and table["rank"].tolist() == [2, 1]
    np.testing.assert_allclose(table.onset_s, [0.2, 0.7])
    np.testing.assert_allclose(table.apex_s, [0.3, 0.9])
    np.testing.assert_allclose(table.offset_s, [0.6, 1.2], err_msg="when the last frame ends")
    assert clip_intervals(spans[:0], clip.faces).empty


def test_offset_s_is_when_the_last_frame_ends():
    times = np.array([0, 0.04, 0.08, 0.3, 0.34, 0.38])
    spans = pd.DataFrame(
        [("ME", 1, 2, 3, 0.1), ("ME", 4, 4, 4, 0.2), ("MaE", 5, 5, 6, 0.3)],
        columns=["kind", "onset", "apex", "offset", "score"],
    )
    table = in_seconds(ranked(spans.assign(subject="", video="v", face=0)), times)
    np.testing.assert_allclose(table.onset_s, [0, 0.3, 0.34])
    # The next frame starts then; that of the clip's end would, after the usual step.
    np.testing.assert_allclose(table.offset_s, [0.3, 0.34, 0.42])


def test_frames_table_leaves_out_what_is_not_known():
    clip = made_clip([0, -1, 2])
    text = clip_frames(clip, np.array([[0.5, 0.25], [np.nan, np.nan], [1, 0]])).to_csv(index=False)
    assert text.splitlines()[1:] == [
        "1,0.0,0,1,1.0,0.5,0.25",
        "2,0.1,,0,0.0,,",
        "3,0.2,2,1,1.0,1.0,0.0",
    ]


def test_rate_is_that_of_the_usual_steps():
    assert fps_of(np.array([0, 0.1, 0.2, 0.9, 1.0]), "v") == pytest.approx(10)
    for times in ([], [0.0], [1.0, 1.0, 1.0]):
        with pytest.raises(UserError):
            fps_of(np.array(times), "v")
