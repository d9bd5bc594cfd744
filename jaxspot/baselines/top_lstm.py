"""LBP-TOP, HOG-TOP or HIGO-TOP and an LSTM: Tran et al. (Electronic Imaging 2019), reference 21.

As published: from each position of a video a spatio-temporal feature of an aligned face; an LSTM
along the positions gives each a score (dense prediction). The features are those of Li et al.
(Towards reading hidden emotions, 2018): histograms by block on three orthogonal planes, XY, XT and
YT, of uniform LBP codes (8 neighbours), of gradient directions weighted by their lengths (HOG), or
of the directions alone (HIGO).

Filled in, where the paper is silent or was not at hand: Neighbours in time are about 1/30 s apart.
There are 4 x 4 blocks and 8 directions without sign; a histogram is over 0.3 s around its frame and
sums to 1 in each block and plane; a pixel without gradient has no direction. Features are taken
relative to their video (`write_features`). A dense layer of 32 with tanh comes before the LSTM of
32. It reads 16 steps, 1 s for ME and 2 s for MaE, and answers for the last eight, each 4 steps
late, so that what follows a frame counts too. Training and thresholds are those of
`spot_recurrent`: it learns which frames lie in an expression. Batches are a third as large, since
each window has eight answers.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from skimage.feature import local_binary_pattern

from jaxspot.baselines.feature_difference import block_numbers
from jaxspot.baselines.recurrent.features import ROWS_A_SECOND, Extract
from jaxspot.baselines.recurrent.folds import spot_recurrent
from jaxspot.baselines.recurrent.network import Recurrent
from jaxspot.baselines.recurrent.training import Recipe
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.video.bank import Bank

BLOCKS = 4
PLANES = 3
CODES = 59  # uniform patterns of 8 neighbours
DIRECTIONS = 8
REACH = round(0.15 * ROWS_A_SECOND)
"""Rows before and after a frame that its histograms are over."""
OUTPUTS, DELAY = 8, 4
WINDOWS = {
    "ME": Windows(seconds=1.0, outputs=OUTPUTS, delay=DELAY),
    "MaE": Windows(seconds=2.0, outputs=OUTPUTS, delay=DELAY),
}
NETWORK = Recurrent(widths=(32,), dense=32, outputs=OUTPUTS)
RECIPE = Recipe(batch=64)
Histograms = Callable[[np.ndarray], np.ndarray]
"""Three frames uint8 (3, H, W) -> float64 (PLANES, BLOCKS**2, bins) of the one in the middle."""


def lbp_top(bank: Bank, **given: Any) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots a bank of frames by LBP-TOP, as a `Peer`; see `spot_recurrent`."""
    return _spot(bank, lbp_histograms, CODES, **given)


def hog_top(bank: Bank, **given: Any) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots a bank of frames by HOG-TOP, as a `Peer`; see `spot_recurrent`."""
    return _spot(bank, hog_histograms, DIRECTIONS, **given)


def higo_top(bank: Bank, **given: Any) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots a bank of frames by HIGO-TOP, as a `Peer`; see `spot_recurrent`."""
    return _spot(bank, higo_histograms, DIRECTIONS, **given)


def _spot(
    bank: Bank,
    histograms: Histograms,
    bins: int,
    *,
    recipe: Recipe = RECIPE,
    **given: Any,
):
    width = PLANES * BLOCKS**2 * bins
    network: dict[str, Any] = dict(width=width, windows=WINDOWS, recipe=recipe)
    return spot_recurrent(bank, extractor(histograms), NETWORK, **network, **given)


def extractor(histograms: Histograms) -> Extract:
    """The features of a video by some histograms: means of shares over REACH rows to each side."""

    def extract(bank, video, every):
        single = frame_histograms(bank.frames(video), every, histograms)
        return moving_mean(single, reach=REACH)

    return extract


def frame_histograms(
    frames: np.ndarray, every: int, histograms: Histograms
) -> Iterator[np.ndarray]:
    """Yields shares by plane and block of each `every`th frame: float64 (planes * blocks * bins,).

    The first and the last frame are repeated at the ends. Where nothing is counted all are 0.
    """
    for i in range(0, len(frames), every):
        at = [max(i - every, 0), i, min(i + every, len(frames) - 1)]
        counts = histograms(np.stack([frames[place] for place in at]))
        total = counts.sum(axis=-1, keepdims=True)
        yield (counts / np.where(total > 0, total, 1)).ravel()


def lbp_histograms(volume: np.ndarray) -> np.ndarray:
    """How often each uniform LBP code occurs, by plane and block."""
    across = volume.transpose(1, 0, 2)  # a slice (x, t) for each y
    down = volume.transpose(2, 0, 1)
    planes = [
        lbp_codes(volume[1]),
        lbp_codes(across.reshape(-1, across.shape[2]))[1::3],
        lbp_codes(down.reshape(-1, down.shape[2]))[1::3].T,
    ]
    return np.stack([block_sums(codes, bins=CODES) for codes in planes])


def lbp_codes(image: np.ndarray) -> np.ndarray:
    """Uniform LBP codes of an image (8 neighbours, radius 1), int64 of its shape, 0..58.

    A slice of three frames has its neighbours in the middle row alone; slices may be stacked.
    """
    return local_binary_pattern(image, 8, 1, "nri_uniform").astype(np.int64)


def hog_histograms(volume: np.ndarray) -> np.ndarray:
    """Lengths of gradients by direction, by plane and block."""
    return _by_direction(volume, lambda length: length)


def higo_histograms(volume: np.ndarray) -> np.ndarray:
    """How often gradients have each direction, by plane and block."""
    return _by_direction(volume, lambda length: (length > 0).astype(float))


def _by_direction(volume, weigh):
    down, across, later = gradients(volume)
    sums = []
    for rise, run in ((down, across), (later, across), (later, down)):
        angle = np.rad2deg(np.arctan2(rise, run)) % 180
        bins = (angle * DIRECTIONS / 180).astype(np.int64) % DIRECTIONS
        sums.append(block_sums(bins, bins=DIRECTIONS, weights=weigh(np.hypot(rise, run))))
    return np.stack(sums)


def gradients(volume: np.ndarray) -> np.ndarray:
    """Differences of the neighbours down, across and in time: float64 (3, H, W).

    0 down or across at an edge of the frame.
    """
    here = volume[1].astype(np.float64)
    result = np.zeros((3, *here.shape))
    result[0, 1:-1] = here[2:] - here[:-2]
    result[1, :, 1:-1] = here[:, 2:] - here[:, :-2]
    result[2] = volume[2].astype(np.float64) - volume[0]
    return result


def block_sums(values: np.ndarray, *, bins: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Sums of weights (counts without) of each value 0..bins-1, float64 (BLOCKS**2, bins)."""
    cells = block_numbers(values.shape, blocks=BLOCKS) * bins + values
    flat = None if weights is None else weights.ravel()
    return np.bincount(cells.ravel(), flat, BLOCKS**2 * bins).reshape(-1, bins)


def moving_mean(rows: Iterable[np.ndarray], *, reach: int) -> Iterator[np.ndarray]:
    """Yields the mean of each row and the `reach` rows before and after it, as far as there are."""
    kept, count = deque(maxlen=2 * reach + 1), 0
    for row in rows:
        kept.append(row)
        count += 1
        if count > reach:
            yield np.mean(kept, axis=0)
    for left in range(min(reach, count), 0, -1):
        while len(kept) > left + reach:
            kept.popleft()
        yield np.mean(kept, axis=0)
