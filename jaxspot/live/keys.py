"""Keys pressed in a terminal, read without waiting."""

import contextlib
import select
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Gives a function that returns the key pressed since the last call, or "".

    It returns "" always where standard input is no terminal, or cannot be read by key (Windows).
    The terminal is as before afterwards.
    """
    try:
        import termios
        import tty

        before = termios.tcgetattr(sys.stdin)
    except (ImportError, OSError, ValueError, termios.error):
        yield lambda: ""
        return
    tty.setcbreak(sys.stdin)
    try:
        yield _key
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _key():
    ready, _, _ = select.select([sys.stdin], [], [], 0)
    return sys.stdin.read(1) if ready else ""
