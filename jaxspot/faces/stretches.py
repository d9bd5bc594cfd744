"""Finds stretches of a clip in which a person shows no expression, whatever the head does."""

import numpy as np
import pandas as pd

SMILE_PX, LIFT_PX, BROW_PX = 3.0, 1.5, 1.5
"""An expression: the mouth wider, its corners higher, or brows elsewhere than at rest by this."""
STEADY_S = 0.6
"""Expressions are looked for in medians over this time, so that phonemes pass."""
SHORTEST_S = 1.2
"""Shorter ones, played to and fro, would move as fast as micro-expressions do."""
GAP_S = 0.2
LIP_PX, LIP_S, LIP_SHARE = 2.5, 0.3, 0.1
TURN_PX, TURN_S = 1.3, 2.0


def find_stretches(
    measures: dict[str, np.ndarray], fps: float, *, most: int = 3
) -> list[tuple[int, int, str]]:
    """The longest `most` neutral stretches of a clip: first and last frame (from 1) and stratum.

    `measures` are from `face_measures`. Rest is where the closed mouth is as a rule. A stretch
    lasts SHORTEST_S at least.
    """
    quiet = neutral_frames(measures, fps)
    gap = round(GAP_S * fps)
    spans = [s for s in _runs(quiet) if s[1] - s[0] >= SHORTEST_S * fps]
    merged: list[tuple[int, int]] = []
    for start, stop in spans:
        seen = np.isfinite(measures["lip_gap"][merged[-1][1] : start]).all() if merged else False
        if merged and start - merged[-1][1] <= gap and seen:
            merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    longest = sorted(sorted(merged, key=lambda s: s[0] - s[1])[:most])
    return [
        (start + 1, stop, stratum_of({k: v[start:stop] for k, v in measures.items()}, fps))
        for start, stop in longest
    ]


def neutral_frames(measures: dict[str, np.ndarray], fps: float) -> np.ndarray:
    """Frames, bool (T,), with a face at rest, apart from speech, blinks and turns of the head."""
    seen = np.isfinite(measures["lip_gap"])
    if not seen.any():
        return seen
    closed = seen & (measures["lip_gap"] <= np.nanquantile(measures["lip_gap"], 0.3) + 0.5)
    window = max(1, round(STEADY_S * fps) | 1)
    off = {}
    for name in ("mouth_width", "corner_lift", "brow"):
        steady = pd.Series(measures[name]).rolling(window, center=True, min_periods=1).median()
        rest = np.median(measures[name][closed])
        off[name] = steady.to_numpy() - rest
    smiles = (off["mouth_width"] > SMILE_PX) | (off["corner_lift"] > LIFT_PX)
    return seen & ~smiles & (abs(off["brow"]) < BROW_PX)


def stratum_of(measures: dict[str, np.ndarray], fps: float) -> str:
    """`speech` where the lips part again and again, else `drift` where the head turns, or `still`.

    `measures` of the stretch alone.
    """
    lips = _range(measures["lip_gap"], max(1, round(LIP_S * fps)))
    if np.mean(lips > LIP_PX) > LIP_SHARE:
        return "speech"
    rows = max(1, round(TURN_S * fps))
    turns = np.hypot(_range(measures["nose_x"], rows), _range(measures["nose_y"], rows))
    return "drift" if np.nanmedian(turns) > TURN_PX else "still"


def _range(values, rows):
    windows = np.lib.stride_tricks.sliding_window_view(values, min(rows, len(values)))
    return np.ptp(windows, axis=1)


def _runs(mask):
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
