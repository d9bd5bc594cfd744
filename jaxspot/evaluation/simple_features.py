"""Can simple features tell expressions at all? Used by `launch/check_difficulty.py`."""

from typing import Any

import jax
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from jaxspot.annotations.intervals import KINDS, frame_labels
from jaxspot.network.lcn import local_contrast_normalise
from jaxspot.video.bank import Bank

SKIPS = (0.2, 0.63)
"""k of CAS(ME)^2 in seconds: 6 and 19 frames at 30 fps."""
GRID = 7


def lcn_block_differences(frames, *, fps: float, batch: int = 64) -> np.ndarray:
    """Mean |LCN(t) - LCN(t - k)| over a GRID x GRID of blocks, for each k of SKIPS seconds.

    frames: uint8 (T, 112, 112). Returns float32 (T, len(SKIPS) * GRID * GRID); before the first
    frame the first frame serves.
    """
    normalise = jax.jit(local_contrast_normalise)
    padded = np.concatenate([frames, np.repeat(frames[-1:], -len(frames) % batch, axis=0)])
    chunks = [np.asarray(normalise(padded[i : i + batch])) for i in range(0, len(padded), batch)]
    images = np.concatenate(chunks)[: len(frames)]
    features = []
    for seconds in SKIPS:
        past = np.maximum(np.arange(len(images)) - max(round(seconds * fps), 1), 0)
        change = np.stack([np.abs(a - images[p]) for a, p in zip(images, past, strict=True)])
        side = images.shape[-1] // GRID
        blocks = change.reshape(len(images), GRID, side, GRID, side).mean((2, 4))
        features.append(blocks.reshape(len(images), -1))
    return np.concatenate(features, 1)


def information_check(bank: Bank) -> pd.DataFrame:
    """LOSO frame AUC of gradient boosting on `lcn_block_differences`, by kind.

    Columns kind, auc (all held-out frames pooled), lowest and highest (of single subjects), frames
    (positive). Near 0.5 these features tell nothing; near 1 every method will do.
    """
    features, labels, groups = [], [], []
    videos: Any = bank.videos.itertuples()
    for row in videos:
        frames = bank.frames(row.video)
        features.append(lcn_block_differences(frames, fps=row.fps))
        labels.append(frame_labels(bank.labels(row.video), frames=len(frames)))
        groups.append(np.full(len(frames), row.subject))
    x, y, subject = np.concatenate(features), np.concatenate(labels), np.concatenate(groups)
    rows = []
    for kind, truth in zip(KINDS, y.T, strict=True):
        scores = np.empty(len(truth))
        for held_out in np.unique(subject):
            test = subject == held_out
            model = HistGradientBoostingClassifier(
                max_iter=60, learning_rate=0.1, max_leaf_nodes=15, random_state=0
            )
            with threadpool_limits(1):
                model.fit(x[~test][::2], truth[~test][::2])
                scores[test] = model.predict_proba(x[test])[:, 1]
        each = [
            roc_auc_score(truth[subject == s], scores[subject == s])
            for s in np.unique(subject)
            if len(np.unique(truth[subject == s])) == 2
        ]
        rows.append((kind, roc_auc_score(truth, scores), min(each), max(each), int(truth.sum())))
    return pd.DataFrame(rows, columns=["kind", "auc", "lowest", "highest", "frames"])
