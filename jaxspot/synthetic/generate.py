"""Whole synthetic videos, and a frame bank of them."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.synthetic.camera import Camera, film
from jaxspot.synthetic.difficulty import LEVELS, Difficulty, Untidy, without
from jaxspot.synthetic.events import activations, annotate, seen_events, write_script
from jaxspot.synthetic.heads import Person, load_heads
from jaxspot.synthetic.motion import Clock, Course, distractions, draw_course
from jaxspot.synthetic.render import Turns, noise_bank, noise_places, render, small_turns
from jaxspot.synthetic.untidy import untidy_scene
from jaxspot.video.bank import Bank, finish_bank, open_bank
from jaxspot.video.writer import save_video
from jaxspot.workers import run_in_order

ME_PER_MINUTE = 9.0
MAE_PER_MINUTE = 8.0


def difficulty_of(level: str | Difficulty) -> Difficulty:
    """A level by its name, or the settings themselves; raises UserError for an unknown name."""
    if isinstance(level, Difficulty):
        return level
    if level not in LEVELS:
        raise UserError(f"level {level!r} is unknown; take one of {', '.join(LEVELS)}")
    return LEVELS[level]


class Plan(NamedTuple):
    """All that decides a video's frames, as `render` takes it, and its labels."""

    person: Person
    weights: np.ndarray
    course: Course
    turns: Turns
    noise: np.ndarray
    places: np.ndarray
    contrast: float
    quality: int
    annotations: pd.DataFrame
    camera: Camera | None = None


def plan_video(
    *,
    subject: int = 0,
    video: int = 0,
    seconds: float = 30.0,
    fps: float = 30.0,
    mae_per_minute: float = MAE_PER_MINUTE,
    me_per_minute: float = ME_PER_MINUTE,
    level: str | Difficulty = "default",
    seed: int = 0,
) -> Plan:
    """What happens in a video of T = round(seconds * fps) frames, by (seed, subject, video).

    `subject` and `video` count from 0 and are called `s01` and `s01_1` in the table; a subject is
    one person of the heads. The scene in seconds is the same at every fps of 25 or more. Raises
    UserError when the events do not fit or there is no such person.
    """
    difficulty, heads = difficulty_of(level), load_heads()
    if not 0 <= subject < len(heads):
        raise UserError(f"subject {subject + 1} asked for; the heads hold {len(heads)} people")
    person = heads.person(subject)
    streams = np.random.default_rng(np.random.SeedSequence([seed, subject, video])).spawn(7)
    clock = Clock(seconds, np.arange(round(seconds * fps)) / fps)
    rates = dict(mae_per_minute=mae_per_minute, me_per_minute=me_per_minute)
    cut = difficulty.cut if isinstance(difficulty, Untidy) else 0.0
    events = write_script(streams[0], difficulty, seconds=seconds + 2 * cut, fps=fps, **rates)
    events, labelled = seen_events(events, seconds=seconds, lead=cut)
    weights = activations(events, clock.times, person.units)
    weights += distractions(streams[1], clock, difficulty, person.units)
    course, camera = draw_course(streams[2], clock, difficulty), None
    turns = small_turns(course, person.offsets.shape[1])
    if isinstance(difficulty, Untidy):
        scene = untidy_scene(streams[6], clock, difficulty, events, person.units, subject=subject)
        weights, course = weights + scene.weights, scene.disturb(course)
        turns, camera = scene.turns, scene.camera
    subject_name, video_name = subject_names(subject, video)
    return Plan(
        person=person,
        weights=weights,
        course=course,
        turns=turns,
        noise=noise_bank(streams[3], difficulty.noise),
        places=noise_places(streams[5], len(weights)),
        contrast=streams[4].uniform(0.8, 1.15),
        quality=difficulty.quality,
        annotations=annotate(labelled, clock.times, subject=subject_name, video=video_name),
        camera=camera,
    )


def render_plan(plan: Plan, frames: Sequence[int] | slice = slice(None)) -> np.ndarray:
    """Frames of a plan, counted from 0, all by default: uint8 (frames, 112, 112)."""
    pictures = render(
        plan.person,
        plan.weights[frames],
        plan.course.at(frames),
        turns=plan.turns.at(frames),
        noise=plan.noise,
        places=plan.places[frames],
        contrast=plan.contrast,
        quality=plan.quality,
    )
    return pictures if plan.camera is None else film(pictures, plan.camera, frames)


def synthesise_video(**scene: Any) -> tuple[np.ndarray, pd.DataFrame]:
    """One video as `plan_video` plans it: frames uint8 (T, 112, 112) and its labels."""
    plan = plan_video(**scene)
    return render_plan(plan), plan.annotations


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
    people: Sequence[int] = (),
    videos_per_subject: int = 1,
    seconds: float = 30.0,
    fps: float = 30.0,
    mae_per_minute: float = MAE_PER_MINUTE,
    me_per_minute: float = ME_PER_MINUTE,
    level: str | Difficulty = "default",
    left_out: Sequence[str] = (),
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> Bank:
    """Makes a frame bank of synthetic videos with exact labels; it appears in `out` when complete.

    `people` are the numbers of the heads, from 1 (by default all, in order). The first `subjects`
    of them are used. Number 7 is called `s07` and its videos `s07_1`... The same arguments give the
    same bytes, for any number of `workers` (None: one per core; 1: in this process, which is needed
    if the main module is not a file). `left_out` names distractors (`difficulty.WITHOUT`) that the
    videos of level "untidy" do not have. Raises UserError if `out` is not empty, if there are too
    few people or if the events do not fit into the videos.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: holds something already; remove it or name another folder")
    difficulty = without(difficulty_of(level), left_out)
    numbers = choose_people(subjects, people)
    scene = dict(seconds=seconds, fps=fps, mae_per_minute=mae_per_minute,
                 me_per_minute=me_per_minute, level=difficulty, seed=seed)  # fmt: skip
    videos = [(number - 1, video) for number in numbers for video in range(videos_per_subject)]
    jobs = [scene | dict(subject=subject, video=video) for subject, video in videos]
    out.parent.mkdir(parents=True, exist_ok=True)
    root = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        words: dict[str, Any] = dict(desc="synthetic videos", unit="video", shown=progress)
        done = run_in_order(partial(write_video, root), jobs, workers=workers, **words)
        rows, labels = zip(*done, strict=True)
        name = level if isinstance(level, str) else "custom"
        name += "".join(f" without {part}" for part in left_out)
        settings = scene | dict(level=name, difficulty=asdict(difficulty))
        finish_bank(
            root,
            videos=pd.DataFrame(rows),
            annotations=pd.concat(labels, ignore_index=True),
            source=dict(kind="synthetic", heads=load_heads().provenance, **settings),
            alignment=dict(kind=crops_of(difficulty), residue="simulated"),
        )
        os.replace(root, out)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return open_bank(out)


def crops_of(difficulty: Difficulty) -> str:
    """Which crops a level stands for, as in `bank.json`: posed ones if it is untidy."""
    return "posed112" if isinstance(difficulty, Untidy) else "openface112"


def choose_people(subjects: int, people: Sequence[int] = ()) -> tuple[int, ...]:
    """The first `subjects` of `people` (all heads by default), numbered from 1.

    Raises UserError if there are fewer, or one is named twice or is not among the heads.
    """
    known = range(1, len(load_heads()) + 1)
    chosen = tuple(people) or tuple(known)
    wrong = [number for number in chosen if number not in known or chosen.count(number) > 1]
    if wrong:
        raise UserError(f"person {wrong[0]} named; the heads are {known[-1]}, take each once")
    if not 0 < subjects <= len(chosen):
        whose = "people named are" if people else "heads are"
        raise UserError(f"{subjects} subjects asked for; the {whose} {len(chosen)}")
    return chosen[:subjects]
