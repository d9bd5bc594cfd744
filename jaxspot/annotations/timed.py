"""Intervals of annotation tools: rows with a kind and times, and how they become frames."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from jaxspot.annotations.repairs import Label
from jaxspot.annotations.rules import Span
from jaxspot.errors import UserError

KIND_WORDS = {"me": "ME", "mae": "MaE"}
LONG_WORD = re.compile(r"(micro|macro)(expr?|e[xs]pres\w*)?")
KIND_STEMS = {"micro": "ME", "macro": "MaE"}
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")


class FrameTimes(NamedTuple):
    """How many frames a video has a second and, where known, when each starts and ends.

    `starts` and `ends` are float64 (T,), in seconds. Without them, frames are even from 0 s, and
    there are `frames` of them (0: not known).
    """

    fps: float
    starts: np.ndarray | None = None
    ends: np.ndarray | None = None
    frames: int = 0

    @property
    def seconds(self) -> float:
        """How long the video lasts; 0: not known."""
        return self.frames / self.fps if self.ends is None else float(self.ends[-1])

    def between(self, onset_s: float, offset_s: float) -> tuple[int, int]:
        """First and last frame of an interval, from 1: the nearest ones, the same if need be."""
        onset = self._nearest(self.starts, onset_s, 1)
        return onset, max(self._nearest(self.ends, offset_s, 0), onset)

    def _nearest(self, times, time_s, first):
        if times is None:
            return round(time_s * self.fps) + first
        beyond = round((time_s - times[-1]) * self.fps)
        return len(times) + beyond if beyond > 0 else int(abs(times - time_s).argmin()) + 1


TimesOf = Callable[[str], FrameTimes | None]
"""The times of a video by its name; None: there is no such video."""


class Timed(NamedTuple):
    """One interval; `place` says where it stands, for messages, `row` is its number in the file.

    `onset` and `offset` are the times in seconds at which it begins and ends; or, in a file of
    frames, its first and last frame, from 1. `face` and `subject` tell whose it is, or are "".
    """

    place: str
    row: int
    video: str
    kind: str
    onset: float
    offset: float
    face: str = ""
    subject: str = ""


class Foreign(NamedTuple):
    """All intervals of a file that another program wrote; `frames`: it counts in frames.

    `notes` are lines on what cannot be known of them. `lasts` has the seconds that a video has by
    that program, where it tells.
    """

    rows: tuple[Timed, ...]
    frames: bool = False
    notes: tuple[str, ...] = ()
    lasts: Mapping[str, float] = MappingProxyType({})


def foreign_labels(foreign: Foreign, times: TimesOf) -> Iterator[Label]:
    """Intervals as labels, in frames from 1, both ends included; the apex is not known (NaN).

    A time is taken to the nearest frame; an interval has at least one. UserError names file and
    row: a video that is not there, or an interval that ends before it begins or before the first
    frame.
    """
    for row in foreign.rows:
        known = times(row.video)
        if known is None:
            raise UserError(
                f"{row.place}: there is no video {row.video!r}; the file of a video, or the name"
                " in its table, must be called so"
            )
        if row.offset < row.onset:
            raise UserError(f"{row.place}: ends ({row.offset:g}) before it begins ({row.onset:g})")
        onset, offset = row.onset, row.offset
        if not foreign.frames:
            first_s = 0.0 if known.starts is None else float(known.starts[0])
            if onset < offset <= first_s:
                raise UserError(
                    f"{row.place}: ends at {offset:g} s, but the first picture of video"
                    f" {row.video!r} comes at {first_s:.3f} s; check which video is meant"
                )
            onset, offset = known.between(onset, offset)
        yield Label(row.row, "", row.video, row.kind, Span(onset, float("nan"), offset))


def kind_in(*texts: str) -> str | None:
    """The kind that the first word of a text names (ME, micro, microexpression, ...), else None.

    The texts are asked in turn. Case does not count. Other words, such as microphone, are no kind.
    """
    for text in texts:
        word = re.match(r"[^\W\d_]*", text.strip().casefold())
        name = word[0] if word else ""
        if name in KIND_WORDS:
            return KIND_WORDS[name]
        if long := LONG_WORD.fullmatch(name):
            return KIND_STEMS[long[1]]
    return None


def one_kind(place: str, texts: dict[str, str]) -> str:
    """The kind that texts (what each is -> text) name; UserError: none does, or two differ."""
    found = {what: kind for what, text in texts.items() if (kind := kind_in(text))}
    named = " and ".join(f"{what} {texts[what]!r}" for what in (found or texts))
    if not found:
        raise UserError(f"{place}: {named} must begin with ME or MaE (or micro, macro)")
    if len(set(found.values())) > 1:
        raise UserError(f"{place}: {named} name two kinds; make them agree")
    return next(iter(found.values()))


def seconds(place: str, name: str, text: str, *, unit: float = 1.0) -> float:
    """A time as '1.25' (times `unit`) or '0:00:01.250', in seconds; UserError: neither."""
    clock = CLOCK.fullmatch(text.strip())
    if clock:
        hours, minutes, rest = clock.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest.replace(",", "."))
    try:
        value = float(text) * unit
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(f"{place}: {name} is {text!r}; it must be a time such as 1.25 or 0:01.250")
    return value


def video_name(path: str) -> str:
    """The name of a video from its path or URL, with any separators: without folder and ending."""
    return PurePosixPath(path.strip().replace("\\", "/")).stem
