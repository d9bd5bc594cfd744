"""Intervals of one video in milliseconds, as tiers in which none overlaps another."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import pandas as pd

from jaxspot.annotations.intervals import KINDS


class Cue(NamedTuple):
    """An interval in whole milliseconds, at least one long; None for what is not known."""

    start_ms: int
    stop_ms: int
    kind: str
    face: int | None
    subject: str
    score: float | None

    def caption(self, *, face: bool = False) -> str:
        """What it is called in a tool: 'ME 0.83', or 'ME 0.83 face 1'; without a score: 'ME'."""
        parts = [self.kind]
        parts += [] if self.score is None else [f"{self.score:.2f}"]
        parts += [f"face {self.face}"] if face and self.face is not None else []
        return " ".join(parts)


class Tier(NamedTuple):
    """Cues of one kind and face in order, none of which overlap; `number` is 1, or 2, 3... beside.

    `face` is such as 'face 0', or '' where none is known.
    """

    kind: str
    face: str
    subject: str
    number: int
    cues: tuple[Cue, ...]

    @property
    def name(self) -> str:
        """Such as 'ME face 0', 'ME face 0 (2)', or 'ME' without a face."""
        return " ".join(part for part in (self.kind, self.face, self.beside) if part)

    @property
    def who(self) -> str:
        """Whose cues these are: such as '006 face 0 (2)', or '' where nothing is known."""
        return " ".join(part for part in (self.subject, self.face, self.beside) if part)

    @property
    def beside(self) -> str:
        """Such as '(2)', or '' for the first."""
        return f"({self.number})" if self.number > 1 else ""


def find_cues(spans: pd.DataFrame) -> list[Cue]:
    """The intervals of one video in the order of their starts; they may overlap."""
    names = ("onset_s", "offset_s", "kind", "face", "subject", "score")
    cues = []
    for onset_s, offset_s, kind, face, subject, score in zip(
        *(spans[name].tolist() for name in names), strict=True
    ):
        start = round(1000 * onset_s)
        stop = max(round(1000 * offset_s), start + 1)
        face = None if pd.isna(face) else int(face)
        cues.append(Cue(start, stop, kind, face, subject, None if pd.isna(score) else score))
    return sorted(cues, key=lambda cue: cue[:3])


def tiers(spans: pd.DataFrame, *, gap_ms: int = 0) -> Iterator[Tier]:
    """The intervals of one video as tiers: one a kind and face, further ones where they overlap.

    Each cue of a tier begins `gap_ms` or more after the one before it ends. Each face has a tier of
    both kinds, empty or not.
    """
    cues = find_cues(spans)
    faces = sorted({-1 if cue.face is None else cue.face for cue in cues}) or [-1]
    for face in faces:
        name = f"face {face}" if face >= 0 else ""
        for kind in KINDS:
            own = [c for c in cues if c.kind == kind and (-1 if c.face is None else c.face) == face]
            subject = own[0].subject if own else ""
            for number, part in enumerate(_apart(own, gap_ms) or [[]], 1):
                yield Tier(kind, name, subject, number, tuple(part))


def _apart(cues: Iterable[Cue], gap_ms: int) -> list[list[Cue]]:
    parts: list[list[Cue]] = []
    for cue in cues:
        free = (part for part in parts if part[-1].stop_ms + gap_ms <= cue.start_ms)
        part = next(free, None)
        if part is None:
            part = []
            parts.append(part)
        part.append(cue)
    return parts
