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
    subjects of a draw, so F1 is 2 tp / (predictions + ground_truth) under either matching rule. A
    draw with neither a prediction nor a label of the kind has no F1 and is left out; `f1_draws`
    says how many remain. With few subjects such intervals are too narrow.

    `by_subject` is from `score_by_subject`. Returns kind -> f1 of all subjects (0.0 where
    undefined), f1_low, f1_high (NaN without a draw that has an F1), f1_draws. Raises ValueError for
    no subject, or a kind of a subject that is missing or there twice.
    """
    rows = {}
    for kind, drawn in _drawn_f1(by_subject, draws, seed).items():
        low, high, kept = _percentiles(drawn[1:], level)
        rows[kind] = dict(f1=float(np.nan_to_num(drawn[0])), f1_low=low, f1_high=high)
        rows[kind]["f1_draws"] = kept
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
    A draw counts where both have an F1. The arguments are those of `bootstrap_f1`; equal ones draw
    the same subjects there. Returns kind -> difference, low, high, draws. Raises ValueError as
    `bootstrap_f1`, or for tables with different subjects or numbers of labels.
    """
    labels = [table.sort_values("subject") for table in (first, second)]
    if set(first.subject) != set(second.subject):
        raise ValueError("both methods must be scored on the same subjects")
    ours, theirs = (_drawn_f1(table, draws, seed) for table in labels)
    rows = {}
    for kind in F1_KINDS:
        truth = [table.ground_truth[table.kind == kind].tolist() for table in labels]
        if truth[0] != truth[1]:
            raise ValueError(f"both methods must be scored against the same labels of {kind}")
        low, high, kept = _percentiles(ours[kind][1:] - theirs[kind][1:], level)
        whole, other = (float(np.nan_to_num(drawn[kind][0])) for drawn in (ours, theirs))
        rows[kind] = dict(difference=whole - other, low=low, high=high, draws=kept)
    return rows


def draw_subjects(subjects: int, *, draws: int, seed: int) -> np.ndarray:
    """How often each subject is in each draw: int (draws, subjects); every row sums to subjects."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=draws)


def _drawn_f1(table, draws, seed):
    """Kind -> F1 of all subjects, then of each draw: float (1 + draws,); NaN where undefined."""
    subjects = sorted(set(table.subject))  # by name, so that the order of rows decides nothing
    if not subjects:
        raise ValueError("a bootstrap needs at least one subject")
    drawn = draw_subjects(len(subjects), draws=draws, seed=seed)
    weights, f1 = np.vstack([np.ones(len(subjects), int), drawn]), {}
    for kind in F1_KINDS:
        rows = table[table.kind == kind].set_index("subject")
        if sorted(rows.index) != subjects:
            raise ValueError(f"every subject needs one row of kind {kind}")
        counts = rows.loc[subjects, ["tp", "predictions", "ground_truth"]].to_numpy(np.int64)
        tp, predictions, truth = (weights @ counts).T
        total = predictions + truth
        f1[kind] = np.where(total > 0, 2 * tp / np.maximum(total, 1), np.nan)
    return f1


def _percentiles(values, level):
    """The ends of the middle `level` of the values that are not NaN, and how many these are."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan"), 0
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high), len(values)
