"""Lines on intervals that may not be of one person, or not of the video at hand."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.timed import Foreign, FrameTimes, TimesOf
from jaxspot.errors import UserError

SAME_SHARE, SAME_S = 0.05, 1.0
SAME_FRAMES, SAME_RATE = 1.5, 0.02


def say_foreign(foreign: Foreign, times: TimesOf) -> Iterator[str]:
    """Lines on the intervals of a file: several people in one video, or a video of other length."""
    yield from foreign.notes
    yield from say_people(((row.video, row.face) for row in foreign.rows), "face")
    yield from say_people(((row.video, row.subject) for row in foreign.rows), "subject")
    for video, told_s in foreign.lasts.items():
        known = times(video)
        mine_s = known.seconds if known else 0.0
        if mine_s and abs(mine_s - told_s) > max(SAME_S, SAME_SHARE * mine_s):
            yield (
                f"{video}: lasts {mine_s:.4g} s, but {told_s:.4g} s by BORIS; is it another"
                " version, or did the observation play several files?"
            )


def say_table(table: Any, times: TimesOf | None) -> Iterator[str]:
    """Lines on a DataFrame (video, onset, maybe WHOSE): several faces, or frames at other times.

    The index of a row + 2 is its number in the file. Without `times` only faces are looked at.
    """
    if "face" in table:
        faces = table.face.fillna("").str.removesuffix(".0")
        yield from say_people(zip(table.video, faces, strict=True), "face")
    if "onset_s" not in table or times is None:
        return
    seconds: Any = pd.to_numeric(table.onset_s, errors="coerce")
    for video, own in table.assign(onset_s=seconds).groupby("video", sort=False):
        try:
            known = times(str(video))
        except UserError:  # a video that cannot be read is told of where it is read
            continue
        onset, onset_s = own.onset.to_numpy(float), own.onset_s.to_numpy(float)
        if known and _other_rate(known, onset, onset_s):
            first = int(np.argmax(_off(known, onset, onset_s) > SAME_FRAMES))
            yield (
                f"{video}: onset and onset_s do not agree at its {known.fps:.4g} frames a second"
                f" (row {own.index[first] + 2}: frame {onset[first]:g},"
                f" {onset_s[first]:g} s); is it the version of the video that the table is of?"
            )


def say_people(named: Iterable[tuple[str, str]], what: str) -> Iterator[str]:
    """A line on videos with intervals of several names; `named` has (video, name or "").

    `what` is what has the names, such as "face".
    """
    names: dict[str, set[str]] = {}
    for video, name in named:
        names.setdefault(video, set()).update([name] if name else [])
    several = [video for video, own in names.items() if len(own) > 1]
    if several:
        *most, last = sorted(names[several[0]])
        more = f"; so are those of {len(several) - 1} more videos" if len(several) > 1 else ""
        listed = f"{', '.join(most)} and {last}"
        yield f"{several[0]}: intervals of {what}s {listed}, taken as one person's{more}"


def _off(known: FrameTimes, onset: np.ndarray, onset_s: np.ndarray) -> np.ndarray:
    """How many frames each onset is from the one at its time; NaN: not known."""
    if known.starts is None:
        return np.abs(onset - 1 - onset_s * known.fps)
    inside = (onset >= 1) & (onset <= len(known.starts))
    starts = known.starts[np.where(inside, onset, 1).astype(int) - 1]
    return np.where(inside, np.abs(starts - onset_s) * known.fps, np.nan)


def _other_rate(known, onset, onset_s):
    """Whether most times are off; by the mean rate of a video alone, only if all tell of another.

    Else a video whose rate varies would be taken for another one.
    """
    off = _off(known, onset, onset_s)
    if not 2 * np.sum(off > SAME_FRAMES) > np.sum(~np.isnan(off)):
        return False
    if known.starts is not None:
        return True
    later = onset_s > 0
    rate = float(np.median((onset[later] - 1) / onset_s[later]))
    alike = np.abs(onset[later] - 1 - rate * onset_s[later]) <= SAME_FRAMES
    return bool(alike.all()) and abs(rate / known.fps - 1) > SAME_RATE
