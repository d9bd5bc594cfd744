"""The rules that mend a label with a glitch, each a pure function of its frames.

A row goes through them in the order of RULES, each at most once: first those of the sheet, then,
once the videos are known, `video_name` (a name that differs in ending, folder or case), `no_video`
(a label of a video that is not there is left out), `past_end` and `duplicate` (an interval that
stands in several rows counts once). A row that a rule would change which is switched off is left
out and listed; with `duplicate` off, it counts again.
"""

import math
from collections.abc import Callable, Collection
from typing import NamedTuple

from jaxspot.errors import UserError


class Span(NamedTuple):
    """Frames of a label, from 1; in a sheet they may have fractions, NaN is an empty cell."""

    onset: float
    apex: float
    offset: float


def round_fraction(span: Span) -> Span:
    """566.4 -> 566, the nearest frame; a half goes up."""
    return Span(*(frame if math.isnan(frame) else math.floor(frame + 0.5) for frame in span))


def onset_zero(span: Span) -> Span:
    """Onset 0 -> 1, the first frame."""
    return span._replace(onset=1) if span.onset == 0 else span


def missing_offset(span: Span) -> Span:
    """Offset 0 or empty -> 2 * apex - onset: an expression falls as long as it rose."""
    return _mirrored(span) if _missing(span.offset) else span


def offset_before_onset(span: Span) -> Span:
    """An offset before the onset is taken for a missing one."""
    return _mirrored(span) if span.offset < span.onset and span.offset != 0 else span


def missing_apex(span: Span) -> Span:
    """Apex -1, 0 or empty -> the middle of onset..offset, the earlier of two."""
    absent = _missing(span.apex) or span.apex == -1
    if absent and 1 <= span.onset <= span.offset:
        return span._replace(apex=(span.onset + span.offset) // 2)
    return span


def apex_after_offset(span: Span) -> Span:
    """An apex after the offset -> the offset: moving that would change durations (Table 2)."""
    late = span.onset <= span.offset < span.apex
    return span._replace(apex=span.offset) if late else span


def past_end(span: Span, frames: int) -> Span | None:
    """Clips offset and apex to the last frame; None if the label begins past it."""
    onset, apex, offset = span
    return Span(onset, min(apex, frames), min(offset, frames)) if onset <= frames else None


SHEET_RULES: dict[str, Callable[[Span], Span]] = {
    "round_fraction": round_fraction,
    "onset_zero": onset_zero,
    "missing_offset": missing_offset,
    "offset_before_onset": offset_before_onset,
    "missing_apex": missing_apex,
    "apex_after_offset": apex_after_offset,
}
RULES = (*SHEET_RULES, "video_name", "no_video", "past_end", "duplicate")


def check_rules(rules: Collection[str]) -> None:
    """Raises UserError for a name that is no rule; the line lists the known ones."""
    for name in rules:
        if name not in RULES:
            raise UserError(f"there is no repair rule {name!r}; the rules are: {', '.join(RULES)}")


def _mirrored(span):
    known = 1 <= span.onset <= span.apex
    return span._replace(offset=2 * span.apex - span.onset) if known else span


def _missing(frame):
    return math.isnan(frame) or frame == 0
