"""How often intervals are right beside the chance they were given: a picture and a table."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxspot.evaluation.reliability import calibration_error, reliability_table
from jaxspot.report.figures import COLOURS, STYLE


@matplotlib.rc_context(STYLE)
def reliability_figure(candidates: Any) -> Figure:
    """One panel a kind: share right over mean chance of each bin, with its 95 % interval.

    `candidates` is a table with kind, chance (0..1) and hit (bool).
    """
    kinds = list(dict.fromkeys(candidates.kind.tolist()))
    figure = Figure(figsize=(3.6 * max(len(kinds), 1), 3.9), layout="constrained")
    panels = figure.subplots(1, max(len(kinds), 1), sharey=True, squeeze=False)[0]
    for axes, kind in zip(panels, kinds, strict=False):
        mine = candidates[candidates.kind == kind]
        table = reliability_table(mine.chance, mine.hit)
        ends = table[["share_low", "share_high"]].to_numpy().T
        share = table.share_right.to_numpy()
        axes.plot([0, 1], [0, 1], color="#999999", lw=0.9, ls="--")
        axes.errorbar(
            table.mean_chance,
            share,
            yerr=np.maximum(np.abs(ends - share), 0),
            color=COLOURS[kind],
            marker="o",
            ms=4,
            lw=1.2,
            elinewidth=0.8,
        )
        error = calibration_error(mine.chance, mine.hit)
        axes.set_title(f"{kind}: {len(mine)} candidates, error {error:.3f}")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="chance given", aspect="equal")
    panels[0].set_ylabel("share right")
    return figure


def layout_reliability(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`reliability_table` of each kind as text cells, one below the other."""
    tidy: Any = [(kind, row) for kind, table in tables.items() for row in table.itertuples()]
    rows = [
        {
            "Kind": kind,
            "Chance": f"{row.low:.1f} to {row.high:.1f}",
            "Candidates": f"{row.n:,}",
            "Mean chance": f"{row.mean_chance:.2f}",
            "Share right": f"{row.share_right:.2f} [{row.share_low:.2f}, {row.share_high:.2f}]",
        }
        for kind, row in tidy
    ]
    return pd.DataFrame(
        rows, columns=["Kind", "Chance", "Candidates", "Mean chance", "Share right"]
    )
