"""How hard a synthetic video is: every setting of the scene in one place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from jaxspot.errors import UserError
from jaxspot.files import with_tuples


@dataclass(frozen=True)
class Difficulty:
    """Events and everything else that moves. Ranges are (low, high), drawn log-uniformly.

    Lengths are pixels of the 112 x 112 crop, times seconds, gray levels 0..255; "sd" is a standard
    deviation over time.
    """

    me_seconds: tuple[float, float] = (0.17, 0.46)
    """Duration of a micro-expression, under 0.5."""
    me_intensity: tuple[float, float] = (0.32, 0.65)
    """Share of the full unit at the apex of a micro-expression."""
    mae_seconds: tuple[float, float] = (0.6, 4.0)
    """Duration of a macro-expression, over 0.5."""
    mae_intensity: tuple[float, float] = (0.6, 1.0)
    """Share of the full unit at the apex of a macro-expression."""
    second_unit: float = 0.5
    """Probability that an event has a second, weaker unit."""
    drift: float = 0.2
    """Slow motion left over by alignment (sd over about 1.5 s), sideways and up-down."""
    jitter: float = 0.03
    """Fast alignment noise (sd, about 40 ms)."""
    roll: float = 0.2
    """Slow roll left over by alignment, degrees (sd)."""
    zoom: float = 0.002
    """Slow change of scale left over by alignment (sd)."""
    turn: float = 0.3
    """Parallax of slow yaw and pitch at the nose (sd)."""
    tonus: float = 0.01
    """Unlabelled stir of six expression units a video, share of the full unit (sd)."""
    blinks: float = 12.0
    """Blinks a minute."""
    gaze: float = 14.0
    """Gaze shifts a minute."""
    speech: float = 0.05
    """Share of the time with speech-like mouth motion."""
    speech_strength: float = 0.25
    """Strength of that motion, share of the full speech units."""
    gain: float = 0.03
    """Slow global change of light (sd)."""
    gradient: float = 0.04
    """Slow light from one side: relative change at the border of the crop (sd)."""
    gradient_seconds: float = 3.0
    """Over about how long that light changes."""
    lamp: float = 0.0
    """Steady light of a video from one side, drawn anew for each: relative change at the border."""
    flicker: float = 0.003
    """Fast global change of light (sd)."""
    noise: float = 1.0
    """Sensor noise in gray levels (sd), new in every frame."""
    quality: int = 95
    """JPEG quality of every frame; 100 leaves compression out."""


@dataclass(frozen=True)
class Untidy(Difficulty):
    """A scene as untidy as life, seen in posed crops (`video/pose.py`).

    Every video draws its own values from the ranges, log-uniformly unless said otherwise: some are
    of a still face, some of a head that turns, some of a person who talks. The settings `turn`,
    `speech` and `speech_strength` of `Difficulty` are not used.
    """

    cut: float = 4.0
    """Seconds that the scene goes on before and after the video, so that expressions may lie across
    its ends."""
    moving: float = 0.5
    """Share of the videos in which the head turns and nods."""
    head_degrees: tuple[float, float] = (1.5, 9.0)
    """Turns of the head in such videos (sd of yaw over about 2 s; pitch is 0.6 of it)."""
    alignment: tuple[float, float] = (0.06, 0.5)
    """Shift of the crop in videos with turns or speech (sd in pixels, over 0.1 s to 1.5 s). It is a
    quarter of that in the others."""
    shape_error: tuple[float, float] = (0.15, 0.45)
    """How wrong the face's shape is from which a turn is taken out, share of its depth."""
    pose_degrees: tuple[float, float] = (0.2, 1.5)
    """Error of the measured turn in such videos (sd over about 0.4 s); a quarter in the others."""
    talking: float = 0.6
    """Share of the videos with speech."""
    speech_share: tuple[float, float] = (0.3, 1.0)
    """Share of the time with speech in such videos."""
    speech_strengths: tuple[float, float] = (0.4, 2.0)
    """Strength of the mouth motion, share of the full speech units."""
    mouth: tuple[float, float] = (0.5, 6.0)
    """Times a minute that the mouth opens, presses or is licked without an expression."""
    left: tuple[float, float] = (0.02, 0.6)
    """Share of an expression's apex that is left at its offset; it fades within seconds."""
    tonus_slow: tuple[float, float] = (0.01, 0.15)
    """Unlabelled change of expression units over about 3 s, share of the full unit (sd)."""
    passes: float = 0.6
    """Times a minute that a hand or hair passes in front of the face."""
    cuts: float = 0.3
    """Sudden changes of pose and light a minute."""
    blur: tuple[float, float] = (0.2, 0.8)
    """Blur of the camera and of scaling (sd in pixels)."""
    crf: tuple[float, float] = (18.0, 33.0)
    """Constant rate factor of H.264, drawn evenly; the frames are encoded and decoded."""


WITHOUT: dict[str, dict[str, Any]] = {
    "ends": dict(cut=0.0),
    "turns": dict(moving=0.0),
    "alignment": dict(alignment=(1e-3, 2e-3), pose_degrees=(1e-3, 2e-3), shape_error=(1e-3, 2e-3)),
    "speech": dict(talking=0.0),
    "mouth": dict(mouth=(1e-3, 2e-3)),
    "rest": dict(left=(1e-3, 2e-3), tonus_slow=(1e-3, 2e-3)),
    "passes": dict(passes=0.0),
    "cuts": dict(cuts=0.0),
    "camera": dict(blur=(1e-3, 2e-3), crf=(10.0, 11.0)),
}
"""What leaves a distractor out of an untidy level, for measuring what each contributes."""


def without(level: Difficulty, names: Sequence[str]) -> Difficulty:
    """An untidy level without some of its distractors, see `WITHOUT`.

    Raises:
      UserError: an unknown distractor, or a level that has none.
    """
    for name in names:
        if name not in WITHOUT:
            raise UserError(f"distractor {name!r} is unknown; take one of {', '.join(WITHOUT)}")
    if names and not isinstance(level, Untidy):
        raise UserError('only level "untidy" has distractors that can be left out')
    settings = dict(pair for name in names for pair in WITHOUT[name].items())
    return replace(level, **settings)


def difficulty_from(values: Mapping[str, Any]) -> Difficulty:
    """The settings from the fields that `dataclasses.asdict` makes of them."""
    untidy = values.keys() - {field.name for field in fields(Difficulty)}
    return (Untidy if untidy else Difficulty)(**with_tuples(values))


DEFAULT = Difficulty()
LEVELS = {
    "easy": replace(
        DEFAULT, me_intensity=(0.5, 0.8), drift=0.1, jitter=0.02, roll=0.1, zoom=0.001, turn=0.15,
        tonus=0.005, blinks=8.0, gaze=10.0, speech=0.02, speech_strength=0.2, gain=0.02,
        gradient=0.02, flicker=0.002, noise=0.8, quality=100,
    ),
    "default": DEFAULT,
    "uneven": replace(DEFAULT, gradient=0.22, gradient_seconds=1.0, lamp=0.35),
    "hard": replace(
        DEFAULT, me_intensity=(0.1, 0.33), mae_intensity=(0.4, 0.9), drift=0.6, jitter=0.08,
        roll=0.6, zoom=0.005, turn=0.7, tonus=0.025, blinks=16.0, gaze=22.0, speech=0.12,
        speech_strength=0.35, gain=0.06, gradient=0.08, flicker=0.008, noise=2.0, quality=88,
    ),
    "untidy": Untidy(
        me_seconds=(0.17, 0.49), me_intensity=(0.25, 0.7), mae_intensity=(0.4, 1.0), drift=0.15,
        jitter=0.03, roll=0.2, zoom=0.003, turn=0.0, tonus=0.01, blinks=16.0, gaze=18.0, speech=0.0,
        gain=0.04, gradient=0.08, lamp=0.15, flicker=0.004, noise=1.2, quality=100,
    ),
}  # fmt: skip
"""Named levels; `launch/check_difficulty.py` measures how hard each is."""
