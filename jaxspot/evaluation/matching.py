"""Which predicted interval finds which labelled one (paper equation 3)."""

from typing import Literal, NamedTuple, get_args

import numpy as np
import scipy
from numpy.typing import ArrayLike

from jaxspot.errors import one_of

MatchingRule = Literal["one_to_one", "megc2020"]
MATCHING_RULES: tuple[MatchingRule, ...] = get_args(MatchingRule)


class Matching(NamedTuple):
    """Who found whom.

    predicted: int (P,), the index of the label that each prediction matches, or -1.
    truth: int (G,), the index of the prediction that matches each label, or -1.
    """

    predicted: np.ndarray
    truth: np.ndarray


def interval_iou(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of intervals, in frames: float64 (P, G) in [0, 1].

    `a` is int (P, 2), onset and offset, both ends included, so the length is offset - onset + 1;
    `b` is int (G, 2). A ratio is rounded once: comparing it with 0.5 or 0.3 is exact on the
    boundary.
    """
    a, b = _checked(a), _checked(b)
    onset = np.maximum(a[:, None, 0], b[None, :, 0])
    offset = np.minimum(a[:, None, 1], b[None, :, 1])
    both = np.maximum(offset - onset + 1, 0)
    length_a, length_b = a[:, 1] - a[:, 0] + 1, b[:, 1] - b[:, 0] + 1
    return both / (length_a[:, None] + length_b[None, :] - both)


def match_intervals(
    predicted: ArrayLike,
    truth: ArrayLike,
    *,
    matching: MatchingRule = "one_to_one",
    iou: float = 0.5,
) -> Matching:
    """Matches predictions and labels of one kind in one video if their IoU is high enough.

    one_to_one: each interval is matched at most once. The matching has as many pairs as possible;
    if there are several such matchings, it is the one with the largest total IoU.
    megc2020: the rule of the MEGC 2020 organisers. A label is found if any prediction reaches
    `iou`. One prediction may match several labels, and several predictions may match one label.
    If there are several matches, the index in `Matching` is that of the one with the best IoU.

    Args:
      predicted: int (P, 2), onset and offset in frames from 1, both ends included. Use `from_span`
        to convert array bounds from `find_intervals` (from 0, half open).
      truth: int (G, 2), in the same form.
      matching: "one_to_one" or "megc2020".
      iou: the least IoU of a match, in (0, 1].

    Raises:
      TypeError: intervals are not whole frames.
      ValueError: intervals have a wrong shape, end before they start or start before frame 1, or
        `matching` or `iou` is not valid.
    """
    check_scoring(matching, iou)
    predicted, truth = _checked(predicted), _checked(truth)
    if min(predicted.min(initial=1), truth.min(initial=1)) < 1:
        raise ValueError("an onset is before frame 1; `from_span` converts bounds counted from 0")
    overlap = interval_iou(predicted, truth)
    near = overlap >= iou
    if matching == "one_to_one":
        return _one_to_one(overlap, near)
    return Matching(_best(overlap, near), _best(overlap.T, near.T))


def check_scoring(matching: str, iou: float) -> None:
    """Refuses what `match_intervals` does not know.

    Raises:
      ValueError: another matching rule, or an IoU outside (0, 1].
    """
    one_of("matching", matching, MATCHING_RULES)
    if not 0 < iou <= 1:
        raise ValueError(f"iou must lie in (0, 1], not {iou}")


def _one_to_one(iou, near):
    matching = Matching(*(np.full(n, -1) for n in iou.shape))
    if near.any():
        # One more pair always outweighs any sum of IoUs.
        gain = np.where(near, 1 + min(iou.shape) + iou, 0.0)
        rows, columns = scipy.optimize.linear_sum_assignment(gain, maximize=True)
        kept = near[rows, columns]
        matching.predicted[rows[kept]] = columns[kept]
        matching.truth[columns[kept]] = rows[kept]
    return matching


def _best(iou, near):
    if iou.shape[1] == 0:
        return np.full(len(iou), -1)
    return np.where(near.any(axis=1), iou.argmax(axis=1), -1)


def _checked(intervals):
    intervals = np.asarray(intervals)
    if intervals.size == 0:
        return np.zeros((0, 2), np.int64)
    if intervals.ndim != 2 or intervals.shape[1] != 2:
        raise ValueError(f"intervals must have shape (n, 2), not {intervals.shape}")
    if not np.issubdtype(intervals.dtype, np.integer):
        raise TypeError(f"intervals must be whole frames, not {intervals.dtype}")
    reversed_rows = np.flatnonzero(intervals[:, 1] < intervals[:, 0])
    if len(reversed_rows):
        onset, offset = intervals[reversed_rows[0]]
        raise ValueError(f"interval {reversed_rows[0]}: offset {offset} is before onset {onset}")
    return intervals.astype(np.int64)
