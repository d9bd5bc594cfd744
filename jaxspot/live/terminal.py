"""A view in a terminal: one line, drawn again and again; in a file, a line now and then."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from jaxspot.live.curves import BARS, PLAIN_BARS, bars, latest_latency_ms, recent
from jaxspot.live.record import Record
from jaxspot.live.watch import Shown

CURVE_S = 8.0
REDRAW_S = 0.1
LOG_S = 5.0
LEAST_CURVE, MOST_CURVE = 8, 40


class TerminalView:
    """Writes a line to a stream; `key` gives the key that was pressed, "q" ends."""

    def __init__(self, stream: TextIO, key: Callable[[], str] = lambda: ""):
        self._stream, self._key = stream, key
        self._live = stream.isatty()
        self._next_s = 0.0
        self._signs = BARS if can_write(stream, BARS) else PLAIN_BARS

    def show(self, shown: Shown) -> bool:
        """Draws the line if it is time; returns whether to go on."""
        now = time.perf_counter()
        if now >= self._next_s:
            self._next_s = now + (REDRAW_S if self._live else LOG_S)
            width = shutil.get_terminal_size().columns - 1
            line = record_line(shown.record, width, self._signs)
            self._stream.write(f"\r{line:{width}}" if self._live else f"{line}\n")
            self._stream.flush()
        return self._key() not in ("q", "Q")

    def close(self) -> None:
        """Ends the line."""
        if self._live and self._next_s:
            self._stream.write("\n")


def record_line(record: Record, width: int, signs: str = BARS) -> str:
    """Time, both curves over CURVE_S with their last values, face, latency, missing frames."""
    row = record.rows[-1]
    ends = [
        f"{row.pts_s:7.1f} s ",
        "face" if row.face >= 0 else "no face",
        f"{latest_latency_ms(record):4.0f} ms",
        f"{record.missing} missing",
    ]
    room = (width - len("  ".join(ends)) - len(" ME  0.00   MaE  0.00  ")) // 2
    room = min(max(room, LEAST_CURVE), MOST_CURVE)
    curves = recent(record, CURVE_S)
    shown = [
        f"{kind} {bars(curves[:, number], room, signs)} {score_text(score)}"
        for number, (kind, score) in enumerate((("ME", row.p_me), ("MaE", row.p_mae)))
    ]
    return "  ".join([ends[0], *shown, *ends[1:]])[:width]


def score_text(score: float) -> str:
    """A score with two digits, or as many blanks and a dash."""
    return f"{score:.2f}" if score == score else "   -"


def can_write(stream: TextIO, text: str) -> bool:
    """Whether a stream has signs for a text."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
