"""SOFTNet of Liong, See and Wong (ICIP 2021): flow of a pair of frames to a spotting score.

Trained leave-one-subject-out, one network a fold and kind.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd
from jax.sharding import Mesh

from jaxspot.annotations.tables import KINDS, to_span
from jaxspot.evaluation.peers.moilanen import peak_spans
from jaxspot.evaluation.peers.softnet_inputs import Inputs, rounded_skip, write_inputs
from jaxspot.evaluation.peers.softnet_labels import pseudo_labels
from jaxspot.evaluation.peers.softnet_network import SoftNet
from jaxspot.evaluation.peers.softnet_training import (
    Recipe,
    Samples,
    choose_samples,
    train_networks,
)
from jaxspot.network.compiling import compile_program
from jaxspot.spotting.intervals import intervals_table
from jaxspot.training.folds import Fold, subject_number
from jaxspot.video.bank import Bank

FrameCounts = Callable[[str, float], Mapping[str, int]]
INPUTS, TRAINING, SCORING = 0.1, 0.85, 0.05
"""Roughly what share of the time each part takes, for `on_frame`."""


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
    recipe = recipe or Recipe()
    reach = _by_share(on_frame, int(bank.videos.frames.sum()))
    with tempfile.TemporaryDirectory(prefix="softnet-") as folder:
        inputs = _bank_inputs(bank, folds, k, Path(folder) / "inputs.npy", reach)
        params, _ = train_folds(
            bank,
            inputs,
            folds=folds,
            k=k,
            seed=seed,
            recipe=recipe,
            mesh=mesh,
            on_share=lambda share: reach(INPUTS + TRAINING * share),
        )
        scores, intervals = spot_folds(
            bank,
            inputs,
            params,
            folds=folds,
            k=k,
            p=p,
            on_share=lambda share: reach(INPUTS + TRAINING + SCORING * share),
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
    ours = bank.videos[bank.videos.subject.isin(fold.training + fold.validation)]
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


def spot_folds(
    bank: Bank,
    inputs: Inputs,
    params: Any,
    *,
    folds: Sequence[Fold],
    k: FrameCounts,
    p: float = 0.55,
    on_share: Callable[[float], object] = lambda share: None,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Scores and intervals of the held-out videos, from the networks of `train_folds`."""
    predict = compile_program(lambda one, images: SoftNet().apply({"params": one}, images / 255))
    scores, tables = {}, [intervals_table({}, np.zeros((0, 2)))]
    for number, fold in enumerate(folds):
        pair = [jax.tree.map(lambda leaf, n=n: leaf[2 * number + n], params) for n in (0, 1)]
        for row in bank.videos[bank.videos.subject == fold.held_out].to_dict("records"):
            video, counts = row["video"], k(fold.held_out, row["fps"])
            found, spans = np.zeros((row["frames"], 2), np.float32), {}
            for column, kind in enumerate(KINDS):
                skip = rounded_skip(counts[kind])
                start = inputs.starts[video, skip]
                images = inputs.images[start : start + max(row["frames"] - skip, 0)]
                raw = _in_parts(predict, pair[column], images)
                found[:, column] = smooth(raw, frames=row["frames"], k=counts[kind], skip=skip)
                raised = found[:, column] - found[:, column].min(initial=np.inf)
                spans[kind] = peak_spans(raised, k=counts[kind], p=p)
            scores[video] = found
            names = dict(subject=fold.held_out, video=video)
            tables.append(intervals_table(spans, found, **names))
        on_share((number + 1) / len(folds))
    return scores, pd.concat(tables, ignore_index=True)


def smooth(raw: np.ndarray, *, frames: int, k: int, skip: int) -> np.ndarray:
    """A score for each frame: the mean of those of 2k pairs around it.

    The pair of frames i and i + skip stands in the middle, at i + skip // 2. At the ends of a video
    the mean is over the pairs there are; where there are none at all the score is 0.

    Args:
      raw: float (frames - skip,), scores of the pairs.
      frames: of the video.
      k: half the width of the window, in frames.
      skip: distance of a pair's frames.

    Returns:
      float32 (frames,).
    """
    if not len(raw):
        return np.zeros(frames, np.float32)
    before = np.concatenate([[0.0], np.cumsum(raw, dtype=np.float64)])
    middle = np.arange(frames) - skip // 2
    first = np.clip(middle - k, 0, len(raw) - 1)
    last = np.clip(middle + k, first + 1, len(raw))
    return ((before[last] - before[first]) / (last - first)).astype(np.float32)


def _bank_inputs(bank, folds, k, path, reach):
    skips = {}
    for fold in folds:
        for row in bank.videos.to_dict("records"):
            counts = k(fold.held_out, row["fps"])
            known = skips.setdefault(row["video"], set())
            known |= {rounded_skip(counts[kind]) for kind in KINDS}
    length = dict(zip(bank.videos.video, bank.videos.frames, strict=True))
    total = sum(max(length[v] - skip, 0) for v, known in skips.items() for skip in known)
    done = 0

    def on_pair(count):
        nonlocal done
        done += count
        reach(INPUTS * done / total)

    return write_inputs(bank, skips, path, on_pair=on_pair)


def _in_parts(predict, params, images, size=96):
    parts = [np.zeros(0, np.float32)]
    for first in range(0, len(images), size):
        part = images[first : first + size]
        whole = np.zeros((size, *images.shape[1:]), np.float32)
        whole[: len(part)] = part
        parts.append(np.asarray(predict(params, whole))[: len(part)])
    return np.concatenate(parts)


def _by_share(on_frame, frames):
    told = 0

    def reach(share):
        nonlocal told
        due = round(frames * min(share, 1.0)) - told
        if due > 0:
            told += due
            on_frame(due)

    return reach
