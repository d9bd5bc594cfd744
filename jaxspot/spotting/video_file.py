"""Spots the expressions of a video file: clip, scores, intervals, and the files about them."""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import to_span
from jaxspot.errors import UserError
from jaxspot.files import write_table
from jaxspot.network.streams import reference_places
from jaxspot.video.clip import Clip, aligned_clip
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.shown import ShownFrames, last_usable

CLIP_INTERVAL_COLUMNS = ("subject", "video", "face", "kind", "onset", "apex", "offset", "score")
CLIP_INTERVAL_COLUMNS += ("rank", "onset_s", "apex_s", "offset_s")
MIN_FACE_SHARE = 0.5
VARYING = 0.25

Read = Callable[..., Clip]
Score = Callable[[ShownFrames, float], np.ndarray]
Intervals = Callable[[np.ndarray, float], pd.DataFrame]
Plot = Callable[[pd.DataFrame, pd.DataFrame, Path], None]


class BrokenVideos(UserError):
    """Some of several videos could not be spotted; a line for each, and `found` for the others."""

    def __init__(self, errors: Sequence[UserError], found: dict[str, pd.DataFrame]):
        super().__init__("\n".join(map(str, errors)))
        self.found = found


def spot_clips(
    paths: Sequence[str | Path], *, out: str | Path, **options: Any
) -> dict[str, pd.DataFrame]:
    """Spots several videos, each with the options of `spot_clip` except `landmarker`.

    Returns video name -> intervals.

    A UserError before any work for names that cannot be those of folders, two videos of one name,
    an `out` that is a file, or a landmark model that cannot be used. BrokenVideos after all videos
    are done, where some could not be read or written. An OSError at once where the disk is full.
    """
    check_names(paths)
    check_folder(Path(out))
    options["landmarker"] = load_landmarker()
    found, errors = {}, []
    for path in paths:
        try:
            found[Path(path).stem] = spot_clip(path, out=out, **options)
        except UserError as error:
            errors.append(error)
    if errors:
        raise BrokenVideos(errors, found)
    return found


def spot_clip(
    path: str | Path,
    *,
    score: Score,
    intervals: Intervals,
    out: str | Path,
    read: Read = aligned_clip,
    skips: Callable[[float], np.ndarray] | None = None,
    plot: Plot | None = None,
    landmarker: Landmarker | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Finds the expressions in a video and writes OUT/<video name>/: intervals.csv, frames.csv.

    Args:
      path: a video file; its name without ending is the video's name.
      score: (the clip's frames as `ShownFrames`, fps) -> float (T, 2), ME and MaE.
      intervals: (scores (T, 2), fps) -> kind, onset, apex, offset (from 1, both included), score. A
        frame without a usable score is NaN there.
      out: folder of the results.
      read: the clip of a video file, with the keywords `landmarker` and `progress`: by default its
        aligned faces, `aligned_clip`; else its region motion, `motion_clip`.
      skips: fps -> int (networks, streams), how many frames before the frame each reference of
        `score` is; below 0: after it. A score is NaN where the frame shows no face, or where a
        reference shows another face than the frame.
      plot: (frames table, intervals table, target) draws `scores.png`.
      landmarker: by default loaded from the installed model.
      progress: whether to show frames done and time left.

    Returns:
      CLIP_INTERVAL_COLUMNS, empty when no face is seen: `subject` is empty, `face` the track number
      from 0, `rank` the place by score in this video; seconds are presentation times of the first,
      apex and last frame.

    Raises:
      UserError: the video or the model cannot be read, or something else has a result's name.
    """
    path, folder = Path(path), Path(out) / Path(path).stem
    check_folder(folder)
    clip = read(path, landmarker=landmarker, progress=progress)
    say_what_is_odd(path, clip)
    scores, spans = np.full((len(clip.times), 2), np.nan), pd.DataFrame()
    if clip.found.any():
        raw = np.asarray(score(ShownFrames(clip.frames, clip.found), clip.fps), np.float64)
        if raw.shape != scores.shape:
            raise ValueError(f"scores have shape {raw.shape}, not {scores.shape}")
        usable = usable_frames(clip.faces, np.unique(skips(clip.fps)) if skips else ())
        scores[usable] = raw[usable]
        spans = intervals(scores, clip.fps)
    table = clip_intervals(spans, clip, video=path.stem)
    write_clip(folder, clip_frames(clip, scores), table, plot)
    return table


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


def clip_intervals(spans: pd.DataFrame, clip: Clip, *, video: str) -> pd.DataFrame:
    """Intervals of a clip with face, rank and seconds; those mostly without a face are dropped.

    `spans`: kind, onset, apex, offset (frames from 1, both included), score. The highest score of
    the video has rank 1.
    """
    rows = []
    at = lambda frame: round(float(clip.times[frame - 1]), 6)
    for row in spans.to_dict("records"):
        start, stop = to_span(int(row["onset"]), int(row["offset"]))
        faces = clip.faces[start:stop]
        if np.mean(faces >= 0) < MIN_FACE_SHARE:
            continue
        frames = {name: int(row[name]) for name in ("onset", "apex", "offset")}
        seconds = {f"{name}_s": at(frame) for name, frame in frames.items()}
        face = int(np.bincount(faces[faces >= 0]).argmax())
        known = {"subject": "", "video": video, "face": face, "kind": row["kind"]}
        rows.append(known | frames | {"score": float(row["score"])} | seconds)
    table = pd.DataFrame(rows, columns=list(CLIP_INTERVAL_COLUMNS))
    table["rank"] = table.score.astype(float).rank(method="first", ascending=False).astype("int64")
    return table


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


def check_names(paths: Sequence[str | Path]) -> None:
    """Refuses, by a UserError, two videos of one name in any case, and names that are not UTF-8."""
    first: dict[str, str | Path] = {}
    for path in paths:
        if any("\ud800" <= sign <= "\udfff" for sign in str(path)):
            raise UserError(f"{str(path)!a}: the name is not valid UTF-8; rename the file")
        name = Path(path).stem.casefold()
        if name in (".", ".."):
            raise UserError(f"{path}: no folder can be named after it; rename the file")
        if name in first:
            raise UserError(
                f"{path}: has the same name as {first[name]}; rename one or spot it apart"
            )
        first[name] = path


def check_folder(folder: Path) -> None:
    """Refuses, by a UserError, a folder that is a file, is under one, or cannot be written."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not place.is_dir():
        raise UserError(f"{place}: is a file, not a folder; choose another --out")
    if not os.access(place, os.W_OK):
        raise UserError(f"{place}: cannot be written; change its permissions or the --out")


def say_what_is_odd(path: Path, clip: Clip) -> None:
    """Prints one line for a video without a face, and one for a video of varying frame rate."""
    if not clip.found.any():
        print(f"{path}: no face found in {len(clip.times)} frames, so no interval")
    steps = np.diff(clip.times)
    if np.abs(steps * clip.fps - 1).max() > VARYING:
        steps_ms = f"{1000 * steps.min():.0f} to {1000 * steps.max():.0f} ms"
        print(f"{path}: frame rate varies (steps of {steps_ms}); taken as {clip.fps:.2f} fps")


def write_clip(folder: Path, frames: pd.DataFrame, table: pd.DataFrame, plot: Plot | None) -> None:
    """Writes the tables and the plot of a video; a UserError if something has a result's name."""
    # All are whole before the first takes its place: earlier intervals stay beside earlier frames.
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        write_table(frames, partial / "frames.csv")
        if plot is not None:
            plot(frames, table, partial / "scores.png")
        write_table(table, partial / "intervals.csv")
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(partial.iterdir()):
            os.replace(path, folder / path.name)
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise UserError(
            f"{folder}: results cannot be written ({error.strerror}); choose another --out"
        ) from error
    except OSError as error:
        if error.filename:
            error.filename = str(error.filename).replace(str(partial), str(folder))
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
