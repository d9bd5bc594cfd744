"""HOOF and an LSTM: Verburg and Menkovski (FG 2019), paper reference 23.

As published: histograms of oriented optical flow of chosen regions of an aligned face; a recurrent
network says of each short window whether it holds a micro-expression; of overlapping windows the
one with the higher score is kept; trained leave-one-subject-out.

Filled in, where the paper is silent or was not at hand: The regions are both brows, nose and mouth,
from the landmarks of the aligned face. Flow is that of `dense_flow` over about 1/30 s. A histogram
has 8 directions, centred on right, down and the others, and holds the lengths of the vectors in
each, as a mean over the region: divided by their sum, it would be noise in a still face. Features
are taken relative to their video (`write_features`). Two LSTM layers of 12 answer for the middle of
the window. Training and thresholds are those of `spot_recurrent`, so an ME is as long as those of
other subjects. MaE, of which the paper has none, get networks of their own with windows of 2 s and
end where their score falls to 0.7 of its peak.

On a bank of region motion each region has one vector a row, so its histogram has one entry.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.baselines.dense_flow import dense_flow, direction_bins
from jaxspot.baselines.recurrent.folds import spot_recurrent
from jaxspot.baselines.recurrent.network import Recurrent
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.video.align import openface_template
from jaxspot.video.bank import SIZE, Bank

DIRECTIONS = 8
REGIONS = (range(17, 22), range(22, 27), range(27, 36), range(48, 68))
"""Of the 68 landmarks: brows, nose, mouth."""
MARGIN = 4
"""Pixels around a region's landmarks; regions do not overlap, and the eyes are in none."""
WINDOWS = {
    "ME": Windows(seconds=0.5, steps=15, delay=7),
    "MaE": Windows(seconds=2.0, steps=15, delay=7),
}

NETWORK = Recurrent(widths=(12, 12))


def hoof_lstm(bank: Bank, **given: Any) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots a bank of frames or of region motion, as a `Peer`; see the module and `spot_recurrent`.

    Raises UserError if a training diverges, or there are too few subjects.
    """
    regions = len(bank.regions.names) if bank.regions else len(REGIONS)
    extract = motion_histograms if bank.regions else flow_histograms
    width = regions * DIRECTIONS
    return spot_recurrent(bank, extract, NETWORK, width=width, windows=WINDOWS, **given)


def flow_histograms(bank: Bank, video: str, every: int) -> Iterator[np.ndarray]:
    """Yields the histograms of each `every`th frame since the one before: float64 (regions * 8,).

    Those of the first frame are 0.
    """
    frames, flow, boxes = bank.frames(video), dense_flow(), region_boxes()
    for i in range(0, len(frames), every):
        vectors = flow(frames[max(i - every, 0)], frames[i])
        parts = [vectors[box].reshape(1, -1, 2) for box in boxes]
        yield np.concatenate([histograms(part) for part in parts], axis=None)


def motion_histograms(bank: Bank, video: str, every: int) -> Iterator[np.ndarray]:
    """Yields the histograms of each region's motion since `every` frames before, as above."""
    motion, step = bank.motion(video), every // bank.every
    for i in range(0, len(motion), step):
        moved = motion[max(i - step + 1, 0) : i + 1].sum(axis=0, dtype=np.float64)
        yield histograms(moved[:, None]).ravel()


def histograms(vectors: np.ndarray) -> np.ndarray:
    """Lengths of vectors (regions, n, 2) by direction, as means: float64 (regions, 8), pixels."""
    half = np.pi / DIRECTIONS
    bins = direction_bins(vectors, bins=DIRECTIONS, first=-half)
    lengths = np.linalg.norm(vectors, axis=-1)
    cells = np.arange(len(vectors))[:, None] * DIRECTIONS + bins
    total = np.bincount(cells.ravel(), lengths.ravel(), len(vectors) * DIRECTIONS)
    return total.reshape(-1, DIRECTIONS) / vectors.shape[1]


def region_boxes() -> list[tuple[slice, slice]]:
    """Rows and columns of each of REGIONS in an aligned face."""
    boxes = []
    for points in REGIONS:
        places = openface_template()[list(points)]
        low = np.clip(np.floor(places.min(axis=0) - MARGIN), 0, SIZE).astype(int)
        high = np.clip(np.ceil(places.max(axis=0) + MARGIN), 0, SIZE).astype(int)
        boxes.append((slice(low[1], high[1]), slice(low[0], high[0])))
    return boxes
