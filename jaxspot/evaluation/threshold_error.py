"""How far fitted thresholds lie from those that would have been best on the held-out subjects."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.fitting import ScoredVideo
from jaxspot.evaluation.interval_thresholds import count_at, middle_of_best
from jaxspot.spotting.rule import Decision, cutter, normalise, smooth_scores

SHIFTS = np.linspace(-0.6, 0.6, 241)
"""On the normalised scale, where most scores lie in 0..1."""


def threshold_error(held_out: Sequence[ScoredVideo], decisions: Sequence[Decision]) -> pd.DataFrame:
    """What one shift of all folds' thresholds would have gained; it looks at test labels.

    Args:
      held_out: videos with the scores of the fold that held their subject out.
      decisions: of that fold, one a video.

    Returns:
      a row for ME and for MaE. kind; error: the fitted threshold minus the best shifted one, above
      0 if fitted too high (normalised scale; the middle of equally good shifts); f1: of the
      thresholds as fitted; best_f1: of the shifted ones, an oracle. Nested micro-expressions are
      kept whatever the protocol says.
    """
    rows = [(kind, *_kind_error(kind, held_out, decisions)) for kind in KINDS]
    return pd.DataFrame(rows, columns=["kind", "error", "f1", "best_f1"])


def _kind_error(kind, held_out, decisions):
    i, labels = KINDS.index(kind), 0
    counts = np.zeros((len(SHIFTS), 2), int)
    for video, decision in zip(held_out, decisions, strict=True):
        protocol = decision.protocol
        rule: dict[str, Any] = dict(fps=video.fps, protocol=protocol)
        curve = smooth_scores(normalise(video.scores, decision), **rule)[:, i]
        truth = video.truth(kind)
        labels += len(truth)
        counts += count_at(
            decision.threshold[i] + SHIFTS,
            truth,
            cut=cutter(curve, kind, **rule),
            matching=protocol.matching,
            iou=protocol.iou,
        )
    f1 = 2 * counts[:, 0] / np.maximum(counts[:, 1] + labels, 1)
    best = middle_of_best(SHIFTS, f1)
    return -SHIFTS[best], f1[len(SHIFTS) // 2], f1[best]
