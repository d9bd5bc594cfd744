"""Label files as people make them: other names, other units, rows twice; nothing without a word."""

import pandas as pd
import pytest

from jaxspot.annotations.names import VideoNames
from jaxspot.annotations.plausible import doubt_units
from jaxspot.commands import evaluate


def test_a_name_that_may_be_two_videos_is_none():
    names = VideoNames(["A", "a", "clip.mp4", "clip.avi", "p.rest", "p1"])
    assert [names.find(name) for name in ("A", "a", "clip", "clip.MP4", "P1.mov")] == [
        "A", "a", None, "clip.mp4", "p1",
    ]  # fmt: skip
    assert [names.find(name) for name in ("p.task", "p", "a.mp4", "")] == [None] * 4


def test_evaluate_matches_names_and_doubts_units_too(tmp_path, capsys):
    for name, text in (
        ("videos.csv", "subject,video,frames,fps\np,talk,90,30\n"),
        ("truth.csv", "subject,video,kind,onset,offset\np,Talk.mp4,ME,3,9\np,talk,MaE,1,2\n"),
        ("found.csv", "subject,video,kind,onset,offset\np,talk,ME,3,9\n"),
    ):
        (tmp_path / name).write_text(text)
    words = [f"--{key}={tmp_path / f'{name}.csv'}" for key, name in (
        ("videos", "videos"), ("annotations", "truth"), ("intervals", "found"),
    )]  # fmt: skip
    assert evaluate.main([*words, f"--out={tmp_path / 'out'}"]) == 0
    assert "video_name" in (tmp_path / "out" / "repairs.csv").read_text()
    assert "half of the MaE labels last at most 0.0667 s" in capsys.readouterr().out


@pytest.mark.parametrize("fps", [25.0, 30.0, 200.0])
@pytest.mark.parametrize(("unit", "scale"), [("", None), ("seconds", 1), ("milliseconds", 1000)])
def test_a_wrong_unit_is_noticed(unit, scale, fps):
    """The same expressions of a video of half an hour, in frames and in other units."""
    seconds = [("ME", 2.1, 2.4), ("MaE", 5, 6.6), ("MaE", 12, 13), ("ME", 700.2, 700.6)]
    rows = [("v", kind, *(round((scale or fps) * s) + 1 for s in span)) for kind, *span in seconds]
    annotations = pd.DataFrame(rows, columns=["video", "kind", "onset", "offset"])
    videos = pd.DataFrame([("v", 1800 * fps, fps)], columns=["video", "frames", "fps"])
    lines = doubt_units(annotations, videos)
    if not unit or (unit == "milliseconds" and fps == 200):  # 2 s could be a slow expression
        assert not [line for line in lines if "MaE" in line] and (unit or not lines)
    if unit:
        assert lines and all(f"they look like {unit}; write frames" in line for line in lines)
