"""SOFTNet on a bank, trained leave-one-subject-out: one network for each fold and kind."""

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from jax.sharding import Mesh

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, FrameCounts, OnFrame, share_of_frames
from jaxspot.baselines.softnet.inputs import Inputs, rounded_skip, write_inputs
from jaxspot.baselines.softnet.samples import fold_samples
from jaxspot.baselines.softnet.spotting import spot_folds
from jaxspot.baselines.softnet.training import Recipe, train_networks
from jaxspot.training.folds import Fold
from jaxspot.training.random_keys import subject_number
from jaxspot.video.bank import Bank

PAIR = 40
"""Roughly what the flow of a pair of frames costs in training samples; a score costs one."""


def softnet_bank(
    bank: Bank,
    *,
    folds: Sequence[Fold],
    k: FrameCounts,
    seed: int,
    on_frame: OnFrame = IGNORE,
    recipe: Recipe | None = None,
    p: float = 0.55,
    mesh: Mesh | None = None,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots every fold's held-out subject by networks of its other subjects, as a `Peer`.

    A network learns from the training and validation subjects of its fold. The distance of its
    frames and the length of its windows come from the fold's own k, for every video it uses: flow
    is computed for each distance that occurs, so no k depends on the labels that it is used on.

    `p` is the height of the threshold between the mean and the maximum of a video's scores. Raises
    UserError if the training diverges.
    """
    recipe, k = recipe or Recipe(), cache(k)
    skips = {
        row["video"]: {
            rounded_skip(k(fold.held_out, row["fps"])[kind]) for fold in folds for kind in KINDS
        }
        for row in bank.videos.to_dict("records")
    }
    shown, learned = _shares_done(bank, skips, recipe, networks=len(folds) * len(KINDS))
    between = share_of_frames(on_frame, int(bank.videos.frames.sum()))
    learning: dict[str, Any] = dict(seed=seed, recipe=recipe, mesh=mesh)
    with tempfile.TemporaryDirectory(prefix="softnet-") as folder:
        inputs = write_inputs(bank, skips, f"{folder}/inputs.npy", on_share=between(0, shown))
        seen: dict[str, Any] = dict(bank=bank, inputs=inputs, folds=folds, k=k)
        params, _ = train_folds(**seen, **learning, on_share=between(shown, learned))
        return spot_folds(**seen, params=params, p=p, on_share=between(learned, 1))


def train_folds(
    bank: Bank,
    inputs: Inputs,
    *,
    folds: Sequence[Fold],
    k: FrameCounts,
    seed: int,
    recipe: Recipe,
    mesh: Mesh | None = None,
    on_share: Callable[[float], object] = lambda share: None,
) -> tuple[Any, np.ndarray]:
    """`train_networks` on the networks of each fold, in order: ME and MaE of the first fold..."""
    networks = [(fold, kind) for fold in folds for kind in KINDS]
    seeds = [[seed, subject_number(fold.held_out), KINDS.index(kind)] for fold, kind in networks]
    samples = [
        fold_samples(bank, inputs, fold, kind=kind, k=k, kept=recipe.kept, seed=own)
        for (fold, kind), own in zip(networks, seeds, strict=True)
    ]
    names = [f"fold of subject {fold.held_out}, {kind}" for fold, kind in networks]
    options: dict[str, Any] = dict(names=names, recipe=recipe, mesh=mesh, on_share=on_share)
    return train_networks(inputs.images, samples, seeds=seeds, **options)


def _shares_done(bank, skips, recipe, *, networks):
    """Which share of all work is done after the inputs, and after the training."""
    length = dict(zip(bank.videos.video, bank.videos.frames.astype(int), strict=True))
    pairs = sum(max(length[video] - skip, 0) for video in length for skip in skips[video])
    frames = sum(length.values())
    samples = networks * recipe.epochs * min(recipe.most, frames)
    work = np.cumsum([PAIR * pairs, samples, len(KINDS) * frames])
    return work[:2] / work[2]
