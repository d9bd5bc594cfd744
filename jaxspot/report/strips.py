"""Frames as figures: an expression with what moves in it, and the face of each subject."""

from collections.abc import Mapping

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxspot.report.figures import STYLE


@matplotlib.rc_context(STYLE)
def event_strip(kind: str, frames: np.ndarray, labels: pd.DataFrame, *, title: str) -> Figure:
    """One expression in up to 8 frames, and below each its difference from the first.

    The first is the frame before the onset. Of several expressions of a kind ("ME" or "MaE"), the
    one of median strength is shown: the mean difference at its apex decides. `frames` uint8
    (T, H, W) and `labels` (kind, onset, apex, offset; frames from 1; one of this kind at least)
    are of one video.
    """
    events = labels.loc[labels.kind == kind, ["onset", "apex", "offset"]].to_numpy(int)
    strength = [np.abs(_change(frames, apex, onset - 1)).mean() for onset, apex, _ in events]
    event = events[np.argsort(strength)[len(events) // 2]]
    reference = max(event[0] - 1, 1)
    between = np.interp(np.arange(7), [0, 3, 6], event).round().astype(int)
    numbers = np.unique([reference, *between.clip(max=len(frames))]).tolist()
    changes = [_change(frames, number, reference) for number in numbers]
    limit = max(np.percentile(np.abs(changes), 99.8), 1)
    names = dict(zip(event.tolist(), ("onset", "apex", "offset"), strict=True))

    figure = Figure(figsize=(10, 2.9), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(2, len(numbers), squeeze=False)
    for (above, below), number, change in zip(panels.T, numbers, changes, strict=True):
        above.imshow(frames[number - 1], cmap="gray", vmin=0, vmax=255)
        above.set_title(f"{number} {names.get(number, '')}", loc="center", fontsize=9)
        image = below.imshow(change, cmap="RdBu_r", vmin=-limit, vmax=limit)
    panels[0, 0].set_ylabel("frame")
    panels[1, 0].set_ylabel("difference")
    bar = figure.colorbar(image, ax=panels, fraction=0.01, pad=0.01)
    bar.set_label(f"gray levels since frame {reference}")
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[], frame_on=False)
    return figure


@matplotlib.rc_context(STYLE)
def face_grid(faces: Mapping[str, np.ndarray], *, title: str) -> Figure:
    """One face a subject, uint8 (H, W) each, with the subject's name above."""
    columns = min(len(faces), 8)
    rows = -(-len(faces) // columns)
    figure = Figure(figsize=(10, 10 / columns * 1.2 * rows + 0.3), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels:
        axes.set(xticks=[], yticks=[], frame_on=False)
    for axes, (name, face) in zip(panels, faces.items(), strict=False):
        axes.imshow(face, cmap="gray", vmin=0, vmax=255)
        axes.set_title(name, loc="center", fontsize=9)
    return figure


def _change(frames, number, reference):
    """Gray levels by which a frame differs from another; frames count from 1."""
    shown, first = (frames[max(n, 1) - 1].astype(float) for n in (number, reference))
    return shown - first
