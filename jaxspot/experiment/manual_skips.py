"""Frame skips searched around k, paper section 4.1 (manual frame skip)."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.evaluation.frame_scores import auc
from jaxspot.experiment.scores import shown_frames, usable_scores
from jaxspot.files import write_text
from jaxspot.network.model import TwoStream
from jaxspot.network.streams import network_skips
from jaxspot.progress import progress_bar
from jaxspot.spotting.automated_iou import Pair
from jaxspot.spotting.scoring import score_video, to_native
from jaxspot.storage import hash_tree
from jaxspot.training.folds import Fold
from jaxspot.video.bank import Bank

FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0)
"""Multiples of k that are tried; the paper's own manual skips are 0.8 to 1.7 times k (Table 3)."""


def search_skips(
    bank: Bank,
    folds: Sequence[Fold],
    model: TwoStream,
    variables: dict[str, Any],
    durations: Sequence[Pair],
    *,
    frame_skip: str,
    saved: Path,
    name: str,
    stop_here: Callable[[], None] = lambda: None,
) -> tuple[Pair, ...]:
    """Each fold's frame skips k of ME and MaE in seconds: half the mean durations, or searched.

    One kind's skip is varied while the other keeps k. The one with the highest AUC of single frames
    of its kind is taken, or k if the searched subjects do not show the kind. No threshold is used,
    so none is fitted to the choice. `frame_skip` is that of `Protocol`: "kth" searches nothing,
    "manual" searches on the fold's validation subjects, "test_oracle" on its held-out subject.
    `durations` are in seconds; `saved` is a JSON file of what is found, continued if it is of the
    same networks.
    """
    k = tuple(scale(pair, (0.5, 0.5)) for pair in durations)
    if frame_skip == "kth":
        return k
    made_by = f"{frame_skip} {FACTORS} {hash_tree(variables)}"
    known = _read(saved, made_by)
    with progress_bar(total=len(folds), desc=f"frame skips ({name})", unit="fold") as bar:
        for number, (fold, pair) in enumerate(zip(folds, k, strict=True)):
            if fold.held_out not in known:
                subjects = fold.validation if frame_skip == "manual" else (fold.held_out,)
                one = jax.tree.map(lambda leaf, i=number: leaf[i], variables)
                known[fold.held_out] = search_fold(bank, subjects, model, one, pair)
                note = dict(made_by=made_by, factors=known, sha256=_hash(known))
                write_text(saved, json.dumps(note) + "\n")
            bar.update()
            stop_here()
    return tuple(scale(pair, known[fold.held_out]) for fold, pair in zip(folds, k, strict=True))


def search_fold(
    bank: Bank, subjects: Sequence[str], model: TwoStream, variables: dict[str, Any], pair: Pair
) -> Pair:
    """The factors of k, ME and MaE, by which one network tells the frames of some subjects best.

    `pair` is k of ME and MaE in seconds.
    """
    others = [factor for factor in FACTORS if factor != 1]
    tried = [(1.0, 1.0), *((factor, 1.0) for factor in others), *((1.0, f) for f in others)]
    stacked = jax.tree.map(lambda leaf: np.stack([leaf] * len(tried)), variables)
    scores, labels = [], []
    rows: Any = bank.videos[bank.videos.subject.isin(subjects)].itertuples()
    for row in rows:
        pairs, fps = [scale(pair, factors) for factors in tried], row.fps / bank.every
        skips = network_skips(model.streams, pairs, fps)
        found = score_video(model, stacked, shown_frames(bank, row.video), skips=skips)
        found = to_native(found, every=bank.every, frames=row.frames)
        scores.append(usable_scores(bank, row.video, found))
        labels.append(frame_labels(bank.labels(row.video), frames=row.frames))
    every, truth = np.concatenate(scores, 1), np.concatenate(labels)
    best = []
    for i in range(len(KINDS)):
        varied = [n for n, factors in enumerate(tried) if factors[1 - i] == 1]
        areas = [auc(every[n, :, i], truth[:, i]) for n in varied]
        # The first of equals is k itself, which is tried first; NaN where the kind is not shown.
        best.append(tried[varied[int(np.argmax(np.nan_to_num(areas)))]][i])
    return best[0], best[1]


def scale(pair: Pair, factors: Sequence[float]) -> Pair:
    """Both times their factors."""
    return pair[0] * factors[0], pair[1] * factors[1]


def _hash(factors) -> str:
    return hashlib.sha256(json.dumps(factors).encode()).hexdigest()


def _read(path: Path, made_by: str) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
        whole = found["made_by"] == made_by and found["sha256"] == _hash(found["factors"])
        return found["factors"] if whole else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}
