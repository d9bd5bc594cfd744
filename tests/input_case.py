"""An input, the command that is given it, and what must be answered."""

import contextlib
import dataclasses
import importlib
import io
import re
import shlex
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from jaxspot.datasets.work import WORK

EXTRA = {"prepare": ["--workers=1"], "spot": ["--workers=1"]}
PYTHON = "python"
REMEDY = "-> "
"""Begins the line in which `doctor` says what to do."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One input.

    Attributes:
      what: the input in a few words.
      command: the command line, run in an empty folder; after "python ", code for a notebook.
      make: makes the input in that folder.
      says: a pattern of the line that answers; "" where no line has to.
      code: the exit code.
      shows: what the results hold, in words; None where there are none.
      holds: what `shows` must give.
      needs: what is copied into the folder first: "bank" or "weights".
      varies: whether the line ends otherwise elsewhere (another Python, another user), so that only
        what the pattern matches is told.
      doctor: a pattern of the line by which `doctor` is not content with the bank that was made.
    """

    what: str
    command: str
    make: Callable[[Path], object] = lambda here: None
    says: str = ""
    code: int = 2
    shows: Callable[[Path], str] | None = None
    holds: str = ""
    needs: tuple[str, ...] = ()
    doctor: str = ""
    varies: bool = False


def answer(case, here, monkeypatch, shared):
    """Runs a case in an empty folder; returns the answer and the exit code."""
    for name in case.needs:
        shutil.copytree(shared / name, here / name)
    case.make(here)
    monkeypatch.chdir(here)
    before = contents(here)
    line = answered(case.command, case.says, case.code, here)
    if case.varies:
        line = re.search(case.says, line)[0] + " ..."
    assert line or not case.code
    after = contents(here)
    assert not case.code or after == before, sorted(after.keys() - before.keys())
    assert not list(here.rglob("*.part"))
    shown = case.shows(here) if case.shows else ""
    assert re.fullmatch(case.holds, shown) or shown == case.holds, shown
    return "; ".join(filter(None, [line, shown])), case.code


def contents(folder):
    """Path -> bytes of all files but those by which an unfinished bank is gone on with."""
    files = (path for path in folder.rglob("*") if path.is_file() and WORK not in path.parts)
    return {path: path.read_bytes() for path in files}


def answered(command, says, code, here):
    """Runs a command line in a folder; returns the line that matches a pattern."""
    ended, text = called(command)
    text = text.replace(f"{here}/", "").replace(str(here), ".")
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    place = next((n for n, one in enumerate(lines) if says and re.search(says, one)), None)
    told = (place is not None) == bool(says)
    assert "Traceback" not in text and ended == code and told, f"{ended}\n{text}"
    if place is None:
        return ""
    line = lines[place]
    if lines[place + 1 : place + 2] and lines[place + 1].startswith(REMEDY):
        line = f"{line.removesuffix('none')} {lines[place + 1]}"
    return re.sub(r"(\w)\1{20,}", r"\1...", line)


def called(command):
    """Exit code, and what was printed, of a command line."""
    out = io.StringIO()
    name, _, rest = command.partition(" ")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code = evaluated(rest) if name == PYTHON else run(name, shlex.split(rest))
        except SystemExit as stop:
            code = stop.code
        except Exception:
            pytest.fail(f"{command}\n{traceback.format_exc()}")
    return code, out.getvalue()


def run(name, words):
    """A command in this process; its exit code."""
    command = importlib.import_module(f"jaxspot.commands.{name}")
    return command.main([*EXTRA.get(name, []), *words])


def evaluated(code):
    """Code as in a notebook; what it gives, or the last line of its error, is printed."""
    import numpy as np
    import pandas as pd

    import jaxspot

    names = {name: getattr(jaxspot, name) for name in jaxspot.__all__}
    try:
        print(repr(eval(code, names | dict(np=np, pd=pd))))
    except (jaxspot.errors.UserError, TypeError, ValueError) as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    return 0
