"""The log file of the MEGC 2020 spotting challenge: each label and prediction, and what it is."""

from collections.abc import Iterable, Iterator
from typing import Literal

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.f1 import NO_INTERVALS, intervals_by_video
from jaxspot.evaluation.matching import match_intervals

DATASET_NUMBERS = {"samm_lv": 1, "cas_me2": 2}
WIDTH = 8


def megc_log(
    intervals: pd.DataFrame,
    annotations: pd.DataFrame,
    *,
    videos: pd.DataFrame | Iterable[str],
    dataset: Literal["samm_lv", "cas_me2"],
    iou: float = 0.5,
) -> str:
    """The log as the organisers of MEGC 2020 lay it out, both kinds together.

    The first line is 1 (SAMM-LV) or 2 (CAS(ME)^2). Each row is `video gt_on gt_off pred_on pred_off
    TP|FP|FN`, "-" where there is none, in the order of the videos and of onsets within them.
    Matching is "megc2020": each label is a row, TP with the prediction of the best IoU or FN, and
    each prediction that matches nothing is an FP. So there are as many rows of TP, FP and FN as
    `score_intervals` counts. The logs of both data sets together make the challenge's file.

    A further prediction of a label has no row; the organisers' own log has one.

    `videos` gives the order of the log. The other arguments are those of `score_intervals`. Raises
    ValueError for another data set, UserError for an interval of a video not in `videos`.
    """
    if dataset not in DATASET_NUMBERS:
        raise ValueError(f"dataset must be one of {', '.join(DATASET_NUMBERS)}, not {dataset!r}")
    names = list(videos.video if isinstance(videos, pd.DataFrame) else videos)
    predicted = intervals_by_video(intervals, names, "intervals")
    truth = intervals_by_video(annotations, names, "annotations")
    rows = []
    for name in names:
        both = [
            row
            for kind in KINDS
            for row in _rows(
                predicted.get((name, kind), NO_INTERVALS),
                truth.get((name, kind), NO_INTERVALS),
                iou,
            )
        ]
        both.sort(key=_onset)
        rows += [[name, *map(str, label), *map(str, guess), what] for label, guess, what in both]
    return f"{DATASET_NUMBERS[dataset]}\n" + "".join(f"{line}\n" for line in _padded(rows))


NONE = ("-", "-")


def _rows(predicted: np.ndarray, truth: np.ndarray, iou) -> Iterator[tuple]:
    """(label, prediction, "TP" | "FP" | "FN") of one video and kind."""
    matching = match_intervals(predicted, truth, matching="megc2020", iou=iou)
    guesses, labels = predicted.tolist(), truth.tolist()
    for label, i in zip(labels, matching.truth.tolist(), strict=True):
        yield (label, guesses[i], "TP") if i >= 0 else (label, NONE, "FN")
    for guess, j in zip(guesses, matching.predicted.tolist(), strict=True):
        if j < 0:
            yield NONE, guess, "FP"


def _onset(row):
    """Of the prediction, or of a label that was missed."""
    label, guess, what = row
    return label[0] if what == "FN" else guess[0]


def _padded(rows):
    if not rows:
        return []
    widths = [max(WIDTH, 2 + max(map(len, column))) for column in zip(*rows, strict=True)]
    return [
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
