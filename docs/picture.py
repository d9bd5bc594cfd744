"""Draws docs/picture.png, the picture of the README, from a demo run (synthetic heads only).

make demo
.venv/bin/python docs/picture.py runs/demo
"""

import io
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from jaxspot import decide, load_spotter, open_bank
from jaxspot.annotations.intervals import KINDS
from jaxspot.report.figures import COLOURS, STYLE

SUBJECT = "s05"
SHOWN = {"ME": 2, "MaE": 2}
"""Which label of each kind is shown, from 0."""
NAMES = {"ME": "Micro-expression (ME)", "MaE": "Macro-expression (MaE)"}
ROWS = 96
"""Rows of a face that are shown; the neck is cut off."""


def main(run: str) -> None:
    """Writes picture.png beside this file."""
    bank = open_bank(Path(run) / "bank")
    row = bank.videos[bank.videos.subject == SUBJECT].iloc[0]
    video, fps = str(row.video), float(row.fps)
    fold = bank.videos.subject.unique().tolist().index(SUBJECT)
    decision = load_spotter(run).decisions[fold]
    with np.load(Path(run) / "scores" / f"{video}.npz") as file:
        scores = np.stack([file[kind] for kind in KINDS], axis=1)
    curves, found = decide(scores, fps=fps, decision=decision)
    with matplotlib.rc_context({**STYLE, "font.size": 13, "axes.titlesize": 13}):
        figure = draw(bank.frames(video), bank.labels(video), curves, decision.threshold, found)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    with Image.open(buffer) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        few.save(Path(__file__).with_name("picture.png"), optimize=True)


def draw(
    frames: np.ndarray,
    labels: pd.DataFrame,
    curves: np.ndarray,
    thresholds: tuple[float, float],
    found: pd.DataFrame,
) -> Figure:
    """A strip of faces of each kind above its curve; all of one video."""
    figure = Figure(figsize=(7.2, 7.2))
    for i, (kind, top) in enumerate(zip(KINDS, (0.99, 0.5), strict=True)):
        event = labels[labels.kind == kind].iloc[SHOWN[kind]]
        title = f"{NAMES[kind]}, frames {event.onset} to {event.offset}"
        figure.text(0.01, top, title, color=COLOURS[kind], weight="bold", va="top")
        strip(figure, top, frames, event, colour=COLOURS[kind])
        axes = figure.add_axes((0.135, top - 0.42, 0.83, 0.175))
        axes.axvspan(event.onset - 1, event.offset + 1, color=COLOURS[kind], alpha=0.15, lw=0)
        curve(axes, curves[:, i], thresholds[i], labels, found, kind)
    axes.set_xlabel("frame (30 a second)", labelpad=1)
    return figure


def strip(figure: Figure, top: float, frames, event: pd.Series, *, colour: str) -> None:
    """Faces from the frame before the onset to the one after the offset, as numbered from 1."""
    numbers = [event.onset - 1, (event.onset - 1 + event.apex) // 2, event.apex]
    numbers += [(event.apex + event.offset) // 2, event.offset + 1]
    still = frames[numbers[0] - 1].astype(float)
    for place, number in enumerate(numbers):
        face = frames[number - 1]
        axes = figure.add_axes((0.005 + 0.199 * place, top - 0.2, 0.194, 0.155))
        axes.imshow(face[:ROWS], cmap="gray", vmin=0, vmax=255, aspect="auto")
        axes.set(xticks=[], yticks=[])
        axes.set_xlabel(str(number), labelpad=2)
        axes.spines[:].set_visible(False)
        tint = np.full((*face.shape, 4), to_rgba(colour))
        tint[..., 3] = np.clip((np.abs(face - still) - 12) / 40, 0, 0.75)
        axes.imshow(tint[:ROWS], aspect="auto")


def curve(axes, scores, threshold, labels, found, kind) -> None:
    """The smoothed score with its threshold, labels filled and found intervals hollow below."""
    colour = COLOURS[kind]
    axes.plot(np.arange(1, len(scores) + 1), scores, color=colour, lw=1.8)
    axes.axhline(threshold, color="#333333", lw=1.2, ls="--")
    axes.text(150, threshold + 0.03, "threshold", va="bottom", fontsize=11)
    for table, bottom, fill in ((labels, -0.36, colour), (found, -0.68, "none")):
        for onset, offset in table.loc[table.kind == kind, ["onset", "offset"]].to_numpy():
            box = Rectangle((onset - 0.5, bottom), offset - onset + 1, 0.22)
            box.set(facecolor=fill, edgecolor=colour, lw=1.5)
            axes.add_patch(box)
    axes.set_yticks([-0.57, -0.25, 0, 1], ["found", "labelled", "", "score 1"])
    axes.set(xlim=(1, len(scores)), ylim=(-0.8, 1.2))
    axes.tick_params(axis="y", length=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
