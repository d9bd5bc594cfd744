"""Spots the expressions of a video: clips of its faces, their scores, intervals and frames."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import to_span
from jaxspot.network.streams import reference_places
from jaxspot.spotting.decision import Decision
from jaxspot.spotting.judge import highest_per_minute
from jaxspot.video.clip import Clip
from jaxspot.video.face_clips import FaceClips
from jaxspot.video.frame_times import SLOWEST_ME_FPS, even_steps, frame_ends, is_gap, stretches
from jaxspot.video.shown import ShownFrames, last_usable

CLIP_INTERVAL_COLUMNS = ("subject", "video", "face", "kind", "onset", "apex", "offset", "score")
CLIP_INTERVAL_COLUMNS += ("rank", "onset_s", "apex_s", "offset_s")
FRAMES = ("onset", "apex", "offset")
MIN_FACE_SHARE = 0.5
NO_DECISION = Decision()

Score = Callable[[ShownFrames, float], np.ndarray]
Intervals = Callable[[np.ndarray, float], pd.DataFrame]
Curves = Callable[[np.ndarray, float], np.ndarray]


class FaceCurves(NamedTuple):
    """What is known of the n frames of a clip, which begins at frame `first` (from 0) of the video.

    `faces` (n,) track numbers, -1 without a face; `boxes` (n, 4), see `Clip`; `scores` and `smooth`
    (n, 2), the raw scores of ME and MaE and the curves in which intervals are searched, NaN where
    there are none.
    """

    first: int
    faces: np.ndarray
    boxes: np.ndarray | None
    scores: np.ndarray
    smooth: np.ndarray


class Spotted(NamedTuple):
    """What was found in a video.

    `frames` has a row for each frame and face in it (a frame without a face has one row), see
    `clip_frames`; `intervals` has CLIP_INTERVAL_COLUMNS; `times` (T,) are those of its frames in
    seconds; `curves` has the faces apart; `threshold` is that of the smoothed curves of ME and MaE,
    None where the score of an interval is its chance; `decision` is what chose the intervals.
    """

    video: str
    times: np.ndarray
    frames: pd.DataFrame
    intervals: pd.DataFrame
    curves: list[FaceCurves]
    threshold: tuple[float, float] | None = None
    decision: Decision = NO_DECISION


def spot_faces(
    video: FaceClips,
    *,
    name: str,
    score: Score,
    intervals: Intervals,
    subject: str = "",
    skips: Callable[[float], np.ndarray] | None = None,
    curves: Curves = lambda scores, fps: scores,
    threshold: tuple[float, float] | None = None,
    decision: Decision = NO_DECISION,
    per_minute: float | None = None,
) -> Spotted:
    """Finds the expressions of the faces of a video.

    Args:
      video: clips of its faces.
      name, subject: of the video, for the tables.
      score: (a clip's frames as `ShownFrames`, fps) -> float (T, 2), ME and MaE.
      intervals: (scores (T, 2), fps) -> kind, onset, apex, offset (from 1, both included), score. A
        frame without a usable score is NaN there.
      skips: fps -> int (networks, streams), how many frames before the frame each reference of
        `score` is; below 0: after it. A score is NaN where the frame shows no face, or where a
        reference shows another face than the frame.
      curves: (scores (T, 2), fps) -> float (T, 2), smoothed, to be shown.
      threshold: of these curves, to be shown.
      decision: what chose the intervals, for the tables.
      per_minute: keep so many intervals of each kind a minute of a face, see `highest_per_minute`.

    Returns:
      `intervals` of `Spotted` is empty when no face is seen. `face` is the track number from 0,
      `rank` the place by score in this video; seconds are the presentation times at which the first
      and the apex frame start and the last one ends. Frames on either side of a gap in time are
      never compared. Of a video under SLOWEST_ME_FPS, no ME is found.
    """
    tables, frames, shown = [], [], []
    left = np.ones(len(video.times), bool)
    for first, clip in video.faces:
        own, (scores, smooth) = [], np.full((2, len(clip.times), 2), np.nan)
        for part in stretches(clip.times):
            piece = clip.part(part)
            if not piece.found.any():
                continue
            raw = np.asarray(score(ShownFrames(piece.frames, piece.found), video.fps), np.float64)
            if raw.shape != scores[part].shape:
                raise ValueError(f"scores have shape {raw.shape}, not {scores[part].shape}")
            usable = usable_frames(piece.faces, np.unique(skips(video.fps)) if skips else ())
            scores[part][usable] = raw[usable]
            smooth[part] = curves(scores[part], video.fps)
            found = clip_intervals(intervals(scores[part], video.fps), piece.faces)
            if video.fps < SLOWEST_ME_FPS:
                found = found[found.kind != "ME"]
            at = first + part.start
            own.append(found.assign(**{column: found[column] + at for column in FRAMES}))
        seen = clip_frames(clip, scores)[clip.found]
        frames.append(seen.assign(frame=seen.frame + first))
        shown.append(FaceCurves(first, clip.faces, clip.boxes, scores, smooth))
        left[first : first + len(clip.times)] &= ~clip.found
        if per_minute is not None and own:
            minutes = len(clip.times) / video.fps / 60
            own = [highest_per_minute(_joined(own), minutes=minutes, count=per_minute)]
        tables += own
    frames.append(_without_face(video, left))
    table = _joined(tables) if tables else clip_intervals(pd.DataFrame(), np.zeros(0, int))
    table = table.sort_values(["onset", "face"], kind="stable").reset_index(drop=True)
    table = in_seconds(ranked(table.assign(subject=subject, video=name)), video.times)
    rows = _joined(frames)
    rows = rows.sort_values(["frame", "face"], kind="stable").reset_index(drop=True)
    return Spotted(name, video.times, rows, table, shown, threshold, decision)


def _joined(tables):
    return pd.concat([table for table in tables if len(table)] or tables[:1])


def _without_face(video, which):
    empty = Clip(
        frames=np.zeros((int(which.sum()), 0)),
        quality=np.zeros((int(which.sum()), 2), np.float32),
        times=video.times[which],
        fps=video.fps,
        faces=np.full(int(which.sum()), -1, np.int32),
    )
    rows = clip_frames(empty, np.full((len(empty.times), 2), np.nan))
    return rows.assign(frame=np.flatnonzero(which) + 1)


def ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Intervals with their ranks: 1 for the highest score."""
    rank = table.score.astype(float).rank(method="first", ascending=False)
    return table.assign(rank=rank.astype("int64"))


def in_seconds(table: pd.DataFrame, times: np.ndarray) -> pd.DataFrame:
    """Intervals as CLIP_INTERVAL_COLUMNS, with seconds from the `times` (T,) of the video's frames.

    An interval ends where its last frame ends, see `frame_ends`.
    """
    at = lambda seconds, frames: seconds[frames.to_numpy(int) - 1].round(6)
    starts = {"onset_s": at(times, table.onset), "apex_s": at(times, table.apex)}
    table = table.assign(**starts, offset_s=at(frame_ends(times), table.offset))
    return table.loc[:, list(CLIP_INTERVAL_COLUMNS)]


def usable_frames(faces: np.ndarray, skips: Iterable[int]) -> np.ndarray:
    """Frames, bool (T,), that show a face, the same one as every reference.

    `faces` (T,) track numbers, -1 without a face; `skips` in frames, below 0 for a reference after
    the frame. For a reference without a face that of `last_usable` serves, as in `ShownFrames`.
    """
    now = np.arange(len(faces))
    usable = faces >= 0
    shown = faces[last_usable(usable)]
    for skip in skips:
        usable = usable & (shown[reference_places(now - skip, 0, len(faces) - 1)] == faces)
    return usable


def clip_intervals(spans: pd.DataFrame, faces: np.ndarray) -> pd.DataFrame:
    """Intervals of a clip with `face`; those mostly without a face are dropped.

    `spans`: kind, onset, apex, offset (frames from 1, both included), score. `faces` (T,) are track
    numbers, -1 without a face.
    """
    rows = []
    for row in spans.to_dict("records"):
        start, stop = to_span(int(row["onset"]), int(row["offset"]))
        own = faces[start:stop]
        if np.mean(own >= 0) < MIN_FACE_SHARE:
            continue
        frames = {name: int(row[name]) for name in FRAMES}
        face = int(np.bincount(own[own >= 0]).argmax())
        rows.append({"face": face, "kind": row["kind"]} | frames | {"score": float(row["score"])})
    return pd.DataFrame(rows, columns=["face", "kind", *FRAMES, "score"])


def clip_frames(clip: Clip, scores: np.ndarray) -> pd.DataFrame:
    """One row a frame: frame (from 1), pts_s, face, success, confidence, p_me, p_mae."""
    faces = pd.array(clip.faces.tolist(), dtype="Int64")
    faces[~clip.found] = pd.NA
    return pd.DataFrame(
        {
            "frame": np.arange(1, len(clip.times) + 1),
            "pts_s": clip.times.round(6),
            "face": faces,
            "success": clip.found.astype(int),
            "confidence": clip.quality[:, 1].astype(np.float64).round(4),
            "p_me": scores[:, 0].round(6),
            "p_mae": scores[:, 1].round(6),
        }
    )


def odd_lines(path: Path, video: FaceClips) -> list[str]:
    """A line for each thing about a video that a person would not expect of the results."""
    lines = []
    if not video.faces:
        lines.append(f"{path}: no face found in {len(video.times)} frames, so no interval")
    sides = [clip.upside_down for _, clip in video.faces if clip.upside_down is not None]
    if turned := sum(int(side.sum()) for side in sides):
        lines.append(f"{path}: the face is upside down in {turned} frames; it was turned")
    if video.fps < SLOWEST_ME_FPS:
        lines.append(f"{path}: {video.fps:.4g} fps are too slow for micro-expressions; none given")
    steps = np.diff(video.times)
    gaps = is_gap(steps)
    if gaps.any():
        where = f"{steps.max():.1f} s without a frame after {video.times[steps.argmax()]:.2f} s"
        more = f" and {gaps.sum() - 1} shorter gaps" if gaps.sum() > 1 else ""
        lines.append(f"{path}: {where}{more}; nothing is compared across")
    if not even_steps(video.times, video.fps)[~gaps].all():
        steps_ms = f"{1000 * steps.min():.0f} to {1000 * steps[~gaps].max():.0f} ms"
        rate = f"taken as {video.fps:.2f} fps"
        lines.append(f"{path}: frame rate varies (steps of {steps_ms}); {rate}")
    return lines
