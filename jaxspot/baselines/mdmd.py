"""Main Directional Maximal Difference: Wang et al. 2017, with intervals as He et al. 2020."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import spot_each
from jaxspot.baselines.dense_flow import dense_flow, direction_bins, dominant_bin, relative_height
from jaxspot.spotting.intervals import find_intervals, intervals_table
from jaxspot.video.bank import Bank

SECONDS = {"ME": 0.4, "MaE": 1.3}
"""k of each kind: 12 and 39 frames at 30 fps, 80 and 260 at 200."""
SHORTEST_ME, LONGEST_ME = 0.235, 0.525
"""In seconds: 7 to 16 frames at 30 fps, 47 to 105 at 200. What is longer is a macro-expression."""
DIRECTIONS = 4


def mdmd(
    frames: np.ndarray,
    *,
    fps: float,
    p: float = 0.01,
    blocks: int = 6,
    subject: str = "",
    video: str = "",
    on_frame: Callable[[int], object] = lambda n: None,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Spots where the face has moved since k frames ago, and k frames later has moved back.

    Nothing is learned. Memory does not grow with the video but for a few numbers a frame.

    Where the papers are silent: the four directions are centred on right, down, left and up; a
    third is rounded down, to one at least; a third of the blocks is averaged; for the contrast the
    ends of the difference stand for what lies beyond them.

    Args:
      frames: uint8 (T, H, W), each read once and in order; a memory-mapped array will do.
      fps: frames per second.
      p: height of the threshold between the mean and the maximum of a video's contrast.
      blocks: a frame is split into blocks x blocks.
      subject, video: names for the table.
      on_frame: called with the number of frames done since the last call.

    Returns:
      scores: float32 (T, 2), the contrast for ME and MaE; NaN in the first and last k frames.
      intervals: subject, video, kind, onset, apex, offset, score.
    """
    skips = [max(1, round(SECONDS[kind] * fps)) for kind in KINDS]
    difference = maximal_difference(frames, skips=skips, blocks=blocks, on_frame=on_frame)
    curves = [contrast(difference[:, i], k=k) for i, k in enumerate(skips)]
    scores = np.stack(curves, axis=1).astype(np.float32)
    spans = {kind: runs(scores[:, i], kind=kind, fps=fps, p=p) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def mdmd_bank(
    bank: Bank, *, folds=(), k=None, seed: int = 0, on_frame: Callable[[int], object]
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """`mdmd` on every video of a bank, as a `Peer`: it has its own k and uses no label."""
    return spot_each(mdmd, bank, on_frame=on_frame)


def maximal_difference(
    frames: np.ndarray,
    *,
    skips: Sequence[int],
    blocks: int = 6,
    on_frame: Callable[[int], object] = lambda n: None,
) -> np.ndarray:
    """How much further each frame is from the one k before it than that is from the one k after.

    Args:
      frames: uint8 (T, H, W).
      skips: k of each column, in frames, 1 or more.
      blocks: a frame is split into blocks x blocks.
      on_frame: called with the number of frames done since the last call.

    Returns:
      float64 (T, len(skips)), in pixels; NaN in the first and last k frames.
    """
    reach = 2 * max(skips) + 1
    ring = np.zeros((reach, *frames.shape[1:]), np.uint8)
    result = np.full((len(frames), len(skips)), np.nan)
    flow, cells = dense_flow(), block_pixels(frames.shape[1:], blocks=blocks)
    for newest, frame in enumerate(frames):
        ring[newest % reach] = frame
        for column, k in enumerate(skips):
            head, here = newest - 2 * k, newest - k
            if head >= 0:
                start = ring[head % reach]
                there, back = flow(start, ring[here % reach]), flow(start, ring[newest % reach])
                result[here, column] = frame_difference(there, back, cells)
        on_frame(1)
    return result


def frame_difference(there: np.ndarray, back: np.ndarray, cells: np.ndarray) -> float:
    """Mean of the third of `block_differences` that are largest, in pixels."""
    differences = np.sort(block_differences(there, back, cells))
    return float(differences[-max(1, len(differences) // 3) :].mean())


def block_differences(there: np.ndarray, back: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Of a block's vectors in its main direction, the third that shrank most: their mean loss.

    Args:
      there: float (H, W, 2), the flow from frame i - k to i; its directions decide.
      back: float (H, W, 2), the flow from frame i - k to i + k.
      cells: from `block_pixels`.

    Returns:
      float64 (blocks * blocks,), in pixels; below 0 where all went further.
    """
    inside = cells >= 0
    bins = direction_bins(there, bins=DIRECTIONS, first=-np.pi / DIRECTIONS).ravel()
    bins = np.where(inside, bins[cells], -1)
    main = bins == dominant_bin(bins, bins=DIRECTIONS)[:, None]
    loss = (np.linalg.norm(there, axis=-1) - np.linalg.norm(back, axis=-1)).ravel()
    ordered = -np.sort(np.where(main, -loss[cells], np.inf), axis=1)
    third = np.maximum(1, main.sum(axis=1) // 3)
    largest = np.arange(cells.shape[1]) < third[:, None]
    return np.where(largest, ordered, 0).sum(axis=1, dtype=np.float64) / third


def block_pixels(shape: tuple[int, ...], *, blocks: int) -> np.ndarray:
    """Flat indices of the pixels of each block, int (blocks * blocks, n), filled up with -1."""
    row, column = (np.arange(n) * blocks // n for n in shape)
    block = (row[:, None] * blocks + column[None, :]).ravel()
    count = np.bincount(block, minlength=blocks * blocks)
    cells = np.full((blocks * blocks, count.max()), -1)
    cells[np.arange(cells.shape[1]) < count[:, None]] = np.argsort(block, kind="stable")
    return cells


def contrast(difference: np.ndarray, *, k: int) -> np.ndarray:
    """What stands out of a curve: F_i - (F_(i-m) + F_(i+m)) / 2 with m = k - 1.

    Args:
      difference: float (T,), NaN in the first and last k frames.
      k: in frames, 1 or more.

    Returns:
      float64 (T,), NaN where the difference is.
    """
    known = difference[k : len(difference) - k]
    result = np.full(len(difference), np.nan)
    if len(known):
        around = np.pad(known, k - 1, mode="edge")
        before, after = around[: len(known)], around[len(around) - len(known) :]
        result[k : k + len(known)] = known - (before + after) / 2
    return result


def runs(curve: np.ndarray, *, kind: str, fps: float, p: float = 0.01) -> np.ndarray:
    """Runs of frames above mean + p (max - mean) that are as long as their kind.

    Args:
      curve: float (T,), from `contrast`.
      kind: ME or MaE.
      fps: frames per second.
      p: in [0, 1].

    Returns:
      int (n, 2), array bounds from 0, half open.
    """
    if np.isnan(curve).all():
        return np.zeros((0, 2), np.int64)
    above = (curve > relative_height(curve, p=p)).astype(float)
    longest = round(LONGEST_ME * fps)
    if kind == "ME":
        shortest = round(SHORTEST_ME * fps)
        return find_intervals(above, threshold=1, min_frames=shortest, max_frames=longest)
    return find_intervals(above, threshold=1, min_frames=longest + 1)
