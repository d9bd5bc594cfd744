"""One video from its file to its folder of results: workers read it, this process scores it."""

import contextlib
import math
import shutil
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from jaxspot.errors import Interrupted, UserError, one_of
from jaxspot.own_video.inputs import Video
from jaxspot.own_video.reading import SHARES, Progress, read_faces, stream_lines
from jaxspot.own_video.writing import Writing, load_writer, write_job
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.video_file import odd_lines, spot_faces
from jaxspot.video.container import probe
from jaxspot.workers import Pool

FACES = ("largest", "left", "right", "all")


@dataclass(frozen=True)
class Options:
    """What decides the results of a video, see `spot_videos`."""

    face: str = "largest"
    fps: float | None = None
    threshold: tuple[float, float] | None = None
    min_chance: float | None = None
    per_minute: float | None = None


def check_options(options: Options, workers: int) -> None:
    """Refuses, by a ValueError, an option out of its range."""
    one_of("face", options.face, FACES)
    if options.fps is not None and not 0 < options.fps < math.inf:
        raise ValueError(f"fps must be above 0, not {options.fps}")
    if options.min_chance is not None and not 0 <= options.min_chance <= 1:
        raise ValueError(f"min_chance must be in 0..1, not {options.min_chance}")
    if options.per_minute is not None and not 0 < options.per_minute < math.inf:
        raise ValueError(f"per_minute must be above 0, not {options.per_minute}")
    if options.threshold is not None and len(options.threshold) != 2:
        raise ValueError(f"threshold must be two numbers, ME and MaE, not {options.threshold}")
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")


class Job(NamedTuple):
    """A video to spot.

    Its results go to `folder`; until they are whole they are in `partial`, and the faces that are
    read in `faces`. `made_from` is for its run.json.
    """

    video: Video
    folder: Path
    partial: Path
    faces: Path
    options: Options
    made_from: dict[str, Any]
    overlay: bool
    progress: Progress


_scoring = threading.Lock()  # of several videos in threads: one is scored at a time


def run_job(job: Job, spotter: Spotter, pool: Pool) -> tuple[pd.DataFrame, list[str]]:
    """Spots a video and writes its folder; returns its intervals and lines about the video.

    UserError: the video cannot be read, or something else has a result's name.
    """
    try:
        return _run_job(job, spotter, pool)
    finally:
        shutil.rmtree(job.faces, ignore_errors=True)


def _run_job(job, spotter, pool):
    options, kind = job.options, kind_of(spotter)
    job.faces.mkdir(parents=True)
    clips = read_faces(
        job.video,
        kind,
        face=options.face,
        fps=options.fps,
        folder=job.faces,
        progress=job.progress,
        pool=pool,
    )
    pool.start(load_writer)
    share = 1 - sum(SHARES[kind])
    each = share * len(clips.times) / max(1, sum(len(clip.times) for _, clip in clips.faces))
    chosen: dict[str, Any] = dict(min_chance=options.min_chance, threshold=options.threshold)

    def scored(frames: int) -> None:
        if pool.stopped:
            raise Interrupted("stopped")
        job.progress.add(each * frames)

    with _scoring:
        spotted = spot_faces(
            clips,
            name=job.video.name,
            subject=job.video.subject,
            score=partial(spotter.score, on_chunk=scored),
            intervals=partial(spotter.intervals, **chosen),
            skips=spotter.skips,
            curves=spotter.curves,
            threshold=spotter.shown_threshold(options.threshold),
            decision=spotter.decision(per_minute=options.per_minute, **chosen),
            per_minute=options.per_minute,
        )
    lines = stream_lines(job.video) + odd_lines(job.video.path, clips)
    del clips  # the largest thing in memory
    writing = Writing(
        spotted, job.video, options.fps, job.folder, job.partial, job.made_from, job.overlay
    )
    pool.map(write_job, [writing])
    return spotted.intervals, lines


def warm_up(spotter: Spotter, job: Job) -> None:
    """Makes the networks ready for a video while it is read."""
    with contextlib.suppress(UserError), _scoring:
        fps = job.options.fps or probe(job.video.path).fps
        if fps > 0:
            spotter.warm_up(fps)


def kind_of(spotter: Spotter) -> str:
    """What its networks are given: "motion", "posed" or "aligned" faces."""
    if spotter.takes_motion:
        return "motion"
    return "posed" if spotter.alignment == "posed" else "aligned"
