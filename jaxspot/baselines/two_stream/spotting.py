"""The two-stream attention network on a bank, trained leave-one-subject-out.

As published, by its abstract: a stream of pictures and one of flow; in each a convolutional network
is followed by a two-way LSTM with attention; attention joins the streams; all is trained in one.

Filled in: Pictures and flow are 32 x 32 pixels, of mean 0 and deviation 1 in each video. Flow
is that of 1/30 s. The convolutions are two, of 4 x 4 and 2 x 2 pixels that do not overlap, with
16 and 32 channels. A window has 16 steps in 1 s for ME and in 3.2 s for MaE; its middle half is
scored. There is a network for each kind. Thresholds are those of other subjects, by inner
folds, with our rule for intervals.
"""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pandas as pd

from jaxspot.baselines.dense_flow import dense_flow
from jaxspot.baselines.recurrent.folds import spot_recurrent
from jaxspot.baselines.recurrent.training import Recipe
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.baselines.two_stream.network import SIDE, WIDTH, TwoStreamAttention
from jaxspot.video.bank import Bank

NETWORK = TwoStreamAttention()
RECIPE = Recipe(learning_rate=0.002, steps=300, batch=48)
SECONDS = {"ME": 1.0, "MaE": 3.2}
WINDOWS = {
    kind: Windows(seconds=seconds, steps=16, outputs=NETWORK.outputs, delay=NETWORK.delay)
    for kind, seconds in SECONDS.items()
}


def two_stream_bank(
    bank: Bank, *, recipe: Recipe = RECIPE, **given: Any
) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    """Spots by what the face looks like and how it moves, both weighed over time, as a `Peer`."""
    network: dict[str, Any] = dict(width=WIDTH, windows=WINDOWS, recipe=recipe)
    return spot_recurrent(bank, pictures_and_flow, NETWORK, **network, **given)


def pictures_and_flow(bank: Bank, video: str, every: int) -> Iterator[np.ndarray]:
    """Yields a picture and the flow since the row before, float32 (WIDTH,), 0 in the first row."""
    frames, flow = bank.frames(video), dense_flow()
    for i in range(0, len(frames), every):
        frame = np.asarray(frames[i])
        moved = flow(frames[i - every], frame) if i else np.zeros((*frame.shape, 2), np.float32)
        maps = np.dstack([frame.astype(np.float32), moved])
        small = cv2.resize(maps, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        yield small.transpose(2, 0, 1).ravel()
