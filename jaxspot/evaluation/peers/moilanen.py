"""Feature difference analysis of Moilanen, Zhao and Pietikainen (ICPR 2014), paper reference 16."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.signal import find_peaks
from skimage.feature import local_binary_pattern

from jaxspot.annotations.tables import KINDS
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
) -> tuple[np.ndarray, pd.DataFrame]:
    """Spots by how far a frame's texture lies from that of the frames k before and after.

    Memory does not grow with the video but for two numbers a frame. No label is used but k.

    Args:
      frames: uint8 (T, H, W), read in order; a memory-mapped array will do.
      k: kind -> half the mean duration in frames, from training subjects.
      p: height of the threshold between the mean and the maximum of a video's contrast.
      blocks: a frame is split into blocks x blocks.
      subject, video: names for the table.

    Returns:
      scores: float32 (T, 2), the contrasted difference for ME and MaE, 0 or more.
      intervals: subject, video, kind, onset, apex, offset, score.
    """
    skips = [k[kind] for kind in KINDS]
    difference = feature_difference(frames, skips=skips, blocks=blocks)
    curves = [contrast(difference[:, i], k=skip) for i, skip in enumerate(skips)]
    scores = np.stack(curves, axis=1).astype(np.float32)
    spans = {kind: peak_spans(scores[:, i], k=k[kind], p=p) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def moilanen_bank(
    videos: pd.DataFrame,
    frames: Callable[[str], np.ndarray],
    *,
    k: Callable[[str, float], Mapping[str, int]],
    p: float = 0.55,
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """`moilanen` on every video of a bank, one after the other.

    Args:
      videos: subject, video, fps.
      frames: video -> uint8 (T, H, W), as `Bank.frames`.
      k: (subject, fps) -> kind -> k in frames, from the labels of the *other* subjects.
      p: as in `moilanen`.

    Returns:
      scores: video -> float32 (T, 2).
      intervals: of all videos, one table.
    """
    scores, tables = {}, [intervals_table({}, np.zeros((0, 2)))]
    for row in videos.to_dict("records"):
        skips = k(row["subject"], row["fps"])
        names = dict(subject=row["subject"], video=row["video"])
        scores[row["video"]], table = moilanen(frames(row["video"]), k=skips, p=p, **names)
        tables.append(table)
    return scores, pd.concat(tables, ignore_index=True)


def feature_difference(frames: np.ndarray, *, skips: Sequence[int], blocks: int = 6) -> np.ndarray:
    """Chi-squared distance of each frame's histograms to the mean of those k before and after.

    Before the first and after the last frame these serve instead. A frame's value is the mean over
    the third of the blocks that differ most.

    Args:
      frames: uint8 (T, H, W).
      skips: k of each column, in frames.
      blocks: a frame is split into blocks x blocks.

    Returns:
      float64 (T, len(skips)), 0 or more.
    """
    total, reach = len(frames), max(skips)
    ring = np.zeros((2 * reach + 1, blocks * blocks, CODES))
    result = np.zeros((total, len(skips)))
    source = block_histograms(frames, blocks=blocks)
    for newest in range(total + reach):
        if newest < total:
            ring[newest % len(ring)] = next(source)
        for column, k in enumerate(skips):
            i = newest - k
            if 0 <= i < total:
                at = [max(i - k, 0), i, min(i + k, total - 1)]
                before, here, after = ring[np.array(at) % len(ring)]
                result[i, column] = _top_third(chi_squared(here, (before + after) / 2))
    return result


def block_histograms(frames: np.ndarray, *, blocks: int = 6) -> Iterator[np.ndarray]:
    """Shares of the uniform LBP codes (8 neighbours, radius 1) in each block, frame by frame.

    Yields:
      float64 (blocks * blocks, 59); each row sums to 1.
    """
    height, width = frames.shape[1:]
    row, column = (np.arange(n) * blocks // n for n in (height, width))
    offset = (row[:, None] * blocks + column[None, :]) * CODES
    for frame in frames:
        codes = local_binary_pattern(frame, 8, 1, "nri_uniform").astype(np.int64)
        counts = np.bincount((codes + offset).ravel(), minlength=blocks * blocks * CODES)
        counts = counts.reshape(blocks * blocks, CODES)
        yield counts / counts.sum(axis=1, keepdims=True)


def chi_squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of (a - b)^2 / (a + b) over the last axis; empty bins add nothing."""
    both = a + b
    return ((a - b) ** 2 / np.where(both > 0, both, 1)).sum(axis=-1)


def contrast(difference: np.ndarray, *, k: int) -> np.ndarray:
    """What stands out: F_i - (F_(i-k) + F_(i+k)) / 2, negative values set to 0.

    Args:
      difference: float (T,); its ends stand for what lies beyond.
      k: in frames.
    """
    around = np.pad(difference, k, mode="edge") if len(difference) else difference
    before, after = around[: len(difference)], around[len(around) - len(difference) :]
    return np.maximum(difference - (before + after) / 2, 0)


def peak_spans(curve: np.ndarray, *, k: int, p: float = 0.55) -> np.ndarray:
    """Peaks at least k frames apart above mean + p (max - mean), each widened by k frames.

    Args:
      curve: float (T,) contrast, 0 or more.
      k: in frames.
      p: in [0, 1].

    Returns:
      int (n, 2), array bounds from 0, half open, cut at the ends of the video.
    """
    if not len(curve) or curve.max() <= 0:
        return np.zeros((0, 2), np.int64)
    height = curve.mean() + p * (curve.max() - curve.mean())
    peaks = find_peaks(np.pad(curve, 1), height=height, distance=max(k, 1))[0] - 1
    return np.column_stack((np.maximum(peaks - k, 0), np.minimum(peaks + k + 1, len(curve))))


def _top_third(distances):
    return np.sort(distances)[-max(1, len(distances) // 3) :].mean()
