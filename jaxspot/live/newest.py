"""Frames as they come, read in a thread: what cannot be taken in time gives way to newer ones."""

import threading
from collections import deque
from collections.abc import Iterator

from jaxspot.live.sources import Arrival, Stream

WAITING = 2
"""So many frames may wait, so that one slow frame loses none."""


class Newest:
    """Yields the frames of a stream that never waits, from a thread, the oldest one first.

    Not more than WAITING of them wait. `dropped` counts those that gave way to newer ones. Errors
    of the stream are raised by the iteration.
    """

    def __init__(self, stream: Stream):
        self.dropped = 0
        self._waiting: deque[Arrival] = deque()
        self._changed = threading.Condition()
        self._ended, self._error = False, None
        self._thread = threading.Thread(target=self._read, args=(stream.arrivals,), daemon=True)

    def __iter__(self) -> Iterator[Arrival]:
        """Starts the thread and yields frames until the stream ends or `close` is called."""
        self._thread.start()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if not self._waiting:
                    break
                arrival = self._waiting.popleft()
            yield arrival
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Ends the thread after the frame it waits for."""
        with self._changed:
            self._ended = True
        if self._thread.is_alive():
            self._thread.join(timeout=1.0)

    def _read(self, arrivals):
        try:
            for arrival in arrivals:
                with self._changed:
                    if self._ended:
                        return
                    self._waiting.append(arrival)
                    if len(self._waiting) > WAITING:
                        self._waiting.popleft()
                        self.dropped += 1
                    self._changed.notify()
        except Exception as error:  # raised where the frames are taken
            self._error = error
        finally:
            arrivals.close()
            with self._changed:
                self._ended = True
                self._changed.notify()
