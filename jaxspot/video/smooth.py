"""Steadies the alignment over time: a causal one-euro filter on the similarity, never on pixels."""

from dataclasses import dataclass

import numpy as np

from jaxspot.video.align import SIZE

# At rest the noise falls to about 0.4 at 30 fps; a moving head lags by less than
# 1 / (2 pi CUTOFF_PER_SPEED) = 0.25 px.
REST_CUTOFF_HZ = 2.0
CUTOFF_PER_SPEED = 0.64
SPEED_CUTOFF_HZ = 2.0
FACE_RADIUS = 35.642


@dataclass(frozen=True)
class Smoother:
    """What the filter remembers: last `pose` and `speed` (4,) in crop pixels, last time."""

    pose: np.ndarray
    speed: np.ndarray
    time_s: float


def smooth_similarity(
    state: Smoother | None, similarity: np.ndarray, time_s: float
) -> tuple[Smoother, np.ndarray]:
    """Filters one similarity (2, 3) from image to crop; gives the next state and the result.

    `state` is None for the first frame and after the face was lost. The four parameters share
    one cut-off, which rises with the speed of the face (one-euro filter, Casiez et al. 2012).
    """
    pose = _pose(similarity)
    if state is None or time_s <= state.time_s:
        return Smoother(pose, np.zeros(4), time_s), similarity
    step_s = time_s - state.time_s
    scale = np.exp(pose[3])
    unit = np.array([scale, scale, FACE_RADIUS, FACE_RADIUS])  # of the pose, in crop pixels
    change = pose - state.pose
    change[2] = (change[2] + np.pi) % (2 * np.pi) - np.pi
    speed = state.speed + _gain(SPEED_CUTOFF_HZ, step_s) * (change * unit / step_s - state.speed)
    cutoff = REST_CUTOFF_HZ + CUTOFF_PER_SPEED * float(np.linalg.norm(speed))
    smoothed = state.pose + _gain(cutoff, step_s) * change
    return Smoother(smoothed, speed, time_s), _similarity(smoothed)


def _pose(similarity: np.ndarray) -> np.ndarray:
    """Image point (x, y) that lands in the crop's middle, angle, log scale."""
    linear, shift = similarity[:, :2], similarity[:, 2]
    middle = np.linalg.solve(linear, SIZE / 2 - shift)
    angle = np.arctan2(linear[1, 0], linear[0, 0])
    return np.array([*middle, angle, np.log(np.hypot(linear[0, 0], linear[1, 0]))])


def _similarity(pose: np.ndarray) -> np.ndarray:
    scale, cos, sin = np.exp(pose[3]), np.cos(pose[2]), np.sin(pose[2])
    linear = scale * np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([linear, SIZE / 2 - linear @ pose[:2]])


def _gain(cutoff_hz, step_s):
    ratio = 2 * np.pi * cutoff_hz * step_s
    return float(ratio / (1 + ratio))
