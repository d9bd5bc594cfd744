"""Files that appear under their final name only when whole."""

import contextlib
import glob
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.errors import UserError

ENDS = 2**20
"""Bytes at either end of a file that tell it from others, with its size."""


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Writes a CSV (UTF-8, newline endings) under its final name only when whole."""
    write_text(path, table_text(table))


def table_text(table: pd.DataFrame) -> str:
    """A table as CSV with newline endings."""
    return table.to_csv(index=False, lineterminator="\n")


def write_text(path: str | Path, text: str) -> None:
    """Writes text under its final name only when whole; makes the folder."""
    write_bytes(path, text.encode("utf-8"))


def with_tuples(value: Any) -> Any:
    """Lists as tuples, however deep: JSON and notebooks give lists for them."""
    if isinstance(value, dict):
        return {name: with_tuples(inner) for name, inner in value.items()}
    return tuple(map(with_tuples, value)) if isinstance(value, list | tuple) else value


def hash_file(path: str | Path) -> str:
    """The sha256 of what a file holds."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_note(path: Path) -> dict[str, Any]:
    """The object that a JSON file holds; empty where it is not there or holds something else."""
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def content_of(files: Iterable[Path]) -> str:
    """A hash of what files hold, whatever their names and times: of sizes, and both ends of each.

    UserError: a file is not there or cannot be read.
    """
    found = hashlib.sha256()
    for path in files:
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                found.update(f"{size} ".encode())
                found.update(file.read(ENDS))
                file.seek(max(ENDS, size - ENDS))
                found.update(file.read())
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); check it") from None
    return found.hexdigest()


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a file under its final name only when whole; makes the folder."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


@contextlib.contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Gives a path to write to, which becomes `path` only when all went well; makes the folder.

    Afterwards the file is on disk, and what killed processes left of it is gone. A numbered
    OSError that names no file, or the partial one, is made to name `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield partial
        flush(partial)
        os.replace(partial, path)
        flush(path.parent)
        _remove_left(path)
    except OSError as error:
        if error.errno and error.filename in (None, str(partial)):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def _remove_left(path):
    """Removes what killed processes wrote of a file."""
    for old in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        pid = old.suffixes[-2][1:]
        if pid.isdecimal() and not is_running(int(pid)):
            old.unlink(missing_ok=True)


def is_running(pid: int) -> bool:
    """Whether a process is there; True where that cannot be known."""
    if os.name != "posix":  # elsewhere, asking would end it
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def flush(path: Path) -> None:
    """Writes a file or folder through to the disk, so that it survives a loss of power."""
    if os.name != "posix":  # elsewhere no folder can be opened, nor a file that is only read
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
