"""Frame skips and references: which frames each stream compares, paper section 3.3 and Table 3."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxspot.annotations.durations import k_frame
from jaxspot.annotations.intervals import KINDS
from jaxspot.network.model import TwoStream


def stream_skips(k: ArrayLike, references: Sequence[tuple[str, float]]) -> np.ndarray:
    """The frame skip of each stream, never 0.

    Args:
      k: int (..., 2), frame skips of ME and MaE.
      references: see `TwoStream`.

    Returns:
      int (..., streams), frames; below 0 the reference comes after the frame.
    """
    kinds = [KINDS.index(kind) for kind, _ in references]
    times = np.array([times for _, times in references])
    skips = np.rint(np.asarray(k)[..., kinds] * times)
    return np.where(skips == 0, np.sign(times), skips).astype(np.int64)


def frame_skips(durations: Sequence[float], fps: float) -> list[int]:
    """k of each kind in frames, from mean durations in seconds; 1 or more."""
    k = k_frame({kind: [d * fps] for kind, d in zip(KINDS, durations, strict=True)})
    return [max(1, k[kind]) for kind in KINDS]


def network_skips(model: TwoStream, durations: Sequence[Sequence[float]], fps: float) -> np.ndarray:
    """Frame skips of each network's streams at a frame rate: int (networks, streams).

    `durations` holds the mean durations of ME and MaE of each network, in seconds.
    """
    k = np.array([frame_skips(pair, fps) for pair in durations])
    step = max(1, round(model.skip_rounding_seconds * fps))
    return stream_skips(np.maximum(np.rint(k / step), 1) * step, model.references)
