"""The folder of a run: whose it is, whether it may go on, and that one process at a time does."""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from ml_collections import ConfigDict

from jaxspot.errors import UserError
from jaxspot.files import with_tuples, write_text

LOCK = ".lock"
MAY_DIFFER = {"data.bank", "peers"}
"""Fields of a config that may differ on resuming: a bank may move, its hash is compared; peers may
join a run that is done."""


@contextlib.contextmanager
def claim_workdir(workdir: str | Path, config: Any, *, resume: bool) -> Iterator[None]:
    """Holds a run's folder for this process; config.json is in it from the start.

    The folder is absent, empty or, with `resume`, that of a run with the same config. A run that
    ends before its bank is known (no provenance.json) can be started again with other settings.

    Raises UserError before any work: the folder holds another run or anything else, its run was
    begun with other settings, another process works in it, or it cannot be written.
    """
    workdir = Path(workdir)
    if (workdir / LOCK).exists():
        _locked(workdir).release()
    _refuse_used(workdir, config, resume)
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        lock = _locked(workdir)
    except OSError as error:
        raise UserError(
            f"{workdir}: cannot be written ({error.strerror}); name another --out"
        ) from None
    try:
        _refuse_used(workdir, config, resume)
        _remove_partial(workdir)
        write_text(workdir / "config.json", config.to_json_best_effort(indent=1) + "\n")
        yield
    finally:
        try:
            if not (workdir / "provenance.json").exists():
                (workdir / "config.json").unlink(missing_ok=True)
                shutil.rmtree(workdir / "bank", ignore_errors=True)
            _remove_partial(workdir)
        finally:
            lock.release()


def read_config(workdir: str | Path) -> ConfigDict:
    """The config that a run was begun with.

    Raises:
      UserError: the folder holds no run, or its config.json is not readable.
    """
    path = Path(workdir) / "config.json"
    try:
        return ConfigDict(with_tuples(json.loads(path.read_text("utf-8"))))
    except OSError:
        raise UserError(f"{workdir}: holds no run (there is no config.json)") from None
    except (ValueError, TypeError):
        raise UserError(f"{path}: not readable; copy it back, or train anew") from None


def remove_run(workdir: str | Path) -> None:
    """Removes a run's folder and all in it.

    Raises:
      UserError: another process works in it.
    """
    workdir = Path(workdir)
    if not workdir.exists():
        return
    lock = _locked(workdir)
    try:
        shutil.rmtree(workdir)
    finally:
        lock.release()


def _locked(workdir):
    """The folder's lock, taken; Timeout is an OSError, so it must be told apart here."""
    lock = FileLock(workdir / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{workdir}: another run is at work here; wait for it to end") from None
    return lock


def _refuse_used(workdir, config, resume):
    for place in (workdir, *workdir.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file, not a folder; name another --out")
    if (workdir / "config.json").exists():
        if not resume:
            raise UserError(
                f"{workdir}: holds another run; go on with it by --resume, remove it, or name"
                " another --out"
            )
        _refuse_other_settings(workdir / "config.json", config)
    elif workdir.is_dir() and any(path.name != LOCK for path in workdir.iterdir()):
        raise UserError(f"{workdir}: is not empty and holds no run; name another --out")


def _refuse_other_settings(path, config):
    try:
        before = _flat(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError):
        raise UserError(
            f"{path}: not readable; copy it back, or remove the run's folder and train anew"
        ) from None
    now = _flat(json.loads(config.to_json_best_effort()))
    for name in sorted((before.keys() | now.keys()) - MAY_DIFFER):
        old, new = (json.dumps(values.get(name)) for values in (before, now))
        if old != new:
            raise UserError(
                f"{path.parent}: was begun with {name} = {old}, now it is {new}; resume with the"
                " same settings or name another --out"
            )


def _flat(values, prefix=""):
    flat = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _remove_partial(workdir):
    """Removes what a killed run was writing: nothing else has names of this form."""
    for path in list(workdir.rglob(".*.part")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
