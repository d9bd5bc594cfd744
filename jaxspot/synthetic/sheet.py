"""Contact sheets: what the synthetic people and their expressions look like."""

import numpy as np

from jaxspot.synthetic.generate import synthesise_video
from jaxspot.synthetic.heads import load_heads
from jaxspot.synthetic.render import CROP, MARGIN


def tile(images, *, columns: int) -> np.ndarray:
    """Images (n, h, w) uint8 in rows of `columns`, one gray picture; empty places are white."""
    images = np.asarray(images, np.uint8)
    count, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width), 255, np.uint8)
    sheet[:count] = images
    sheet = sheet.reshape(rows, columns, height, width).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width)


def identity_sheet(*, people: int | None = None, columns: int = 8) -> np.ndarray:
    """The neutral crops of the first `people` (None: all), uint8 (rows * 112, columns * 112)."""
    edge = int(MARGIN)
    neutral = load_heads().neutral[:people, edge : edge + CROP, edge : edge + CROP]
    return tile(neutral, columns=min(columns, len(neutral)))


def event_sheet(kind: str, *, frames: int = 8, **video) -> np.ndarray:
    """The strongest event of a kind in one video: frames of equal spacing around it, in a row.

    `video` goes to `synthesise_video`. The first and the last frame lie just outside the event.
    Raises ValueError when the video holds no such event.
    """
    images, annotations = synthesise_video(**video)
    own = annotations[annotations.kind == kind]
    if own.empty:
        raise ValueError(f"the video holds no {kind}")
    apexes = own.apex.to_numpy() - 1
    onsets = np.maximum(own.onset.to_numpy() - 2, 0)
    pairs = zip(apexes, onsets, strict=True)
    change = [np.abs(images[a] - images[o].astype(float)).mean() for a, o in pairs]
    best = int(np.argmax(change))
    stop = min(int(own.offset.to_numpy()[best]), len(images) - 1)
    chosen = np.round(np.linspace(onsets[best], stop, frames)).astype(int)
    return tile(images[chosen], columns=frames)


def contact_sheet(*, columns: int = 8, **video) -> np.ndarray:
    """All people, then one ME and one MaE frame by frame: uint8 (rows * 112, columns * 112)."""
    rows = [
        identity_sheet(columns=columns),
        event_sheet("ME", frames=columns, **video),
        event_sheet("MaE", frames=columns, **video),
    ]
    return np.concatenate(rows)
