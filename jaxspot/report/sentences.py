"""The result of a run in words."""

from collections.abc import Mapping

import pandas as pd

from jaxspot.report.tables import BOUNDS, f1_cell

WORDS = {"ME": "micro-expressions", "MaE": "macro-expressions"}


def result_sentence(scores: Mapping[str, Mapping], *, minutes: float | None = None) -> str:
    """F1 over both kinds, labels found, false predictions and their rate, in one sentence.

    `scores` maps kind to a row of `score_intervals`, with f1_low and f1_high where known; `minutes`
    is the length of all videos. Empty without a row "overall".
    """
    if "overall" not in scores:
        return ""
    row = scores["overall"]
    known = all(name in row and row[name] == row[name] for name in BOUNDS)
    return (
        f"F1 over micro- and macro-expressions is {_f1(row)}"
        f"{' (95 % interval over subjects)' if known else ''}: {row['tp']:.0f} of"
        f" {row['ground_truth']:.0f} labels were found, {row['fp']:.0f} predictions were false"
        f"{_rate(row, minutes)}."
    )


def kind_sentences(scores: Mapping[str, Mapping], *, minutes: float | None = None) -> list[str]:
    """A shorter sentence for each kind."""
    return [
        f"{WORDS[kind].capitalize()}: F1 {_f1(row)}, {row['tp']:.0f} of {row['ground_truth']:.0f}"
        f" labels found, {row['fp']:.0f} false predictions{_rate(row, minutes)}."
        for kind, row in scores.items()
        if kind in WORDS
    ]


def expected_precision(scores: Mapping[str, Mapping]) -> str:
    """How many of 100 predictions were right on these data; empty if nothing was predicted."""
    told = {kind: _right(row) for kind, row in scores.items() if row["predictions"]}
    if "overall" not in told:
        return ""
    kinds = [f"{WORDS[kind]}: {share}" for kind, share in told.items() if kind in WORDS]
    return (
        f"Expected precision: {told['overall']} of 100 predictions were right on these data"
        f" ({', '.join(kinds)}). A person must look at each one."
    )


def bank_sentence(videos: pd.DataFrame, annotations: pd.DataFrame) -> str:
    """How many subjects, videos, frames and labels there are."""
    count = lambda kind: int((annotations.kind == kind).sum())
    return (
        f"{videos.subject.nunique()} subjects, {len(videos)} videos, {videos.frames.sum()} frames,"
        f" {count('ME')} ME and {count('MaE')} MaE."
    )


def threshold_sentence(oracle: bool | str) -> str:
    """Whose labels the decisions were fitted on; `oracle` may name what test data decided."""
    if not oracle:
        return (
            "Each held-out subject was scored by a network and a threshold fitted on the other"
            " subjects alone."
        )
    what = oracle if isinstance(oracle, str) else "the threshold"
    return (
        f"Chosen on the test subjects' own labels (oracle): {what}. Results on new videos will be"
        " worse."
    )


def _f1(row):
    return f1_cell(row["f1"], *(row[name] for name in BOUNDS if name in row))


def _rate(row, minutes):
    return f", {row['fp'] / minutes:.1f} a minute" if minutes else ""


def _right(row):
    """Of 100 predictions; with a digit more below 1, where a whole number would be 0."""
    share = 100 * (row["predictions"] - row["fp"]) / row["predictions"]
    return f"{share:.1f}" if 0 < share < 1 else f"{share:.0f}"
