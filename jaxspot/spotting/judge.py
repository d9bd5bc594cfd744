"""How likely a candidate is right: a logistic regression on what surrounds it, then calibrated."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit

from jaxspot.annotations.intervals import INTERVAL_COLUMNS, KINDS
from jaxspot.files import with_tuples
from jaxspot.spotting.automated_iou import Pair
from jaxspot.spotting.candidates import FEATURES, find_candidates

LIMIT = 4.0
"""Standard deviations beyond which a feature is cut: other videos may have stranger curves."""
OVERLAP = 0.1
"""Share of the shorter of two intervals of one kind that both may cover."""
TOWARDS_ONE = 0.5
"""Pull of the slope of a calibration towards 1; it matters where there are few candidates."""


@dataclasses.dataclass(frozen=True)
class Judge:
    """Gives each candidate the chance that it is right: IoU 0.5 or more with a label of its kind.

    Pairs are (ME, MaE).

    Attributes:
      threshold: the least chance of an interval that is reported, 0..1.
      features: names of the columns that are used.
      mean, scale: of each feature, for each kind.
      weights: of each feature divided by its scale, for each kind.
      bias: log odds where every feature has its mean.
      slope, shift: calibration, slope * log odds + shift; 1 and 0 change nothing.
    """

    threshold: Pair
    mean: tuple[tuple[float, ...], tuple[float, ...]]
    scale: tuple[tuple[float, ...], tuple[float, ...]]
    weights: tuple[tuple[float, ...], tuple[float, ...]]
    bias: Pair
    slope: Pair = (1.0, 1.0)
    shift: Pair = (0.0, 0.0)
    features: tuple[str, ...] = tuple(FEATURES)

    def log_odds(self, candidates: pd.DataFrame) -> np.ndarray:
        """Log odds before calibration: float (n,). `candidates` are of `find_candidates`."""
        found = np.zeros(len(candidates))
        values = candidates[list(self.features)].to_numpy(float)
        for number, rows in _by_kind(candidates.kind):
            spread = (values[rows] - self.mean[number]) / self.scale[number]
            spread = np.clip(spread, -LIMIT, LIMIT)
            found[rows] = spread @ np.array(self.weights[number]) + self.bias[number]
        return found

    def calibrated(self, odds: np.ndarray, kinds: ArrayLike) -> np.ndarray:
        """Log odds (n,) of candidates of these kinds as calibrated chances, float (n,), 0..1."""
        odds = np.array(odds, float)
        for number, rows in _by_kind(kinds):
            odds[rows] = self.slope[number] * odds[rows] + self.shift[number]
        return expit(odds)

    def chances(self, candidates: pd.DataFrame) -> np.ndarray:
        """Calibrated chance of each candidate: float (n,), 0..1."""
        return self.calibrated(self.log_odds(candidates), candidates.kind)

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Judge":
        """The inverse of `to_json`; a ValueError for features that are not known here."""
        judge = cls(**with_tuples(dict(values)))
        unknown = set(judge.features) - set(FEATURES)
        if unknown:
            raise ValueError(f"judge uses {', '.join(sorted(unknown))}")
        return judge


def calibrate(judge: Judge, candidates: pd.DataFrame, hits: np.ndarray) -> Judge:
    """The judge with slope and shift fitted on other candidates; their order does not change.

    Args:
      judge: fitted on other videos than those of the candidates.
      candidates: of `find_candidates`.
      hits: bool (n,), which are right.

    A kind without candidates keeps what it had. `threshold` stays: it is a chance.
    """
    return calibrate_odds(judge, judge.log_odds(candidates), candidates.kind, hits)


def calibrate_odds(judge: Judge, odds: np.ndarray, kinds: ArrayLike, hits: np.ndarray) -> Judge:
    """`calibrate` for candidates whose log odds (n,) are known."""
    slope, shift = list(judge.slope), list(judge.shift)
    for number, rows in _by_kind(kinds):
        if len(rows):
            slope[number], shift[number] = fit_calibration(odds[rows], np.asarray(hits)[rows])
    return dataclasses.replace(judge, slope=_pair(slope), shift=_pair(shift))


def fit_calibration(odds: np.ndarray, hits: np.ndarray) -> Pair:
    """Slope, 0 or more, and shift that make log odds (n,) those of the hits, bool (n,).

    Platt's method: the highest likelihood, with targets that are never 0 or 1, so that a set of
    hits alone gives no infinite odds.
    """
    right, wrong = int(hits.sum()), int((~hits).sum())
    target = np.where(hits, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(values):
        given = values[0] * odds + values[1]
        fit = target * log_expit(given) + (1 - target) * log_expit(-given)
        error = expit(given) - target
        pull = values[0] - 1
        slope = np.array([(error * odds).sum() + 2 * TOWARDS_ONE * pull, error.sum()])
        return -fit.sum() + TOWARDS_ONE * pull**2, slope

    bounds = [(0, None), (None, None)]
    found = scipy.optimize.minimize(loss, [1.0, 0.0], jac=True, bounds=bounds, method="L-BFGS-B")
    return _pair(found.x)


def judged_intervals(
    scores: np.ndarray, *, fps: float, judge: Judge, min_chance: float | None = None
) -> pd.DataFrame:
    """Intervals of a video that are right with enough chance.

    Of candidates of one kind that overlap, the one with the best chance is kept.

    Args:
      scores: float (T, 2), raw scores, see `find_candidates`.
      fps: frames per second.
      judge: gives each candidate its chance.
      min_chance: the least chance of both kinds, 0..1; by default `judge.threshold`.

    Returns:
      As `intervals_table`; `score` is the chance.
    """
    candidates: Any = find_candidates(scores, fps=fps)
    candidates["score"] = judge.chances(candidates)
    best = candidates[best_of_overlapping(candidates, candidates.score.to_numpy())]
    least = judge.threshold if min_chance is None else (min_chance, min_chance)
    limits = best.kind.map(dict(zip(KINDS, least, strict=True))).astype(float)
    kept = best[best.score >= limits].sort_values(["onset", "kind"])
    return kept.assign(subject="", video="")[list(INTERVAL_COLUMNS)].reset_index(drop=True)


def best_of_overlapping(candidates: pd.DataFrame, values: np.ndarray) -> np.ndarray:
    """Which candidates of one video stay, bool (n,): non-maximum suppression by `values` (n,).

    From the highest value down, a candidate stays if it shares at most OVERLAP of the shorter of
    the two with each of its kind that stays.
    """
    onset, stop = candidates.onset.to_numpy(), candidates.offset.to_numpy() + 1
    stays = np.zeros(len(candidates), bool)
    for _, rows in _by_kind(candidates.kind):
        left = rows[np.argsort(-values[rows], kind="stable")]
        while len(left):
            first, left = left[0], left[1:]
            stays[first] = True
            both = np.minimum(stop[left], stop[first]) - np.maximum(onset[left], onset[first])
            shorter = np.minimum(stop[left] - onset[left], stop[first] - onset[first])
            left = left[both <= OVERLAP * shorter]
    return stays


def highest_per_minute(table: Any, *, minutes: float, count: float) -> pd.DataFrame:
    """The `count` intervals of each kind a minute that have the highest scores, in order of time.

    At least one of a kind is kept, if there is one.
    """
    most = max(1, round(count * minutes))
    place = table.groupby("kind").score.rank(method="first", ascending=False)
    return table[place <= most].reset_index(drop=True)


def _by_kind(kinds):
    values = np.asarray(kinds)
    return [(number, np.flatnonzero(values == kind)) for number, kind in enumerate(KINDS)]


def _pair(values) -> Pair:
    first, second = values
    return float(first), float(second)
