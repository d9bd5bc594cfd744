"""Time and memory against how much there is to do, each point in a process of its own."""

import contextlib
import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from matplotlib.figure import Figure

from jaxspot.benchmark.measure import in_fresh_process, seconds_of, seconds_of_call
from jaxspot.benchmark.spotting import long_video
from jaxspot.benchmark.table import markdown
from jaxspot.benchmark.work import PAPER, SKIPS, TRAINING, MadeUpFrames, epoch_of, one_network
from jaxspot.devices import fold_mesh
from jaxspot.memory import peak_gigabytes
from jaxspot.spotting.scoring import score_video
from jaxspot.video.bank import SIZE


class Point(NamedTuple):
    """One measurement.

    `size` is of what the law varies, `work` is how much there is to do in `LAWS[law].unit`, and
    `seconds` are those of all of it, after a warm-up. `gigabytes` is the process's peak memory.
    """

    law: str
    size: int
    work: float
    seconds: float
    gigabytes: float
    seconds_per_unit: float


class Law(NamedTuple):
    """How one size is varied: `make(size)` gives a call that does the work, and how much it is.

    Without `warm`, the call is made once.
    """

    title: str
    unit: str
    sizes: Sequence[int]
    make: Callable[[int], tuple[Callable, float]]
    warm: bool = True


def folds(count: int) -> tuple[Callable, float]:
    """An epoch of some folds; work is fold-steps."""
    return epoch_of(count), count * TRAINING.steps


def devices(count: int) -> tuple[Callable, float]:
    """An epoch of 8 folds on so many devices, which hold a bank of 48,000 frames.

    On CPU the devices are threads of one process, which share its cores.
    """
    with contextlib.suppress(RuntimeError):  # refused once jax runs
        jax.config.update("jax_num_cpu_devices", count)
    mesh = fold_mesh(count)
    return epoch_of(8, frames=4000, resident=True, mesh=mesh), 8 * TRAINING.steps


def batch(samples: int) -> tuple[Callable, float]:
    """An epoch of 2 folds with so many samples a step; work is samples."""
    training = dataclasses.replace(TRAINING, batch=samples)
    return epoch_of(2, training=training), 2 * samples * TRAINING.steps


def widths(first: int) -> tuple[Callable, float]:
    """An epoch of two folds; work is multiplications of blocks 1 to 3, in millions a pair."""
    model = dataclasses.replace(PAPER, widths=(first, 2 * first, 4 * first))
    one, two, three = model.widths
    products = SIZE**2 * 18 * one + SIZE**2 / 4 * one * (9 + two) + SIZE**2 / 16 * two * (9 + three)
    return epoch_of(2, model=model), products / 1e6


def video(length: int) -> tuple[Callable, float]:
    """Dense scores of one video by one network; work is frames."""
    frames: Any = MadeUpFrames(length)
    call = partial(score_video, PAPER, one_network(), frames, skips=np.array([SKIPS]))
    return call, length


def bank(frames: int) -> tuple[Callable, float]:
    """An epoch of 12 folds on a bank of so many frames; work is fold-steps, however large it is."""
    return epoch_of(12, frames=frames // 12), 12 * TRAINING.steps


def spot(frames: int) -> tuple[Callable, float]:
    """A video file of so many frames spotted in one process, from the file to its results."""
    return long_video(frames), frames


LAWS: dict[str, Law] = {
    "folds": Law("folds that train at once", "fold-step", (1, 2, 4, 8, 16), folds),
    "devices": Law("devices that train 8 folds", "fold-step", (1, 2, 4, 8), devices),
    "batch": Law("samples a step", "sample", (8, 16, 32, 64), batch),
    "widths": Law("channels after block 1", "M products a pair", (8, 16, 32, 64), widths),
    "video": Law("frames of a video that is scored", "frame", (1_000, 10_000, 100_000), video),
    "bank": Law("frames of the bank that trains", "fold-step", (3_000, 12_000, 48_000), bank),
    "spot": Law("frames of a video file that is spotted", "frame", (5_400, 54_000), spot, False),
}


def measure(law: str, size: int) -> Point:
    """One point, measured in this process."""
    run, work = LAWS[law].make(size)
    if LAWS[law].warm:
        (seconds,) = seconds_of([run], rounds=1 if size >= 50_000 else 3)
    else:
        seconds = seconds_of_call(run)
    return Point(law, size, work, seconds, peak_gigabytes() or math.nan, seconds / work)


def measure_laws(names: Sequence[str], on_point: Callable[[Point], object]) -> list[Point]:
    """All points of these laws, one after the other; calls `on_point` with each."""
    points = []
    for law, size in [(name, size) for name in names for size in LAWS[name].sizes]:
        points.append(in_fresh_process(measure, law, size))
        on_point(points[-1])
    return points


def table(points: Sequence[Point]) -> str:
    """The points as Markdown; the last column compares time per work with the law's first point."""
    rows = []
    first = {point.law: point for point in reversed(points)}
    for point in points:
        law = LAWS[point.law]
        growth = point.seconds_per_unit / first[point.law].seconds_per_unit
        each = f"{1e3 * point.seconds_per_unit:.3g} ms a {law.unit}"
        sizes = (f"{point.size:,}", f"{point.seconds:.3g}")
        rows.append((law.title, *sizes, each, f"{point.gigabytes:.2f} GB", f"{growth:.2f}"))
    heads = ("what", "size", "seconds", "per unit of work", "peak memory", "against work")
    return markdown(heads, rows)


def draw_laws(points: Sequence[Point]) -> Figure:
    """Time (above) and peak memory (below) against size, a column for each law."""
    figure = Figure(figsize=(13, 6), layout="constrained")
    names = list(dict.fromkeys(point.law for point in points))
    panels = figure.subplots(2, len(names), squeeze=False)
    for column, name in zip(panels.T, names, strict=True):
        mine = [point for point in points if point.law == name]
        sizes = [point.size for point in mine]
        straight = [mine[0].seconds_per_unit * point.work for point in mine]
        above, below = column
        above.loglog(sizes, [point.seconds for point in mine], "o-", label="measured")
        above.loglog(sizes, straight, "--", color="#888888", label="first point times work")
        below.semilogx(sizes, [point.gigabytes for point in mine], "o-", color="#c8501e")
        below.set(ylim=(0, None), xlabel=LAWS[name].title)
        for axes in column:
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
            axes.minorticks_off()
    panels[0, 0].set_ylabel("seconds")
    panels[1, 0].set_ylabel("peak memory in GB")
    panels[0, 0].legend(frameon=False)
    figure.suptitle(f"Cost against size on {os.cpu_count()} cores (made-up frames)")
    return figure
