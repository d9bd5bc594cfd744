"""Score curves cut into intervals at a threshold."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import INTERVAL_COLUMNS, KINDS, from_span


def find_intervals(
    scores: np.ndarray,
    *,
    threshold: float,
    min_frames: int = 1,
    max_frames: int | None = None,
    merge_gap: int = 0,
) -> np.ndarray:
    """Runs of frames whose score reaches the threshold (paper section 4.1).

    Args:
      scores: float (T,); a NaN frame has no score: it breaks a run and is never merged over.
      threshold: a frame belongs to a run where score >= threshold.
      min_frames, max_frames: shortest and longest run kept, in frames, after merging.
      merge_gap: runs at most this many frames apart become one.

    Returns:
      int (n, 2): array bounds start, stop (from 0, half open), in order of time.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1:
        raise ValueError(f"scores must have one axis, not shape {scores.shape}")
    above = np.concatenate(([False], scores >= threshold, [False]))
    edges = np.flatnonzero(above[1:] != above[:-1])
    spans = _merged(edges.reshape(-1, 2), np.isnan(scores), merge_gap)
    length = spans[:, 1] - spans[:, 0]
    longest = len(scores) if max_frames is None else max_frames
    return spans[(length >= min_frames) & (length <= longest)]


def intervals_table(
    spans: Mapping[str, np.ndarray], scores: np.ndarray, *, subject: str = "", video: str = ""
) -> pd.DataFrame:
    """The table of one video's intervals.

    Args:
      spans: kind -> int (n, 2) array bounds from `find_intervals`.
      scores: float (T, 2), ME and MaE: the curves the spans were cut from.
      subject, video: names written into each row.

    Returns:
      subject, video, kind, onset, apex, offset (frames from 1, both ends included) and score, in
      order of onset. The apex is the frame of the highest score and `score` is that score.
    """
    rows = []
    for kind, bounds in spans.items():
        curve = np.asarray(scores)[:, KINDS.index(kind)]
        for start, stop in np.asarray(bounds).tolist():
            peak = start + int(np.nanargmax(curve[start:stop]))
            onset, offset = from_span(start, stop)
            rows.append((subject, video, kind, onset, peak + 1, offset, float(curve[peak])))
    rows.sort(key=lambda row: (row[3], row[2]))
    types = dict.fromkeys(("subject", "video", "kind"), "str")
    types |= dict(onset="int64", apex="int64", offset="int64", score="float64")
    return pd.DataFrame(rows, columns=list(INTERVAL_COLUMNS)).astype(types)


def _merged(spans, missing, gap):
    if gap <= 0 or len(spans) < 2:
        return spans
    before = np.concatenate(([0], np.cumsum(missing)))
    stops, starts = spans[:-1, 1], spans[1:, 0]
    join = (starts - stops <= gap) & (before[starts] == before[stops])
    return np.column_stack((spans[np.r_[True, ~join], 0], spans[np.r_[~join, True], 1]))
