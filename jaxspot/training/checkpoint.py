"""Weights on disk: the only user of orbax.

Orbax restores a damaged file without a word, so every file's sha256 is kept beside it and compared
on the way back.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orbax.checkpoint as ocp

from jaxspot.annotations.tables import write_text
from jaxspot.errors import UserError

MANIFEST = "manifest.json"


def save_tree(folder: str | Path, tree: Any, *, texts: Mapping[str, str] | None = None) -> None:
    """Saves a pytree of arrays; when this returns, it is on disk, with the hashes of its files.

    Args:
      folder: replaced whole.
      tree: of arrays.
      texts: small files to keep beside the arrays, name -> content.
    """
    folder = Path(folder).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder / "tree", tree)
        checkpointer.wait_until_finished()
    for name, text in (texts or {}).items():
        write_text(folder / name, text)
    write_text(folder / MANIFEST, json.dumps(_hashes(folder), indent=1) + "\n")


def restore_tree(folder: str | Path, like: Any) -> Any:
    """Reads a pytree saved by `save_tree`.

    Args:
      folder: where it was saved.
      like: a pytree of the same structure, shapes and dtypes.

    Raises:
      UserError: nothing there, or a file is missing or altered.
    """
    folder = Path(folder).absolute()
    verify_tree(folder)
    with ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(folder / "tree", like)


def verify_tree(folder: str | Path) -> None:
    """Compares every file that `save_tree` wrote with its hash.

    Raises:
      UserError: nothing there, or a file is missing or altered.
    """
    folder = Path(folder).absolute()
    try:
        expected = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise UserError(f"{folder}: no whole set of weights here; train again") from None
    if _hashes(folder) != expected:
        raise UserError(f"{folder}: altered since it was saved; train again or copy it again")


def _hashes(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    return {str(path.relative_to(folder)): digest(path) for path in files}
