"""The script of a video: which expressions happen, when and how strongly, and their labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.errors import UserError
from jaxspot.synthetic.difficulty import Difficulty
from jaxspot.synthetic.units import EXPRESSIONS

LEAD, TAIL = 1.0, 0.5
GAP = {"ME": 0.6, "MaE": 0.9}
"""Least seconds between events of one kind."""
SHAPE = {"ME": ((0.25, 0.3), (0.4, 0.5)), "MaE": ((0.2, 0.25), (0.4, 0.5))}
"""Least and greatest share of an event that is (rise, decay); the rest is the plateau."""
OVERLAP = 0.34
"""At most this share of the micro-expressions lies inside or across a macro-expression."""


LEAST_MAE = 0.55
"""Of a macro-expression at an end of a video so many seconds must be seen."""


def profile(times, *, start, rise, hold, decay):
    """Share of the apex (T,) in 0..1 at `times`: smooth rise, plateau, smooth decay, 0 outside."""
    up = np.clip((times - start) / rise, 0, 1)
    down = np.clip((start + rise + hold + decay - times) / decay, 0, 1)
    level = np.minimum(up, down)
    return level * level * (3 - 2 * level)


@dataclass(frozen=True)
class Event:
    """One labelled expression; times in seconds, `units` as (name, intensity at the apex)."""

    kind: str
    start: float
    rise: float
    hold: float
    decay: float
    units: tuple[tuple[str, float], ...]

    @property
    def seconds(self) -> float:
        """Duration from the profile's first to its last zero."""
        return self.rise + self.hold + self.decay

    def level(self, times):
        """Its `profile` (T,) at `times` (T,)."""
        return profile(times, start=self.start, rise=self.rise, hold=self.hold, decay=self.decay)


def log_uniform(rng, low_high, size=None):
    """Draws between low and high, uniform in the logarithm."""
    return np.exp(rng.uniform(*np.log(low_high), size=size))


def place_events(rng, durations, *, seconds, kind):
    """Starts (n,) of events in random order of time, at least GAP apart, inside the video."""
    gap = GAP[kind]
    free = seconds - LEAD - TAIL - durations.sum() - gap * max(len(durations) - 1, 0)
    if free < 0:
        raise UserError(
            f"{len(durations)} {kind} do not fit into {seconds:.1f} s; "
            f"ask for fewer a minute or longer videos"
        )
    slack = rng.dirichlet(np.ones(len(durations) + 1))[:-1].cumsum() * free
    before = np.concatenate([[0], (durations + gap).cumsum()[:-1]])
    return LEAD + slack + before


def choose_units(rng, difficulty: Difficulty, intensity):
    """One or two different units with their intensities; smiles come twice as often."""
    names = list(EXPRESSIONS)
    weight = np.array([2.0 if name.startswith("smile") else 1.0 for name in names])
    count = 1 + int(rng.random() < difficulty.second_unit)
    chosen = rng.choice(len(names), size=count, replace=False, p=weight / weight.sum())
    shares = (1.0, rng.uniform(0.4, 0.8))
    return tuple(
        (names[k], float(intensity * share)) for k, share in zip(chosen, shares, strict=False)
    )


def draw_events(rng, difficulty: Difficulty, *, kind, per_minute, seconds, longest):
    """Events of a kind in order of time, none longer than `longest` seconds."""
    d, mae = difficulty, kind == "MaE"
    count = int(per_minute * seconds / 60 + 0.5)
    lengths = log_uniform(rng, d.mae_seconds if mae else d.me_seconds, count)
    durations = np.minimum(lengths, longest)
    starts = place_events(rng, durations, seconds=seconds, kind=kind)
    events = []
    for start, length in zip(starts, durations, strict=True):
        rise, decay = length * rng.uniform(*SHAPE[kind])
        if mae:
            rise, decay = min(rise, rng.uniform(0.4, 1.0)), min(decay, rng.uniform(0.5, 1.4))
        units = choose_units(rng, d, log_uniform(rng, d.mae_intensity if mae else d.me_intensity))
        hold = max(length - rise - decay, 0.0)
        events.append(Event(kind, float(start), float(rise), float(hold), float(decay), units))
    return events


def overlapping(micro, macro):
    """How many of the micro-expressions share a moment with a macro-expression."""
    return sum(
        any(m.start < e.start + e.seconds and e.start < m.start + m.seconds for e in macro)
        for m in micro
    )


def write_script(
    rng: np.random.Generator,
    difficulty: Difficulty,
    *,
    seconds: float,
    fps: float,
    mae_per_minute: float,
    me_per_minute: float,
) -> list[Event]:
    """All labelled events of a video; the same for every fps of 25 or more.

    Below 25 fps micro-expressions are shortened so that no label reaches 0.5 s. Raises UserError if
    the events do not fit or fps is under 10.
    """
    if fps < 10:
        raise UserError(f"fps is {fps:g}; a micro-expression needs at least 10 frames a second")

    draw = partial(draw_events, difficulty=difficulty, seconds=seconds)
    macro_rng, *micro_rngs = rng.spawn(13)
    macro, micro = draw(macro_rng, kind="MaE", per_minute=mae_per_minute, longest=np.inf), []
    for micro_rng in micro_rngs:
        micro = draw(micro_rng, kind="ME", per_minute=me_per_minute, longest=0.5 - 1.001 / fps)
        if overlapping(micro, macro) <= max(1, OVERLAP * len(micro)):
            break
    return macro + micro


def seen_events(
    events: Sequence[Event], *, seconds: float, lead: float
) -> tuple[list[Event], list[Event]]:
    """What a video of `seconds` that begins `lead` seconds after a script's start sees of it.

    Returns all events, in the video's time, and those that are labelled: at least half of each lies
    inside the video, for 0.5 s if it is a macro-expression.
    """
    moved = [replace(event, start=event.start - lead) for event in events]
    labelled = []
    for event in moved:
        seen = min(event.start + event.seconds, seconds) - max(event.start, 0.0)
        if seen >= event.seconds / 2 and (event.kind == "ME" or seen > LEAST_MAE):
            labelled.append(event)
    return moved, labelled


def annotate(events: list[Event], times, *, subject: str, video: str) -> pd.DataFrame:
    """The label table: first, highest (the first such) and last frame with a profile above zero.

    An event that no frame shows has no row.
    """
    rows = []
    for event in sorted(events, key=lambda e: (e.start, e.kind)):
        level = event.level(times)
        frames = np.flatnonzero(level > 0) + 1
        if len(frames):
            apex = int(level.argmax()) + 1
            rows.append((subject, video, event.kind, frames[0], apex, frames[-1]))
    return pd.DataFrame(rows, columns=list(ANNOTATION_COLUMNS))


def activations(events: list[Event], times, units) -> np.ndarray:
    """Intensity (T, len(units)) float64 of every unit; events of one unit add up to at most 1.1."""
    total = np.zeros((len(times), len(units)))
    for event in events:
        level = event.level(times)
        for name, intensity in event.units:
            total[:, units.index(name)] += intensity * level
    return np.minimum(total, 1.1)
