"""Scores and causes on a made-up benchmark, counted by hand."""

import numpy as np
import pandas as pd
import pytest
from face_clips import made_up

from jaxspot.annotations.intervals import KINDS
from jaxspot.commands.check_faces import main
from jaxspot.faces.benchmark import LABELS, RESAMPLED_LABELS, STRATA_FILE, VIDEOS, read_benchmark
from jaxspot.faces.causes import count_causes, false_alarms
from jaxspot.faces.evaluate import (
    score_chances,
    score_controls,
    score_differences,
    score_found,
)
from jaxspot.faces.found import SPAN, Found

INTERVALS = [
    ("a-injected", "ME", 12, 20),  # found
    ("a-injected", "ME", 150, 165),  # a piece of a label
    ("a-injected", "MaE", 101, 160),  # found
    ("b-injected", "ME", 201, 210),  # lips
    ("a-untouched", "ME", 232, 236),  # a piece of the next
    ("a-untouched", "ME", 228, 236),  # head
    ("b-untouched", "ME", 262, 266),  # blink
    ("b-resampled", "MaE", 100, 160),  # what the script says
]


@pytest.fixture
def benchmark(tmp_path):
    return made_up(tmp_path)


@pytest.fixture
def found():
    return Found(pd.DataFrame(INTERVALS, columns=SPAN), {})


def test_scores_by_group(benchmark, found):
    scores = score_found(benchmark, found).set_index(["group", "kind"])
    whole = scores.loc[("all", "ME")]
    assert (whole.ground_truth, whole.predictions, whole.tp) == (2, 3, 1)
    assert whole.f1 == pytest.approx(0.4)
    assert scores.loc[("all", "MaE")].f1 == pytest.approx(2 / 3)
    assert scores.loc[("all", "overall")].f1 == pytest.approx(0.5)
    assert whole.low == 0 and whole.high == pytest.approx(2 / 3)
    assert scores.loc[("stratum still", "ME")].f1 == pytest.approx(2 / 3)
    assert scores.loc[("person b", "overall")].f1 == 0
    assert np.isnan(whole.auc)


def test_frame_auc(benchmark, found):
    scores = {}
    for video in benchmark.videos.video:
        curve = np.zeros((300, 2))
        curve[10:20, 0], curve[100:160, 1] = 1, 1
        scores[video] = curve
    table = score_found(benchmark, found._replace(scores=scores)).set_index(["group", "kind"])
    assert [table.loc[("all", kind)].auc for kind in KINDS] == [1, 1]


def test_how_often_a_score_is_right(benchmark, found):
    assert score_chances(benchmark, found).empty
    scores = [0.9, 0.1, 0.5, 0.15, 0.7, 0.7, 0.7, 0.7]
    table = score_chances(benchmark, found._replace(intervals=found.intervals.assign(score=scores)))
    rows = table[["kind", "n", "mean_chance", "share_right"]].to_numpy().tolist()
    assert rows == [["ME", 2, 0.125, 0.0], ["ME", 1, 0.9, 1.0], ["MaE", 1, 0.5, 1.0]]
    heights = found.intervals.assign(score=7.0)
    assert score_chances(benchmark, found._replace(intervals=heights)).empty


def test_controls_by_minute(benchmark, found):
    table = score_controls(benchmark, found).set_index(["take", "stratum", "kind"])
    row = table.loc[("untouched", "all", "ME")]
    assert (row.detections, row.minutes, row.a_minute) == (
        3,
        pytest.approx(1 / 3),
        pytest.approx(9),
    )
    assert table.loc[("untouched", "still", "ME")].detections == 2
    row = table.loc[("resampled", "all", "MaE")]
    assert (row.detections, row.scripted) == (1, 1)
    assert table.loc[("resampled", "all", "ME")].scripted == 0


def test_causes(benchmark, found):
    alarms = false_alarms(benchmark, found)
    causes = ["piece", "piece", "head", "mouth", "other", "blink"]
    assert alarms.cause.tolist() == causes
    counts = count_causes(alarms).set_index(["take", "kind"])
    assert counts.loc[("injected", "ME"), ["total", "piece", "mouth"]].tolist() == [2, 1, 1]
    assert counts.loc[("untouched", "ME"), ["total", "blink"]].tolist() == [3, 1]


def test_differences_are_paired(benchmark, found):
    nothing = Found(found.intervals[:0], {})
    table = score_differences(benchmark, {"none": nothing, "some": found}).set_index("kind")
    assert table.loc["overall"].difference == pytest.approx(0.5)
    assert (table.method == "some").all() and (table.minus == "none").all()


def test_command_reads_spotted_folders(benchmark, found, tmp_path, capsys):
    root = benchmark.root
    rows = benchmark.videos.rename(columns={"person": "subject"})
    rows[["subject", "video", "path", "fps"]].to_csv(root / VIDEOS, index=False)
    benchmark.videos.drop(columns=["fps", "path"]).to_csv(root / STRATA_FILE, index=False)
    benchmark.labels.to_csv(root / LABELS, index=False)
    benchmark.resampled_labels.to_csv(root / RESAMPLED_LABELS, index=False)
    assert read_benchmark(root).videos["take"].tolist()[1] == "resampled"
    for video in benchmark.videos.video:
        (tmp_path / "spotted" / video).mkdir(parents=True)
        mine = found.intervals[found.intervals.video == video]
        mine.to_csv(tmp_path / "spotted" / video / "intervals.csv", index=False)
    assert main([f"--out={root}", f"--found=ours={tmp_path / 'spotted'}"]) == 0
    shown = capsys.readouterr().out
    assert "0.500" in shown and "Causes of false alarms" in shown
    assert (root / "report.md").is_file()
    assert len(pd.read_csv(root / "false_alarms.csv")) == 6
    assert main([f"--out={root}"]) == 0
    assert "2 injected, 2 resampled, 2 untouched" in capsys.readouterr().out
    assert main([f"--out={root}/x"]) == 2
