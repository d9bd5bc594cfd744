"""The folder of a bank while it is prepared: whose it is, and which videos are done."""

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from jaxspot.annotations.repairs import REPAIRS
from jaxspot.datasets.dataset import SourceVideo
from jaxspot.datasets.identity import hash_source
from jaxspot.datasets.prepare_video import Prepared
from jaxspot.errors import UserError
from jaxspot.files import hash_file, write_text
from jaxspot.motion.regions import TWELVE
from jaxspot.video.writer import SIZE

WORK = ".prepare"
LABELS = ("annotations.csv", REPAIRS)
HEADER = 128  # bytes before the values of an .npy file
ARRAYS = ("frames", "motion", "quality")


@contextlib.contextmanager
def claim_bank(out: Path, settings: Mapping[str, Any]) -> Iterator[None]:
    """Holds the folder of a bank that is not finished, also one that a killed process left.

    `out` is absent, empty but for labels, or begun earlier with the same `settings`: JSON values
    that all videos depend on. UserError: it holds a bank or anything else, was begun with other
    settings, another process works in it, or it cannot be written.
    """
    if (out / "bank.json").exists() and not (out / WORK).exists():
        raise UserError(
            f"{out}: holds a bank already; remove it, name another --out, or renew its labels by"
            " --labels-only"
        )
    if not (out / WORK).exists():
        refuse_strangers(out)
    make_folder(out / WORK)
    lock = FileLock(out / WORK / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(f"{out}: is being prepared by another process; wait for it") from None
    try:
        _refuse_other_settings(out, json.loads(json.dumps(settings)))
        for partial in out.rglob(".*.part"):
            partial.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def refuse_strangers(out: Path) -> None:
    """Raises UserError for a folder that holds anything but labels, and for a file."""
    for place in (out, *out.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file, not a folder; name another --out")
    if out.is_dir() and any(path.name not in LABELS for path in out.iterdir()):
        raise UserError(f"{out}: is not empty and holds no bank begun here; name another --out")


def make_folder(out: Path) -> None:
    """Makes a folder; raises UserError where nothing can be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be made ({error.strerror}); name another --out") from None


def note_done(out: Path, prepared: Prepared, *, source: str) -> None:
    """Notes that a video's files are whole; `source` is its `hash_source` from before reading."""
    files = (f"{folder}/{prepared.video}.npy" for folder in ARRAYS)
    hashes = {name: hash_file(out / name) for name in files if (out / name).is_file()}
    note = dict(source=source, prepared=asdict(prepared), sha256=hashes)
    write_text(_note(out, prepared.video), json.dumps(note) + "\n")


def find_done(out: Path, video: SourceVideo, *, motion: bool) -> Prepared | None:
    """The result of a video in an earlier process; None: it is not done, or has changed since.

    So it is where the video is another, or a byte of its files.

    `motion` says that it is a bank of region motion.
    """
    folders = ("motion" if motion else "frames", "quality")
    if not all((out / folder / f"{video.video}.npy").is_file() for folder in folders):
        return None
    try:
        note = json.loads(_note(out, video.video).read_text("utf-8"))
        if note["source"] != hash_source(video):
            return None
        hashes = note["sha256"]
        if {name: hash_file(out / name) for name in hashes} != hashes:
            return None
        jitter = note["prepared"].pop("jitter_px")
        return Prepared(**note["prepared"], jitter_px=jitter and tuple(jitter))
    except (FileNotFoundError, UserError, ValueError, KeyError, TypeError):  # or another version's
        return None


def keep_only(out: Path, videos: Collection[str]) -> None:
    """Removes the files of all other videos, which the data set no longer holds."""
    for folder in ARRAYS:
        for path in (out / folder).glob("*.npy"):
            if path.stem not in videos:
                path.unlink()


def frames_written(out: Path, *, motion: bool) -> int:
    """Frames in the bank's folder now, also of videos that are being written.

    `motion` says that it is a bank of region motion. Its finished videos are known by their
    quality: of a pack, a row may stand for several frames.
    """
    if motion:
        unfinished = _frames_in(out / "motion", ".*.part", 8 * len(TWELVE.names))
        return unfinished + _frames_in(out / "quality", "*.npy", 8)
    return _frames_in(out / "frames", "*", SIZE**2)


def _frames_in(folder, pattern, each):
    sizes = []
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return sum((size - HEADER) // each for size in sizes if size > HEADER)


def _note(out, video):
    return out / WORK / "done" / f"{video}.json"


def _refuse_other_settings(out, settings):
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
