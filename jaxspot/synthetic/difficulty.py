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
}  # fmt: skip
"""Named levels; `launch/check_difficulty.py` measures how hard each is."""
