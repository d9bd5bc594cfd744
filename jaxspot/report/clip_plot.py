"""A picture of what was spotted in one video: scores, intervals, face quality; no face."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxspot.files import write_bytes

CURVES = (("ME", "p_me", "tab:orange"), ("MaE", "p_mae", "tab:blue"))


def plot_clip(frames: pd.DataFrame, intervals: pd.DataFrame, path: str | Path) -> None:
    """Draws the scores of a video over time as a PNG, which appears only when whole.

    `frames` has a row a frame: pts_s in seconds, confidence in 0..1, p_me, p_mae (NaN: none);
    `intervals` has kind, onset_s, offset_s, apex_s.
    """
    # Through memory: where the disk is full, the error of the PNG encoder does not say so.
    buffer = io.BytesIO()
    draw_clip(frames, intervals).savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())


def draw_clip(frames: pd.DataFrame, intervals: pd.DataFrame) -> Figure:
    """Draw one panel a kind (curve, hollow boxes for intervals) above a strip of face quality."""
    figure = Figure(figsize=(10, 5), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[5, 5, 1])
    for axes, (kind, column, colour) in zip(panels, CURVES, strict=False):
        rows = intervals.loc[intervals.kind == kind, ["onset_s", "apex_s", "offset_s"]]
        _draw_kind(axes, frames, rows.to_numpy(float), column, colour)
        axes.set_ylabel(f"{kind} score")
    _draw_quality(panels[-1], frames)
    return figure


def _draw_kind(
    axes: Axes, frames: pd.DataFrame, intervals: np.ndarray, column: str, colour: str
) -> None:
    axes.plot(frames.pts_s, frames[column], color=colour, linewidth=1)
    for onset_s, apex_s, offset_s in intervals:
        axes.axvspan(onset_s, offset_s, fill=False, edgecolor=colour, linewidth=1.5)
        axes.axvline(apex_s, color=colour, linewidth=0.8, linestyle=":")
    axes.set_title(f"intervals: {len(intervals)}", loc="right", fontsize="small")
    top = float(np.nanmax(frames[column].fillna(0), initial=0))
    axes.set_ylim(0, max(1.05 * top, 1e-3))


def _draw_quality(axes: Axes, frames: pd.DataFrame) -> None:
    times = frames.pts_s.to_numpy(float)
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    edges = np.append(times, times[-1] + step)
    quality = frames.confidence.to_numpy(float)[None]
    axes.pcolormesh(edges, [0, 1], quality, cmap="Greens", vmin=0, vmax=1)
    axes.set(yticks=[], ylabel="face", xlabel="time (s)")
