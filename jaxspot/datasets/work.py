"""The folder of a bank while it is prepared: whose it is, and which videos are done."""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from jaxspot.annotations.tables import write_text
from jaxspot.datasets.prepare_video import Prepared
from jaxspot.errors import UserError
from jaxspot.video.writer import SIZE

WORK = ".prepare"
FRAME_BYTES = SIZE * SIZE


@contextlib.contextmanager
def claim_bank(out: Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Holds the folder of a bank that is not finished; what a killed process left is taken up.

    Args:
      out: absent, empty, or begun earlier with the same settings.
      settings: JSON values that all its videos depend on.

    Raises:
      UserError: it holds a bank or anything else, was begun with other settings, another process
        works in it, or it cannot be written.
    """
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file, not a folder; name another --out")
    if (out / "bank.json").exists() and not (out / WORK).exists():
        raise UserError(
            f"{out}: holds a bank already; remove it, name another --out, or renew its labels by"
            " --labels-only"
        )
    if out.is_dir() and not (out / WORK).exists() and any(out.iterdir()):
        raise UserError(f"{out}: is not empty and holds no bank begun here; name another --out")
    try:
        (out / WORK).mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / WORK / "lock", timeout=0)
        lock.acquire()
    except Timeout:
        raise UserError(f"{out}: is being prepared by another process; wait for it") from None
    except OSError as error:
        reason = error.strerror
        raise UserError(f"{out}: cannot be written ({reason}); name another --out") from None
    try:
        _refuse_other_settings(out, json.loads(json.dumps(settings)))
        for partial in out.rglob(".*.part"):
            partial.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def note_done(out: Path, prepared: Prepared) -> None:
    """Says that a video's files are whole; only then it counts as done."""
    write_text(_note(out, prepared.video), json.dumps(asdict(prepared)) + "\n")


def find_done(out: Path, video: str) -> Prepared | None:
    """What a video came to in this process or an earlier one; None: it is not done."""
    files = [out / folder / f"{video}.npy" for folder in ("frames", "quality")]
    if not all(file.is_file() for file in files):
        return None
    try:
        values = json.loads(_note(out, video).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    jitter = values.pop("jitter_px")
    return Prepared(**values, jitter_px=jitter and tuple(jitter))


def frames_written(out: Path) -> int:
    """Frames in the bank's folder now, also of videos that are being written."""
    sizes = []
    for path in (out / "frames").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sum(size // FRAME_BYTES for size in sizes)


def leave(out: Path) -> None:
    """Removes what only preparing needs; the bank is whole."""
    shutil.rmtree(out / WORK, ignore_errors=True)


def _note(out: Path, video: str) -> Path:
    return out / WORK / "done" / f"{video}.json"


def _refuse_other_settings(out: Path, settings: Any) -> None:
    path = out / WORK / "settings.json"
    try:
        before = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        write_text(path, json.dumps(settings, indent=1) + "\n")
        return
    except ValueError:
        raise UserError(f"{path}: not readable; remove {out} and prepare anew") from None
    for name in sorted(before.keys() | settings.keys()):
        if before.get(name) != settings.get(name):
            raise UserError(
                f"{out}: was begun with {name} = {before.get(name)!r}, now it is"
                f" {settings.get(name)!r}; use the same, or remove the folder"
            )
