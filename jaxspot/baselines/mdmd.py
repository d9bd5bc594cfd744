"""Main Directional Maximal Difference: Wang et al. 2017, with intervals as He et al. 2020."""

from collections.abc import Sequence

import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.dense_flow import dense_flow, direction_bins, dominant_bin
from jaxspot.baselines.feature_difference import (
    block_numbers,
    mean_of_top_third,
    relative_height,
    stand_out,
)
from jaxspot.spotting.intervals import find_intervals, intervals_table

SECONDS = {"ME": 0.4, "MaE": 1.3}
"""k of each kind: 12 and 39 frames at 30 fps, 80 and 260 at 200."""
SHORTEST_ME, LONGEST_ME = 0.235, 0.525
"""In seconds: 7 to 16 frames at 30 fps, 47 to 105 at 200. A longer one is a macro-expression."""
DIRECTIONS = 4


def mdmd(
    frames: np.ndarray,
    *,
    fps: float,
    p: float = 0.01,
    blocks: int = 6,
    subject: str = "",
    video: str = "",
    on_frame: OnFrame = IGNORE,
) -> VideoResult:
    """Spots where the face has moved since k frames ago, and k frames later has moved back.

    Nothing is learned. Memory grows with the video by a few numbers a frame.

    Where the papers are silent: the four directions are centred on right, down, left and up. A
    third is rounded down, to one at least. A third of the blocks is averaged. For the contrast, the
    ends of the difference are repeated beyond the ends of the video.

    `p` is the height of the threshold between the mean and the maximum of a video's contrast; a
    frame is split into `blocks` x `blocks`. The other arguments are those of `by_video`. Returns
    scores, float32 (T, 2), the contrast for ME and MaE, NaN in the first and last k frames; and
    intervals.
    """
    skips = [max(1, round(SECONDS[kind] * fps)) for kind in KINDS]
    difference = maximal_difference(frames, skips=skips, blocks=blocks, on_frame=on_frame)
    curves = [contrast(difference[:, i], k=k) for i, k in enumerate(skips)]
    scores = np.stack(curves, axis=1).astype(np.float32)
    spans = {kind: runs(scores[:, i], kind=kind, fps=fps, p=p) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def maximal_difference(
    frames: np.ndarray, *, skips: Sequence[int], blocks: int = 6, on_frame: OnFrame = IGNORE
) -> np.ndarray:
    """How much further each frame is from the one k before it than that is from the one k after.

    `skips` holds the k of each column, 1 or more. Returns float64 (T, len(skips)), in pixels; NaN
    in the first and last k frames.
    """
    result = np.full((len(frames), len(skips)), np.nan)
    flow, cells = dense_flow(), block_pixels(frames.shape[1:], blocks=blocks)
    for i in range(len(frames)):
        for column, k in enumerate(skips):
            if k <= i < len(frames) - k:
                there, back = (flow(frames[i - k], frames[other]) for other in (i, i + k))
                result[i, column] = frame_difference(there, back, cells)
        on_frame(1)
    return result


def frame_difference(there: np.ndarray, back: np.ndarray, cells: np.ndarray) -> float:
    """Mean of the third of `block_differences` that are largest, in pixels."""
    return mean_of_top_third(block_differences(there, back, cells))


def block_differences(there: np.ndarray, back: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Mean loss of the third of a block's vectors in its main direction that shrank most.

    `there` and `back` are flow (H, W, 2) from frame i - k to i, whose directions decide, and to
    i + k; `cells` come from `block_pixels`. Returns float64 (blocks * blocks,), in pixels, below 0
    where all moved further.
    """
    bins = direction_bins(there, bins=DIRECTIONS, first=-np.pi / DIRECTIONS).ravel()
    bins = np.where(cells >= 0, bins[cells], -1)
    main = bins == dominant_bin(bins, bins=DIRECTIONS)[:, None]
    loss = (np.linalg.norm(there, axis=-1) - np.linalg.norm(back, axis=-1)).ravel()
    ordered = -np.sort(np.where(main, -loss[cells], np.inf), axis=1)
    third = np.maximum(1, main.sum(axis=1) // 3)
    largest = np.arange(cells.shape[1]) < third[:, None]
    return np.where(largest, ordered, 0).sum(axis=1, dtype=np.float64) / third


def block_pixels(shape: tuple[int, ...], *, blocks: int) -> np.ndarray:
    """Flat indices of the pixels of each block, int (blocks * blocks, n), filled up with -1."""
    block = block_numbers(shape, blocks=blocks).ravel()
    count = np.bincount(block, minlength=blocks * blocks)
    cells = np.full((blocks * blocks, count.max()), -1)
    cells[np.arange(cells.shape[1]) < count[:, None]] = np.argsort(block, kind="stable")
    return cells


def contrast(difference: np.ndarray, *, k: int) -> np.ndarray:
    """How far a curve float (T,), NaN in the first and last k frames, stands out; NaN as before.

    It is compared with its values k - 1 frames before and after; k is 1 or more.
    """
    result, inside = np.full(len(difference), np.nan), slice(k, len(difference) - k)
    result[inside] = stand_out(difference[inside], distance=k - 1)
    return result


def runs(curve: np.ndarray, *, kind: str, fps: float, p: float = 0.01) -> np.ndarray:
    """Runs of frames above `relative_height` that are as long as their kind, ME or MaE.

    The curve float (T,) comes from `contrast`. Returns int (n, 2), array bounds, half open.
    """
    if np.isnan(curve).all():
        return np.zeros((0, 2), np.int64)
    above = (curve > relative_height(curve, p=p)).astype(float)
    longest = round(LONGEST_ME * fps)
    if kind == "ME":
        shortest = round(SHORTEST_ME * fps)
        return find_intervals(above, threshold=1, min_frames=shortest, max_frames=longest)
    return find_intervals(above, threshold=1, min_frames=longest + 1)
