"""Pytrees on disk: the only user of orbax.

Orbax restores a damaged file without a word, so every file's sha256 is kept beside it and compared
on the way back.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

from jaxspot.errors import UserError
from jaxspot.files import flush, write_text

MANIFEST = "manifest.json"
ARRAY = "array.npy"
REMEDY = "copy it again or train again"


def save_tree(folder: str | Path, tree: Any, *, texts: Mapping[str, str] | None = None) -> None:
    """Saves a pytree of arrays, and small `texts` by name beside it, with the hashes of the files.

    `folder` is replaced whole: until it is on disk, safe from a loss of power, the name does not
    exist or holds what it held before.
    """
    with _whole_folder(folder, tree, texts) as partial, _checkpointer() as checkpointer:
        checkpointer.save(partial / "tree", tree, force=True)
        checkpointer.wait_until_finished()


def save_array(
    folder: str | Path, array: np.ndarray, *, texts: Mapping[str, str] | None = None
) -> None:
    """As `save_tree` for one array, and any of several processes may call it."""
    with _whole_folder(folder, array, texts) as partial:
        np.save(partial / ARRAY, array)


def restore_array(folder: str | Path) -> np.ndarray:
    """What `save_array` saved; a UserError if nothing is there, or it was altered."""
    verify_tree(folder)
    return np.load(Path(folder) / ARRAY)


@contextlib.contextmanager
def _whole_folder(folder, tree, texts):
    """A folder to write in, which becomes `folder` with the block's end, on disk by then."""
    folder = Path(folder).absolute()
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        _reserve(partial, tree, folder)
        yield partial
        for name, text in (texts or {}).items():
            write_text(partial / name, text)
        write_manifest(partial)
        for path in (*partial.rglob("*"), partial):
            flush(path)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
        flush(folder.parent)
        flush(folder.parent.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def restore_tree(folder: str | Path, like: Any) -> Any:
    """Reads a pytree that `save_tree` saved.

    `like` has its structure, shapes and dtypes; the result has numpy arrays where `like` has them.
    A UserError if nothing is there, or a file is missing or altered.
    """
    folder = Path(folder).absolute()
    verify_tree(folder)
    with _checkpointer() as checkpointer:
        return checkpointer.restore(folder / "tree", like)


def write_manifest(folder: str | Path) -> None:
    """Keeps the hashes of all files of a folder in it."""
    folder = Path(folder)
    files = (file for file in folder.rglob("*") if file.is_file() and file != folder / MANIFEST)
    names = [file.relative_to(folder).as_posix() for file in files]
    write_text(folder / MANIFEST, _manifest(folder, names))


def is_whole(folder: str | Path) -> bool:
    """Whether a folder has the hashes of its files, and every file is as it was then."""
    try:
        verify_tree(folder)
    except UserError:
        return False
    return True


def _checkpointer():
    """One that waits for no other process of `jax.distributed`."""
    own = jax.process_index()
    options = ocp.options.MultiprocessingOptions(
        primary_host=own, active_processes={own}, barrier_sync_key_prefix=f"process{own}"
    )
    return ocp.StandardCheckpointer(multiprocessing_options=options)


def verify_tree(folder: str | Path) -> None:
    """Compares every file with its hash, see `write_manifest`; errors as in `restore_tree`."""
    folder = Path(folder).absolute()
    try:
        expected = (folder / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{folder}: nothing whole was saved here; {REMEDY}") from None
    try:
        whole = _manifest(folder, list(json.loads(expected))).encode() == expected
    except (ValueError, TypeError, OSError):
        whole = False
    if not whole:
        raise UserError(f"{folder}: missing files or altered since it was saved; {REMEDY}")


def _reserve(partial, tree, folder):
    """Fails here where the disk is full: orbax would hang, or print from its threads."""
    size = sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + 2**16
    room = partial / "room"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with open(room, "wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        error.filename = str(folder)
        raise
    finally:
        room.unlink(missing_ok=True)


def _manifest(folder, names):
    """The hashes of files as text; compared as text, so that damage to it counts too."""
    digest = lambda name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
    return json.dumps({name: digest(name) for name in sorted(names)}, indent=1) + "\n"


def hash_tree(tree: Any) -> str:
    """One sha256 over all leaves of a pytree of arrays."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        digest.update(np.ascontiguousarray(leaf).tobytes())
    return digest.hexdigest()
