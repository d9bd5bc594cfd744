"""Writes the takes of a stretch as video files."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pandas as pd

from jaxspot.faces.clips import Stretch, Tracked, played, read_stretch
from jaxspot.faces.heads import Head, measured_head
from jaxspot.faces.inject import FaceGrid, face_grid, place_head, warp_expression
from jaxspot.faces.measures import face_measures
from jaxspot.faces.script import write_take
from jaxspot.files import whole_file
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.mesh import SKIN_POINTS
from jaxspot.video.pose import Poses, fit_poses, mean_face

CODEC, CODEC_OPTIONS = "libx264", {"crf": "17", "preset": "superfast"}
SHADE, SHADE_RANGE = 0.6, (0.3, 1.2)
"""Shading against that of the head, and the range of the face's brightness against the head's."""


class Job(NamedTuple):
    """A stretch, the benchmark's folder, and the numbers of its injected and resampled takes."""

    stretch: Stretch
    folder: Path
    injected: tuple[int, ...]
    resampled: tuple[int, ...]


class Written(NamedTuple):
    """A row for `videos.csv` and `strata.csv`, the script's labels, and curves of the face."""

    row: dict
    labels: pd.DataFrame
    measures: dict[str, np.ndarray]


def write_takes(job: Job) -> list[Written]:
    """Writes all takes of a stretch into DIR/videos, named by clip, frame, kind and number."""
    landmarker, stretch = load_landmarker(), job.stretch
    tracked = read_stretch(stretch, landmarker)
    order = played(len(tracked.images), tracked.fps)
    poses = fit_poses(mean_face(tracked.points), tracked.points)
    measures = {name: v[order] for name, v in face_measures(tracked.points).items()}
    size = tracked.images[0].shape[:2]
    grid_of = cache(lambda source: face_grid(tracked.points[source, :, :2], size))
    found = []
    for kind, take in [
        *(("injected", n) for n in job.injected),
        *(("resampled", n) for n in job.resampled),
    ]:
        video = f"{stretch.name}-{kind}{take}"
        names = dict(subject=stretch.person, video=video)
        script = write_take(stretch.name, take, frames=len(order), fps=tracked.fps, **names)
        head = measured_head(script.head, landmarker)
        resampled = kind == "resampled"
        frames = take_frames(
            tracked, grid_of, poses, order, head, script.weights, resampled=resampled
        )
        path = job.folder / "videos" / f"{video}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as partial:
            write_video(partial, frames, tracked.fps)
        row = dict(subject=stretch.person, video=video, path=f"videos/{video}.mp4")
        row |= dict(fps=tracked.fps, stratum=stretch.stratum, take=kind, frames=len(order))
        found.append(Written(row, script.labels, measures))
    return found


def take_frames(
    tracked: Tracked,
    grid_of: Callable[[int], FaceGrid],
    poses: Poses,
    order: np.ndarray,
    head: Head,
    weights: np.ndarray,
    *,
    resampled: bool = False,
) -> Iterator[np.ndarray]:
    """The pictures uint8 (h, w, 3) of a take: frames `order` (T,) with units at `weights` (T, U).

    `grid_of` gives the grid of the face in a frame of `tracked`; `resampled` as in
    `warp_expression`.
    """
    shade = SHADE * brightness(tracked) / head.gray
    shade = float(np.clip(shade, SHADE * SHADE_RANGE[0], SHADE * SHADE_RANGE[1]))
    for source, weight in zip(order, weights, strict=True):
        image = tracked.images[source]
        if weight.any():
            place = place_head(head, grid_of(int(source)))
            pose = head.to_crop * poses.scale[source] * poses.rotation[source, :2, :2]
            image = warp_expression(
                image, head, weight, place, pose, shade=shade, resampled=resampled
            )
        yield image


def brightness(tracked: Tracked) -> float:
    """Median gray level of the face's surroundings in a stretch's first picture."""
    image, points = tracked.images[0], tracked.points[0, :SKIN_POINTS, :2]
    ends = (points.min(0), points.max(0))
    low, high = (np.clip(end, 0, np.array(image.shape[1::-1]) - 1).astype(int) for end in ends)
    return float(np.median(image[low[1] : high[1] + 1, low[0] : high[0] + 1].mean(-1)))


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float) -> None:
    """Writes pictures uint8 (h, w, 3) RGB with even sides as H.264 of high quality."""
    with av.open(str(path), "w", format="mp4") as container:
        rate = Fraction(fps).limit_denominator(1001)
        stream = container.add_stream(CODEC, rate=rate, options=CODEC_OPTIONS)
        stream.pix_fmt, stream.thread_count = "yuv420p", 1
        for number, image in enumerate(frames):
            if not number:
                stream.height, stream.width = image.shape[:2]
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
