"""Peers beside ours: kept with the run, joined later, scored frame by frame like ours."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from tiny_banks import write_bank

from jaxspot.annotations.intervals import frame_labels
from jaxspot.baselines import PEERS
from jaxspot.commands import train
from jaxspot.experiment.baselines import Spotted, score_peer_frames
from jaxspot.video.bank import open_bank

FLAGS = [
    "--config=configs/default.py:paper",
    "--config.model.trunk=motion",  # compiles faster
    "--config.model.widths=(4,4,4)",
    "--config.training.epochs=1",
    "--config.training.steps=2",
    "--config.training.batch=4",
    "--config.training.validation_batches=1",
    "--config.control.folds=0",
]


def test_peers_join_a_run_that_is_done(tmp_path, monkeypatch, request, capsys):
    monkeypatch.chdir(request.config.rootpath)
    bank, run = write_bank(tmp_path / "bank", subjects=3, frames=60), tmp_path / "run"
    flags = [*FLAGS, f"--config.data.bank={bank}", f"--workdir={run}"]
    assert train.main([*flags, "--config.peers=('moilanen',)"]) == 0
    kept = sorted(p for p in run.rglob("*") if p.is_file() and p.parent.name in ("0001", "scores"))
    before = {path: path.read_bytes() for path in kept}
    assert before
    names = ("moilanen", "mdmd", "sp_fd")
    assert train.main([*flags, f"--config.peers={names}", "--resume"]) == 0
    for number, methods in ((4, ["jaxspot", *names]), (5, ["jaxspot", "random", *names])):
        table = pd.read_csv(run / "tables" / f"table{number}.csv")
        assert table.method.unique().tolist() == methods
    assert all(path.read_bytes() == content for path, content in before.items())
    bars = capsys.readouterr().err
    assert bars.count("moilanen: 100%") == bars.count("mdmd: 100%") == 1


def test_every_peer_gives_each_frame_two_scores_and_says_how_far_it_is(tmp_path):
    bank = open_bank(write_bank(tmp_path / "bank", subjects=3, frames=60))
    k = lambda subject, fps: {"ME": 4, "MaE": 8}
    for name in ("moilanen", "mdmd", "sp_fd", "hog3d", "blendshapes"):
        done = []
        scores, intervals = PEERS[name](bank, folds=(), k=k, seed=0, on_frame=done.append)
        assert sum(done) == bank.videos.frames.sum(), name
        for video, frames in zip(bank.videos.video, bank.videos.frames, strict=True):
            assert scores[video].shape == (frames, 2) and scores[video].dtype == np.float32
        assert set(intervals.video) <= set(bank.videos.video)


def test_frames_of_a_peer_are_cut_by_the_other_subjects_threshold(tmp_path):
    bank = open_bank(write_bank(tmp_path / "bank", subjects=3, frames=60))
    rng = np.random.default_rng(0)
    labels, scores = {}, {}
    for video, frames in zip(bank.videos.video, bank.videos.frames, strict=True):
        labels[video] = frame_labels(bank.labels(video), frames=frames)
        scores[video] = (labels[video] + rng.normal(0, 0.3, (frames, 2))).astype(np.float32)
        scores[video][:2] = np.nan
    found = score_peer_frames(bank, Spotted(scores, pd.DataFrame()))
    span = lambda curve: np.nanmax(curve, 0) - np.nanmin(curve, 0)
    scaled = {v: (curve - np.nanmin(curve, 0)) / span(curve) for v, curve in scores.items()}
    for i, kind in enumerate(("ME", "MaE")):
        right = wrong = missed = 0
        for subject in bank.videos.subject.unique():
            rest = bank.videos.video[bank.videos.subject != subject]
            x, y = (np.concatenate([part[v][:, i] for v in rest]) for part in (scaled, labels))
            x, y = x[~np.isnan(x)], y[~np.isnan(x)]
            every = np.unique(x)
            j = [(x[y] >= t).mean() - (x[~y] >= t).mean() for t in every]
            limit = every[len(j) - 1 - int(np.argmax(np.round(j[::-1], 12)))]
            for video in bank.videos.video[bank.videos.subject == subject]:
                cut, truth = scaled[video][:, i] >= limit, labels[video][:, i]
                right += (cut & truth).sum()
                wrong += (cut & ~truth).sum()
                missed += (~cut & truth).sum()
        np.testing.assert_allclose(found[kind]["f1"], 2 * right / (2 * right + wrong + missed))
        x, y = (np.concatenate([part[v][:, i] for v in scaled]) for part in (scaled, labels))
        assert found[kind]["auc"] == roc_auc_score(y, np.where(np.isnan(x), -1, x))
