"""Feature difference analysis of Moilanen, Zhao and Pietikainen (ICPR 2014), paper reference 16."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from skimage.feature import local_binary_pattern

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.feature_difference import (
    block_numbers,
    mean_of_top_third,
    neighbour_distance,
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
    """The `neighbour_distance` of a frame's blocks: the mean of the third that differ most.

    `skips` holds the k of each column. Returns float64 (T, len(skips)), 0 or more.
    """
    return neighbour_distance(
        block_histograms(frames, blocks=blocks),
        len(frames),
        skips=skips,
        summary=mean_of_top_third,
        on_frame=on_frame,
    )


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


def contrast(difference: np.ndarray, *, k: int) -> np.ndarray:
    """How far a curve float (T,) stands out from k frames before and after, 0 or more."""
    return np.maximum(stand_out(difference, distance=k), 0)
