"""The temporary folders of a run of `jaxspot spot`. They are removed at the end."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from jaxspot.files import is_running

Partials = Callable[[int], tuple[Path, Path]]


@contextlib.contextmanager
def work_folder(out: Path) -> Iterator[tuple[Path, Partials]]:
    """A folder for what the processes share, and a function: number -> folders of a video.

    These are in `out`: one of its files until they are whole, and one of its faces. Those of a
    process that was killed are removed, and at the end our own, and `out` if it is new and empty.
    """
    made: list[Path] = []
    new = [place for place in (out, *out.parents) if not place.exists()]

    def partials(number: int) -> tuple[Path, Path]:
        names = (f".{os.getpid()}.{number}.part", f".{os.getpid()}.{number}.faces.part")
        made.extend(out / name for name in names)
        return out / names[0], out / names[1]

    for old in out.glob(".*.*.part"):
        pid = old.name.split(".")[1]
        # A folder of our own number is that of a process before us, as in a container.
        if pid.isdecimal() and (int(pid) == os.getpid() or not is_running(int(pid))):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="jaxspot-") as folder:
        try:
            yield Path(folder), partials
        finally:
            for partial in made:
                shutil.rmtree(partial, ignore_errors=True)
            with contextlib.suppress(OSError):  # something is in it
                for place in new:
                    place.rmdir()
