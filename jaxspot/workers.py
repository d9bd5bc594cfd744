"""Work spread over processes, one a core, that end with the process that began them."""

import contextlib
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
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
    if workers <= 1:
        for number, job in enumerate(jobs):
            yield number, _run_here(function, job, on_poll)
            on_poll()
        return
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=begin_worker, initargs=(theirs,)
    )
    try:
        with _without_interrupts():  # for the processes that begin here, until `begin_worker`
            numbers = {pool.submit(function, job): number for number, job in enumerate(jobs)}
        waiting = set(numbers)
        while waiting:
            done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=numbers.__getitem__):
                if isinstance(future.exception(), BrokenProcessPool):
                    raise UserError(DIED)
                yield numbers[future], future
            on_poll()
    except BaseException:  # stopped early: the work that is going on is not wanted
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        del pool
        gc.collect()  # its semaphores, of which Python would warn where Ctrl-C ends the program


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
