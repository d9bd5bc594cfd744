"""Whether the benchmark's banks are still the frozen ones.

Labels and settings are compared by a hash. Frames are not the same bytes everywhere: without AVX2,
or with another BLAS kernel, one pixel in 6,000 is rounded otherwise (by up to 7 gray levels, as
JPEG spreads it). So motion is compared by its means, and frames by the mean difference of a few
pixels.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.synthetic.generate import choose_people, difficulty_of, plan_video, render_plan
from jaxspot.synthetic.heads import load_heads

FILE = Path(__file__).parent / "frozen.json"
PIXELS = 64
STRIDE = 5003
TOLERANCE = 0.05
"""Mean absolute difference of the kept pixels, gray levels; other processors reach 0.001."""
RELATIVE = 1e-6
"""Relative difference of the means of what moves; other processors stay near 1e-12."""


def sampled_frame(number: int, count: int, frames: int) -> int:
    """The frame of the subject `number` of `count` that is kept: one a subject, spread in time."""
    return int((number + 0.5) / count * frames)


def fingerprint(scene: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of the bank that `synthetic_bank(**scene)` would make, without making it.

    `sha256` is of its settings, people and labels; `motion` the mean absolute value over subjects
    and frames of each unit, then of each part of the course; `pixels`, in base64, PIXELS gray
    levels of a frame of each subject.
    """
    people = choose_people(scene["subjects"], scene["people"])
    whole = ("subjects", "people", "videos_per_subject")
    video = {name: value for name, value in scene.items() if name not in whole}
    exact = hashlib.sha256(describe(scene).encode())
    motion, pixels = [], []
    for i, number in enumerate(people):
        plan = plan_video(subject=number - 1, **video)
        exact.update(hash_person(number - 1))
        exact.update(plan.annotations.to_csv(index=False, lineterminator="\n").encode())
        moves = np.column_stack([plan.weights, *vars(plan.course).values()])
        motion.append(np.abs(moves).mean(0))
        frame = render_plan(plan, [sampled_frame(i, len(people), len(moves))])
        pixels.append(frame.ravel()[(np.arange(PIXELS) + i) * STRIDE % frame.size])
    return {
        "sha256": exact.hexdigest(),
        "motion": [float(f"{value:.10g}") for value in np.mean(motion, 0)],
        "pixels": base64.b64encode(np.concatenate(pixels).tobytes()).decode(),
    }


def describe(scene: Mapping[str, Any]) -> str:
    """The settings of a scene with all that its level stands for, as canonical JSON."""
    difficulty = asdict(difficulty_of(scene["level"]))
    return json.dumps({**scene, "difficulty": difficulty}, sort_keys=True)


def hash_person(number: int) -> bytes:
    """SHA-256 of what the heads hold of a person, counted from 0."""
    heads, digest = load_heads(), hashlib.sha256()
    for field in (heads.neutral, heads.displacement, heads.shading):
        digest.update(field[number].tobytes())
    for step in (heads.displacement_step, heads.shading_step):
        digest.update(step[number].astype("<f4").tobytes())
    return digest.digest()


def difference(frozen: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """A line that says how a bank differs from the frozen one; empty where it does not."""
    if frozen["sha256"] != now["sha256"]:
        return "settings, people or labels are not the frozen ones"
    before, after = (np.array(each["motion"]) for each in (frozen, now))
    if before.shape != after.shape or not np.allclose(before, after, rtol=RELATIVE, atol=1e-9):
        return "what moves is not as frozen"
    pixels = lambda kept: np.frombuffer(base64.b64decode(kept["pixels"]), np.uint8).astype(int)
    before, after = pixels(frozen), pixels(now)
    if before.shape != after.shape:
        return f"{len(after)} pixels are kept, {len(before)} were"
    off = float(np.abs(after - before).mean())
    return f"frames differ by {off:.3f} gray levels" if off > TOLERANCE else ""


def read_frozen() -> dict[str, dict[str, Any]]:
    """The fingerprints of the benchmark's banks by name."""
    return json.loads(FILE.read_text("utf-8"))
