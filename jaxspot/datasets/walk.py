"""A folder and all in it."""

import os
from collections.abc import Iterator
from pathlib import Path


def all_folders(root: Path) -> Iterator[Path]:
    """A folder and those in it at any depth, each once, also over links; no hidden ones."""
    seen = set()
    for place, folders, _ in os.walk(root, followlinks=True, onerror=_raise):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(place)


def _raise(error: OSError) -> None:
    raise error
