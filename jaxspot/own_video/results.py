"""DIR/<video>/: its files appear together when all are whole, and say what they were made from."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import jaxspot
from jaxspot.errors import UserError
from jaxspot.files import write_table, write_text
from jaxspot.own_video.overlay import write_overlay
from jaxspot.report.clip_plot import plot_spotted
from jaxspot.spotting.video_file import Spotted
from jaxspot.video.source import Source

RUN = "run.json"
ENDS = 2**20
"""Bytes at either end of a file that tell it from others, with its size."""

Writer = Callable[[Spotted, Source, Path], object]


def result_files(*, overlay: bool = False) -> dict[str, Writer]:
    """What is written for each video: file name -> function of (spotted, source, path).

    This is the only place that says so; a file that is added here is written with the others, and a
    video without it is done again.
    """
    files: dict[str, Writer] = {
        "frames.csv": lambda spotted, source, path: write_table(spotted.frames, path),
        "scores.png": lambda spotted, source, path: plot_spotted(spotted, path),
        "intervals.csv": lambda spotted, source, path: write_table(spotted.intervals, path),
    }
    if overlay:
        files["overlay.mp4"] = write_overlay
    return files


def write_results(
    folder: Path,
    spotted: Spotted,
    source: Source,
    *,
    made_from: Mapping[str, Any],
    overlay: bool = False,
    partial: Path | None = None,
) -> None:
    """Writes a video's folder, first as `partial`: all files are whole before the first shows.

    `made_from` goes into `run.json`, by which `find_done` knows the folder again. Files of others
    in the folder stay. UserError: something else has a result's name.
    """
    partial = partial or folder.with_name(f".{os.getpid()}.part")
    files = result_files(overlay=overlay)
    try:
        for name, write in files.items():
            write(spotted, source, partial / name)
        note = {**made_from, "files": sorted(files)}
        write_text(partial / RUN, json.dumps(note, indent=1, ensure_ascii=False) + "\n")
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            os.replace(partial, folder)
            return
        for name in files:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there")
        (folder / RUN).unlink(missing_ok=True)  # until all are new, it is not done
        for name in (*files, RUN):
            os.replace(partial / name, folder / name)
    except (IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise UserError(
            f"{folder}: results cannot be written ({error.strerror}); choose another --out"
        ) from error
    except OSError as error:
        if error.filename:
            error.filename = str(error.filename).replace(str(partial), str(folder))
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def find_done(
    folder: Path, made_from: Mapping[str, Any], *, overlay: bool = False
) -> pd.DataFrame | None:
    """The intervals of a video that was done in the same way before; None: it was not."""
    try:
        note = json.loads((folder / RUN).read_text("utf-8"))
        if {name: note[name] for name in made_from} != json.loads(json.dumps(made_from)):
            return None
        files = set(note["files"]) | set(result_files(overlay=overlay))
        if not all((folder / name).is_file() for name in files):
            return None
        words: Any = {"subject": str, "video": str}
        return pd.read_csv(folder / "intervals.csv", dtype=words, keep_default_na=False)
    except (OSError, ValueError, KeyError, TypeError):  # or another version's
        return None


def describe_run(content: str, *, weights: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What results depend on: the video's content, the weights and the options."""
    made = {"jaxspot": jaxspot.__version__, "video_sha256": content, "weights_sha256": weights}
    return made | {"options": dict(options)}


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


def check_folder(folder: Path) -> None:
    """Refuses, by a UserError, a folder that is a file, is under one, or cannot be written."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not place.is_dir():
        raise UserError(f"{place}: is a file, not a folder; choose another --out")
    if not os.access(place, os.W_OK):
        raise UserError(f"{place}: cannot be written; change its permissions or the --out")
