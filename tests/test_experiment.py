"""The main job end to end on a tiny synthetic bank, by the commands that a user types."""

import json

import numpy as np
import pandas as pd
import pytest
from video_files import feat_clip

from jaxspot.annotations.intervals import read_intervals
from jaxspot.commands import evaluate, spot, train
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.heldout import mean_durations, spot_held_out
from jaxspot.experiment.scores import blank_faceless
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.spotter import mean_rule
from jaxspot.training.folds import loso_folds
from jaxspot.training.inner_folds import plan_networks
from jaxspot.video.bank import open_bank

TINY = [
    "--config=configs/synthetic.py:best",
    "--config.data.synthetic.subjects=4",
    "--config.data.synthetic.seconds=15",
    "--config.model.widths=(4,4,4)",
    "--config.model.multiplier=2",
    "--config.training.epochs=2",
    "--config.training.steps=4",
    "--config.training.batch=4",
    "--config.training.validation_batches=2",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory, request):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(request.config.rootpath)
        folder = tmp_path_factory.mktemp("run") / "tiny"
        assert train.main([*TINY, f"--workdir={folder}"]) == 0
    return folder


def test_a_run_leaves_what_the_readme_lists(run):
    names = [
        "config.json",
        "provenance.json",
        "metrics.jsonl",
        "intervals.csv",
        "report.html",
        *(f"tables/table{n}.{end}" for n in (4, 5, 6) for end in ("csv", "md", "tex")),
        *(f"figures/{stem}.png" for stem in ("figure3", "figure4_s01_1", "roc", "loss")),
        *(f"figures/{stem}.png" for stem in ("subjects", "people")),
    ]
    assert [name for name in names if not (run / name).is_file()] == []
    assert not list(run.rglob("*.part"))


def test_every_frame_has_two_scores_by_the_fold_that_held_it_out(run):
    bank = open_bank(run / "bank")
    for video, frames in zip(bank.videos.video, bank.videos.frames, strict=True):
        with np.load(run / "scores" / f"{video}.npz") as scores:
            assert sorted(scores) == ["ME", "MaE"]
            for kind in scores:
                assert scores[kind].shape == (frames,) and scores[kind].dtype == np.float32
                assert (scores[kind] > 0).all() and (scores[kind] < 1).all()


def test_metrics_have_a_row_per_fold_and_epoch(run):
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [(r["epoch"], r["subject"]) for r in rows] == [
        (epoch, f"s0{n}") for epoch in (1, 2) for n in (1, 2, 3, 4)
    ]
    assert all(np.isfinite(row["train_loss"]) and row["validation_loss"] is None for row in rows)
    inner = (run / "inner_metrics.jsonl").read_text().splitlines()
    assert len(inner) == 2 * 6  # pairs of four subjects
    assert json.loads(inner[0])["subject"] == "s01 + s02"


def test_table_5_is_what_the_scorer_says_of_the_files(run, tmp_path):
    table = pd.read_csv(run / "tables" / "table5.csv")
    assert list(table.method.unique()) == ["jaxspot", "random", "moilanen"]
    flags = {"videos": "bank/videos.csv", "annotations": "bank/annotations.csv"}
    paths = [f"--{name}={run / path}" for name, path in flags.items()]
    code = evaluate.main([*paths, f"--intervals={run / 'intervals.csv'}", f"--out={tmp_path}"])
    assert code == 0
    scores = json.loads((tmp_path / "scores.json").read_text())
    for row in table[table.method == "jaxspot"].to_dict("records"):
        expected = scores[row["kind"]]
        assert {name: pytest.approx(row[name]) for name in expected} == expected


def test_random_intervals_are_as_many_as_ours(run):
    table = pd.read_csv(run / "tables" / "table5.csv").set_index(["method", "kind"])
    for kind in ("ME", "MaE", "overall"):
        ours, chance = (table.loc[(m, kind), "predictions"] for m in ("jaxspot", "random"))
        assert ours == chance


def test_another_run_is_not_overwritten(run, capsys):
    before = (run / "config.json").read_bytes()
    assert train.main([*TINY, f"--workdir={run}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "holds another run" in error
    assert (run / "config.json").read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--config=configs/synthetic.py:bset"], "bset"),
        (["--config=configs/synthetic.py", "--config.model.pool_gird=3"], "pool_grid"),
        (["--config=configs/nowhere.py"], "nowhere"),
        (["--config=configs/synthetic.py", "--config.training.epochs=abc"], "base 10: 'abc'"),
        ([], "--config is missing"),
        (["--config=configs/default.py"], "frame bank"),
        (["--config=configs/synthetic.py", "--config.data.bank=x"], "does not go with"),
        (
            ["--config=configs/synthetic.py", "--config.data.synthetic.subjects=2"],
            "must lie in 3..",
        ),
        (["--config=configs/synthetic.py", "--config.protocol.threshold=rco"], "interval_f1"),
        (["--config=configs/synthetic.py", "--config.model.pooling=foo"], "average"),
        (["--config=configs/synthetic.py", "--config.peers=('nobody',)"], "moilanen"),
        (["--config=configs/synthetic.py", "--config.peers=('boosting',)"], "needs region motion"),
        (["--config=configs/cas_me2.py:motion", "--config.peers=('mdmd',)"], "needs pictures"),
        (["--config=configs/synthetic.py", "--config.training.steps=0"], "1 or more"),
    ],
)
def test_a_mistake_in_the_flags_is_one_line(flags, said, tmp_path, capsys):
    workdir = tmp_path / "never"
    assert train.main([*flags, f"--workdir={workdir}"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error
    assert not workdir.exists()


def test_a_config_that_needs_what_is_not_there_is_one_line(tmp_path, capsys):
    config = tmp_path / "mine.py"
    config.write_text("import nowhere_at_all\n")
    assert train.main([f"--config={config}", f"--workdir={tmp_path / 'never'}"]) == 2
    assert capsys.readouterr().err == "train: No module named 'nowhere_at_all'\n"


def test_the_weights_spot_in_a_real_clip(run, tmp_path, capsys):
    clip = feat_clip("single_face.mp4")
    assert spot.main([f"--weights={run}", f"--out={tmp_path}", str(clip)]) == 0
    frames = pd.read_csv(tmp_path / "single_face" / "frames.csv")
    assert len(frames) == 72 and frames.success.all()
    assert (frames.p_me.between(0, 1) & frames.p_mae.between(0, 1)).all()
    read_intervals(tmp_path / "single_face" / "intervals.csv")
    assert (tmp_path / "single_face" / "scores.png").stat().st_size > 0
    page = tmp_path / "single_face" / "review.html"
    assert "threshold: peaks above it" in page.read_text("utf-8")
    assert capsys.readouterr().out.splitlines()[-1] == f"open {page}"


def test_a_clip_without_a_face_has_no_interval_and_is_no_error(run, tmp_path, capsys):
    clip = feat_clip("no_face.mp4")
    assert spot.main([f"--weights={run}", f"--out={tmp_path}", str(clip)]) == 0
    assert "no face" in capsys.readouterr().out
    assert read_intervals(tmp_path / "no_face" / "intervals.csv").empty
    assert (pd.read_csv(tmp_path / "no_face" / "frames.csv").success == 0).all()


def test_no_weights_no_work(tmp_path, capsys):
    clip = str(feat_clip("no_face.mp4"))
    assert spot.main([f"--weights={tmp_path / 'none'}", f"--out={tmp_path / 'out'}", clip]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "no trained spotter" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fit", ["training", "inner", "validation"])
@pytest.mark.parametrize("threshold", ["roc", "interval_f1", "overall_f1"])
def test_a_held_out_subject_decides_nothing_about_its_threshold(run, threshold, fit):
    bank = open_bank(run / "bank")
    folds = loso_folds(bank.videos.subject)
    networks = plan_networks(folds, fit=fit, groups=4)
    rng = np.random.default_rng(0)
    draw = lambda frames: dict(enumerate(rng.random((len(networks.all), frames, 2))))
    lengths = dict(zip(bank.videos.video, bank.videos.frames, strict=True))
    scores = {video: draw(frames) for video, frames in lengths.items()}
    rules = [IntervalRule(normalisation="train_quantiles")] * len(folds)
    protocol = Protocol(threshold=threshold)
    before = spot_held_out(bank, networks, scores, rules, protocol)
    victim = folds[0].held_out
    mine = bank.videos.video[bank.videos.subject == victim].tolist()
    changed = {v: draw(lengths[v]) if v in mine else s for v, s in scores.items()}
    object.__setattr__(bank, "annotations", bank.annotations[bank.annotations.subject != victim])
    after = spot_held_out(bank, networks, changed, rules, protocol)
    assert after.rules[victim] == before.rules[victim]
    others = [fold.held_out for fold in folds[1:]]
    assert any(after.rules[name] != before.rules[name] for name in others)


def test_a_held_out_subject_decides_nothing_about_its_frame_skips(run):
    bank = open_bank(run / "bank")
    folds = loso_folds(bank.videos.subject)
    before = [mean_durations(bank, fold) for fold in folds]
    mine = bank.annotations.subject == folds[0].held_out
    longer = bank.annotations.assign(offset=bank.annotations.offset + 9 * mine)
    object.__setattr__(bank, "annotations", longer)
    after = [mean_durations(bank, fold) for fold in folds]
    assert after[0] == before[0]
    for old, new in zip(before[1:], after[1:], strict=True):
        assert new[0] > old[0] and new[1] > old[1]


def test_a_folder_that_holds_anything_is_refused(tmp_path, capsys):
    kept = tmp_path / "scores" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    assert train.main([*TINY, f"--workdir={tmp_path}"]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [kept] and kept.read_text() == "mine"


def test_frames_without_a_face_have_no_say(run):
    bank = open_bank(run / "bank")
    faces = {v: np.ones_like(bank.quality(v)) for v in bank.videos.video}
    faces["s02_1"][100:120] = 0
    object.__setattr__(bank, "quality", faces.__getitem__)
    scores = {video: {0: np.full((len(q), 2), 0.5, np.float32)} for video, q in faces.items()}
    blank = blank_faceless(bank, scores)
    assert not np.isnan(blank["s01_1"][0]).any()
    missing = np.flatnonzero(np.isnan(blank["s02_1"][0]).all(1))
    np.testing.assert_array_equal(missing, np.arange(100, 120))


def test_the_mean_rule_of_networks_that_find_nothing_and_of_flat_ones():
    rule = IntervalRule(normalisation="train_quantiles", cutoff_hz=(2.0, 1.0))
    other = IntervalRule(normalisation="train_quantiles", cutoff_hz=(4.0, 3.0))
    inf = float("inf")
    rules = [
        FittedRule(rule, (0.0, 0.2), (1.0, 0.2), (0.5, 0.1), (0.5, 0.1)),
        FittedRule(other, (0.2, 0.2), (0.6, 0.2), (0.5, 0.3), (inf, inf)),
        FittedRule(rule, (0.1, 0.2), (0.5, 0.2), (inf, inf), (inf, inf)),
    ]
    mean = mean_rule(rules)
    assert mean.rule.cutoff_hz == pytest.approx((8 / 3, 5 / 3))
    raw = (0.5 + 0.4) / 2
    low, high = 0.1, 0.7
    assert mean.threshold == pytest.approx(((raw - low) / (high - low), 0.2))
    assert mean.frame_threshold == (inf, inf)
    assert mean_rule(rules[:2]).frame_threshold == (inf, inf), "half find nothing"
