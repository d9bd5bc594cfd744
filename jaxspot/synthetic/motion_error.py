"""How far measured region motion is from the true one, on synthetic videos."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.motion.pictures import bank_faces, crop_motion, crop_places
from jaxspot.motion.regions import TWELVE
from jaxspot.synthetic.difficulty import Difficulty
from jaxspot.synthetic.generate import plan_video, render_plan
from jaxspot.synthetic.true_motion import resting_face, true_region_motion
from jaxspot.video.landmarker import load_landmarker
from jaxspot.workers import run_jobs

SPANS_S = (0.2, 0.5)
STILL = 0.01
"""A region that truly moves by less than this in a frame is at rest; pixels of the crop."""


def motion_error(
    level: str | Difficulty,
    *,
    people: Iterable[int] = range(8),
    seconds: float = 20.0,
    fps: float = 30.0,
    seed: int = 0,
    workers: int | None = None,
) -> pd.DataFrame:
    """The error of `crop_motion` on one synthetic video of each person, a row for each region.

    `people` count from 0. Columns, in pixels of the 112 crop: `true_rms`, `rms` (of one component)
    and `median` (of the length) of a frame's error, `at_rest` (the median where the region moves by
    less than 0.01); `rms_0.2s`, `median_0.2s` and so on of the displacement over a time; `corr` and
    `corr_0.2s`... (mean of the two components). The last row is over all regions. UserError: as
    `plan_video` and `load_landmarker`.
    """
    scene = dict(seconds=seconds, fps=fps, level=level, seed=seed)
    job = partial(_one_video, scene)
    done = {number: future.result() for number, future in run_jobs(job, [*people], workers=workers)}
    pairs = [done[number] for number in sorted(done)]
    spans = {f"_{span}s": max(1, round(span * fps)) for span in SPANS_S}
    rows = [
        dict(region=name) | _row([(m[:, r], t[:, r]) for m, t in pairs], spans)
        for r, name in enumerate(TWELVE.names)
    ]
    table = pd.DataFrame(rows)
    means = table.mean(numeric_only=True)
    squares = [name for name in table if "rms" in name]
    means[squares] = np.sqrt((table[squares] ** 2).mean())
    return pd.concat([table, pd.DataFrame([dict(region="all", **means)])], ignore_index=True)


def _one_video(scene, person):
    """Measured and true region motion of a video without its first row, each (T - 1, 12, 2)."""
    plan, landmarker = plan_video(subject=person, **scene), load_landmarker()
    frames = render_plan(plan)
    faces = bank_faces(frames, np.ones((len(frames), 2)), scene["fps"])
    measured = np.stack([frame.motion for frame in crop_motion(faces, landmarker)])
    true = true_region_motion(plan, crop_places(landmarker, resting_face(plan)))
    return measured[1:].astype(np.float64), true[1:]


def _row(pairs, spans):
    """One region's measures from pairs of measured and true motion (T, 2) of each video."""
    measured, true = (np.concatenate(series) for series in zip(*pairs, strict=True))
    lengths = np.hypot(*(measured - true).T)
    row = dict(true_rms=_rms(true), rms=_rms(measured - true), median=np.median(lengths))
    row["at_rest"] = np.median(lengths[np.hypot(*true.T) < STILL])
    moved: dict[str, Any] = {"": (measured, true)}
    for name, frames in spans.items():
        over = [[_displacement(series, frames) for series in pair] for pair in pairs]
        moved[name] = tuple(np.concatenate(series) for series in zip(*over, strict=True))
        error = moved[name][0] - moved[name][1]
        row |= {f"rms{name}": _rms(error), f"median{name}": np.median(np.hypot(*error.T))}
    for name, (found, known) in moved.items():
        row[f"corr{name}"] = np.mean([np.corrcoef(found[:, i], known[:, i])[0, 1] for i in (0, 1)])
    return row


def _rms(values):
    return np.sqrt(np.mean(values**2))


def _displacement(steps, frames):
    """Displacement (T + 1 - frames, 2) over a number of frames, from that of each frame."""
    places = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])
    return places[frames:] - places[:-frames]
