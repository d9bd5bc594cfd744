"""Intervals of annotation tools: rows with a kind and times, and how they become frames."""

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from jaxspot.annotations.repairs import Label
from jaxspot.annotations.rules import Span
from jaxspot.errors import UserError

KIND_WORDS = {"me": "ME", "mae": "MaE"}
KIND_STEMS = {"micro": "ME", "macro": "MaE"}
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")

Rates = Callable[[str], float | None]


class Timed(NamedTuple):
    """One interval; `place` says where it stands, for messages, `row` is its number in the file.

    `onset` and `offset` are the times in seconds at which it begins and ends; or, in a file of
    frames, its first and last frame, from 1.
    """

    place: str
    row: int
    video: str
    kind: str
    onset: float
    offset: float


class Foreign(NamedTuple):
    """All intervals of a file that another program wrote; `frames`: it counts in frames."""

    rows: tuple[Timed, ...]
    frames: bool = False


def foreign_labels(foreign: Foreign, fps: Rates) -> Iterator[Label]:
    """Intervals as labels, in frames from 1, both ends included; the apex is not known (NaN).

    `fps` gives the frame rate of a video, None for a video that is not there. A time is taken to
    the nearest frame; an interval has at least one. UserError names file and row: a video that is
    not there, or an interval that ends before it begins.
    """
    for row in foreign.rows:
        rate = fps(row.video)
        if rate is None:
            raise UserError(
                f"{row.place}: there is no video {row.video!r}; the file of a video, or the name"
                " in its table, must be called so"
            )
        onset, offset = row.onset, row.offset
        if not foreign.frames:
            onset = round(onset * rate) + 1
            offset = max(round(offset * rate), onset)
        if row.offset < row.onset:
            raise UserError(f"{row.place}: ends ({row.offset:g}) before it begins ({row.onset:g})")
        yield Label(row.row, "", row.video, row.kind, Span(onset, float("nan"), offset))


def kind_in(*texts: str) -> str | None:
    """The kind that the first word of a text names (ME, micro..., MaE, macro...), else None.

    The texts are asked in turn. Case does not count.
    """
    for text in texts:
        word = re.match(r"[^\W\d_]*", text.strip().casefold())
        name = word[0] if word else ""
        if name in KIND_WORDS:
            return KIND_WORDS[name]
        for stem, kind in KIND_STEMS.items():
            if name.startswith(stem):
                return kind
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
