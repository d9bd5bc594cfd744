"""Whole synthetic videos, and a frame bank of them."""

import os
import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.progress import progress_bar
from jaxspot.synthetic.difficulty import LEVELS, Difficulty
from jaxspot.synthetic.events import activations, annotate, write_script
from jaxspot.synthetic.heads import load_heads
from jaxspot.synthetic.motion import Clock, distractions, draw_course
from jaxspot.synthetic.render import noise_bank, render
from jaxspot.video.bank import Bank, finish_bank, open_bank
from jaxspot.video.writer import save_video
from jaxspot.workers import run_jobs

ME_PER_MINUTE = 9.0
MAE_PER_MINUTE = 8.0


def difficulty_of(level: str | Difficulty) -> Difficulty:
    """A level by its name, or the settings themselves; raises UserError for an unknown name."""
    if isinstance(level, Difficulty):
        return level
    if level not in LEVELS:
        raise UserError(f"level {level!r} is unknown; take one of {', '.join(LEVELS)}")
    return LEVELS[level]


def synthesise_video(
    *,
    subject: int = 0,
    video: int = 0,
    seconds: float = 30.0,
    fps: float = 30.0,
    mae_per_minute: float = MAE_PER_MINUTE,
    me_per_minute: float = ME_PER_MINUTE,
    level: str | Difficulty = "default",
    seed: int = 0,
) -> tuple[np.ndarray, pd.DataFrame]:
    """One video: frames uint8 (T, 112, 112) and its labels, both fixed by (seed, subject, video).

    `subject` and `video` count from 0 and are called `s01` and `s01_1` in the table; a subject is
    one person of the heads. T = round(seconds * fps). The scene in seconds is the same at every fps
    of 25 or more. Raises UserError when the events do not fit or there is no such person.
    """
    difficulty, heads = difficulty_of(level), load_heads()
    if not 0 <= subject < len(heads):
        raise UserError(f"subject {subject + 1} asked for; the heads hold {len(heads)} people")
    person = heads.person(subject)
    streams = np.random.default_rng(np.random.SeedSequence([seed, subject, video])).spawn(6)
    clock = Clock(seconds, np.arange(round(seconds * fps)) / fps)
    events = write_script(
        streams[0],
        difficulty,
        seconds=seconds,
        fps=fps,
        mae_per_minute=mae_per_minute,
        me_per_minute=me_per_minute,
    )
    weights = activations(events, clock.times, person.units)
    weights += distractions(streams[1], clock, difficulty, person.units)
    frames = render(
        person,
        weights,
        draw_course(streams[2], clock, difficulty),
        noise=noise_bank(streams[3], difficulty.noise),
        contrast=streams[4].uniform(0.8, 1.15),
        quality=difficulty.quality,
        rng=streams[5],
    )
    names = subject_names(subject, video)
    return frames, annotate(events, clock.times, subject=names[0], video=names[1])


def subject_names(subject: int, video: int) -> tuple[str, str]:
    """Names in tables of a subject and its video, both counted from 0."""
    return f"s{subject + 1:02d}", f"s{subject + 1:02d}_{video + 1}"


def write_video(root: Path, settings: dict) -> tuple[dict, pd.DataFrame]:
    """Make one video inside a bank; returns its row of `videos.csv` and its labels."""
    frames, annotations = synthesise_video(**settings)
    subject, video = subject_names(settings["subject"], settings["video"])
    save_video(root, video, frames, np.ones((len(frames), 2), np.float32))
    row = dict(subject=subject, video=video, frames=len(frames), fps=float(settings["fps"]))
    return row, annotations


def synthetic_bank(
    out: str | Path,
    *,
    subjects: int = 8,
    videos_per_subject: int = 1,
    seconds: float = 30.0,
    fps: float = 30.0,
    mae_per_minute: float = MAE_PER_MINUTE,
    me_per_minute: float = ME_PER_MINUTE,
    level: str | Difficulty = "default",
    seed: int = 0,
    workers: int | None = None,
    first_subject: int = 0,
    progress: bool = True,
) -> Bank:
    """A frame bank of synthetic videos with exact labels, at `out` only when whole.

    Subjects `s01`.. (counted on from `first_subject`, each another person), videos `s01_1`... Same
    arguments, same bytes, whatever the number of `workers` (None: one a core; 1: in this process,
    needed where the main module is not a file). Raises UserError when `out` holds something
    already, the people do not suffice or the events do not fit.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: holds something already; remove it or name another folder")
    difficulty = difficulty_of(level)
    if first_subject + subjects > len(load_heads()):
        raise UserError(
            f"{first_subject + subjects} subjects asked for; the heads hold {len(load_heads())}"
        )
    scene = dict(seconds=seconds, fps=fps, mae_per_minute=mae_per_minute,
                 me_per_minute=me_per_minute, level=difficulty, seed=seed)  # fmt: skip
    jobs = [
        scene | dict(subject=subject, video=video)
        for subject in range(first_subject, first_subject + subjects)
        for video in range(videos_per_subject)
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    root = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        rows, labels = zip(*run(root, jobs, workers=workers, progress=progress), strict=True)
        name = level if isinstance(level, str) else "custom"
        settings = scene | dict(level=name, difficulty=asdict(difficulty))
        finish_bank(
            root,
            videos=pd.DataFrame(rows),
            annotations=pd.concat(labels, ignore_index=True),
            source=dict(kind="synthetic", heads=load_heads().provenance, **settings),
            alignment=dict(kind="openface112", residue="simulated"),
        )
        os.replace(root, out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return open_bank(out)


def run(root: Path, jobs: list[dict], *, workers: int | None, progress: bool):
    """Results of `write_video` in the order of `jobs`, made by `workers` processes."""
    results = [None] * len(jobs)
    bar = progress_bar(total=len(jobs), desc="synthetic videos", unit="video", shown=progress)
    with bar:
        for number, future in run_jobs(partial(write_video, root), jobs, workers=workers):
            results[number] = future.result()
            bar.update()
    return results
