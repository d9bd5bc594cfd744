"""A picture of what was spotted in one video: curves, intervals, gaps; no face."""

import io
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from jaxspot.files import write_bytes
from jaxspot.spotting.video_file import FaceCurves, Spotted
from jaxspot.video.frame_times import frame_ends

KINDS = (("ME", "#d55e00"), ("MaE", "#0072b2"))  # told apart by colour-blind readers, too
GAP: Any = dict(facecolor="none", edgecolor="0.7", hatch="////", linewidth=0)
ROW_S = 180.0
"""A longer video takes several rows of at most so many seconds."""
MOST_FACES = 4
MOST_PANELS = 40  # of two kinds each; the rows of a very long video are longer
POINTS = 2400
"""Of a curve in one row; of more, the lowest and highest in each place are drawn."""
WIDTH, PANEL = 11.0, 1.25
DPI = 120


def plot_spotted(spotted: Spotted, path: str | Path) -> None:
    """Draws what was spotted in a video as a PNG, which appears only when whole."""
    # Through memory: where the disk is full, the error of the PNG encoder does not say so.
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in other letters
        draw_spotted(spotted).savefig(buffer, format="png", dpi=DPI)
    write_bytes(path, buffer.getvalue())


def draw_spotted(spotted: Spotted) -> Figure:
    """Draws the curves of ME and MaE of each face, row by row where the video is long.

    The raw scores are light, the smoothed curves dark, both clipped to 0..1. A dashed line is the
    threshold; where the score of an interval is its chance, it is written above the interval.
    Stretches without the face are hatched. Of many faces, those that are seen longest are drawn.
    """
    faces = sorted(spotted.curves, key=lambda face: -int((face.faces >= 0).sum()))[:MOST_FACES]
    faces = sorted(faces, key=lambda face: face.first) or [_nobody(spotted)]
    start, end = float(spotted.times[0]), float(frame_ends(spotted.times)[-1])
    rows = min(max(1, math.ceil((end - start) / ROW_S)), MOST_PANELS // len(faces))
    each = (end - start) / rows
    count = rows * len(faces)
    height = 2 * PANEL * count + 0.45 * count + 0.9
    figure = Figure(figsize=(WIDTH, height))
    blocks = figure.add_gridspec(
        count,
        1,
        left=0.07,
        right=0.985,
        top=1 - 0.75 / height,
        bottom=0.5 / height,
        hspace=0.45 / (2 * PANEL),
    )
    for number in range(count):
        row, face = divmod(number, len(faces))
        inner = blocks[number].subgridspec(2, 1, hspace=0.28)
        panels = [figure.add_subplot(inner[0]), figure.add_subplot(inner[1])]
        span = (start + row * each, start + (row + 1) * each)
        for column, axes in enumerate(panels):
            _draw_kind(axes, spotted, faces[face], column, span)
        panels[0].tick_params(labelbottom=False)
        if len(spotted.curves) > 1:
            _name(panels[0], f"face {_number(faces[face])}")
    figure.axes[-1].set_xlabel("time (s)")
    left_out = len(spotted.curves) - len(faces)
    title = spotted.video + (f"  ({left_out} more faces, seen shortly)" if left_out > 0 else "")
    figure.text(
        0.07,
        1 - 0.27 / height,
        title,
        fontsize="large",
        weight="bold",
        va="center",
        parse_math=False,
    )
    _legend(figure, spotted, 1 - 0.27 / height)
    return figure


def _draw_kind(axes: Axes, spotted: Spotted, face: FaceCurves, column: int, span) -> None:
    kind, colour = KINDS[column]
    own = slice(face.first, face.first + len(face.faces))
    times = spotted.times[own]
    shown = (span[0] - 1 <= times) & (times <= span[1] + 1)
    axes.plot(*_thinned(times[shown], face.scores[shown, column]), color=colour, lw=0.7, alpha=0.4)
    axes.plot(*_thinned(times[shown], face.smooth[shown, column]), color=colour, lw=1.3)
    if spotted.threshold is not None:
        axes.axhline(min(spotted.threshold[column], 1.0), color="0.25", lw=0.9, ls="--")
    _draw_gaps(axes, spotted, face)
    tracks = set(face.faces[face.faces >= 0].tolist())
    rows: Any = spotted.intervals[spotted.intervals.kind == kind]
    rows = rows[rows.face.isin(list(tracks))]
    _draw_intervals(axes, rows, colour, span, chances=spotted.threshold is None)
    axes.set(xlim=span, ylim=(0, 1), yticks=[0, 0.5, 1])
    axes.set_ylabel(kind, color=colour, weight="bold")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_intervals(axes: Axes, rows: pd.DataFrame, colour: str, span, *, chances: bool) -> None:
    wide = span[1] - span[0]
    taken: list[float] = []
    best_first: Any = rows.sort_values("score", ascending=False)
    for row in best_first.itertuples():
        onset, apex, offset = (float(getattr(row, f"{name}_s")) for name in _ENDS)
        if offset < span[0] or onset > span[1]:
            continue
        offset = max(offset, onset + wide / 1000)  # no interval is too short to be seen
        axes.axvspan(onset, offset, color=colour, alpha=0.22, lw=0)
        axes.plot([apex], [1], marker="v", color=colour, ms=5, clip_on=False, zorder=5)
        place = min(max(apex, span[0]), span[1])
        if chances and all(abs(place - other) > 0.028 * wide for other in taken):
            taken.append(place)
            text = f"{float(str(row.score)):.2f}".removeprefix("0")
            above: Any = dict(xytext=(0, 5), textcoords="offset points", annotation_clip=False)
            axes.annotate(text, (place, 1), ha="center", fontsize=7, color=colour, **above)


def _draw_gaps(axes: Axes, spotted: Spotted, face: FaceCurves) -> None:
    seen = np.zeros(len(spotted.times), bool)
    seen[face.first : face.first + len(face.faces)] = face.faces >= 0
    ends = frame_ends(spotted.times)
    change = np.flatnonzero(np.diff(np.concatenate([[False], ~seen, [False]]).astype(int)))
    for first, stop in change.reshape(-1, 2).tolist():
        axes.axvspan(float(spotted.times[first]), float(ends[stop - 1]), **GAP)


def _thinned(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A curve of at most about POINTS points: the lowest and highest of each stretch."""
    if len(times) <= POINTS:
        return times, values
    each = math.ceil(2 * len(times) / POINTS)
    count = len(times) // each * each
    blocks = values[:count].reshape(-1, each)
    filled = np.where(np.isnan(blocks), np.inf, blocks)
    low = filled.argmin(1)
    high = np.where(np.isnan(blocks), -np.inf, blocks).argmax(1)
    gaps = np.isnan(blocks).any(1)
    places = np.sort(np.column_stack([low, high]), 1) + each * np.arange(len(blocks))[:, None]
    thin = values[places]
    thin[gaps & np.isnan(blocks[:, -1])] = np.nan
    return times[places].ravel(), thin.ravel()


def _legend(figure: Figure, spotted: Spotted, y: float) -> None:
    raw, smooth = "raw score", "smoothed" if spotted.threshold is None else "smoothed, normalised"
    handles = [
        Line2D([], [], color="0.35", lw=0.7, alpha=0.4, label=raw),
        Line2D([], [], color="0.35", lw=1.3, label=smooth),
    ]
    handles += [Patch(color=colour, alpha=0.22, lw=0, label=kind) for kind, colour in KINDS]
    apex = "apex" if spotted.threshold is not None else "apex, with the chance"
    handles.append(Line2D([], [], color="0.35", marker="v", ls="", ms=5, label=apex))
    if spotted.threshold is not None:
        handles.append(Line2D([], [], color="0.25", lw=0.9, ls="--", label="threshold"))
    handles.append(Patch(**GAP, label="no face"))
    figure.legend(
        handles=handles,
        ncols=len(handles),
        loc="center right",
        bbox_to_anchor=(0.99, y),
        frameon=False,
        fontsize="small",
        handlelength=1.4,
        columnspacing=1.2,
    )


def _name(axes: Axes, text: str) -> None:
    axes.annotate(text, (0, 1), xytext=(0, 6), xycoords="axes fraction", textcoords="offset points")


def _number(face: FaceCurves) -> int:
    return int(face.faces.max())


def _nobody(spotted: Spotted) -> FaceCurves:
    none = np.full((len(spotted.times), 2), np.nan)
    return FaceCurves(0, np.full(len(spotted.times), -1), None, none, none)


_ENDS = ("onset", "apex", "offset")
