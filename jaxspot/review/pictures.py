"""Small pictures of the face at onset, apex and offset of each interval, from the video file."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.video.clip import aligned_frames
from jaxspot.video.container import probe
from jaxspot.video.decode import read_video
from jaxspot.video.frame_times import fps_of
from jaxspot.video.landmarker import Landmarker, load_landmarker

MOMENTS = ("onset", "apex", "offset")
GAIN = 3
"""How much stronger the difference of apex and onset is shown."""
GREY = 128
QUALITY = 75
SAME_TIME_S = 0.002


def interval_pictures(
    video: str | Path,
    frames: pd.DataFrame,
    intervals: pd.DataFrame,
    *,
    fps: float | None = None,
    landmarker: Landmarker | None = None,
    progress: bool = True,
) -> list[dict[str, str]]:
    """Of each interval its aligned face at onset, apex and offset, and apex minus onset.

    The face is followed through the video as by `aligned_frames`. `frames` has pts_s, `intervals`
    onset, apex, offset (frames from 1). `fps` is the rate that it was spotted at in place of its
    own times. Values are JPEG data URIs of 112 x 112 pixels under the names onset, apex, offset,
    difference (gray: no change); one without a face is left out.

    UserError: the video cannot be read, or is not the one that was spotted.
    """
    wanted = {int(row[moment]) for row in intervals.to_dict("records") for moment in MOMENTS}
    if not wanted:
        return []
    faces = {}
    name = f"{Path(video).name}, faces"
    if fps is None and not probe(video).timed:
        fps = fps_of(frames.pts_s.to_numpy(float), video)
    read = read_video(video, fps=fps)
    shown = progress_bar(read, desc=name, total=max(wanted), unit="frame", shown=progress)
    number = 0
    for number, frame in enumerate(aligned_frames(shown, landmarker or load_landmarker()), 1):
        if number in wanted:
            _check_time(video, number, frame.pts_s, frames)
            faces[number] = frame.image if frame.face >= 0 else None
        if number == max(wanted):
            break
    if number < max(wanted):
        raise _other_video(video, f"it ends with frame {number}")
    return [_of_interval(row, faces) for row in intervals.to_dict("records")]


def _of_interval(row, faces):
    own = {moment: faces[int(row[moment])] for moment in MOMENTS}
    pictures = {moment: _jpeg(face) for moment, face in own.items() if face is not None}
    if own["onset"] is not None and own["apex"] is not None:
        change = own["apex"].astype(float) - own["onset"]
        pictures["difference"] = _jpeg(np.clip(GREY + GAIN * change, 0, 255).astype(np.uint8))
    return pictures


def _jpeg(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "jpeg", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _check_time(video, number, pts_s, frames):
    expected = float(frames.pts_s.iloc[number - 1]) if number <= len(frames) else float("inf")
    if abs(pts_s - expected) > SAME_TIME_S:
        raise _other_video(video, f"frame {number} is at {pts_s:.3f} s, not {expected:.3f} s")


def _other_video(video, why):
    return UserError(f"{video}: not the video that was spotted ({why}); name that one")
