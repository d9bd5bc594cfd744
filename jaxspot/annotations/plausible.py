"""Whether labels can be frames at all: how long they last at the frame rates of their videos."""

import itertools
from typing import Any

import numpy as np
import pandas as pd

LONG_ME_S = 1.5
SHORT_MAE_S = 0.2
SAME_IOU = 0.5
BOUNDS = {"ME": (0.0, LONG_ME_S), "MaE": (SHORT_MAE_S, np.inf)}
"""Seconds that the median of a kind lies in, whatever the data set."""


def doubt_units(annotations: pd.DataFrame, videos: pd.DataFrame) -> list[str]:
    """A line for each kind whose labels last too short or too long to be counted in frames.

    `annotations` has video, kind, onset, offset, `videos` has video, frames, fps (0: not known).
    """
    table = annotations.merge(videos[["video", "frames", "fps"]], on="video")
    table = table[table.fps > 0]
    lines = []
    for kind, (least, most) in BOUNDS.items():
        own: Any = table[table.kind == kind]
        frames = own.offset - own.onset + 1
        median = float((frames / own.fps).median())
        short = median < least or frames.median() < 2
        if not len(own) or not (short or median > most):
            continue
        unit = _meant(own)
        ask = f"they look like {unit}; write frames" if unit else "are they frames, is fps right?"
        lines.append(
            f"half of the {kind} labels last at {'most' if short else 'least'} {median:.3g} s"
            f" (frames: {float(frames.median()):g}): {ask}"
        )
    return lines


def long_micro(annotations: pd.DataFrame, videos: pd.DataFrame) -> list[str]:
    """Each ME label that lasts over LONG_ME_S, as 'video onset-offset'; tables as above."""
    table = annotations.merge(videos[["video", "fps"]], on="video")
    lasts = table.offset - table.onset + 1
    table = table[(table.kind == "ME") & (table.fps > 0) & (lasts > LONG_ME_S * table.fps)]
    columns = (table[name].tolist() for name in ("video", "onset", "offset"))
    return [f"{video} {onset}-{offset}" for video, onset, offset in zip(*columns, strict=True)]


def marked_twice(annotations: pd.DataFrame) -> list[str]:
    """Pairs of labels of one kind that overlap by half (IoU), as 'video a-b and c-d'.

    `annotations` has video, kind, onset, offset. See `of_two_kinds` for pairs of two kinds.
    """
    lines = []
    table = annotations.sort_values(["onset", "offset"], kind="stable")
    for _, own in table.groupby(["video", "kind"], sort=False):
        rows = list(own[["video", "onset", "offset"]].itertuples(index=False, name=None))
        for (video, onset, offset), (_, begin, end) in itertools.combinations(rows, 2):
            shared, either = min(offset, end) - begin + 1, max(offset, end) - onset + 1
            if shared / either >= SAME_IOU:
                lines.append(f"{video} {onset}-{offset} and {begin}-{end}")
    return lines


def of_two_kinds(annotations: pd.DataFrame) -> list[str]:
    """Spans that are labelled both as ME and as MaE, as 'video a-b as ME and MaE'; see above."""
    spans = annotations.groupby(["video", "onset", "offset"], sort=False).kind.nunique()
    return [
        f"{video} {onset}-{offset} as ME and MaE" for video, onset, offset in spans.index[spans > 1]
    ]


def say_two_kinds(annotations: pd.DataFrame) -> list[str]:
    """A line on the spans of `of_two_kinds`, if there are any."""
    found = of_two_kinds(annotations)
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [f"labelled twice: {found[0]}{more}; delete the label that is wrong"] if found else []


def _meant(own):
    """The unit in which the labels last as long as expressions do, inside their videos, if any."""
    seconds = own.frames / own.fps
    for unit, scale in (("seconds", 1.0), ("milliseconds", 0.001)):
        lasts = float(((own.offset - own.onset) * scale).median())
        if (own.offset * scale <= seconds + 1).all() and 0.05 <= lasts <= 10:
            return unit
    return ""
