"""What moves without a label: lids, gaze, speech, the stir of a resting face, head pose, light.

Every process is defined in seconds, and what it draws depends on the length of the video alone, so
the scene is the same at any frame rate.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.interpolate import make_interp_spline

from jaxspot.synthetic.difficulty import Difficulty
from jaxspot.synthetic.events import profile
from jaxspot.synthetic.units import EXPRESSIONS


@dataclass(frozen=True)
class Clock:
    """A video of `seconds` with frames at `times` (T,) seconds."""

    seconds: float
    times: np.ndarray


@dataclass(frozen=True)
class Course:
    """Head and light over time, each (T,): shift in pixels, roll in radians, the rest relative."""

    shift_x: np.ndarray
    shift_y: np.ndarray
    roll: np.ndarray
    zoom: np.ndarray
    yaw: np.ndarray
    pitch: np.ndarray
    gain: np.ndarray
    side_x: np.ndarray
    side_y: np.ndarray

    def at(self, frames) -> "Course":
        """The same at some frames, counted from 0."""
        return Course(**{field.name: getattr(self, field.name)[frames] for field in fields(self)})


def smooth_noise(rng, clock: Clock, *, scale, sd=1.0):
    """Noise (T,) of about the standard deviation `sd` that changes over about `scale` seconds."""
    knots = np.arange(-3, np.ceil(clock.seconds / scale) + 4) * scale
    return sd * make_interp_spline(knots, rng.standard_normal(len(knots)), k=3)(clock.times)


def moments(rng, *, per_minute, length, rest):
    """Random times (n,) below `length`, at least `rest` apart, about `per_minute` of them."""
    if per_minute <= 0:
        return np.zeros(0)
    mean = max(60 / per_minute - rest, 0.05)
    starts = (rest + rng.exponential(mean, size=int(length / rest) + 2)).cumsum()
    return starts[starts < length]


def blinks(rng, clock: Clock, *, per_minute):
    """Closing of the lids (T,) in 0..1."""
    closing = np.zeros(len(clock.times))
    for start in moments(rng, per_minute=per_minute, length=clock.seconds, rest=0.5):
        shape = rng.uniform((0.07, 0.01, 0.12), (0.12, 0.06, 0.22))
        depth = 1.0 if rng.random() < 0.85 else rng.uniform(0.4, 0.8)
        level = profile(clock.times, start=start, rise=shape[0], hold=shape[1], decay=shape[2])
        closing = np.maximum(closing, depth * level)
    return closing


def gaze(rng, clock: Clock, *, per_minute):
    """Direction of the eyes (T, 2), -1..1 to the subject's left and up; steps of 60 ms."""
    direction, now = np.zeros((len(clock.times), 2)), np.zeros(2)
    for start in moments(rng, per_minute=per_minute, length=clock.seconds, rest=0.3):
        goal = np.zeros(2) if rng.random() < 0.5 else rng.uniform((-0.8, -0.6), (0.8, 0.4))
        step = np.clip((clock.times - start) / 0.06, 0, 1)[:, None]
        direction += step * (goal - now)
        now = goal
    return direction


def speech(rng, clock: Clock, *, share, strength):
    """Strength (T, 3) of the three speech units in bursts of 0.8 to 3 s."""
    level = np.zeros((len(clock.times), 3))
    per_minute = 60 * share / 1.9
    for start in moments(rng, per_minute=per_minute, length=clock.seconds, rest=2.0):
        length = rng.uniform(0.8, 3.0)
        envelope = profile(clock.times, start=start, rise=0.2, hold=length - 0.4, decay=0.2)
        syllables = [smooth_noise(rng, clock, scale=0.13) for _ in range(3)]
        level += envelope[:, None] * np.clip(np.abs(np.stack(syllables, 1)), 0, 2)
    return strength * np.minimum(level, 2)


def stir(rng, clock: Clock, *, sd):
    """Small unlabelled activation (T, expressions) of six units of a resting face, about 0.7 s."""
    level = np.zeros((len(clock.times), len(EXPRESSIONS)))
    for unit in rng.choice(len(EXPRESSIONS), size=6, replace=False):
        level[:, unit] = smooth_noise(rng, clock, scale=0.7, sd=sd)
    return level


def distractions(rng, clock: Clock, difficulty: Difficulty, units) -> np.ndarray:
    """Unlabelled intensity (T, len(units)) of every unit."""
    lid_rng, gaze_rng, speech_rng, stir_rng = rng.spawn(4)
    look = gaze(gaze_rng, clock, per_minute=difficulty.gaze)
    mouth = speech(speech_rng, clock, share=difficulty.speech, strength=difficulty.speech_strength)
    moved = {"blink": blinks(lid_rng, clock, per_minute=difficulty.blinks)}
    for name, amount in zip(("left", "up", "right", "down"), [*look.T, *-look.T], strict=True):
        moved[f"gaze_{name}"] = np.maximum(amount, 0)
    moved |= zip(("speech_open", "speech_round", "speech_roll"), mouth.T, strict=True)
    moved |= zip(EXPRESSIONS, stir(stir_rng, clock, sd=difficulty.tonus).T, strict=True)
    return np.stack([moved.get(name, np.zeros(len(clock.times))) for name in units], axis=1)


def draw_course(rng, clock: Clock, difficulty: Difficulty) -> Course:
    """Pose, alignment residue and light of a video."""
    d = difficulty
    rngs = iter(rng.spawn(15))
    slow = lambda sd, scale=1.5: smooth_noise(next(rngs), clock, scale=scale, sd=sd)
    fast = lambda sd: slow(sd, 0.04)
    course = Course(
        shift_x=slow(d.drift) + fast(d.jitter),
        shift_y=slow(d.drift) + fast(d.jitter),
        roll=np.radians(slow(d.roll) + fast(0.7 * d.jitter)),
        zoom=1 + slow(d.zoom) + fast(0.01 * d.jitter),
        yaw=slow(d.turn, 1.8),
        pitch=slow(d.turn, 1.8),
        gain=1 + slow(d.gain, 3.0) + fast(d.flicker),
        side_x=slow(d.gradient, d.gradient_seconds),
        side_y=slow(0.5 * d.gradient, d.gradient_seconds),
    )
    angle = next(rngs).uniform(0, 2 * np.pi)
    lamp_x, lamp_y = d.lamp * np.cos(angle), d.lamp * np.sin(angle)
    return replace(course, side_x=course.side_x + lamp_x, side_y=course.side_y + lamp_y)
