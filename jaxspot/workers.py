"""Work spread over processes, one a core, that end with the process that began them."""

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from jaxspot.errors import UserError
from jaxspot.progress import progress_bar

POLL_S = 0.25
DIED = (
    "a worker process died, most often for want of memory; name fewer --workers and run the same"
    " command again"
)


def core_count() -> int:
    """Processor cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


class Pool:
    """Does the jobs of a computation in this process, one after the other."""

    workers = 1
    stopped = False
    """Whether what goes on is not wanted any more."""

    def map(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
        """What `function` gives for each job, in their order; the first error ends it."""
        return [function(job) for job in jobs]

    def start(self, function: Callable[[], object]) -> None:
        """Lets every worker call a function, of which nothing is awaited."""

    def stop(self) -> None:
        """Gives up all that is going on; `map` raises in every thread that waits for it."""


class ProcessPool(Pool):
    """Does them in several processes, of several threads at once."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int, stop: Callable[[], object]):
        self.pool, self.workers, self._stop = pool, workers, stop

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """One job, as of an executor."""
        with _without_interrupts():  # for a process that begins here, until `begin_worker`
            return self.pool.submit(function, *arguments)

    def map(self, function: Callable[[Any], Any], jobs: Sequence[Any]) -> list[Any]:
        """As `Pool.map`; a UserError if a process dies."""
        futures: list[Future] = []
        try:
            futures += [self.submit(function, job) for job in jobs]
            return [future.result() for future in futures]
        except BrokenProcessPool:
            raise UserError(DIED) from None
        finally:
            for future in futures:
                future.cancel()
            wait(futures)

    def start(self, function: Callable[[], object]) -> None:
        """As `Pool.start`."""

        def submit() -> None:
            with contextlib.suppress(RuntimeError):  # it ended meanwhile
                for _ in range(self.workers):
                    self.submit(function)

        threading.Thread(target=submit, daemon=True).start()  # to begin a process takes a while

    def stop(self) -> None:
        """As `Pool.stop`."""
        self.stopped = True
        self._stop()


@contextlib.contextmanager
def worker_pool(workers: int, *, preload: Sequence[str] = ()) -> Iterator[Pool]:
    """Worker processes until the block ends; 1 stands for this process.

    More than 1 need a main module that is a file. If an error ends the block, nothing is awaited.
    `preload` names modules that all of them need, none of which starts a thread: on Linux, they are
    loaded once.
    """
    if workers <= 1:
        yield Pool()
        return
    context = _context(preload)
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=begin_worker, initargs=(theirs,)
    )
    try:
        yield ProcessPool(pool, workers, ours.close)
    except BaseException:  # stopped early: the work that is going on is not wanted
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        del pool
        gc.collect()  # its semaphores, of which Python would warn where Ctrl-C ends the program


def _context(preload):
    """How processes begin: afresh, or as forks of a server that has loaded modules for all.

    Forks of this process itself would share the threads and locks of jax.
    """
    if not preload or sys.platform != "linux":  # elsewhere forks may crash in system libraries
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([*preload])
    return context


def run_jobs(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    *,
    workers: int | None = None,
    on_poll: Callable[[], object] = lambda: None,
) -> Iterator[tuple[int, Future]]:
    """Runs `function` on every job; yields each job's number and its future as they end.

    `function` belongs to a module, and jobs can be pickled. `workers` are processes, by default one
    a core; 1 works in this process, as is needed where the main module is not a file. `on_poll` is
    called a few times a second. A UserError if a process dies.
    """
    workers = min(workers or core_count(), len(jobs))
    with worker_pool(workers) as pool:
        if not isinstance(pool, ProcessPool):
            yield from run_here(function, jobs, on_poll=on_poll)
            return
        numbers = {pool.submit(function, job): number for number, job in enumerate(jobs)}
        for future in _as_ended(numbers, on_poll):
            if isinstance(future.exception(), BrokenProcessPool):
                raise UserError(DIED)
            yield numbers[future], future


def run_threads(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    *,
    pool: Pool,
    on_poll: Callable[[], object] = lambda: None,
) -> Iterator[tuple[int, Future]]:
    """As `run_jobs`, in threads of this process that hand their work to a pool, one a worker."""
    if pool.workers <= 1:
        yield from run_here(function, jobs, on_poll=on_poll)
        return
    threads = ThreadPoolExecutor(pool.workers)
    try:
        numbers = {threads.submit(function, job): number for number, job in enumerate(jobs)}
        for future in _as_ended(numbers, on_poll):
            yield numbers[future], future
    except BaseException:
        pool.stop()
        raise
    finally:
        threads.shutdown(cancel_futures=True)


def _as_ended(numbers, on_poll):
    """Futures as they end, those that end together in order of their numbers."""
    waiting = set(numbers)
    while waiting:
        done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
        yield from sorted(done, key=numbers.__getitem__)
        on_poll()


def run_here(
    function: Callable[[Any], Any],
    jobs: Sequence[Any],
    *,
    on_poll: Callable[[], object] = lambda: None,
) -> Iterator[tuple[int, Future]]:
    """As `run_jobs` in this process."""
    for number, job in enumerate(jobs):
        yield number, _run_here(function, job, on_poll)
        on_poll()


def begin_worker(alive: Connection) -> None:
    """One thread a worker; it ends when `alive` closes, and does not hear Ctrl-C.

    `alive` closes when the process that holds its other end closes that, or ends.
    """
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch = lambda: (alive.poll(None), os._exit(1))
    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Holds Ctrl-C back; processes that are begun meanwhile never hear it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def run_in_order(
    function: Callable[[Any], Any], jobs: Sequence[Any], *, workers: int | None = None, **bar: Any
) -> list[Any]:
    """What `function` gives for each job, in their order, with a progress bar over the jobs.

    `workers` and errors are as in `run_jobs`, `bar` as in `progress_bar`.
    """
    found: dict[int, Any] = {}
    with progress_bar(total=len(jobs), **bar) as shown:
        for number, job in run_jobs(function, jobs, workers=workers):
            found[number] = job.result()
            shown.update()
    return [found[number] for number in range(len(jobs))]


def _run_here(function, job, on_poll):
    future, ended = Future(), threading.Event()

    def poll():
        while not ended.wait(POLL_S):
            on_poll()

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        future.set_result(function(job))
    except Exception as error:
        future.set_exception(error)
    finally:
        ended.set()
        thread.join()
    return future
