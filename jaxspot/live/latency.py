"""How long a frame takes from its arrival to its scores, in words."""

from collections.abc import Sequence

import numpy as np

from jaxspot.live.record import STAGES, Record, Row

WORDS = {"wait": "waiting", "find": "finding the face", "align": "alignment", "score": "network"}


def latency_ms(rows: Sequence[Row]) -> np.ndarray:
    """Milliseconds of each stage of STAGES, for the frames with scores: float64 (n, 4)."""
    spent = [row.spent for row in rows if row.spent is not None and row.p_me == row.p_me]
    return 1000 * np.array(spent, np.float64).reshape(-1, len(STAGES))


def latency_line(rows: Sequence[Row]) -> str:
    """Median and 95 % of the latency of frames with scores, and the median of each stage."""
    stages = latency_ms(rows)
    if not len(stages):
        return "latency: no frame has scores"
    median, most = np.percentile(stages.sum(1), (50, 95))
    parts = zip(STAGES, np.median(stages, axis=0), strict=True)
    words = ", ".join(f"{WORDS[name]} {value:.1f}" for name, value in parts)
    return f"latency: median {median:.1f} ms, 95 % {most:.1f} ms ({words})"


def missing_line(record: Record) -> str:
    """How many frames a stream had, and how many of them were missing, and why."""
    count = len(record.rows)
    line = f"{record.name}: {count} frames, {count / record.fps:.1f} s at {record.fps:.4g} fps"
    if not record.missing:
        return f"{line}, none missing"
    late = min(record.dropped, record.missing)
    return (
        f"{line}, {record.missing} missing: {late} dropped to keep up,"
        f" {record.missing - late} left out by the source"
    )
