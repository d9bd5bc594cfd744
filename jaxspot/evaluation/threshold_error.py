"""How far fitted thresholds lie from those that would have been best on the held-out subjects.

Used by `launch/check_thresholds.py`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.fitting import ScoredVideo
from jaxspot.evaluation.interval_thresholds import count_at, f1_of, middle_of_best
from jaxspot.evaluation.protocol import Protocol
from jaxspot.spotting.automated_iou import FittedRule, normalise, smooth_scores

SHIFTS = np.linspace(-0.6, 0.6, 241)
"""On the normalised scale, where most scores lie in 0..1."""


def threshold_error(
    held_out: Sequence[ScoredVideo], fitted: Sequence[FittedRule], protocol: Protocol = Protocol()
) -> pd.DataFrame:
    """What one shift of all folds' thresholds would have gained; it uses test labels.

    `held_out` are videos with the scores of the fold that held their subject out, `fitted` the rule
    of that fold for each. Returns a row for ME and for MaE: kind; error, the fitted threshold minus
    the best shifted one (normalised scale; the middle of equally good shifts); f1 of the thresholds
    as fitted; best_f1 of the shifted ones, an oracle. Nested micro-expressions are always kept.
    """
    rows = [(kind, *_kind_error(kind, held_out, fitted, protocol)) for kind in KINDS]
    return pd.DataFrame(rows, columns=["kind", "error", "f1", "best_f1"])


def _kind_error(kind, held_out, fitted, protocol):
    labels, counts = 0, np.zeros((len(SHIFTS), 2), int)
    for video, own in zip(held_out, fitted, strict=True):
        smooth = smooth_scores(
            normalise(video.scores, fps=video.fps, fitted=own), fps=video.fps, rule=own.rule
        )
        curve = video.curve(kind, smooth, own.rule)
        labels += len(curve.truth)
        thresholds = own.threshold[KINDS.index(kind)] + SHIFTS
        counts += count_at(thresholds, curve, **protocol.scoring)
    f1 = f1_of(counts, labels)
    best = middle_of_best(SHIFTS, f1)
    return -SHIFTS[best], f1[len(SHIFTS) // 2], f1[best]
