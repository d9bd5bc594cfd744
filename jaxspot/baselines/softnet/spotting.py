"""From SOFTNet's networks to scores and intervals of the held-out videos."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import FrameCounts
from jaxspot.baselines.feature_difference import peak_spans
from jaxspot.baselines.softnet.inputs import Inputs, rounded_skip
from jaxspot.baselines.softnet.network import SoftNet
from jaxspot.network.compiling import compile_program
from jaxspot.spotting.intervals import intervals_table
from jaxspot.training.folds import Fold
from jaxspot.video.bank import Bank


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
        first = len(KINDS) * number
        for row in bank.videos.loc[bank.videos.subject == fold.held_out].to_dict("records"):
            video, counts = row["video"], k(fold.held_out, row["fps"])
            found, spans = np.zeros((row["frames"], 2), np.float32), {}
            for column, kind in enumerate(KINDS):
                skip = rounded_skip(counts[kind])
                start = inputs.starts[video, skip]
                images = inputs.images[start : start + max(row["frames"] - skip, 0)]
                network = jax.tree.map(lambda leaf, n=first + column: leaf[n], params)
                raw = _in_parts(predict, network, images)
                found[:, column] = smooth(raw, frames=row["frames"], k=counts[kind], skip=skip)
                raised = found[:, column] - found[:, column].min(initial=np.inf)
                spans[kind] = peak_spans(raised, k=counts[kind], p=p)
            scores[video] = found
            tables.append(intervals_table(spans, found, subject=fold.held_out, video=video))
        on_share((number + 1) / len(folds))
    return scores, pd.concat(tables, ignore_index=True)


def smooth(raw: np.ndarray, *, frames: int, k: int, skip: int) -> np.ndarray:
    """A score for each frame, float32 (frames,): the mean of `raw` (frames - skip,) over 2k pairs.

    The pair of frames i and i + skip counts at i + skip // 2. At the ends of a video the mean is
    over fewer pairs; without any pair the score is 0.
    """
    if not len(raw):
        return np.zeros(frames, np.float32)
    before = np.concatenate([[0.0], np.cumsum(raw, dtype=np.float64)])
    middle = np.arange(frames) - skip // 2
    first = np.clip(middle - k, 0, len(raw) - 1)
    last = np.clip(middle + k, first + 1, len(raw))
    return ((before[last] - before[first]) / (last - first)).astype(np.float32)


def _in_parts(predict, params, images, size=96):
    parts = [np.zeros(0, np.float32)]
    for first in range(0, len(images), size):
        part = images[first : first + size]
        whole = np.zeros((size, *images.shape[1:]), np.float32)
        whole[: len(part)] = part
        parts.append(np.asarray(predict(params, whole))[: len(part)])
    return np.concatenate(parts)
