"""How long expressions last: Table 2, the k-th frame and the move-to-neutral ratio."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS, check_intervals, check_table, frame_labels
from jaxspot.errors import UserError, one_of


def k_frame(durations: pd.DataFrame | Mapping, *, inclusive: bool = True) -> dict[str, int]:
    """Computes k for each kind: half the mean duration (paper section 3.3 and Table 3).

    k = floor((N + 1) / 2), where N is the exact (not rounded) mean duration in frames. Runs do not
    use this k: each fold takes k from its own subjects (`mean_durations`, `experiment/heldout.py`).

    Args:
      durations: annotations with kind, onset, offset in frames, all at one frame rate; or a mapping
        from kind to durations in frames (then `inclusive` is not used).
      inclusive: if True, a duration is offset - onset + 1 (SAMM-LV: k is 37 and 217). If False, it
        is offset - onset (CAS(ME)^2: k is 6 and 19).

    Returns:
      kind -> k in frames, for the kinds that have an interval.

    Raises:
      TypeError: neither a table nor a mapping.
      UserError: a table with a kind other than ME and MaE, an offset before its onset, or a column
        missing.
      ValueError: a mapping with a kind other than ME and MaE, or with durations that are not
        numbers from 0 up.
    """
    if isinstance(durations, pd.DataFrame):
        check_intervals(durations)
        length = _lengths(durations, inclusive)
        durations = {kind: length[durations.kind == kind] for kind in KINDS}
    else:
        _check_lengths(durations)
    return {kind: _half_mean(durations[kind]) for kind in KINDS if len(durations.get(kind, ()))}


def duration_table(
    annotations: pd.DataFrame, *, fps: float | Mapping | pd.Series, inclusive: bool
) -> pd.DataFrame:
    """Computes durations (paper Table 2) and k, half the mean duration, of each kind of expression.

    Args:
      annotations: video, kind, onset, offset in frames.
      fps: frames per second: one number for all videos, or a mapping video -> fps.
      inclusive: as in `k_frame`.

    Returns:
      a row for each of KINDS: kind, minimum, mean, maximum (seconds; NaN without an interval), k
      (frames; <NA> without an interval, or where videos differ in fps), count (intervals).

    Raises:
      TypeError: not a table.
      UserError: the fps of a video is not known, or not above 0; a kind other than ME and MaE, an
        offset before its onset, or a column missing.
    """
    check_intervals(annotations, "video")
    rates = _rates(annotations.video, fps)
    seconds = _lengths(annotations, inclusive) / rates
    of_kind = [seconds[annotations.kind == kind] for kind in KINDS]
    k = k_frame(annotations, inclusive=inclusive) if rates.nunique() == 1 else {}
    return pd.DataFrame(
        {
            "kind": KINDS,
            "minimum": [part.min() for part in of_kind],
            "mean": [part.mean() for part in of_kind],
            "maximum": [part.max() for part in of_kind],
            "k": pd.array([k.get(kind) for kind in KINDS], "Int64"),
            "count": [len(part) for part in of_kind],
        }
    )


def move_to_neutral_ratio(
    annotations: pd.DataFrame, videos: pd.DataFrame
) -> tuple[float, pd.Series]:
    """Ratio of frames with movement to frames without (paper section 3.2 and Figure 3).

    A frame has movement if it is inside a labelled ME or MaE. A frame inside both counts once.

    Args:
      annotations: video, kind, onset, offset.
      videos: subject, video, frames; videos without a label count as neutral.

    Returns:
      pooled: the ratio over all frames.
      by_subject: float Series indexed by subject, in the order of `videos`; inf for a subject with
        movement in every frame.

    Raises:
      TypeError: not a table.
      UserError: a kind other than ME and MaE, an offset before its onset, an onset before frame 1
        or a column missing.
    """
    check_intervals(annotations, "video", first=1)
    check_table(videos, ("subject", "video", "frames"), what="videos")
    moved = []
    for video, length in zip(videos.video.tolist(), videos.frames.tolist(), strict=True):
        labels = frame_labels(annotations.loc[annotations.video == video], frames=length)
        moved.append(int(labels.any(axis=1).sum()))
    counts = videos.loc[:, ["subject", "frames"]].assign(moved=moved)
    totals = counts.groupby("subject", sort=False).sum()
    ratio = {row.Index: _ratio(row.moved, row.frames) for row in totals.itertuples()}
    by_subject = pd.Series(ratio, name="move_to_neutral", dtype=float).rename_axis("subject")
    return _ratio(sum(moved), int(counts.frames.sum())), by_subject


def _lengths(annotations, inclusive):
    return annotations.offset - annotations.onset + int(inclusive)


def _check_lengths(durations):
    if not isinstance(durations, Mapping):
        raise TypeError(
            "durations must be a table of annotations, or map each kind to its durations; not"
            f" {type(durations).__name__}"
        )
    for kind, lengths in durations.items():
        one_of("kind", kind, KINDS)
        lengths = np.asarray(lengths)
        if lengths.ndim != 1:
            raise ValueError(f"durations of {kind} must have one axis, not shape {lengths.shape}")
        if lengths.size and not (np.issubdtype(lengths.dtype, np.number) and (lengths >= 0).all()):
            raise ValueError(f"durations of {kind} must be numbers of frames, 0 or more")


def _rates(videos, fps):
    rates = videos.map(fps) if isinstance(fps, Mapping | pd.Series) else [fps] * len(videos)
    rates = pd.Series(rates, videos.index, dtype=float)
    for video, rate in zip(videos, rates, strict=True):
        if not rate > 0:
            raise UserError(f"video {video}: fps is {rate}; it must be above 0")
    return rates


def _half_mean(lengths):
    lengths = np.asarray(lengths)
    count = len(lengths)
    return int((lengths.sum() + count) // (2 * count))


def _ratio(moved, frames):
    if moved < frames:
        return moved / (frames - moved)
    return float("inf") if moved else float("nan")
