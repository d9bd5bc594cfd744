"""What happens in a take: which expressions of which head, when, how strong, and their labels."""

import zlib
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.synthetic.difficulty import DEFAULT
from jaxspot.synthetic.events import activations, annotate, write_script
from jaxspot.synthetic.heads import load_heads

LEVEL = replace(DEFAULT, mae_seconds=(0.6, 3.0))
PER_MINUTE = dict(mae_per_minute=9.0, me_per_minute=9.0)
INSTEAD = dict(smile_open="smile", jaw_drop="chin_raise", funnel="pucker", cheek_puff="cheek_raise")
"""Units that a warp cannot show on a closed mouth, or whose light looks painted, and others."""


class Script(NamedTuple):
    """The head's number from 0, intensities float32 (T, U) of every unit, and the labels."""

    head: int
    weights: np.ndarray
    labels: pd.DataFrame


def write_take(
    stretch: str, take: int, *, frames: int, fps: float, subject: str, video: str
) -> Script:
    """The script of a take of `frames` frames, by the stretch's name and the take's number.

    Takes of a stretch show different heads, as far as there are enough.
    """
    heads, seed = load_heads(), zlib.crc32(stretch.encode())
    order = np.random.default_rng(seed).permutation(len(heads))
    times, rng = np.arange(frames) / fps, np.random.default_rng([seed, take])
    events = write_script(rng, LEVEL, seconds=frames / fps, fps=fps, **PER_MINUTE)
    events = [replace(e, units=tuple((INSTEAD.get(n, n), w) for n, w in e.units)) for e in events]
    return Script(
        int(order[take % len(order)]),
        activations(events, times, heads.units).astype(np.float32),
        annotate(events, times, subject=subject, video=video),
    )
