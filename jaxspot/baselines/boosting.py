"""Boosted trees on region motion, trained leave-one-subject-out; not a published method.

It shows what the numbers of a bank of region motion give without a network.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.baselines.by_video import (
    IGNORE,
    FrameCounts,
    OnFrame,
    count_steps,
    share_of_frames,
)
from jaxspot.baselines.inner_thresholds import plan_models, spot_folds
from jaxspot.baselines.window_features import window_features
from jaxspot.spotting.scoring import to_native
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank
from jaxspot.workers import run_jobs

GROWTH: dict[str, Any] = dict(min_samples_leaf=50, l2_regularization=1.0, early_stopping=False)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How the trees are grown.

    Attributes:
      groups: of subjects, see `plan_networks`.
      kept: one in so many frames without an expression is learned from, and all others.
      trees, leaves: number of trees, and of leaves in each.
      learning_rate: of the trees.
    """

    groups: int = 6
    kept: int = 16
    trees: int = 60
    leaves: int = 15
    learning_rate: float = 0.1


class Model(NamedTuple):
    """Trees, None where all frames or none had an expression, and the `kept` of their recipe."""

    trees: HistGradientBoostingClassifier | None
    kept: int

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Probability of an expression, allowing for the frames left out, float (rows,)."""
        if self.trees is None:
            return np.zeros(len(features))
        with threadpool_limits(1, user_api="openmp"):
            return expit(self.trees.decision_function(features) - np.log(self.kept))


def boosting(
    bank: Bank,
    *,
    folds: Sequence[Fold],
    k: FrameCounts,
    seed: int,
    on_frame: OnFrame = IGNORE,
    recipe: Recipe = Recipe(),
    workers: int | None = None,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots every fold's held-out subject by trees grown on its other subjects, as a `Peer`.

    Thresholds are fitted like ours with inner folds, see `plan_models`. Frames without a face have
    no score. `workers` are processes, by default one a core. Raises UserError for a bank of frames,
    or too few subjects.
    """
    networks = plan_models(folds, groups=recipe.groups)
    count = len(KINDS) * len(networks.all)
    reach = share_of_frames(on_frame, int(bank.videos.frames.sum()))(0, 1)
    step = count_steps(reach, count + len(bank.videos))
    models = grow_models(bank, networks.all, recipe, seed=seed, workers=workers, on_model=step)
    curves = score_videos(bank, networks, models, on_video=step)
    return spot_folds(bank, networks, curves, k)


def grow_models(
    bank: Bank,
    folds: Sequence[Fold],
    recipe: Recipe,
    *,
    seed: int,
    workers: int | None = None,
    on_model: Callable[[], object] = lambda: None,
) -> list[tuple[Model, Model]]:
    """Models of ME and MaE for each fold, grown on its subjects by `workers` processes."""
    features, labels, subjects = _samples(bank, recipe.kept)
    with tempfile.TemporaryDirectory(prefix="boosting-") as folder:
        np.save(f"{folder}/features.npy", features)
        jobs = []
        for fold in folds:
            rows = np.flatnonzero(np.isin(subjects, fold.subjects))
            jobs += [_Job(folder, rows, labels[rows, i], recipe, seed) for i in range(len(KINDS))]
        models: Any = [None] * len(jobs)
        for number, future in run_jobs(_grow, jobs, workers=workers):
            models[number] = future.result()
            on_model()
    return list(zip(models[::2], models[1::2], strict=True))


class _Job(NamedTuple):
    folder: str
    rows: np.ndarray
    shown: np.ndarray
    recipe: Recipe
    seed: int


def _grow(job):
    recipe = job.recipe
    if job.shown.all() or not job.shown.any():
        return Model(None, recipe.kept)
    trees = HistGradientBoostingClassifier(
        learning_rate=recipe.learning_rate,
        max_iter=recipe.trees,
        max_leaf_nodes=recipe.leaves,
        random_state=job.seed,
        **GROWTH,
    )
    features = np.load(f"{job.folder}/features.npy", mmap_mode="r")[job.rows]
    with threadpool_limits(1, user_api="openmp"):  # its threads wait for each other
        return Model(trees.fit(features, job.shown), recipe.kept)


def _samples(bank, kept):
    """What is learned from: features (n, features), labels (n, 2) and subjects (n,)."""
    features, labels, subjects = [], [], []
    for row in _rows(bank):
        shown = frame_labels(bank.labels(row.video), frames=row.frames)[:: bank.every]
        learned = shown.any(axis=1) | (np.arange(len(shown)) % kept == 0)
        learned &= bank.faces(row.video)[:: bank.every]
        features.append(_features(bank, row)[learned])
        labels.append(shown[learned])
        subjects += [row.subject] * int(learned.sum())
    return np.concatenate(features), np.concatenate(labels), np.array(subjects)


def _rows(bank: Bank) -> Any:
    return bank.videos.itertuples()


def _features(bank, row):
    return window_features(bank.motion(row.video), bank.regions, fps=row.fps / bank.every)


def score_videos(
    bank: Bank,
    networks: Networks,
    models: Sequence[tuple[Model, Model]],
    *,
    on_video: Callable[[], object] = lambda: None,
) -> dict[str, dict[int, np.ndarray]]:
    """Video -> number of the model -> float32 (frames, 2), of the models that some fold asks."""
    curves = {}
    for row in _rows(bank):
        features, faces = _features(bank, row), bank.faces(row.video)
        of_video = {}
        for number in networks.of_subject(row.subject):
            found = [model.scores(features) for model in models[number]]
            rows = np.stack(found, axis=1)[None]
            native = to_native(rows, every=bank.every, frames=row.frames)[0]
            scores = np.where(faces[:, None], native, np.nan)
            of_video[number] = scores.astype(np.float32)
        curves[row.video] = of_video
        on_video()
    return curves
