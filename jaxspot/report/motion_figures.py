"""Figures that compare the region motion of banks, from the tables of `jaxspot.motion.compare`.

Every table has a first column `bank`. Bars are quantiles: thick from 25 to 75 %, thin from 5 to
95 %, a dot at the median.
"""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from jaxspot.annotations.intervals import KINDS
from jaxspot.motion.compare import GROUPS, MEASURES
from jaxspot.report.figures import STYLE

BANK_COLOURS = ("#c8501e", "#1f6fb2", "#777777", "#2f8f4e", "#8a4fb0", "#b08a1f")
SHORT = {
    "duration": "duration (s)",
    "rise": "onset to apex (s)",
    "decay": "apex to offset (s)",
    "peak": "peak (pixels)",
    "times_rest": "peak / at rest",
    "left": "left at the offset",
}
LOGARITHMIC, UNBOUNDED = ("peak", "times_rest"), ("left",)


@matplotlib.rc_context(STYLE)
def motion_figure(table: pd.DataFrame) -> Figure:
    """Displacement without labels by region, a panel a span."""
    banks, spans = _named(table, "bank"), _named(table, "span")
    regions = [region for region in _named(table, "region") if region not in GROUPS]
    lines, thick = -(-len(spans) // 2), min(4.0, 10 / max(1, len(banks)))  # no bar on another
    figure = Figure(figsize=(7.6, 3.9 * lines + 0.3), layout="constrained")
    panels = figure.subplots(lines, 2, sharey=True, squeeze=False)
    for axes, span in zip(panels.ravel(), spans, strict=False):
        for number, bank in enumerate(banks):
            rows = table[(table.bank == bank) & (table.span == span)].set_index("region")
            shift = 0.7 * ((number + 0.5) / len(banks) - 0.5)
            places = np.arange(len(regions)) + shift
            _bars(axes, rows.loc[regions], places, number, across=True, thick=thick)
        axes.set(title=f"over {span}", xscale="log", xlabel="pixels of the 112 crop")
        _plain(axes.xaxis, subs=(1.0,))
        axes.grid(axis="x", color="#e5e5e5", lw=0.6)
    panels[0, 0].set_yticks(range(len(regions)), regions)
    panels[0, 0].invert_yaxis()
    for axes in panels[:, 1]:
        axes.tick_params(axis="y", length=0)
    for axes in panels.ravel()[len(spans) :]:
        axes.set_visible(False)
    _legend(figure, banks)
    return figure


@matplotlib.rc_context(STYLE)
def spectra_figure(table: pd.DataFrame) -> Figure:
    """Spectra without labels by group of regions: median and, shaded, 25 to 75 % of the windows."""
    banks, groups = _named(table, "bank"), _named(table, "region")
    figure = Figure(figsize=(2.4 * len(groups) + 0.6, 3.2), layout="constrained")
    panels = figure.subplots(1, len(groups), sharex=True, sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        for number, bank in enumerate(banks):
            rows = table[(table.bank == bank) & (table.region == group)]
            colour = _colour(number)
            axes.plot(rows.frequency, rows.q50, color=colour, lw=1.4)
            axes.fill_between(rows.frequency, rows.q25, rows.q75, color=colour, alpha=0.15, lw=0)
        axes.set(title=group, xscale="log", yscale="log", xlabel="Hz")
        _plain(axes.xaxis)
        axes.grid(color="#e5e5e5", lw=0.6)
    panels[0].set_ylabel("squared pixels / Hz")
    _legend(figure, banks)
    return figure


@matplotlib.rc_context(STYLE)
def labels_figure(table: pd.DataFrame) -> Figure:
    """The measures of labelled expressions, a panel a measure and two lines of panels a kind."""
    banks = _named(table, "bank")
    kinds = [kind for kind in KINDS if kind in set(table.kind)]
    shown = [(kind, name) for kind in kinds for name in SHORT]
    lines = max(1, -(-len(shown) // 3))
    figure = Figure(figsize=(6.8, 1.9 * lines + 0.3), layout="constrained")
    panels = figure.subplots(lines, 3, squeeze=False).ravel()
    for axes, (kind, name) in zip(panels, shown, strict=False):
        of_measure = (table.kind == kind) & (table.measure == MEASURES[name])
        for number, bank in enumerate(banks):
            rows = table.loc[of_measure & (table.bank == bank), :]
            _bars(axes, rows, [number] * len(rows), number)
        axes.set(title=f"{kind}: {SHORT[name]}", xlim=(-0.7, len(banks) - 0.3))
        axes.set_xticks([])
        axes.grid(axis="y", color="#e5e5e5", lw=0.6)
        if name in LOGARITHMIC:
            axes.set_yscale("log")
            _plain(axes.yaxis)
        elif name not in UNBOUNDED:
            axes.set_ylim(bottom=0)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    _legend(figure, banks)
    return figure


def _plain(axis: Axis, *, subs: Sequence[float] = (1.0, 2.0, 5.0)) -> None:
    """Numbers such as 0.5 and 20 on a logarithmic axis."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def _bars(
    axes: Axes,
    rows: pd.DataFrame,
    places: np.ndarray | Sequence[float],
    number: int,
    *,
    across: bool = False,
    thick: float = 4.0,
) -> None:
    """A bar for each row in the colour of bank `number`, upright or across."""
    colour = _colour(number)
    lines = axes.hlines if across else axes.vlines
    for low, high, width in (("q5", "q95", thick / 4), ("q25", "q75", thick)):
        lines(places, rows[low], rows[high], lw=width, color=colour)
    middle = (rows["q50"], places) if across else (places, rows["q50"])
    axes.plot(*middle, "o", ms=thick, mfc="white", mec=colour)


def _legend(figure: Figure, banks: list[str]) -> None:
    lines = [Line2D([], [], color=_colour(n), lw=3) for n in range(len(banks))]
    figure.legend(lines, banks, loc="outside lower left", ncols=min(len(banks), 4))


def _colour(number: int) -> str:
    return BANK_COLOURS[number % len(BANK_COLOURS)]


def _named(table: pd.DataFrame, column: str) -> list[str]:
    return list(dict.fromkeys(table[column].tolist()))
