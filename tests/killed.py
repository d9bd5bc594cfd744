"""Processes that begin with everything imported, and are killed at a chosen moment.

They are forks of a process that has imported the command and done nothing else, so that a kill and
a resume cost what is done between them.
"""

import importlib
import os
import random
import signal
import sys
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).parents[1]
KILLED = -signal.SIGKILL
CHANGES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.rmtree")
SERVER = get_context("forkserver")
SERVER.set_forkserver_preload(["jaxspot.experiment.run", "jaxspot.commands.prepare", "cv2"])


def begin_command(name, words, log, *, prepare=None):
    """Begins a command of jaxspot in a process of its own.

    Args:
      name: of a module in jaxspot/commands.
      words: what follows the command's name.
      log: file that stdout and stderr are written to.
      prepare: a function and its arguments, called in the process before the command.

    Returns:
      the process; its exit code is KILLED where it was killed.
    """
    process = SERVER.Process(target=_run, args=(name, list(map(str, words)), log, prepare))
    process.start()
    return process


def ended(process):
    """The exit code of a process, when it has come to its end."""
    process.join()
    return process.exitcode


def kill_at_random(start, whole, folder, *, count):
    """Kills a command at random moments of all that it makes, then lets it end undisturbed.

    The moments are drawn from the changes that an undisturbed run makes in its folder, and taken in
    order, each by a process that goes on where the one before was killed. A process killed at any
    time leaves its folder as it was before its next change. So these are all moments of a run, but
    for what workers and the threads of orbax write.

    Args:
      start: begins the command, given a folder and what to call in the process before.
      whole: the folder of the undisturbed run, absent.
      folder: that of the run which is killed, absent.
      count: how often it is killed.
    """
    changes = whole.with_suffix(".changes")
    assert ended(start(whole, (note_changes, whole, changes))) == 0, said(whole)
    moments = changes.read_text().splitlines()
    assert len(moments) > 3 * count
    for place in sorted(random.Random(0).sample(range(len(moments)), count)):
        code = ended(start(folder, (kill_at_change, folder, moments[place])))
        assert code == KILLED, (moments[place], said(folder))
    assert ended(start(folder, None)) == 0, said(folder)


def said(folder):
    """The end of what a command said, written beside its folder."""
    return folder.with_suffix(".log").read_text()[-500:]


def note_changes(folder, path):
    """Writes every change that this process makes in a folder to a file, a line each, in order."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    sys.addaudithook(_on_change(folder, lambda change: os.write(file, f"{change}\n".encode())))


def kill_at_change(folder, moment):
    """Kills this process just before it makes a change, named as by `note_changes`."""
    sys.addaudithook(_on_change(folder, lambda change: change == moment and kill()))


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def _on_change(folder, act):
    own = f".{os.getpid()}."

    def hook(event, arguments):
        if event not in CHANGES:
            return
        path, *others = arguments
        if event == "open" and not others[1] & (os.O_WRONLY | os.O_RDWR):
            return
        if isinstance(path, (str, os.PathLike)) and str(path).startswith(f"{folder}{os.sep}"):
            act(f"{event} {str(path)[len(str(folder)) + 1 :].replace(own, '.')}")

    return hook


def _run(name, words, log, prepare):
    with open(log, "w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.chdir(ROOT)
    if prepare:
        function, *arguments = prepare
        function(*arguments)
    sys.exit(importlib.import_module(f"jaxspot.commands.{name}").main(words))
