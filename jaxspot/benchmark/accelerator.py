"""What the device of this machine does in a second: many folds trained at once, frames scored.

All is measured in one process, from small to large, until the time is over: the process that uses a
GPU takes most of its memory, and the peak of what it has held never falls.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax

from jaxspot.benchmark.accelerator_jobs import HALF_STOPPED, STACKED, TRAIN, Bound, Job, Sizes, jobs
from jaxspot.benchmark.measure import in_fresh_process, measure_machine
from jaxspot.benchmark.table import describe_devices, markdown, number
from jaxspot.devices import on_cpu
from jaxspot.memory import peak_gigabytes

ROUNDS, ROUNDS_S = 7, 3.0
"""A compiled call is repeated so often, or for so long."""
FULL = "RESOURCE_EXHAUSTED"
ALL = Sizes()
CPU = Sizes(members=(1, 8), batch=64, frames=512, seconds=75.0)
"""For the CPU beside an accelerator; more at once is not faster there."""
REPEATS = 32
"""What an accelerator can do is measured on so many repetitions in one call."""


class Reading(NamedTuple):
    """One measurement; None where nothing is known.

    Attributes:
      what, size: what was done, and of how much at once.
      rate, unit: how much of what a second.
      seconds: of a call, compiled.
      compile_seconds: how much longer the first call took.
      gigabytes: what the device, or on CPU the process, has held at most so far.
      bound_share: the least time for the work that XLA counts, over the time measured.
      of_full: where half of the folds have stopped, the time over that of all.
      cpu_ratio: the rate over the best one on the CPU of the same machine.
      note: why there are no figures.
    """

    what: str
    size: int
    unit: str
    rate: float | None = None
    seconds: float | None = None
    compile_seconds: float | None = None
    gigabytes: float | None = None
    bound_share: float | None = None
    of_full: float | None = None
    cpu_ratio: float | None = None
    note: str = ""


def measure_accelerator(
    sizes: Sizes = ALL, *, cpu: Sizes | None = None
) -> tuple[str, list[Reading]]:
    """A line about the device, and what was measured on it; beside the CPU if `cpu` has sizes."""
    beside = []
    if cpu:
        with platform("cpu"):
            beside = in_fresh_process(measure_anew, cpu)[1]
    line, readings = in_fresh_process(measure_anew, sizes)
    best: dict[str, float] = {}
    for row in beside:
        best[row.what] = max(best.get(row.what, 0.0), row.rate or 0.0)
    ratio = lambda row: row.rate / best[row.what] if row.rate and best.get(row.what) else None
    return line, [row._replace(cpu_ratio=ratio(row)) for row in readings]


@contextmanager
def platform(name: str) -> Iterator[None]:
    """Processes that are started here compute on this platform."""
    before = os.environ.get("JAX_PLATFORMS")
    os.environ["JAX_PLATFORMS"] = name
    try:
        yield
    finally:
        del os.environ["JAX_PLATFORMS"]
        if before is not None:
            os.environ["JAX_PLATFORMS"] = before


def measure_anew(sizes: Sizes) -> tuple[str, list[Reading]]:
    """`measure_device` with programs that are all compiled here."""
    jax.config.update("jax_enable_compilation_cache", False)
    return measure_device(sizes)


def measure_device(sizes: Sizes) -> tuple[str, list[Reading]]:
    """Measures the jobs on the devices of this process, in order, while there is time."""
    begin = time.perf_counter()
    machine = measure_machine() if on_cpu() else measure_machine(size=8192, repeats=REPEATS)
    left = lambda: sizes.seconds - (time.perf_counter() - begin)
    readings: list[Reading] = []
    bounds: list[Bound | None] = []
    took: dict[str, float] = {}
    for job in jobs(sizes):
        if took.get(job.what, 0.0) > left():
            reading, bound = Reading(job.what, job.size, job.unit, note="no time left"), None
        else:
            started = time.perf_counter()
            reading, bound = measure_job(job)
            compiling = reading.compile_seconds or 0.0
            # The next row of a kind compiles as long and then computes four times as much.
            took[job.what] = compiling + 4 * (time.perf_counter() - started - compiling)
        readings.append(reading)
        bounds.append(bound)
    # A bound has to be compiled as well, so that all rates come first.
    for place, (reading, bound) in enumerate(zip(readings, bounds, strict=True)):
        if bound and reading.seconds and left() > (reading.compile_seconds or 0.0):
            readings[place] = reading._replace(bound_share=bound(machine) / reading.seconds)
    return describe_devices(machine), with_share_of_full(readings)


def measure_job(job: Job) -> tuple[Reading, Bound | None]:
    """Runs a job several times; where memory does not suffice, the note says so."""
    reading = Reading(job.what, job.size, job.unit)
    try:
        call, bound = job.make()
        first, *times = timed(call)
    except jax.errors.JaxRuntimeError as error:
        if FULL not in str(error):
            raise
        return reading._replace(note="out of memory"), None
    seconds = statistics.median(times)
    found = reading._replace(
        rate=job.work / seconds,
        seconds=seconds,
        compile_seconds=max(0.0, first - seconds),
        gigabytes=held_gigabytes(),
    )
    return found, bound


def timed(call: Callable[[], Any]) -> list[float]:
    """Seconds of the first call, then of some more."""
    times: list[float] = []
    while len(times) < 2 or (len(times) <= ROUNDS and sum(times[1:]) < ROUNDS_S):
        begin = time.perf_counter()
        jax.block_until_ready(call())
        times.append(time.perf_counter() - begin)
    return times


def held_gigabytes() -> float | None:
    """What one device has held at most; on CPU what the process has."""
    known = jax.devices()[0].memory_stats() or {}
    return known["peak_bytes_in_use"] / 1e9 if "peak_bytes_in_use" in known else peak_gigabytes()


def with_share_of_full(readings: Sequence[Reading]) -> list[Reading]:
    """`of_full` of the row in which half of the folds have stopped."""
    full = {row.size: row.seconds for row in readings if row.what in (TRAIN, STACKED)}
    share = lambda row: row.seconds / full[row.size] if row.seconds and full[row.size] else None
    return [
        row._replace(of_full=share(row)) if row.what == HALF_STOPPED else row for row in readings
    ]


def table(readings: Sequence[Reading]) -> str:
    """The readings as Markdown."""
    show = lambda value, form=number: "" if value is None else form(value)
    percent, times = "{:.0%}".format, "{:.2f}".format
    rows = [
        (
            row.what,
            f"{row.size:,}",
            f"{number(row.rate)} {row.unit}" if row.rate else row.note,
            show(row.seconds),
            show(row.compile_seconds, "{:.1f}".format),
            show(row.gigabytes, times),
            show(row.bound_share, percent),
            show(row.of_full, times),
            show(row.cpu_ratio, times),
        )
        for row in readings
    ]
    heads = ("what", "size", "rate", "s a call", "s to compile", "peak GB", "of the bound")
    return markdown((*heads, "of all folds", "over CPU"), rows)
