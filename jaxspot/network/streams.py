"""Streams: which references each one compares a frame with, paper section 2.2.

A reference is a multiple of k away. The k of a fold is half of its `mean_durations`
(`experiment/heldout.py`). The k of a whole data set is `k_frame` (`annotations/durations.py`). In
training, k is drawn from the ranges of Table 3 (`training/frame_skips.py`).
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import check_numbers

References = tuple[tuple[str, float], ...]


@dataclasses.dataclass(frozen=True)
class Streams:
    """What the streams of a network compare; the defaults are the paper's.

    Attributes:
      references: for each stream, a kind ("ME" or "MaE") and a factor. The reference is earlier by
        the factor times the frame skip k of that kind. It is later if the factor is below 0.
      lcn: whether frames are normalised by LCN (eq. 1); if not, they are only scaled.
      skip_rounding_seconds: when scoring, k is rounded to a multiple of this time, so that folds
        with similar k share their comparisons. k is not rounded if this time is less than one and
        a half frames.

    Raises:
      ValueError: `references` that are not such pairs.
    """

    references: References = (("ME", 1.0), ("MaE", 1.0))
    lcn: bool = True
    skip_rounding_seconds: float = 0.0

    def __post_init__(self):
        if not are_references(self.references):
            raise ValueError(
                "references must be a tuple of pairs such as ('ME', 1.0), of ME or MaE and a number"
                f" that is not 0; not {self.references!r}"
            )
        check_numbers(self, "skip_rounding_seconds", least=0)


def are_references(value: object) -> bool:
    """Whether `Streams.references` can be this."""
    return isinstance(value, tuple) and bool(value) and all(map(_is_reference, value))


def _is_reference(pair):
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    kind, times = pair
    return kind in KINDS and isinstance(times, int | float) and 0 < abs(times) < math.inf


def k_in_frames(k_seconds: Sequence[float], fps: float) -> list[int]:
    """k of ME and MaE in frames, 1 or more, from k in seconds.

    Half a frame rounds up, as in `k_frame`.
    """
    return [max(1, math.floor(k * fps + 0.5)) for k in k_seconds]


def stream_skips(k: ArrayLike, references: References) -> np.ndarray:
    """The frame skip of each stream, from k of ME and MaE: int (..., 2) -> (..., streams), never 0.

    Below 0 the reference comes after the frame.
    """
    kinds = [KINDS.index(kind) for kind, _ in references]
    times = np.array([times for _, times in references])
    skips = np.rint(np.asarray(k)[..., kinds] * times)
    return np.where(skips == 0, np.sign(times), skips).astype(np.int64)


def network_skips(streams: Streams, k_seconds: Sequence[Sequence[float]], fps: float) -> np.ndarray:
    """Frame skips in scoring, int (networks, streams), from each network's k in seconds."""
    k = np.array([k_in_frames(pair, fps) for pair in k_seconds])
    step = max(1, round(streams.skip_rounding_seconds * fps))
    return stream_skips(np.maximum(np.rint(k / step), 1) * step, streams.references)


def reference_places(places: np.ndarray, first: ArrayLike, last: ArrayLike) -> np.ndarray:
    """The frames that serve as references: beyond either end of a video the frame at that end.

    All are int of shapes that broadcast: places a frame skip away, the ends of their videos.
    """
    return np.clip(places, first, last)
