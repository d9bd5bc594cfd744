"""3D-HOG: Davison et al. 2018, paper reference 5; gradients of regions, and a neutral baseline.

As published, by the abstract (arXiv:1612.05038) and what others write of it: histograms of
gradients in three planes, across and down (XY), across and time (XT), down and time (YT), in 26
regions of the face after FACS; the chi-squared distance of each frame to the frames before and
after it; movements are peaks above a baseline that the subject's own neutral sequence gives; a peak
of 0.5 s or less (100 frames at 200 fps) is a micro-movement.

Filled in: The regions are the pixels nearest to 26 points of the aligned face, eyes left out. A
histogram has 8 (XY) or 12 bins of signed directions, weighted by length, and covers 0.1 s. As no
bank holds a neutral sequence, a video's quietest second is taken for it. The published baseline
adapts to the video; here it lies halfway between a region's largest distance in that second and
its largest in the video. The distances are smoothed (Savitzky-Golay). Macro-expressions are spotted
too: peaks longer than 0.5 s, with their own k.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from functools import cache

import cv2
import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.dense_flow import direction_bins
from jaxspot.baselines.feature_difference import neighbour_distance
from jaxspot.spotting.filters import savitzky_golay
from jaxspot.spotting.intervals import find_intervals, intervals_table
from jaxspot.video.align import openface_template
from jaxspot.video.bank import SIZE

CENTRES = (
    *((17, 18), (25, 26), (19,), (24,), (21,), (22,), (21, 22, 27)),  # brows, between them
    *((36,), (45,), (40, 41), (46, 47), (39,), (42,)),  # corners of the eyes, lower lids
    *((28,), (30,), (31,), (35,)),  # nose
    *((41, 48), (46, 54), (31, 48), (35, 54)),  # cheeks, folds beside the mouth
    *((48,), (54,), (51,), (57,), (8, 57)),  # mouth, chin
)
"""The points of the 68 whose mean is the middle of each region."""
REACH = 14
"""Pixels: what is further from all middles belongs to no region."""
BINS = (8, 12, 12)
"""Of XY, XT and YT."""
WINDOW, STEP = 0.1, 1 / 30
"""Seconds that a histogram covers, and from a frame to those that its change is taken from."""
NEUTRAL, SMOOTHED, LONGEST_ME = 1.0, 0.25, 0.5
"""Seconds of the neutral sequence, of the Savitzky-Golay filter, of a micro-expression at most."""


def hog3d(
    frames: np.ndarray,
    *,
    fps: float,
    k: Mapping[str, int],
    subject: str = "",
    video: str = "",
    on_frame: OnFrame = IGNORE,
) -> VideoResult:
    """Spots where the gradients of a region change more than while the face is at rest.

    Nothing is learned, and no label is used except for k. Memory grows with the video by a few
    numbers a frame. The arguments are those of `by_video`. Returns scores, float32 (T, 2), the
    distance of the region that stands out most, in units of its baseline; and intervals.
    """
    distances = neighbour_distance(
        region_histograms(frames, fps=fps),
        len(frames),
        skips=[k[kind] for kind in KINDS],
        summary=lambda values: values,
        on_frame=on_frame,
    )
    smooth = savitzky_golay(distances, fps=fps, window_seconds=SMOOTHED)
    scores = (smooth / baseline(smooth, fps=fps)).max(axis=-1).astype(np.float32)
    spans = {kind: runs(scores[:, i], kind=kind, fps=fps) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def region_histograms(frames: np.ndarray, *, fps: float) -> Iterator[np.ndarray]:
    """Yields shares of directions around each frame, float64 (26, 32): XY, XT and YT.

    The shares of a plane sum to 1, or are 0 where nothing changes. The first and the last frame are
    repeated at the ends of a video.
    """
    half, step = max(round((WINDOW * fps - 1) / 2), 0), max(round(STEP * fps), 1)
    inside = lambda i: min(max(i, 0), len(frames) - 1)
    found: deque[np.ndarray] = deque(maxlen=2 * half + 1)
    for i in range(-half, len(frames) + half):
        around = (frames[inside(inside(i) + n)] for n in (-step, 0, step))
        found.append(direction_lengths(*around))
        if i >= half:
            yield shares(np.sum(found, axis=0))


def direction_lengths(before: np.ndarray, frame: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Sum of the lengths of the gradients in each direction of each region, float64 (26, 32).

    Frames are uint8 (112, 112). A gradient has a part in each plane: of (right, down), of (right,
    time) and of (down, time). Direction 0 begins at the plane's first axis.
    """
    image, (pixels, region) = frame.astype(np.float32), region_pixels()
    down, right = (part.ravel()[pixels] for part in np.gradient(image))
    time = (after.astype(np.float32) - before).ravel()[pixels] / 2
    cells, lengths, first = [], [], 0
    for bins, x, y in zip(BINS, (right, right, down), (down, time, time), strict=True):
        cells.append(region * sum(BINS) + first + direction_bins(np.stack([x, y], -1), bins=bins))
        lengths.append(np.hypot(x, y))
        first += bins
    size = len(CENTRES) * sum(BINS)
    found = np.bincount(np.concatenate(cells), np.concatenate(lengths), size)
    return found.reshape(len(CENTRES), -1)


def shares(lengths: np.ndarray) -> np.ndarray:
    """Each plane's bins (regions, 32) by their sum; 0 where that is 0."""
    planes = np.split(lengths, np.cumsum(BINS)[:-1], axis=1)
    totals = [plane.sum(axis=1, keepdims=True) for plane in planes]
    pairs = zip(planes, totals, strict=True)
    return np.concatenate([plane / np.where(all > 0, all, 1) for plane, all in pairs], axis=1)


@cache
def region_pixels() -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of the pixels (n,) of the face that belong to a region, and their regions."""
    points = openface_template()
    centres = np.array([points[list(each)].mean(axis=0) for each in CENTRES])
    y, x = np.mgrid[:SIZE, :SIZE]
    away = np.hypot(x[..., None] - centres[:, 0], y[..., None] - centres[:, 1])
    eyes = np.zeros((SIZE, SIZE), np.uint8)
    for first in (36, 42):
        cv2.fillPoly(eyes, [np.rint(points[first : first + 6]).astype(np.int32)], 1)
    pixels = np.flatnonzero((away.min(axis=-1) <= REACH) & (eyes == 0))
    return pixels, away.argmin(axis=-1).ravel()[pixels]


def baseline(distances: np.ndarray, *, fps: float) -> np.ndarray:
    """What is above it is a movement: float64 (kinds, regions), of distances (T, kinds, regions).

    For each region it lies halfway between its largest distance in the quietest second of the video
    and that in the whole video.
    """
    length = min(round(NEUTRAL * fps), len(distances))
    total = np.cumsum(np.concatenate([[0.0], distances.mean(axis=(1, 2))]))
    start = int(np.argmin(total[length:] - total[: len(total) - length]))
    neutral = distances[start : start + length].max(axis=0)
    return np.maximum((neutral + distances.max(axis=0)) / 2, np.finfo(float).tiny)


def runs(curve: np.ndarray, *, kind: str, fps: float) -> np.ndarray:
    """Runs of frames above 1 of a curve float (T,) that are as long as their kind, ME or MaE.

    Returns int (n, 2), array bounds, half open.
    """
    longest = round(LONGEST_ME * fps)
    above = (curve > 1).astype(float)
    if kind == "ME":
        return find_intervals(above, threshold=1, max_frames=longest)
    return find_intervals(above, threshold=1, min_frames=longest + 1)
