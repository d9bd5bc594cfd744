"""Banks of a few made-up frames, whole and as a mistake or a broken disk leaves them."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from jaxspot.video.bank import finish_bank
from jaxspot.video.writer import save_video

ROOT = Path(__file__).parents[1]
LIMITED = """
import resource, sys
from importlib import import_module
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(import_module(f"jaxspot.commands.{sys.argv[2]}").main(sys.argv[3:]))
"""


def write_bank(root, *, subjects=3, unlabelled=0, frames=60):
    """Noise with a patch that brightens (ME) and darkens (MaE); some subjects never move."""
    rng = np.random.default_rng(0)
    videos, labels = [], []
    for number in range(1, subjects + 1):
        pixels = np.repeat(rng.integers(60, 190, (1, 112, 112)), frames, 0)
        moves = number > unlabelled
        pixels[5:12, 40:60, 40:60] += 40 * moves
        pixels[20:45, 40:60, 40:60] -= 40 * moves
        subject, video = f"s{number}", f"s{number}_1"
        save_video(root, video, pixels.astype(np.uint8), np.ones((frames, 2), np.float32))
        videos.append((subject, video, frames, 30.0))
        rows = [("ME", 6, 8, 12), ("MaE", 21, 30, 45)] if moves else []
        labels += [(subject, video, *row) for row in rows]
    finish_tiny_bank(root, videos, labels)
    return root


def finish_tiny_bank(root, videos, labels, **more):
    """Finishes a bank from rows of its two tables; returns it opened."""
    return finish_bank(
        root,
        videos=pd.DataFrame(videos, columns=["subject", "video", "frames", "fps"]),
        annotations=pd.DataFrame(
            labels, columns=["subject", "video", "kind", "onset", "apex", "offset"]
        ),
        source={},
        alignment={},
        **more,
    )


def rehash(root, name):
    """Lists a changed file in bank.json, as if the bank had been made with it."""
    listed = json.loads((root / "bank.json").read_text())["sha256"]
    rewrite(root, sha256=listed | {name: hashlib.sha256((root / name).read_bytes()).hexdigest()})


def rewrite(root, **changes):
    """Changes bank.json, as if the bank had been made so."""
    meta = json.loads((root / "bank.json").read_text()) | changes
    meta.pop("check", None)
    (root / "bank.json").write_text(json.dumps(meta))


def replace(root, name, old, new):
    """Changes a table of a bank, which must hold `old`, and lists its new hash."""
    text = (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new, 1))
    rehash(root, name)


def said(capfd, command):
    """The one line on stderr of a command that failed with exit code 2, without its name."""
    return one_line(capfd.readouterr().err, command)


def one_line(error, command):
    """That a text is a command's one line without a traceback; returns what follows the name."""
    assert error.startswith(f"{command}: ") and error.endswith("\n") and error.count("\n") == 1
    return error[len(command) + 2 : -1]


def limited(size, command, *words):
    """Runs a command that may write no file longer than `size` bytes; returns the process."""
    return start("-c", LIMITED, str(size), command, *map(str, words))


def start(*words, **environment):
    """Runs Python on its own in the project's folder; returns the process with its texts."""
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=120,
    )
