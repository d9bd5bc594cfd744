"""One video from its file to its folder of results, as a job that any process can do."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.motion.pictures import MotionMeasure, motion_clip
from jaxspot.own_video.inputs import Video
from jaxspot.own_video.results import write_results
from jaxspot.process import prepare_process
from jaxspot.spotting.spotter import Spotter, load_spotter
from jaxspot.spotting.video_file import odd_lines, spot_faces
from jaxspot.video.clip import Aligner, aligned_clip, posed_clip
from jaxspot.video.container import probe
from jaxspot.video.decode import VideoFrame
from jaxspot.video.face_clips import FaceClips, every_face, every_posed_face, whole_video
from jaxspot.video.landmarker import load_landmarker
from jaxspot.video.picture import read_image, used_bits
from jaxspot.video.source import Source, as_source

SHARES = {"aligned": (0.75,), "motion": (0.95,), "posed": (0.65, 0.15)}
"""Of the time of a video: each reading of it; the rest is the networks'."""


@dataclass(frozen=True)
class Options:
    """What decides the results of a video, see `spot_videos`."""

    face: str = "largest"
    fps: float | None = None
    threshold: tuple[float, float] | None = None
    min_chance: float | None = None
    per_minute: float | None = None


class Job(NamedTuple):
    """A video to spot: where its results go, and which place of the file `progress` is its own."""

    video: Video
    folder: Path
    partial: Path
    weights: str | Path | None
    options: Options
    made_from: dict[str, Any]
    overlay: bool
    progress: Path
    number: int


class Progress:
    """How many frames of each video are done, in a file that several processes share."""

    def __init__(self, path: Path, number: int):
        self.done = np.memmap(path, np.float64, "r+")
        self.number = number

    def add(self, frames: float) -> None:
        """Counts frames, or parts of them, as done."""
        self.done[self.number] += frames


def run_job(job: Job, spotter: Spotter | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Spots a video and writes its folder; returns its intervals and lines about the video.

    `spotter` is that of `job.weights`, where it is loaded already. UserError: the video cannot be
    read, or something else has a result's name.
    """
    options = job.options
    spotter = spotter or _spotter(job.weights)
    progress = Progress(job.progress, job.number)
    source = open_video(job.video, fps=options.fps)
    clips = read_faces(source, spotter, face=options.face, on_frame=progress.add)
    share = 1 - sum(SHARES[kind_of(spotter)])
    each = share * len(clips.times) / max(1, sum(len(clip.times) for _, clip in clips.faces))
    chosen: dict[str, Any] = dict(
        min_chance=options.min_chance, per_minute=options.per_minute, threshold=options.threshold
    )
    spotted = spot_faces(
        clips,
        name=job.video.name,
        subject=job.video.subject,
        score=partial(spotter.score, on_chunk=lambda frames: progress.add(each * frames)),
        intervals=partial(spotter.intervals, **chosen),
        skips=spotter.skips,
        curves=spotter.curves,
        threshold=spotter.shown_threshold(options.threshold),
        decision=spotter.decision(**chosen),
    )
    lines = stream_lines(job.video) + odd_lines(source.path, clips)
    del clips  # the largest thing in memory
    write_results(
        job.folder,
        spotted,
        source,
        made_from=job.made_from,
        overlay=job.overlay,
        partial=job.partial,
    )
    return spotted.intervals, lines


@cache
def _spotter(weights: str | Path | None) -> Spotter:
    """The spotter of a worker process, which is set up for it."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # a GPU is shared
    prepare_process(devices=1)
    return load_spotter(weights)


_landmarker = cache(load_landmarker)  # slow to load: one a process


def kind_of(spotter: Spotter) -> str:
    """What its networks are given: "motion", "posed" or "aligned" faces."""
    if spotter.takes_motion:
        return "motion"
    return "posed" if spotter.alignment == "posed" else "aligned"


def read_faces(
    source: Source,
    spotter: Spotter,
    *,
    face: str = "largest",
    on_frame: Callable[[float], object] = lambda frames: None,
) -> FaceClips:
    """The faces of a video as a spotter takes them; errors as `aligned_clip`.

    `face` is "largest", "left" or "right" for one face at a time, or "all". `on_frame` is called
    with the share of a frame that was done.
    """
    kind, landmarker = kind_of(spotter), _landmarker()
    source = counted(source, SHARES[kind], on_frame)
    if face != "all":
        read = {"motion": motion_clip, "posed": posed_clip, "aligned": aligned_clip}[kind]
        return whole_video(read(source, landmarker=landmarker, prefer=face, progress=False))
    if kind == "posed":
        return every_posed_face(source, landmarker=landmarker)
    measure = MotionMeasure if kind == "motion" else Aligner
    return every_face(source, measure, landmarker=landmarker)


def counted(source: Source, shares: tuple[float, ...], on_frame) -> Source:
    """A source that tells, as it is read for the first, second ... time, what share that is."""
    left = iter(shares)

    def read() -> Iterator[VideoFrame]:
        share = next(left, 0.0)
        for frame in source.read():
            yield frame
            on_frame(share)

    return replace(source, read=read)


def open_video(video: Video, *, fps: float | None = None) -> Source:
    """A video's frames; of a folder of pictures evenly at `fps`.

    UserError: as `as_source`; pictures without `fps`, or of which none can be read.
    """
    if not video.path.is_dir():
        return as_source(video.path, fps=fps)
    if fps is None:
        raise UserError(f"{video.path}: is a folder of pictures; name its frame rate by --fps")
    rate = fps

    def read() -> Iterator[VideoFrame]:
        seen = False
        paths = [video.path / name for name in video.pictures]
        bits = used_bits(paths)
        for number, path in enumerate(paths):
            image = read_image(path, bits=bits)
            seen = seen or image is not None
            yield VideoFrame(number / rate, image)
        if not seen:
            raise UserError(
                f"{video.path}: none of its pictures can be read; copy them again, or save as PNG"
            )

    return Source(video.path, len(video.pictures), read)


def stream_lines(video: Video) -> list[str]:
    """A line for a file of several streams, of which one is read."""
    streams = 0 if video.path.is_dir() else probe(video.path).streams
    some = f"{video.path}: holds {streams} video streams; the default one was read"
    return [some] if streams > 1 else []
