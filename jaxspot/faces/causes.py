"""What a face did, apart from the injected expressions, where a method gave a false alarm."""

from typing import cast

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.matching import interval_iou, match_intervals
from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.found import Found

CAUSES = {
    "piece": "overlaps a label, or a longer interval of the same method",
    "expression": "the face's own: mouth corners or brows move",
    "mouth": "the lips part or close",
    "head": "the head turns or nods",
    "blink": "only the lids move",
    "other": "nothing of these",
}
LIP_PX, TURN_PX, WIDTH_PX, LIFT_PX, BROW_PX, LID_SHARE = 2.5, 2.5, 3.5, 2.0, 1.5, 0.5
AROUND_S = 0.1
"""Time before and after an interval that also counts."""


def false_alarms(benchmark: Benchmark, found: Found) -> pd.DataFrame:
    """Every false alarm: video, take, stratum, kind, onset, offset, what moved there, and `cause`.

    What moved are ranges in pixels of the 112 crop within the interval: `lips` (their gap),
    `nose` (the nose tip), `width` and `lift` of the mouth, `brow`; `lids` is how far they shut,
    from 0 to 1. `cause` is the first of CAUSES that holds, in this order: piece, mouth, head,
    expression, blink.
    """
    rows = []
    for video in benchmark.videos.to_dict("records"):
        name, measures = video["video"], benchmark.measures(video["video"])
        mine = found.intervals[found.intervals.video == name]
        truth = benchmark.labels[benchmark.labels.video == name]
        for kind in KINDS:
            spans, labels = _spans(mine, kind), _spans(truth, kind)
            wrong = spans[match_intervals(spans, labels).predicted < 0]
            every = _spans(mine)
            for onset, offset in wrong.tolist():
                moved = moved_within(measures, onset, offset, video["fps"])
                row = dict(video=name, take=video["take"], stratum=video["stratum"], kind=kind)
                row |= dict(onset=onset, offset=offset) | moved
                longer = every[(every[:, 1] - every[:, 0]) > offset - onset]
                piece = _overlap([onset, offset], np.concatenate([_spans(truth), longer]))
                rows.append(row | dict(cause="piece" if piece else cause_of(moved)))
    columns = ["video", "take", "stratum", "kind", "onset", "offset"]
    columns += ["lips", "nose", "width", "lift", "brow", "lids", "cause"]
    return pd.DataFrame(rows, columns=columns)


def moved_within(measures: dict, onset: int, offset: int, fps: float) -> dict[str, float]:
    """Ranges within an interval (frames from 1) as in `false_alarms`; NaN without a face."""
    around = round(AROUND_S * fps)
    part = {n: v[max(0, onset - 1 - around) : offset + around] for n, v in measures.items()}
    part = {n: v[np.isfinite(v)] for n, v in part.items()}
    spread = lambda name: float(np.ptp(part[name])) if len(part[name]) else np.nan
    usual = np.nanmedian(measures["lids"])
    return dict(
        lips=spread("lip_gap"),
        nose=float(np.hypot(spread("nose_x"), spread("nose_y"))),
        width=spread("mouth_width"),
        lift=spread("corner_lift"),
        brow=spread("brow"),
        lids=float(np.clip(1 - part["lids"].min() / usual, 0, 1)) if len(part["lids"]) else np.nan,
    )


def cause_of(moved: dict[str, float]) -> str:
    """The first of CAUSES that explains an interval, but for `piece`."""
    if moved["lips"] > LIP_PX:
        return "mouth"
    if moved["nose"] > TURN_PX:
        return "head"
    if moved["width"] > WIDTH_PX or moved["lift"] > LIFT_PX or moved["brow"] > BROW_PX:
        return "expression"
    return "blink" if moved["lids"] > LID_SHARE else "other"


def count_causes(alarms: pd.DataFrame) -> pd.DataFrame:
    """False alarms by take and kind: a column for each of CAUSES and `total`."""
    rows = []
    for key, part in alarms.groupby(["take", "kind"], sort=False):
        take, kind = cast(tuple[str, str], key)
        counts = {cause: int((part.cause == cause).sum()) for cause in CAUSES}
        rows.append(dict(take=take, kind=kind, total=len(part)) | counts)
    return pd.DataFrame(rows, columns=["take", "kind", "total", *CAUSES])


def _spans(table, kind=None):
    rows = table if kind is None else table[table.kind == kind]
    return rows[["onset", "offset"]].to_numpy(np.int64).reshape(-1, 2)


def _overlap(span, others):
    return len(others) > 0 and bool(interval_iou([span], others).max() > 0)
