"""How hard a synthetic video is: every setting of the scene in one place."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Difficulty:
    """Events and everything else that moves. Ranges are (low, high), drawn log-uniformly.

    Lengths are pixels of the 112 x 112 crop, times seconds, gray levels 0..255; "sd" is a standard
    deviation over time.
    """

    me_seconds: tuple[float, float] = (0.17, 0.46)
    """Duration of a micro-expression, under 0.5."""
    me_intensity: tuple[float, float] = (0.3, 0.6)
    """Share of the full unit at the apex of a micro-expression."""
    mae_seconds: tuple[float, float] = (0.6, 4.0)
    """Duration of a macro-expression, over 0.5."""
    mae_intensity: tuple[float, float] = (0.6, 1.0)
    """Share of the full unit at the apex of a macro-expression."""
    second_unit: float = 0.35
    """Probability that an event has a second, weaker unit."""
    drift: float = 0.35
    """Slow motion left over by alignment (sd over about 1.5 s), sideways and up-down."""
    jitter: float = 0.06
    """Fast alignment noise (sd, about 40 ms)."""
    roll: float = 0.35
    """Slow roll left over by alignment, degrees (sd)."""
    zoom: float = 0.004
    """Slow change of scale left over by alignment (sd)."""
    turn: float = 0.5
    """Parallax of slow yaw and pitch at the nose (sd)."""
    tonus: float = 0.015
    """Unlabelled stir of every expression unit, share of the full unit (sd)."""
    blinks: float = 14.0
    """Blinks a minute."""
    gaze: float = 20.0
    """Gaze shifts a minute."""
    speech: float = 0.08
    """Share of the time with speech-like mouth motion."""
    speech_strength: float = 0.3
    """Strength of that motion, share of the full speech units."""
    gain: float = 0.05
    """Slow global change of light (sd)."""
    gradient: float = 0.06
    """Slow light from one side: relative change at the border of the crop (sd)."""
    flicker: float = 0.006
    """Fast global change of light (sd)."""
    noise: float = 1.8
    """Sensor noise in gray levels (sd), new in every frame."""
    quality: int = 90
    """JPEG quality of every frame; 100 leaves compression out."""


DEFAULT = Difficulty()
LEVELS = {
    "easy": replace(
        DEFAULT,
        me_intensity=(0.5, 0.8),
        drift=0.15,
        jitter=0.03,
        roll=0.15,
        zoom=0.002,
        turn=0.2,
        tonus=0.005,
        speech=0.02,
        gain=0.02,
        gradient=0.03,
        flicker=0.003,
        noise=1.2,
        quality=95,
    ),
    "default": DEFAULT,
    "hard": replace(
        DEFAULT,
        me_intensity=(0.08, 0.3),
        drift=0.7,
        jitter=0.12,
        roll=0.7,
        zoom=0.008,
        turn=1.0,
        tonus=0.03,
        speech=0.15,
        gain=0.08,
        gradient=0.12,
        flicker=0.012,
        noise=2.5,
        quality=80,
    ),
}
"""Named levels; the information check of `launch/check_difficulty.py` says what each lets through."""
