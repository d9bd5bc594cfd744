"""Spatio-temporal fusion, SP-FD: Zhang et al. 2020, motion of regions around landmarks."""

import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.dense_flow import dense_flow, direction_bins, dominant_bin
from jaxspot.spotting.filters import savitzky_golay
from jaxspot.spotting.intervals import find_intervals, intervals_table
from jaxspot.spotting.manual_iou import find_peak_intervals
from jaxspot.video.align import openface_template

POINTS = (18, 19, 20, 23, 24, 25, 30, 48, 51, 54, 57, 28)
"""Of the 68 landmarks: brows, tip of the nose, mouth; the last, on its bridge, is the head's."""
SIDE = 16
DIRECTIONS = 6
PUBLISHED_FPS = 30
PUBLISHED_SCALE = 2.3
"""An estimate: a face of their videos fills about 250 pixels; as much of it, about 110 of ours."""
LONGEST_ME, MERGED = 0.5, 2 / 30
"""In seconds; gaps of MERGED and shorter are closed: 2 frames at 30 fps."""


def sp_fd(
    frames: np.ndarray,
    *,
    fps: float,
    margin: float = 0.5,
    window_seconds: float = 0.3,
    subject: str = "",
    video: str = "",
    on_frame: OnFrame = IGNORE,
) -> VideoResult:
    """Spots where a region of the face moves fast, apart from the head.

    Nothing is learned. Memory grows with the video by a few numbers a frame.

    Unlike the published method: Landmarks are those of the aligned face, the same in all frames. A
    region's 16 pixels are those of the 112-pixel face. Speeds are in pixels of a face as large as
    theirs in 1/30 s, which keeps their thresholds. All videos share the filter's window, which was
    chosen video by video. Intervals are those of `region_spans`. MaE, 0.5 s or longer, are spotted
    too.

    `margin` is dropped at each end of a video, in seconds. They dropped 100 frames, 0.5 s at 200
    fps; at 30 fps that would be 3.3 s, too much of a video of 30 s. `window_seconds` is of the
    Savitzky-Golay filter of order 3. A sudden movement becomes about as long as the window, so
    0.5 s would leave no micro-expression. The other arguments are those of `by_video`. Returns
    scores, float32 (T, 2), the highest of the regions' smooth curves, for both kinds, NaN in the
    margins; and intervals.
    """
    speeds = region_speeds(frames, fps=fps, on_frame=on_frame)
    smooth = smooth_inside(speeds, fps=fps, margin=margin, window_seconds=window_seconds)
    scores = np.repeat(smooth.max(axis=1)[:, None], len(KINDS), axis=1).astype(np.float32)
    spans = by_duration(region_spans(smooth, fps=fps), fps=fps)
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def region_speeds(frames: np.ndarray, *, fps: float, on_frame: OnFrame = IGNORE) -> np.ndarray:
    """Speed of each region in each frame, in pixels of a published face in 1/30 s.

    Flow is taken between two frames 1/30 s apart (consecutive ones at 30 fps and below), the frame
    in their middle. Returns float64 (T, 12); NaN where a frame has no partner.
    """
    lag = max(1, round(fps / PUBLISHED_FPS))
    unit = PUBLISHED_SCALE * fps / PUBLISHED_FPS / lag
    result = np.full((len(frames), len(POINTS)), np.nan)
    flow, corners = dense_flow(), region_corners()
    for i in range(len(frames)):
        if i >= lag:
            motion = flow(frames[i - lag], frames[i])
            result[i - lag // 2] = unit * region_magnitudes(motion, corners)
        on_frame(1)
    return result


def region_corners() -> np.ndarray:
    """Upper left corner (x, y) of the square around each of POINTS, int (12, 2)."""
    return np.floor(openface_template()[list(POINTS)] - SIDE / 2).astype(np.int64)


def region_magnitudes(flow: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Mean length (regions,), in pixels, of each region's vectors in its main direction.

    First the `head_motion` of the last region is subtracted from the flow (H, W, 2). The main
    direction is the sixth of the circle with the largest sum of lengths. `corners` are
    int (regions, 2), x and y.
    """
    across = np.arange(SIDE)
    rows, columns = corners[:, 1, None] + across, corners[:, 0, None] + across
    squares = flow[rows[:, :, None], columns[:, None, :]].astype(np.float64)
    vectors = squares.reshape(len(corners), -1, 2)
    vectors -= head_motion(vectors[-1])
    length = np.linalg.norm(vectors, axis=-1)
    bins = direction_bins(vectors, bins=DIRECTIONS)
    main = bins == dominant_bin(bins, bins=DIRECTIONS, weights=length)[:, None]
    return np.where(main, length, 0).sum(axis=1) / main.sum(axis=1)


def head_motion(vectors: np.ndarray) -> np.ndarray:
    """The mean direction of vectors (n, 2) at their mean length, float64 (2,); 0 if it has none."""
    total = vectors.sum(axis=0)
    size = np.linalg.norm(total)
    return total / size * np.linalg.norm(vectors, axis=1).mean() if size > 0 else total


def smooth_inside(
    speeds: np.ndarray, *, fps: float, margin: float, window_seconds: float
) -> np.ndarray:
    """Speeds (T, regions), NaN where there is no flow, smoothed over time; NaN in the margins."""
    known, cut = np.flatnonzero(~np.isnan(speeds[:, 0])), round(margin * fps)
    result = np.full(speeds.shape, np.nan)
    if len(known):
        inside = slice(max(cut, known[0]), max(0, min(len(speeds) - cut, known[-1] + 1)))
        result[inside] = savitzky_golay(speeds[inside], fps=fps, window_seconds=window_seconds)
    return result


def region_spans(
    smooth: np.ndarray, *, fps: float, least: float = 0.8, floor: float = 0.3
) -> np.ndarray:
    """The union over regions of what `find_peak_intervals` finds in each.

    `manual_iou_intervals` says how that differs from the published code. `smooth` (T, regions) is
    in pixels of a published face in 1/30 s; NaN has no score. A region that stays below `least` has
    no interval (in their code, not in their text). Returns int (n, 2), half open.
    """
    inside = np.where(np.isnan(smooth[:, 0]), np.nan, 0.0)
    for curve in smooth.T:
        if np.fmax.reduce(curve, initial=-np.inf) >= least:
            for start, stop in find_peak_intervals(curve, band=0.8, floor=floor):
                inside[start:stop] = 1
    return find_intervals(inside, threshold=1, merge_gap=round(MERGED * fps))


def by_duration(spans: np.ndarray, *, fps: float) -> dict[str, np.ndarray]:
    """Intervals (n, 2) by kind: micro-expressions are those shorter than 0.5 s."""
    short = spans[:, 1] - spans[:, 0] < LONGEST_ME * fps
    return {"ME": spans[short], "MaE": spans[~short]}
