"""SOFTNet of Liong, See and Wong (ICIP 2021): flow of a pair of frames to a spotting score.

Trained leave-one-subject-out, one network a fold and kind.
"""

import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jax.sharding import Mesh

from jaxspot.annotations.intervals import KINDS, to_span
from jaxspot.baselines.softnet.inputs import FrameCounts, Inputs, rounded_skip, write_inputs
from jaxspot.baselines.softnet.labels import pseudo_labels
from jaxspot.baselines.softnet.spotting import spot_folds
from jaxspot.baselines.softnet.training import Recipe, Samples, choose_samples, train_networks
from jaxspot.training.folds import Fold, subject_number
from jaxspot.video.bank import Bank

PAIR, SCORE = 40, 1
"""Roughly what the flow of a pair of frames and a score take, in training samples: `on_frame`."""


def softnet_bank(
    bank: Bank,
    *,
    folds: Sequence[Fold],
    k: FrameCounts,
    seed: int,
    on_frame: Callable[[int], object] = lambda count: None,
    recipe: Recipe | None = None,
    p: float = 0.55,
    mesh: Mesh | None = None,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots every fold's held-out subject by networks of its other subjects.

    A network learns from the training and validation subjects of its fold. The distance of its
    frames and the length of its windows come from the fold's own k, for every video it sees: flow
    is computed anew for each distance that occurs, so that no k has seen the labels it is used on.

    Args:
      bank: frames and labels.
      folds: the held-out subjects to be spotted.
      k: (subject, fps) -> kind -> k in frames, from the labels of the *other* subjects.
      seed: of everything random.
      on_frame: called with numbers of frames as work is done; they add up to the bank's frames.
      recipe: how to train.
      p: height of the threshold between the mean and the maximum of a video's scores.
      mesh: the devices; all by default.

    Returns:
      scores: video -> float32 (T, 2), ME and MaE, of the held-out subjects' videos.
      intervals: subject, video, kind, onset, apex, offset, score.

    Raises:
      UserError: the training diverges.
    """
    recipe, k = recipe or Recipe(), cache(k)
    reach = _by_share(on_frame, int(bank.videos.frames.sum()))
    skips = _skips_of_videos(bank, folds, k)
    shown, learned = _shares_done(bank, skips, recipe, networks=len(folds) * len(KINDS))
    with tempfile.TemporaryDirectory(prefix="softnet-") as folder:
        inputs = write_inputs(
            bank,
            skips,
            Path(folder) / "inputs.npy",
            on_share=lambda share: reach(shown * share),
        )
        params, _ = train_folds(
            bank,
            inputs,
            folds=folds,
            k=k,
            seed=seed,
            recipe=recipe,
            mesh=mesh,
            on_share=lambda share: reach(shown + (learned - shown) * share),
        )
        scores, intervals = spot_folds(
            bank,
            inputs,
            params,
            folds=folds,
            k=k,
            p=p,
            on_share=lambda share: reach(learned + (1 - learned) * share),
        )
    reach(1.0)
    return scores, intervals


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
    """`train_networks` on the two networks of each fold, in order: ME and MaE of the first fold...

    Args are those of `softnet_bank`; `inputs` from `write_inputs`.
    """
    networks = [(fold, kind) for fold in folds for kind in KINDS]
    seeds = [[seed, subject_number(fold.held_out), KINDS.index(kind)] for fold, kind in networks]
    samples = [
        fold_samples(bank, inputs, fold, kind=kind, k=k, recipe=recipe, seed=each)
        for (fold, kind), each in zip(networks, seeds, strict=True)
    ]
    names = [f"fold of subject {fold.held_out}, {kind}" for fold, kind in networks]
    return train_networks(
        inputs.images,
        samples,
        seeds=seeds,
        names=names,
        recipe=recipe,
        mesh=mesh,
        on_share=on_share,
    )


def fold_samples(
    bank: Bank,
    inputs: Inputs,
    fold: Fold,
    *,
    kind: str,
    k: FrameCounts,
    recipe: Recipe,
    seed: Sequence[int],
) -> Samples:
    """What one network of a fold learns from: pairs of frames of all its subjects but one."""
    rows, labels = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    ours = bank.videos.loc[bank.videos.subject.isin(fold.subjects)]
    for row in ours.to_dict("records"):
        skip = rounded_skip(k(fold.held_out, row["fps"])[kind])
        table = bank.labels(row["video"])
        table = table[table.kind == kind]
        spans = np.column_stack(to_span(table.onset.to_numpy(), table.offset.to_numpy()))
        labels.append(pseudo_labels(spans, frames=row["frames"], length=skip, step=recipe.step))
        rows.append(inputs.starts[row["video"], skip] + np.arange(len(labels[-1])))
    return choose_samples(
        np.concatenate(rows),
        np.concatenate(labels),
        rng=np.random.default_rng([*seed, 2]),
        kept=recipe.kept,
        augmented=kind == "ME",
    )


def _skips_of_videos(bank, folds, k):
    """Video -> distances of frames at which some fold needs its flow."""
    return {
        row["video"]: {
            rounded_skip(k(fold.held_out, row["fps"])[kind]) for fold in folds for kind in KINDS
        }
        for row in bank.videos.to_dict("records")
    }


def _shares_done(bank, skips, recipe, *, networks):
    """Which share of all work is done after the inputs, and after the training."""
    length = dict(zip(bank.videos.video, bank.videos.frames.astype(int), strict=True))
    pairs = sum(max(length[video] - skip, 0) for video in length for skip in skips[video])
    frames = sum(length.values())
    samples = networks * recipe.epochs * min(recipe.most, frames)
    work = np.cumsum([PAIR * pairs, samples, len(KINDS) * SCORE * frames])
    return work[:2] / work[2]


def _by_share(on_frame, frames):
    told = 0

    def reach(share):
        nonlocal told
        due = round(frames * min(share, 1.0)) - told
        if due > 0:
            told += due
            on_frame(due)

    return reach
