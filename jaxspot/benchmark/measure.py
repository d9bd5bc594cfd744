"""Timing in pairs on one machine: warm, interleaved, medians, beside what the machine can do."""

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxspot.network.compiling import compile_program
from jaxspot.process import prepare_process

BUSY = 0.1
"""Figures are not to be trusted where others take more cores than this."""


class Row(NamedTuple):
    """One comparison; `ratio` is how many times better ours is than the peer.

    `value`, `peer_value` and `bound` are in `unit`. `bound` is what the machine would take for the
    work that XLA counts in ours.
    """

    name: str
    value: float
    unit: str
    peer: str = ""
    peer_value: float | None = None
    ratio: float | None = None
    bound: float | None = None


SHORT_S = 0.2
"""A candidate that takes less is called once, untimed, before each timing."""


def seconds_of(candidates: Sequence[Callable[[], Any]], *, rounds: int = 9) -> list[float]:
    """Median wall seconds of each candidate, called in turn `rounds` times after a warm-up.

    The caches and waiting threads of its neighbour would slow a short candidate down.
    """
    twice = [[seconds_of_call(candidate) for candidate in candidates] for _ in range(2)]
    first = np.min(twice, axis=0)
    taken = [[] for _ in candidates]
    for _ in range(rounds):
        for once, times, candidate in zip(first, taken, candidates, strict=True):
            if once < SHORT_S:
                seconds_of_call(candidate)
            times.append(seconds_of_call(candidate))
    return [statistics.median(times) for times in taken]


def seconds_of_call(candidate: Callable[[], Any]) -> float:
    """Wall seconds of one call."""
    begin = time.perf_counter()
    jax.block_until_ready(candidate())
    return time.perf_counter() - begin


def compare_speed(
    name: str,
    ours: Callable[[], Any],
    peers: dict[str, Callable[[], Any]],
    *,
    unit: str,
    convert: Callable[[float], float],
    bound_s: float | None = None,
    rounds: int = 9,
) -> list[Row]:
    """A row for each peer, timed in turn with ours, `rounds` times; one row where there is no peer.

    Each callable does the same work once. `convert` turns seconds into `unit`. `bound_s` is the
    least time that the machine would need, in seconds.
    """
    mine, *theirs = seconds_of([ours, *peers.values()], rounds=rounds)
    alone = Row(name, convert(mine), unit, bound=None if bound_s is None else convert(bound_s))
    return [
        alone._replace(peer=peer, peer_value=convert(seconds), ratio=seconds / mine)
        for peer, seconds in zip(peers, theirs, strict=True)
    ] or [alone]


class ClockReading(NamedTuple):
    """Seconds: of the wall, of all processors together, and those that this process used."""

    wall: float
    busy: float
    ours: float


def read_clock() -> ClockReading:
    """The time now; without /proc/stat, `busy` counts this process alone."""
    busy = ours = sum(os.times()[:4])  # with its children
    if Path("/proc/stat").is_file():
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # less idle, waiting
    return ClockReading(time.perf_counter(), busy, ours)


def cores_of_others(begin: ClockReading, end: ClockReading) -> float:
    """How many cores other processes, or other machines on the same host, used in between."""
    others = (end.busy - begin.busy) - (end.ours - begin.ours)
    return max(0.0, others / (end.wall - begin.wall))


def in_fresh_process(function: Callable, *arguments: Any) -> Any:
    """The result of a function in a new process, without the threads and memory of this one."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=prepare_process) as fresh:
        return fresh.submit(function, *arguments).result()


@contextlib.contextmanager
def one_opencv_thread() -> Iterator[None]:
    """OpenCV, which would take every core, keeps to one thread."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


class Machine(NamedTuple):
    """What this machine can do at most: multiplications and additions, and bytes, a second."""

    flops: float
    bytes: float

    def seconds(self, program: Any, *arguments: Any) -> float:
        """The least time of a compiled jax program, from XLA's count of its work."""
        cost = program.lower(*arguments).compile().cost_analysis()
        return max(cost["flops"] / self.flops, cost["bytes accessed"] / self.bytes)


def measure_machine(*, size: int = 2048, repeats: int = 1) -> Machine:
    """Measures a matrix product and a copy that no cache holds, `repeats` of each in one call.

    On an accelerator a copy takes less time than the call of a program.
    """
    matrix = jnp.asarray(np.random.default_rng(0).random((size, size), np.float32) / size)
    block = jnp.zeros(2**25, jnp.float32)
    repeated = lambda step: compile_program(
        lambda start, *others: lax.fori_loop(0, repeats, lambda _, x: step(x, *others), start)
    )
    product, copy = repeated(jnp.matmul), repeated(lambda x: x + 1)
    arithmetic, memory = seconds_of([lambda: product(matrix, matrix), lambda: copy(block)])
    return Machine(2 * repeats * size**3 / arithmetic, 2 * repeats * block.nbytes / memory)
