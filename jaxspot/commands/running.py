"""How a command begins and ends: help as written; a mistake is one line and its exit code."""

import argparse
import errno
import functools
import io
import os
import re
import select
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import logging

from jaxspot.errors import Interrupted, UserError

FULL = {errno.ENOSPC: "no space left on the disk", errno.EDQUOT: "the disk quota is used up"}
CLOSED = {errno.EACCES: "access is not permitted", errno.EPERM: "access is not permitted"}
FIXED = {errno.EROFS: "the disk is read-only", errno.EFBIG: "larger than a file may be here"}
UNREAD = 141  # as of a program that ends by SIGPIPE
ELSEWHERE = "name a folder that can be written, on another disk if need be"


def command(function: Callable[[Sequence[str]], int]) -> Callable[..., int]:
    """Makes a command's main, named as its file, of what it does with its arguments; see `run`."""
    name = Path(function.__code__.co_filename).stem

    @functools.wraps(function)
    def main(argv: Sequence[str] | None = None) -> int:
        return run(name, function, sys.argv[1:] if argv is None else argv)

    return main


def command_parser(name: str, about: str | None, epilog: str = "") -> argparse.ArgumentParser:
    """A parser whose help keeps the lines of its texts; flags cannot be cut short.

    The texts name commands as `jaxspot spot`; the help shows them as the reader calls them.
    """
    flags = argparse.ArgumentParser(
        prog=as_called(f"jaxspot {name}"),
        description=as_called(about or ""),
        epilog=as_called(epilog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.error = lambda message: flags.exit(2, f"{name}: {message}; see {flags.prog} --help\n")
    return flags


def as_called(text: str) -> str:
    """Turns `jaxspot spot` into `python launch/spot.py`, if this process runs such a script."""
    script = Path(sys.argv[0])
    if script.suffix != ".py" or script.parent.name != "launch":
        return text

    def named(found: re.Match) -> str:
        path = script.parent / f"{found[1]}.py"
        return f"python {path}" if path.is_file() else found[0]

    return re.sub(r"\bjaxspot (\w+)", named, text)


def run(name: str, function: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Runs a command on its arguments; returns the exit code.

    What the user can mend becomes one line on stderr: a UserError (a line for each of its lines), a
    disk that is full, read-only or closed, a device that jax does not find, and a system library
    that OpenCV misses. Where nobody reads what is printed any more, as after `| head`, the command
    ends without a word. Every other exception passes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that the terminal cannot show
    logging.set_verbosity(logging.FATAL)  # orbax logs, with a traceback, what it raises too
    try:
        code = function(argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        if not _leave_closed_pipes():
            raise
        return UNREAD
    except UserError as error:
        code = _say(name, *str(error).splitlines(), code=error.exit_code)
        if error.at_once:
            sys.stdout.flush()
            os._exit(code)
        return code
    except KeyboardInterrupt:
        _say(name, "stopped; what was saved stays")
        # A program that still computes would delay the end, or crash it.
        os._exit(Interrupted.exit_code)
    except ImportError as error:
        line = missing_library(error)
        if line is None:
            raise
        return _say(name, line)
    except (RuntimeError, AssertionError) as error:
        line = missing_device(error)
        if line is None:
            raise
        return _say(name, line)
    except (OSError, ValueError) as error:
        again = "go on with --resume" if name == "train" else "run the command again"
        line = disk_trouble(error, again)
        if line is None:
            raise
        return _say(name, line)


def disk_trouble(error: OSError | ValueError, again: str) -> str | None:
    """A line about a disk that cannot be written or a file that may not be touched, else None.

    `again` says how to go on. tensorstore, which writes weights, raises ValueError with the number
    of the system's error in its text.
    """
    if isinstance(error, OSError):
        number, file = error.errno, error.filename
    else:
        code = re.search(r"os_error_code='(\d+)'", str(error))
        named = re.search(r'Failed writing: "([^"]+)"', str(error))
        number, file = code and int(code[1]), named and named[1]
    where = f"{file}: " if file else ""
    if number in FULL:
        return f"{where}{FULL[number]}; free some and {again}"
    if number in FIXED:
        return f"{where}{FIXED[number]}; {ELSEWHERE}"
    if number in CLOSED and file:
        return f"{file}: {CLOSED[number]}; change its permissions or name another place"
    return None


def missing_device(error: Exception) -> str | None:
    """A line about a device that JAX_PLATFORMS asks for and jax does not find, else None.

    The error may come from a process of its own, as text.
    """
    told = "".join(traceback.format_exception(error))
    if "xla_bridge.py" not in told or "in backends" not in told:
        return None
    reason = str(error).partition("\n")[0].partition(" (set JAX_PLATFORMS")[0]
    asked = os.environ.get("JAX_PLATFORMS", "")
    if not asked:
        return f"jax finds no device ({reason}); JAX_PLATFORMS=cpu uses the CPU"
    return f"jax cannot use JAX_PLATFORMS={asked!r} ({reason}); unset it, or name another"


def _leave_closed_pipes():
    """Turns stdout and stderr to nowhere if their readers are gone; whether one was."""
    closed = [stream for stream in (sys.stdout, sys.stderr) if _is_unread(stream)]
    for stream in closed:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return bool(closed)


def _is_unread(stream):
    if not hasattr(select, "poll"):  # Windows
        return stream is sys.stdout
    poll = select.poll()
    poll.register(stream.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def missing_library(error: ImportError) -> str | None:
    """A line about a system library that OpenCV misses; None for any other failed import."""
    modules = {
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    }
    if "cv2" not in modules or ".so" not in str(error):
        return None
    reason = " ".join(str(error).split())
    return (
        f"OpenCV cannot be loaded ({reason}); on Debian or Ubuntu:"
        " apt-get install libgl1 libglib2.0-0"
    )


def _say(name, *lines, code=UserError.exit_code):
    for line in lines:
        print(f"{name}: {line}", file=sys.stderr)
    return code
