"""A recurrent peer on a bank: features, networks of folds and inner folds, scores, intervals."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import jax
import numpy as np
import pandas as pd
from jax.sharding import Mesh

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, FrameCounts, OnFrame, count_steps, share_of_frames
from jaxspot.baselines.inner_thresholds import plan_models, spot_folds
from jaxspot.baselines.recurrent.features import Extract, Features, write_features
from jaxspot.baselines.recurrent.training import Recipe, train_networks
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.network.compiling import compile_program
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.video.bank import Bank

PART = 64
"""Windows that are scored at once."""
SHOWN, LEARNED = 0.5, 0.95
"""Shares of the progress bar: once the features are written, and once the networks are trained."""


def spot_recurrent(
    bank: Bank,
    extract: Extract,
    network: Any,
    *,
    width: int,
    windows: Mapping[str, Windows],
    folds: Sequence[Fold],
    k: FrameCounts,
    seed: int,
    on_frame: OnFrame = IGNORE,
    recipe: Recipe | None = None,
    mesh: Mesh | None = None,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots every fold's held-out subject by networks of its other subjects, as a `Peer`.

    `extract` gives the features, `width` of them a row. `network` maps windows float32 (B, steps,
    width) to logits (B, outputs); there is one for each fold, inner fold and kind. `windows` are
    those of each kind. Thresholds are fitted as ours with inner folds. Frames without a face have
    no score. Features lie on disk; what is kept in memory is a few numbers a frame. Raises
    UserError if a training diverges, or there are too few subjects.
    """
    recipe = recipe or Recipe()
    networks = plan_models(folds, groups=recipe.groups)
    between = share_of_frames(on_frame, int(bank.videos.frames.sum()))
    with tempfile.TemporaryDirectory(prefix="recurrent-") as folder:
        step = count_steps(between(0, SHOWN), int(bank.videos.frames.sum()))
        features = write_features(
            bank, extract, f"{folder}/features.npy", width=width, on_frame=step
        )
        params, part = {}, (LEARNED - SHOWN) / len(KINDS)
        for number, kind in enumerate(KINDS):
            first = SHOWN + part * number
            given: dict[str, Any] = dict(windows=windows[kind], recipe=recipe, seed=seed, mesh=mesh)
            given |= dict(folds=networks.all, kind=kind, on_share=between(first, first + part))
            params[kind], _ = train_networks(bank, features, network, **given)
        step = count_steps(between(LEARNED, 1), len(bank.videos))
        curves = score_videos(bank, features, network, params, networks, windows, on_video=step)
    return spot_folds(bank, networks, curves, k)


def score_videos(
    bank: Bank,
    features: Features,
    network: Any,
    params: Mapping[str, Any],
    networks: Networks,
    windows: Mapping[str, Windows],
    *,
    on_video: Callable[[int], object] = lambda count: None,
) -> dict[str, dict[int, np.ndarray]]:
    """Video -> number of the network -> float32 (frames, 2), of the networks that some fold asks.

    `params` holds the stacked parameters of each kind's networks.
    """
    predict, curves = _predict(network), {}
    for row in bank.videos.to_dict("records"):
        video, faces = row["video"], bank.faces(row["video"])
        numbers = networks.of_subject(row["subject"])
        found = {n: np.full((row["frames"], len(KINDS)), np.nan, np.float32) for n in numbers}
        for column, kind in enumerate(KINDS):
            own = {n: jax.tree.map(lambda leaf, n=n: leaf[n], params[kind]) for n in numbers}
            answers = _answers(predict, own, features, video, windows[kind], row)
            times = windows[kind].slot * np.arange(answers.shape[1])
            seconds = np.arange(row["frames"]) / row["fps"]
            for n, values in zip(numbers, answers, strict=True):
                found[n][faces, column] = np.interp(seconds, times, values)[faces]
        curves[video] = found
        on_video(1)
    return curves


@cache
def _predict(network):
    answer: Any = network.apply
    return compile_program(lambda one, steps: jax.nn.sigmoid(answer({"params": one}, steps)))


def _answers(predict, params, features, video, windows, row):
    """Answers for 0, slot, 2 slots... of each of some networks: float32 (networks, times)."""
    anchors = windows.tiling(row["frames"] / row["fps"])
    parts = []
    for first in range(0, len(anchors), PART):
        here = anchors[first : first + PART]
        padded = np.pad(here, (0, PART - len(here)), mode="edge")
        given = features.gather(video, windows.places(padded, features.rates[video]))
        answers = [np.asarray(predict(one, given))[: len(here)] for one in params.values()]
        parts.append(np.stack(answers).reshape(len(params), -1))
    return np.concatenate(parts, axis=1)
