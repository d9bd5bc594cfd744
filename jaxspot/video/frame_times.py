"""When the frames of a video start and end, how many there are a second, and where they stop."""

import heapq
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.errors import UserError

MOST_GAP_S = 1.0
"""Where no frame comes for longer, nothing before is compared with anything after."""
SLOWEST_ME_FPS = 15.0
"""A slower video has too few frames of a micro-expression, which lasts half a second."""
MILLISECOND = 0.001
UNEVEN = 0.25
SOME_STEPS = 8
LOST = 1.75
"""A step that is longer, relative to the usual one, is that of a lost frame."""


def in_order(
    frames: Iterable[tuple[float, Any]], path: str | Path, *, late: int
) -> Iterator[tuple[float, Any]]:
    """Pairs frames, in the order of presentation, with their times in seconds, sorted.

    Some files keep times for decoding only. Those of their frames are right as a whole, but stand
    at other frames, up to `late` places too late. UserError: a time stands twice, or later still.
    """
    times: list[float] = []
    waiting: list[Any] = []
    last = -np.inf

    def take() -> tuple[float, Any]:
        nonlocal last
        before, last = last, heapq.heappop(times)
        if last <= before:
            raise UserError(
                f"{path}: its times do not grow, {abs(last):.2f} s comes late or twice (joined"
                " files?); re-encode it, or name its frame rate by --fps"
            )
        return last, waiting.pop(0)

    for time_s, frame in frames:
        heapq.heappush(times, time_s)
        waiting.append(frame)
        if len(waiting) > late:
            yield take()
    while waiting:
        yield take()


def fps_of(times: np.ndarray, path: str | Path) -> float:
    """Frames a second from presentation times (T,) in seconds: the mean of the usual steps.

    Steps alternate where a file rounds its times, as 240 fps in ticks of 1/600 s. Those of lost
    frames do not count. UserError: under two frames, times that do not increase, or usually more
    than a second from frame to frame.
    """
    if len(times) < 2:
        raise UserError(f"{path}: {len(times)} frame; a video of at least two frames is needed")
    steps = np.diff(times)
    if np.median(steps) <= 0:
        raise UserError(f"{path}: its frames carry no increasing times; re-encode it")
    if is_gap(np.median(steps)):
        each = f"has a frame only every {np.median(steps):.1f} s"
        raise UserError(f"{path}: {each}; a video needs at least one a second")
    usual = _usual(steps)
    count, seconds = len(usual), float(usual.sum())
    # A line through all times tells a whole number sooner than the first and the last alone.
    each = np.polyfit(np.arange(count + 1), np.append(0, np.cumsum(usual)), 1)[0]
    return whole_rate(count, seconds, near=1 / each, rounding=max(MILLISECOND, np.ptp(usual)))


def whole_rate(
    steps: int, seconds: float, *, near: float | None = None, rounding: float = MILLISECOND
) -> float:
    """Steps a second: a whole number where it explains times rounded to `rounding` s as well.

    The number is the nearest to `near`, by default to steps / seconds.
    """
    whole = max(1, round(near or steps / seconds))
    return float(whole) if abs(steps / whole - seconds) <= rounding else steps / seconds


def even_steps(times: np.ndarray, fps: float) -> np.ndarray:
    """Whether each step between times (T,) is within a quarter of 1 / fps, bool (T - 1,)."""
    return abs(np.diff(times) - 1 / fps) <= UNEVEN / fps + MILLISECOND


def frame_ends(times: np.ndarray) -> np.ndarray:
    """When frames that start at `times` (T,) end, float64 (T,), in seconds.

    A frame ends where the next one starts. The last one, and one before a gap, takes a usual step.
    """
    steps = np.diff(times)
    usual = float(_usual(steps).mean())
    return times + np.append(np.where(is_gap(steps), usual, steps), usual)


def is_gap(steps: Any) -> Any:
    """Whether steps between frames, in seconds, are gaps."""
    return steps > MOST_GAP_S + MILLISECOND


def stretches(times: np.ndarray) -> list[slice]:
    """The runs of frames without a gap between their times (T,)."""
    ends = [0, *(np.flatnonzero(is_gap(np.diff(times))) + 1).tolist(), len(times)]
    return [slice(start, stop) for start, stop in pairwise(ends)]


def _usual(steps: np.ndarray) -> np.ndarray:
    """Steps without gaps and those of lost frames.

    What is usual is the median of the means of neighbours: steps that alternate make up for it.
    """
    steps = steps[~is_gap(steps)] if not is_gap(steps).all() else steps
    count = min(SOME_STEPS, len(steps))
    sums = np.concatenate([[0.0], np.cumsum(steps)])
    typical = float(np.median(sums[count:] - sums[:-count])) / count
    usual = steps[steps <= LOST * typical]
    # Of frames in pairs, every other step is long; without those nothing of the rate is left.
    return usual if 3 * len(usual) > 2 * len(steps) else steps
