"""Feature difference analysis of Moilanen, Zhao and Pietikainen (ICPR 2014), paper reference 16."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from skimage.feature import local_binary_pattern

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.feature_difference import (
    block_numbers,
    mean_of_top_third,
    peak_spans,
    stand_out,
)
from jaxspot.spotting.intervals import intervals_table

CODES = 59  # uniform patterns of 8 neighbours


def moilanen(
    frames: np.ndarray,
    *,
    k: Mapping[str, int],
    p: float = 0.55,
    blocks: int = 6,
    subject: str = "",
    video: str = "",
    on_frame: OnFrame = IGNORE,
) -> VideoResult:
    """Spots by how far a frame's texture is from that of the frames k before and after.

    Memory grows with the video by two numbers a frame. No label is used except for k.

    `p` is the height of the threshold between the mean and the maximum of a video's contrast; a
    frame is split into `blocks` x `blocks`. The other arguments are those of `by_video`. Returns
    scores, float32 (T, 2), the contrasted difference for ME and MaE, 0 or more; and intervals.
    """
    skips = [k[kind] for kind in KINDS]
    difference = feature_difference(frames, skips=skips, blocks=blocks, on_frame=on_frame)
    curves = [contrast(difference[:, i], k=skip) for i, skip in enumerate(skips)]
    scores = np.stack(curves, axis=1).astype(np.float32)
    spans = {kind: peak_spans(scores[:, i], k=k[kind], p=p) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def feature_difference(
    frames: np.ndarray, *, skips: Sequence[int], blocks: int = 6, on_frame: OnFrame = IGNORE
) -> np.ndarray:
    """Chi-squared distance of each frame's histograms to the mean of those k before and after.

    The first and the last frame are repeated at the ends. A frame's value is the mean over the
    third of the blocks that differ most. `skips` holds the k of each column. Returns float64
    (T, len(skips)), 0 or more.
    """
    total, reach = len(frames), max(skips)
    ring = np.zeros((2 * reach + 1, blocks * blocks, CODES))
    result = np.zeros((total, len(skips)))
    source = block_histograms(frames, blocks=blocks)
    for newest in range(total + reach):
        if newest < total:
            ring[newest % len(ring)] = next(source)
            on_frame(1)
        for column, k in enumerate(skips):
            i = newest - k
            if 0 <= i < total:
                at = [max(i - k, 0), i, min(i + k, total - 1)]
                before, here, after = ring[np.array(at) % len(ring)]
                result[i, column] = mean_of_top_third(chi_squared(here, (before + after) / 2))
    return result


def block_histograms(frames: np.ndarray, *, blocks: int = 6) -> Iterator[np.ndarray]:
    """Yields each frame's shares of uniform LBP codes (8 neighbours, radius 1), a row for a block.

    float64 (blocks * blocks, 59); each row sums to 1.
    """
    offset = block_numbers(frames.shape[1:], blocks=blocks) * CODES
    for frame in frames:
        codes = local_binary_pattern(frame, 8, 1, "nri_uniform").astype(np.int64)
        counts = np.bincount((codes + offset).ravel(), minlength=blocks * blocks * CODES)
        counts = counts.reshape(-1, CODES)
        yield counts / counts.sum(axis=1, keepdims=True)


def chi_squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of (a - b)^2 / (a + b) over the last axis; empty bins add nothing."""
    both = a + b
    return ((a - b) ** 2 / np.where(both > 0, both, 1)).sum(axis=-1)


def contrast(difference: np.ndarray, *, k: int) -> np.ndarray:
    """How far a curve float (T,) stands out from k frames before and after, 0 or more."""
    return np.maximum(stand_out(difference, distance=k), 0)
