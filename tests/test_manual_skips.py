"""Frame skips searched around k: on whom, by what, and how they are gone on with."""

import json

import jax
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tiny_banks import write_bank

from jaxspot.annotations.intervals import frame_labels
from jaxspot.devices import fold_mesh
from jaxspot.experiment import manual_skips
from jaxspot.experiment.manual_skips import FACTORS, search_fold, search_skips
from jaxspot.network.model import build_model
from jaxspot.network.streams import k_in_frames
from jaxspot.spotting.scoring import score_video
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import open_bank

MODEL = build_model(widths=(2, 3, 4), multiplier=2)
PAIR = (10 / 30, 30 / 30)
K = (5 / 30, 15 / 30)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return open_bank(write_bank(tmp_path_factory.mktemp("skips") / "bank", subjects=3, frames=60))


@pytest.fixture(scope="module")
def variables():
    frames = np.zeros((1, 3, 112, 112), np.float32)
    start = jax.jit(jax.vmap(lambda key: MODEL.init(key, frames, train=False)))
    return jax.device_get(start(jax.random.split(jax.random.key(0), 3)))


def one(variables, number):
    return jax.tree.map(lambda leaf: leaf[number], variables)


def test_each_stream_takes_the_skip_that_tells_its_kind_best(bank, variables):
    found = search_fold(bank, ("s2",), MODEL, one(variables, 1), K)
    labels = frame_labels(bank.labels("s2_1"), frames=60)
    for kind in (0, 1):
        areas = {}
        for factor in FACTORS:
            pair = list(K)
            pair[kind] *= factor
            row = np.array([k_in_frames(pair, 30.0)])
            network = jax.tree.map(lambda leaf: leaf[None], one(variables, 1))
            scores = score_video(MODEL, network, bank.frames("s2_1"), skips=row, mesh=fold_mesh(1))
            areas[factor] = roc_auc_score(labels[:, kind], scores[0, :, kind])
        assert areas[found[kind]] == pytest.approx(max(areas.values()), abs=1e-9)


def test_k_is_kept_where_the_kind_is_not_shown(bank, variables):
    import dataclasses

    bare = dataclasses.replace(bank, annotations=bank.annotations[bank.annotations.kind == "MaE"])
    assert search_fold(bare, ("s2",), MODEL, one(variables, 1), K)[0] == 1.0


@pytest.mark.parametrize("choice", ["kth", "manual", "test_oracle"])
def test_whom_each_choice_looks_at(bank, variables, choice, tmp_path, monkeypatch):
    folds = loso_folds(bank.videos.subject)
    seen = []

    def record(bank, subjects, model, network, pair):
        seen.append(subjects)
        return 0.5, 2.0

    monkeypatch.setattr(manual_skips, "search_fold", record)
    saved = tmp_path / "skips.json"
    call = lambda: search_skips(
        bank, folds, MODEL, variables, [PAIR] * 3, frame_skip=choice, saved=saved, name="test"
    )
    found = call()
    if choice == "kth":
        assert found == (K,) * 3 and not seen and not saved.exists()
        return
    assert found == ((K[0] / 2, K[1] * 2),) * 3
    who = [fold.validation if choice == "manual" else (fold.held_out,) for fold in folds]
    assert seen == who
    if choice == "manual":
        assert all(
            fold.held_out not in subjects for fold, subjects in zip(folds, seen, strict=True)
        )
    assert call() == found and len(seen) == 3  # gone on with
    saved.write_text(json.dumps(json.loads(saved.read_text()) | dict(made_by="another")))
    assert call() == found and len(seen) == 6


def test_a_held_out_subject_does_not_move_its_own_skips(bank, variables, tmp_path):
    """Pixels and labels of the held-out subject are replaced; its fold's skips stay."""
    folds = loso_folds(bank.videos.subject)
    saved = lambda name: dict(frame_skip="manual", saved=tmp_path / name, name="test")
    before = search_skips(bank, folds, MODEL, variables, [PAIR] * 3, **saved("a"))

    class Other:
        videos, quality, faces = bank.videos, bank.quality, bank.faces
        regions, every = None, 1

        def frames(self, video):
            pixels = bank.frames(video)
            return 255 - pixels[::-1] if video == "s1_1" else pixels

        def labels(self, video):
            rows = bank.labels(video)
            return rows.assign(onset=50, apex=55, offset=59) if video == "s1_1" else rows

    after = search_skips(Other(), folds, MODEL, variables, [PAIR] * 3, **saved("b"))
    assert folds[0].held_out == "s1" and after[0] == before[0]
