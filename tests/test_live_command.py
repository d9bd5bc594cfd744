"""`jaxspot live` from its flags to its files."""

import numpy as np
import pandas as pd
import pytest
from face_clips import head_clip
from live_streams import causal
from video_files import encode, noise

from jaxspot.commands import live
from jaxspot.live.terminal import TerminalView
from jaxspot.spotting.saved_spotter import save_shipped


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "causal.npz"
    save_shipped(path, causal(), {})
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return head_clip(tmp_path_factory.mktemp("clips") / "head.mp4", frames=40)


def test_a_file_is_scored_to_whole_tables(clip, weights, tmp_path, capsys):
    words = [f"--file={clip}", f"--weights={weights}", f"--out={tmp_path}", "--terminal"]
    assert live.main([*words, "--fast"]) == 0
    out = capsys.readouterr().out
    assert "head: 40 frames, 2.7 s at 15 fps, none missing" in out and "latency: median" in out
    names = sorted(path.name for path in (tmp_path / "head").iterdir())
    assert names == ["frames.csv", "intervals.csv", "scores.png"]
    frames = pd.read_csv(tmp_path / "head" / "frames.csv")
    assert len(frames) == 40 and not frames.missing.any() and frames.p_me.notna().all()
    assert not pd.read_csv(tmp_path / "head" / "intervals.csv").empty
    assert live.main([*words, "--fast", "--seconds=1"]) == 0
    assert len(pd.read_csv(tmp_path / "head" / "frames.csv")) == 16


def test_ctrl_c_ends_and_what_was_scored_is_written(clip, weights, tmp_path, monkeypatch, capsys):
    def interrupted(self, shown):
        if len(shown.record.rows) == 12:
            raise KeyboardInterrupt
        assert not any(tmp_path.iterdir()), "files appear only when whole"
        return True

    monkeypatch.setattr(TerminalView, "show", interrupted)
    words = [f"--file={clip}", "--fast", f"--weights={weights}", f"--out={tmp_path}"]
    assert live.main([*words, "--terminal"]) == 0
    assert "head: 12 frames" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "head" / "frames.csv")) == 12


def test_slow_scores_drop_frames_and_the_table_says_which(clip, weights, tmp_path, monkeypatch):
    from jaxspot.live.scorer import LiveScorer

    score = LiveScorer.score

    def slow(self, image, face):
        import time

        if face >= 0:
            time.sleep(0.3)
        return score(self, image, face)

    monkeypatch.setattr(LiveScorer, "score", slow)
    words = [f"--file={clip}", f"--weights={weights}", f"--out={tmp_path}", "--terminal"]
    assert live.main(words) == 0
    frames = pd.read_csv(tmp_path / "head" / "frames.csv")
    assert frames.frame.tolist() == list(range(1, len(frames) + 1))
    assert 5 < frames.missing.sum() < len(frames) and len(frames) == 40
    np.testing.assert_allclose(frames.pts_s, (frames.frame - 1) / 15, atol=1e-4)
    gone = frames[frames.missing == 1]
    assert not gone.success.any() and gone.p_me.isna().all()


def test_a_video_without_a_face_has_no_intervals(weights, tmp_path, capsys):
    path = encode(tmp_path / "a.mp4", noise(10))
    words = [f"--file={path}", "--fast", f"--weights={weights}", f"--out={tmp_path / 'out'}"]
    assert live.main([*words, "--terminal"]) == 0
    assert "0 MaE, 0 ME" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "a" / "intervals.csv").empty


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--camera=0", "--file=a.mp4"], "do not go together"),
        (["--fast"], "--fast needs --file"),
        (["--fps=0"], "--fps"),
    ],
)
def test_flags_that_do_not_go_together_are_one_line(words, said, capsys):
    with pytest.raises(SystemExit) as stop:
        live.main(words)
    error = capsys.readouterr().err
    assert stop.value.code == 2 and said in error and error.count("\n") == 1


def test_mistakes_are_one_line(clip, weights, tmp_path, capsys):
    (tmp_path / "out").touch()
    given = f"--weights={weights}"
    for words, said in (
        ([given, f"--file={tmp_path / 'none.mp4'}"], "no such video"),
        ([given, f"--file={clip}", f"--out={tmp_path / 'out'}"], "is a file"),
        ([given, f"--file={clip}", "--min-chance=0.5"], "give no chances"),
        ([f"--weights={tmp_path / 'none.npz'}", f"--file={clip}"], "missing or not readable"),
    ):
        assert live.main(words) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
