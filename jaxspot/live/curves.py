"""The last seconds of a record as a view draws them."""

import numpy as np

from jaxspot.live.record import Record

BARS = "▁▂▃▄▅▆▇█"
PLAIN_BARS = "_.-:=+*#"


def recent(record: Record, seconds: float) -> np.ndarray:
    """Scores of the last `seconds`, float64 (n, 2); before the first frame NaN."""
    count = max(2, round(seconds * record.fps))
    scores = record.scores(count)
    before = np.full((count - len(scores), 2), np.nan)
    return np.concatenate([before, scores])


def bars(curve: np.ndarray, width: int, signs: str = BARS) -> str:
    """A curve (n,) of 0..1 as `width` signs, each the highest value of its part; NaN is blank."""
    text = ""
    for part in np.array_split(curve, width):
        known = part[np.isfinite(part)]
        height = int(min(max(known.max(), 0), 1) * (len(signs) - 1) + 0.5) if known.size else None
        text += " " if height is None else signs[height]
    return text


def latest_latency_ms(record: Record, frames: int = 30) -> float:
    """Median latency of the last frames in milliseconds; NaN where none is known."""
    spent = [1000 * sum(row.spent) for row in record.rows[-frames:] if row.spent is not None]
    return float(np.median(spent)) if spent else float("nan")
