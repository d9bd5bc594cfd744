"""Whether chances are right as often as they say."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

BINS = 10


def reliability_table(chances: ArrayLike, hits: ArrayLike, *, bins: int = BINS) -> pd.DataFrame:
    """How often what was given a chance is right, in bins of equal width.

    Args:
      chances: float (n,), 0..1.
      hits: bool (n,), what was right.
      bins: number of bins; those without a chance are left out.

    Returns:
      low, high (bounds of the bin; low belongs to it), n, mean_chance, share_right, and
      share_low, share_high: the 95 % interval of `share_right` by Wilson.

    Raises:
      ValueError: chances outside 0..1, or of another shape than hits.
    """
    chances, hits = _checked(chances, hits)
    place = np.minimum((chances * bins).astype(int), bins - 1)
    rows = []
    for number in np.unique(place):
        mine = place == number
        share, n = float(hits[mine].mean()), int(mine.sum())
        row = dict(low=number / bins, high=(number + 1) / bins, n=n)
        row |= dict(mean_chance=float(chances[mine].mean()), share_right=share)
        rows.append(row | dict(zip(("share_low", "share_high"), _wilson(share, n), strict=True)))
    columns = ["low", "high", "n", "mean_chance", "share_right", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=columns)


def calibration_error(chances: ArrayLike, hits: ArrayLike, *, bins: int = BINS) -> float:
    """Expected calibration error: mean of |share right - mean chance| over bins, weighted by n."""
    table = reliability_table(chances, hits, bins=bins)
    gap = (table.share_right - table.mean_chance).abs()
    return float((gap * table.n).sum() / max(table.n.sum(), 1))


def _wilson(share, n, z=1.96):
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(middle - half), float(middle + half)


def _checked(chances, hits):
    chances, hits = np.asarray(chances, float), np.asarray(hits, bool)
    if chances.ndim != 1 or chances.shape != hits.shape:
        raise ValueError(
            f"chances and hits must have one axis and one length, not {chances.shape} and"
            f" {hits.shape}"
        )
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError("chances must lie in 0..1")
    return chances, hits
