"""Contact sheets: what the synthetic people and their expressions look like."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from skimage.util import montage

from jaxspot.synthetic.heads import CANVAS, CROP, load_heads


def identity_sheet(*, people: int | Sequence[int] | None = None, columns: int = 8) -> np.ndarray:
    """Neutral crops of people, uint8 (rows * 112, columns * 112).

    people: numbers of the heads from 1, or how many of the first; None: all.
    """
    edge = (CANVAS - CROP) // 2
    named = isinstance(people, Sequence)
    chosen = [number - 1 for number in people] if named else slice(people)
    neutral = load_heads().neutral[chosen, edge : edge + CROP, edge : edge + CROP]
    columns = min(columns, len(neutral))
    return montage(neutral, fill=255, grid_shape=(-(-len(neutral) // columns), columns))


def event_sheet(
    kind: str, images: np.ndarray, annotations: pd.DataFrame, *, frames: int = 8
) -> np.ndarray:
    """An event of a kind, ME or MaE, of middling strength: frames of equal spacing, in a row.

    images, annotations: uint8 (T, 112, 112) and the labels of one video. frames: how many to show;
    the first and the last lie just outside the event. Returns uint8 (112, frames * 112). Raises
    ValueError when the video holds no such event.
    """
    own = annotations[annotations.kind == kind]
    if own.empty:
        raise ValueError(f"the video holds no {kind}")
    apexes = own.apex.to_numpy() - 1
    onsets = np.maximum(own.onset.to_numpy() - 2, 0)
    pairs = zip(apexes, onsets, strict=True)
    change = [np.abs(images[a] - images[o].astype(float)).mean() for a, o in pairs]
    middling = int(np.argsort(change)[len(change) // 2])
    stop = min(int(own.offset.to_numpy()[middling]), len(images) - 1)
    chosen = np.round(np.linspace(onsets[middling], stop, frames)).astype(int)
    return np.hstack(list(images[chosen]))
