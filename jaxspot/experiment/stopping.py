"""Ctrl-C and the end of a cluster's time slot: a run stops where nothing is lost."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

from jaxspot.errors import Interrupted

SAYS = b"\nstopping when this epoch or video is saved; again to stop now\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def stop_when_saved() -> Iterator[Callable[[], None]]:
    """Holds back the first SIGINT or SIGTERM until work is saved; a second one stops at once.

    Yields a function to call where all is saved: it raises Interrupted when a signal has come.
    Outside the main thread, where Python hears no signals, it never does.
    """
    came = []

    def hear(number, frame):
        if came:
            raise KeyboardInterrupt
        came.append(number)
        os.write(2, SAYS)  # print may not be called while it is at work itself

    def stop_here():
        if came:
            raise Interrupted("stopped as asked, all work is saved; go on with --resume")

    if threading.current_thread() is not threading.main_thread():
        yield stop_here
        return
    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield stop_here
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
