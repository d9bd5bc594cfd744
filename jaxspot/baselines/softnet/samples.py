"""What SOFTNet's networks learn from: pairs of frames, their pseudo-labels, and augmentation."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from jaxspot.annotations.intervals import to_span
from jaxspot.baselines.by_video import FrameCounts
from jaxspot.baselines.softnet.inputs import Inputs, rounded_skip, stretch
from jaxspot.training.folds import Fold
from jaxspot.video.bank import Bank

AS_IS, FLIP, BLUR, NOISE = range(4)
"""The forms of a sample."""


class PairSamples(NamedTuple):
    """A network's samples: rows of the inputs int64 (n,), labels float32 (n,), forms int8 (n,)."""

    rows: np.ndarray
    labels: np.ndarray
    forms: np.ndarray


def fold_samples(
    bank: Bank,
    inputs: Inputs,
    fold: Fold,
    *,
    kind: str,
    k: FrameCounts,
    kept: float,
    seed: Sequence[int],
) -> PairSamples:
    """The samples of one network of a fold: pairs of frames of all its subjects but one."""
    rows, labels = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    ours = bank.videos.loc[bank.videos.subject.isin(fold.subjects)]
    for row in ours.to_dict("records"):
        skip = rounded_skip(k(fold.held_out, row["fps"])[kind])
        table = bank.labels(row["video"])
        table = table[table.kind == kind]
        spans = np.column_stack(to_span(table.onset.to_numpy(), table.offset.to_numpy()))
        labels.append(pseudo_labels(spans, frames=row["frames"], length=skip))
        rows.append(inputs.starts[row["video"], skip] + np.arange(len(labels[-1])))
    return choose_samples(
        np.concatenate(rows),
        np.concatenate(labels),
        rng=np.random.default_rng([*seed, 2]),
        kept=kept,
        augmented=kind == "ME",
    )


def pseudo_labels(spans: np.ndarray, *, frames: int, length: int) -> np.ndarray:
    """1 where the window of `length` frames from i on overlaps an expression (IoU above 0), else 0.

    `spans` are int (n, 2), half open. Returns float32 (frames - length,), a value for each pair of
    frames i and i + length.
    """
    start = np.arange(max(frames - length, 0))[:, None]
    onset, stop = np.reshape(spans, (-1, 2)).T
    return np.any((start < stop) & (onset < start + length), axis=1).astype(np.float32)


def choose_samples(
    rows: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    kept: float = 0.5,
    augmented: bool = False,
) -> PairSamples:
    """All samples of expressions and some of the others, `kept` as in `Recipe`.

    `augmented` adds expressions that are flipped, blurred and noisy (published for ME).
    """
    shown, rest = np.flatnonzero(labels > 0), np.flatnonzero(labels <= 0)
    count = min(int(max(len(shown), len(rest)) * kept), len(rest))
    rest = np.sort(rng.permutation(rest)[:count])
    copies = (AS_IS, FLIP, BLUR, NOISE) if augmented else (AS_IS,)
    chosen = np.concatenate([rest, np.tile(shown, len(copies))])
    forms = np.concatenate([np.zeros(len(rest), np.int8), np.repeat(copies, len(shown))])
    return PairSamples(rows[chosen], labels[chosen].astype(np.float32), forms.astype(np.int8))


def other_form(image: np.ndarray, form: int, rng: np.random.Generator) -> np.ndarray:
    """An image flipped, blurred (7 x 7) or noisy (variance 0.01): uint8 (42, 42, 3)."""
    if form == FLIP:
        return image[:, ::-1]
    if form == BLUR:
        return stretch(cv2.GaussianBlur(image.astype(np.float32), (7, 7), 0))
    noise = rng.standard_normal(image.shape, np.float32)
    return np.clip(np.rint(image + 25.5 * noise), 0, 255).astype(np.uint8)
