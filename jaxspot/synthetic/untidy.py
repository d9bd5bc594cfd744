"""What makes a scene untidy: turns of the head, speech, faces that do not come to rest, cuts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from jaxspot.synthetic.camera import Camera, Passing
from jaxspot.synthetic.depth import head_depths
from jaxspot.synthetic.difficulty import Untidy
from jaxspot.synthetic.events import Event, log_uniform, profile
from jaxspot.synthetic.heads import CROP
from jaxspot.synthetic.motion import Clock, Course, moments, smooth_noise
from jaxspot.synthetic.render import Turns
from jaxspot.synthetic.units import EXPRESSIONS

POSE_SMOOTH_S = 0.067
"""Posed crops smooth the pose over this time, so that quick turns are taken out late."""
TALK_UNITS = (
    "lip_stretch", "upper_lip_raise", "lower_lip_depress", "pucker", "funnel", "chin_raise",
    "lip_press", "lip_suck", "lip_corner_depress", "dimple", "smile_slight", "smile_left",
    "smile_right", "cheek_puff", "jaw_drop",
)  # fmt: skip
"""Of these, some move with a person's speech, beside the three units of speech."""
TALK_COUNT = 6
REST_UNITS = ("jaw_drop", "lip_press", "lip_suck", "speech_open", "speech_roll", "pucker")
"""Mouth movements that no expression is part of."""
BEAT_UNITS = ("brow_raise", "brow_raise_inner", "brow_lower", "smile_slight")
"""What a speaker moves slightly with the voice."""
MOUTH_UNITS = ("speech_open", "speech_round", "speech_roll", *TALK_UNITS)
MOST = 1.8
"""Speech moves the mouth by less than this, as a sum over units; more looks torn."""
JAW_PITCH = 2.0
"""Degrees by which an open jaw can spoil the measured pitch (sd)."""


@dataclass(frozen=True)
class Scene:
    """What an untidy video has beside what every video has.

    `weights` (T, units) unlabelled; `turns`; `jumps` (T, 4) sudden shift right and down in pixels,
    light and side light, added to the course; `loose` (T, 4) shift right and down in pixels, roll
    in radians and zoom that the alignment leaves; `side` (T,) light that follows the yaw.
    """

    weights: np.ndarray
    turns: Turns
    jumps: np.ndarray
    loose: np.ndarray
    side: np.ndarray
    camera: Camera

    def disturb(self, course: Course) -> Course:
        """The course with the jumps of cuts, and with light that changes as the head turns."""
        right, down, gain, side = self.jumps.T
        loose_right, loose_down, roll, zoom = self.loose.T
        return replace(
            course,
            shift_x=course.shift_x + right + loose_right,
            shift_y=course.shift_y + down + loose_down,
            roll=course.roll + roll,
            zoom=course.zoom + zoom,
            gain=course.gain * (1 + gain),
            side_x=course.side_x + side + self.side,
        )


def untidy_scene(
    rng: np.random.Generator,
    clock: Clock,
    level: Untidy,
    events: Sequence[Event],
    units: Sequence[str],
    *,
    subject: int,
) -> Scene:
    """Draws the scene of a video of a person (`subject`, counted from 0)."""
    head_rng, talk_rng, rest_rng, cut_rng, camera_rng, shape_rng = rng.spawn(6)
    talking = talk_rng.random() < level.talking
    speech, mouth = speak(talk_rng, clock, level, units) if talking else (0.0, 0.0)
    weights = speech + rest(rest_rng, clock, level, events, units)
    moving = head_rng.random() < level.moving
    loose = 1.0 if moving or talking else 0.25
    pose = draw_pose(head_rng, clock, level, mouth, moving=moving)
    jumps, steps = draw_cuts(cut_rng, clock, level)
    error = loose * log_uniform(shape_rng, level.pose_degrees)
    turns = seen_turns(shape_rng, clock, level, pose + steps, mouth, error=error, subject=subject)
    shifts = misalign(head_rng, clock, sd=loose * log_uniform(head_rng, level.alignment))
    blur = log_uniform(camera_rng, level.blur) + motion_blur(pose, clock)
    side = camera_rng.uniform(-1.0, 1.0) * (pose[:, 0] + steps[:, 0])
    camera = Camera(clock.times, blur, draw_passing(camera_rng, clock, level),
                    round(camera_rng.uniform(*level.crf)))  # fmt: skip
    return Scene(weights, turns, jumps, shifts, side, camera)


def speak(rng, clock: Clock, level: Untidy, units) -> tuple[np.ndarray, np.ndarray]:
    """Unlabelled weights (T, units) of speech, and how far the jaw is open (T,)."""
    share = log_uniform(rng, level.speech_share)
    strength = log_uniform(rng, level.speech_strengths)
    mean = rng.uniform(1.0, 4.0)
    envelope = np.zeros(len(clock.times))
    starts = moments(rng, per_minute=60 * share / mean, length=clock.seconds, rest=0.4)
    for start in starts:
        length = mean * rng.uniform(0.4, 1.6)
        hold = max(length - 0.3, 0.05)
        level_now = profile(clock.times, start=start, rise=0.15, hold=hold, decay=0.15)
        envelope = np.maximum(envelope, level_now * rng.uniform(0.6, 1.2))
    wave = lambda scale: np.abs(smooth_noise(rng, clock, scale=scale))
    spoken = {"speech_open": wave(rng.uniform(0.08, 0.16)), "speech_round": 0.7 * wave(0.2),
              "speech_roll": wave(rng.uniform(0.08, 0.2))}  # fmt: skip
    names = rng.choice(TALK_UNITS, size=TALK_COUNT, replace=False).tolist()
    spoken |= {name: rng.uniform(0, 0.45) * wave(rng.uniform(0.1, 0.5)) for name in names}
    spoken |= {name: rng.uniform(0, 0.12) * wave(rng.uniform(0.2, 0.6)) for name in BEAT_UNITS}
    weights = np.zeros((len(clock.times), len(units)))
    for name, amount in spoken.items():
        weights[:, units.index(name)] += strength * envelope * np.minimum(amount, 2.2)
    mouth = [units.index(name) for name in MOUTH_UNITS]
    total = weights[:, mouth].sum(axis=1, keepdims=True)
    weights[:, mouth] *= (1 + (total / MOST) ** 4) ** -0.25
    return weights, weights[:, units.index("speech_open")]


def rest(rng, clock: Clock, level: Untidy, events, units) -> np.ndarray:
    """Unlabelled weights (T, units) between expressions: what is left of them, and other motion."""
    weights = np.zeros((len(clock.times), len(units)))
    sd = log_uniform(rng, level.tonus_slow)
    for name in rng.choice(list(EXPRESSIONS), size=8, replace=False):
        weights[:, units.index(name)] += smooth_noise(rng, clock, scale=3.0, sd=sd)
    most = log_uniform(rng, level.left)
    for event in events:
        after = clock.times - (event.start + event.rise + event.hold)
        grown = np.clip(after / event.decay, 0, 1)
        fading = np.exp(-np.maximum(after - event.decay, 0) / rng.uniform(0.7, 5.0))
        share = rng.uniform(0, 1) * most
        for name, intensity in event.units:
            # Up to the offset the label's own profile falls; this rises to what is left.
            weights[:, units.index(name)] += share * intensity * grown**2 * fading
    per_minute = log_uniform(rng, level.mouth)
    for start in moments(rng, per_minute=per_minute, length=clock.seconds, rest=0.5):
        rise, hold, decay = rng.uniform((0.1, 0.0, 0.15), (0.5, 1.2, 0.6))
        amount = log_uniform(rng, (0.15, 0.9))
        shape = profile(clock.times, start=start, rise=rise, hold=hold, decay=decay)
        weights[:, units.index(rng.choice(REST_UNITS))] += amount * shape
    return weights


def draw_pose(rng, clock: Clock, level: Untidy, mouth, *, moving: bool) -> np.ndarray:
    """Yaw and pitch (T, 2) of the head in radians."""
    wave = lambda scale, sd: smooth_noise(rng, clock, scale=scale, sd=sd)
    still = np.stack([wave(2.0, 0.4), wave(2.0, 0.4)], 1)
    speaking = np.stack([wave(0.5, 1.0), wave(0.35, 1.5)], 1)
    sd = log_uniform(rng, level.head_degrees)
    turning = np.stack([wave(2.0, sd), wave(1.6, 0.6 * sd)], 1)
    for start in moments(rng, per_minute=4.0, length=clock.seconds, rest=1.0):
        length = rng.uniform(0.5, 2.0)
        nod = profile(clock.times, start=start, rise=0.15, hold=length - 0.3, decay=0.15)
        tone = np.sin(2 * np.pi * rng.uniform(1.2, 3.0) * clock.times)
        turning[:, rng.integers(2)] += rng.uniform(0.3, 0.9) * sd * nod * tone
    loud = np.minimum(gaussian_filter1d(mouth + np.zeros(len(clock.times)), 10), 1)
    return np.radians(still + float(moving) * turning + 2 * loud[:, None] * speaking)


def misalign(rng, clock: Clock, *, sd) -> np.ndarray:
    """What is left of the head's motion by the alignment, see `Scene.loose`."""
    parts = ((0.1, 0.6), (0.4, 0.8), (1.5, 1.0))
    wave = lambda: sum(smooth_noise(rng, clock, scale=s, sd=sd * part) for s, part in parts)
    return np.stack([wave(), wave(), wave() / 60, wave() / 60], 1)


def draw_cuts(rng, clock: Clock, level: Untidy) -> tuple[np.ndarray, np.ndarray]:
    """What cuts change at once: `Scene.jumps` (T, 4), and yaw and pitch (T, 2) in radians."""
    jumps, steps = np.zeros((len(clock.times), 4)), np.zeros((len(clock.times), 2))
    for start in moments(rng, per_minute=level.cuts, length=clock.seconds, rest=2.0):
        later = clock.times >= start
        jumps[later] = rng.normal(0, (0.8, 0.8, 0.1, 0.1))
        steps[later] = np.radians(rng.normal(0, 8.0, 2))
    return jumps, steps


def seen_turns(
    rng, clock: Clock, level: Untidy, pose, mouth, *, error: float, subject: int
) -> Turns:
    """What posed crops leave of turns of the head.

    A turn is taken out by a shape that is not quite the face's. And the turn itself is measured
    with an `error` in degrees, smoothed over time, and spoiled by an open jaw.
    """
    depths = head_depths()
    true, other = depths[subject], depths[rng.integers(len(depths))]
    wrong = true - other * rng.normal(1, 0.1)
    wrong *= log_uniform(rng, level.shape_error) * true.std() / max(float(wrong.std()), 0.1)
    frame_s = clock.seconds / len(clock.times)
    late = pose - gaussian_filter1d(pose, POSE_SMOOTH_S / frame_s, axis=0, mode="nearest")
    noise = [smooth_noise(rng, clock, scale=s, sd=error * part) for s, part in
             ((0.4, 1.0), (0.4, 1.0), (0.1, 0.4), (0.1, 0.4))]  # fmt: skip
    off = late + np.radians(np.stack(noise[:2], 1) + np.stack(noise[2:], 1))
    off[:, 1] += np.radians(JAW_PITCH * rng.normal()) * np.minimum(mouth, 1.5) / 1.5
    fields = np.concatenate([_fields(wrong), _fields(true)])
    return Turns(fields, np.column_stack([np.sin(pose), off]))


def motion_blur(pose, clock: Clock) -> np.ndarray:
    """Blur (T,) of each frame in pixels (sd) from the speed of the head."""
    frame_s = clock.seconds / len(clock.times)
    speed = np.hypot(*np.gradient(pose, frame_s, axis=0).T)
    shutter_s, pixels_a_radian = 0.015, 40
    return speed * shutter_s * pixels_a_radian / np.sqrt(12)


def draw_passing(rng, clock: Clock, level: Untidy) -> tuple[Passing, ...]:
    """Hands and hair that pass."""
    found = []
    for start in moments(rng, per_minute=level.passes, length=clock.seconds, rest=1.0):
        hand = rng.random() < 0.5
        to = rng.uniform((15, 55) if hand else (20, 0), (97, 110) if hand else (92, 35))
        out = np.array([rng.choice([-40, CROP + 40]), to[1] + rng.uniform(-10, 50)])
        size = rng.uniform((8, 14), (18, 30)) if hand else (rng.uniform(0.8, 2.0), 30.0)
        found.append(
            Passing(
                start=float(start),
                seconds=float(rng.uniform(0.6, 4.0)),
                path=np.stack([out, to]),
                size=(float(size[0]), float(size[1])),
                angle=float(rng.uniform(0, 180)),
                gray=float(rng.uniform(60, 180) if hand else rng.uniform(15, 60)),
            )
        )
    return tuple(found)


def _fields(depth) -> np.ndarray:
    """Backward offsets (2, n, n, 2) of a yaw and a pitch of 1 radian of a face of this depth."""
    fields = np.zeros((2, *depth.shape, 2), np.float32)
    fields[0, ..., 0] = fields[1, ..., 1] = -depth
    return fields
