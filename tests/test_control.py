"""The negative control's labels lie far from their places and are otherwise the same."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment import control
from jaxspot.experiment.control import judge_control, roll_labels, roll_table
from jaxspot.experiment.crossval import spread
from jaxspot.experiment.settings import Control
from jaxspot.experiment.team import Team
from jaxspot.report.tables import control_table, layout_control
from jaxspot.training.failures import NoFoldLeft
from jaxspot.video.bank import Bank


def work(folder):
    return control.control_work(folder, lambda: None, Team())


def bank(lengths=(3000, 700, 500), fps=30.0, events=6, seed=0):
    rng = np.random.default_rng(seed)
    rows, videos = [], []
    for number, frames in enumerate(lengths):
        video, subject = f"v{number}", f"s{number}"
        videos.append((subject, video, frames, fps))
        onsets = np.sort(rng.choice(frames // 60, min(events, frames // 60), replace=False)) * 60
        for i, onset in enumerate(onsets + 1):
            length = int(rng.integers(5, 40))
            kind = "ME" if i % 2 else "MaE"
            rows.append((subject, video, kind, onset, onset + length // 2, onset + length - 1))
    columns = ["subject", "video", "kind", "onset", "apex", "offset"]
    videos = pd.DataFrame(videos, columns=["subject", "video", "frames", "fps"])
    return Bank(None, videos, pd.DataFrame(rows, columns=columns), {"source": {}})


@pytest.mark.parametrize("seed", range(5))
def test_labels_move_far_enough_and_keep_their_shape(seed):
    before = bank(seed=seed)
    after = roll_labels(before, seconds=10.0, seed=seed)
    assert after.videos.video.tolist() == ["v0", "v1"], "500 frames are too few for twice 10 s"
    frames = before.videos.set_index("video").frames
    for video in after.videos.video:
        old, new = before.labels(video), after.labels(video)
        assert len(new) == len(old)
        assert (new.onset >= 1).all() and (new.offset <= frames[video]).all()
        shift = (new.onset.to_numpy() - old.onset.to_numpy()) % frames[video]
        assert len(set(shift)) == 1 and 300 <= shift[0] <= frames[video] - 300
        for name in ("apex", "offset"):
            same = (new[name] - new.onset).to_numpy() == (old[name] - old.onset).to_numpy()
            assert same.all()
    assert roll_labels(before, seconds=10.0, seed=seed).annotations.equals(after.annotations)
    other = roll_labels(before, seconds=10.0, seed=seed + 100)
    assert not other.annotations.equals(after.annotations)


def test_a_label_that_must_be_cut_is_left_out():
    rows = bank(lengths=(100,), events=1).annotations
    rows = rows.assign(onset=41, apex=50, offset=60)
    assert roll_table(rows, np.array([50]), 100).empty
    kept = roll_table(rows, np.array([50, 40, 30]), 100)
    assert kept[["onset", "apex", "offset"]].to_numpy().tolist() == [[81, 90, 100]]


def test_videos_do_not_hang_on_each_other():
    both = bank(lengths=(3000, 2000))
    alone = dataclasses.replace(both, videos=both.videos.iloc[1:])
    rolled = roll_labels(both, seconds=10, seed=0)
    assert roll_labels(alone, seconds=10, seed=0).annotations.equals(
        rolled.labels("v1").reset_index(drop=True)
    )


def test_nothing_is_left_of_a_bank_of_short_videos():
    empty = roll_labels(bank(lengths=(100, 200)), seconds=10, seed=0)
    assert empty.videos.empty and empty.annotations.empty


def test_the_control_sees_rolled_labels_alone(tmp_path, monkeypatch):
    """Training, judging, scoring and its chance floor, each on the same moved labels."""
    seen = {}
    true = bank(lengths=(900, 900, 900, 900), events=8)
    rolled = roll_labels(true, seconds=10.0, seed=5)

    def trial(given, networks, settings, work):
        seen["trained"] = given.annotations
        seen["folds"] = folds = networks.folds
        mine = given.annotations.subject.isin([fold.held_out for fold in folds])
        intervals = given.annotations[mine].assign(score=1.0)
        return SimpleNamespace(folds=folds, held_out=SimpleNamespace(intervals=intervals))

    def floor(intervals, annotations, videos, **options):
        seen["chance"] = annotations
        return real_floor(intervals, annotations, videos, draws=20, **options)

    real_floor = control.random_floor
    monkeypatch.setattr(control, "cross_validate", trial)
    monkeypatch.setattr(control, "random_floor", floor)
    monkeypatch.setattr(Bank, "quality", lambda self, video: np.ones((900, 2), np.float32))
    settings = SimpleNamespace(
        control=Control(folds=2, seconds=10.0),
        seed=5,
        protocol=Protocol(threshold="test_oracle"),
        validates=True,
    )
    table = control.negative_control(true, settings, work(tmp_path))
    assert seen["trained"].equals(rolled.annotations)
    assert [fold.held_out for fold in seen["folds"]] == ["s0", "s2"]
    expected = rolled.annotations[rolled.annotations.subject.isin(["s0", "s2"])]
    assert seen["chance"].equals(expected)
    overall = table[table.kind == "overall"].iloc[0]
    assert overall.ground_truth == overall.tp == len(expected) and overall.f1 == 1.0
    assert overall.random_f1_p95 < 0.8 and overall.oracle


def test_a_control_without_any_fold_left_is_none(tmp_path, monkeypatch, capsys):
    def trial(*arguments):
        raise NoFoldLeft("no fold is left")

    monkeypatch.setattr(control, "cross_validate", trial)
    monkeypatch.setattr(Bank, "quality", lambda self, video: np.ones((900, 2), np.float32))
    settings = SimpleNamespace(
        control=Control(folds=2, seconds=10.0), seed=5, protocol=Protocol(), validates=True
    )
    true = bank(lengths=(900, 900, 900, 900), events=8)
    assert control.negative_control(true, settings, work(tmp_path)).empty
    assert "negative control: no fold is left" in capsys.readouterr().err


def test_folds_are_spread():
    assert spread(list(range(12)), 4) == [0, 3, 6, 9]
    assert spread(list(range(3)), 8) == [0, 1, 2]
    assert spread(list(range(5)), 0) == []


def rows(f1, p95):
    counts = dict(predictions=4, ground_truth=4, tp=1, fp=3, fn=3, precision=0.2, recall=0.2)
    both = counts | dict(f1=f1, random_f1_p95=p95, method="rolled labels")
    return control_table([both | dict(kind=kind) for kind in ("ME", "MaE", "overall")])


def test_the_verdict_is_against_the_95th_percentile():
    assert "ABOVE" not in judge_control(rows(0.1, 0.1))
    assert "look for a leak" in judge_control(rows(0.11, 0.1))
    wide = layout_control(rows(0.11, 0.1))
    assert wide.Method.tolist() == ["rolled labels", "random, 95th percentile"]
    assert wide.Overall.tolist() == ["0.1100", "0.1000"]
