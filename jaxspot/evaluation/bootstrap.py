"""How far interval F1 would move with other subjects: a bootstrap over subjects."""

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS

F1_KINDS: tuple[str, ...] = (*KINDS, "overall")


def bootstrap_f1(
    by_subject: pd.DataFrame, *, draws: int = 2000, level: float = 0.95, seed: int = 0
) -> dict[str, dict[str, float]]:
    """Interval F1 with its percentile interval over subjects drawn with replacement.

    Subjects, not videos, are drawn: the videos of one face are alike. Counts are pooled over the
    subjects of a draw as `score_intervals` pools them over videos, so F1 is
    2 tp / (predictions + ground_truth) under either matching rule (under "megc2020" tp + fp is not
    the number of predictions). A draw with neither a prediction nor a label of the kind has no F1
    and is left out; `f1_draws` says how many remain. With few subjects such intervals are
    too narrow.

    Args:
      by_subject: subject, kind ("ME", "MaE", "overall"), tp, predictions, ground_truth: a row a
        subject and kind, as from `score_by_subject`; the order of rows is of no account.
      draws: how many times all subjects are drawn.
      level: the share of draws inside the interval.
      seed: of the draws.

    Returns:
      kind -> f1 of all subjects (0.0 where undefined), f1_low, f1_high (NaN without a draw that
      has an F1), f1_draws.

    Raises:
      ValueError: no subject, or a kind of a subject that is missing or there twice.
    """
    subjects = _subjects(by_subject)
    weights = draw_subjects(len(subjects), draws=draws, seed=seed)
    rows = {}
    for kind, counts in _counts(by_subject, subjects).items():
        low, high, kept = _percentiles(_pooled_f1(weights, counts), level)
        f1 = _pooled_f1(np.ones((1, len(subjects)), int), counts)[0]
        rows[kind] = dict(f1=float(np.nan_to_num(f1)), f1_low=low, f1_high=high, f1_draws=kept)
    return rows


def bootstrap_difference(
    first: pd.DataFrame,
    second: pd.DataFrame,
    *,
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, dict[str, float]]:
    """F1 of one method minus that of another, with its interval: both on the same drawn subjects.

    Far narrower than two intervals side by side, since both methods meet the same hard subjects.
    A draw counts where both have an F1.

    Args:
      first, second: as `by_subject` of `bootstrap_f1`, of the same subjects and labels.
      draws, level, seed: as in `bootstrap_f1`; equal ones draw the same subjects there.

    Returns:
      kind -> difference (of what `bootstrap_f1` gives as f1), low, high, draws.

    Raises:
      ValueError: as `bootstrap_f1`, or tables with different subjects or numbers of labels.
    """
    subjects = _subjects(first)
    if subjects != _subjects(second):
        raise ValueError("both methods must be scored on the same subjects")
    weights = draw_subjects(len(subjects), draws=draws, seed=seed)
    everyone = np.ones((1, len(subjects)), int)
    theirs, rows = _counts(second, subjects), {}
    for kind, ours in _counts(first, subjects).items():
        if (ours[:, 2] != theirs[kind][:, 2]).any():
            raise ValueError(f"both methods must be scored against the same labels of {kind}")
        pair = (ours, theirs[kind])
        one, other = (_pooled_f1(weights, counts) for counts in pair)
        low, high, kept = _percentiles(one - other, level)
        whole = [float(np.nan_to_num(_pooled_f1(everyone, counts)[0])) for counts in pair]
        rows[kind] = dict(difference=whole[0] - whole[1], low=low, high=high, draws=kept)
    return rows


def draw_subjects(subjects: int, *, draws: int, seed: int) -> np.ndarray:
    """How often each subject is in each draw: int (draws, subjects); every row sums to subjects."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=draws)


def _subjects(table):
    """The subjects by name, so that the order of rows decides nothing."""
    subjects = sorted(set(table.subject))
    if not subjects:
        raise ValueError("a bootstrap needs at least one subject")
    return subjects


def _counts(table, subjects):
    """kind -> int (subjects, 3): tp, predictions, ground_truth."""
    columns, counts = ["tp", "predictions", "ground_truth"], {}
    for kind in F1_KINDS:
        rows = table[table.kind == kind].set_index("subject")[columns]
        if sorted(rows.index) != subjects:
            raise ValueError(f"every subject needs one row of kind {kind}")
        counts[kind] = rows.loc[subjects].to_numpy(np.int64)
    return counts


def _pooled_f1(weights, counts):
    """F1 of each draw, float (draws,); NaN where undefined."""
    tp, predictions, truth = (weights @ counts).T
    total = predictions + truth
    return np.where(total > 0, 2 * tp / np.maximum(total, 1), np.nan)


def _percentiles(values, level):
    """The ends of the middle `level` of the values that are not NaN, and how many these are."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan"), 0
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), len(values)
