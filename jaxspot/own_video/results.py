"""DIR/<video>/: its files appear together when all are whole, and say what they were made from."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jaxspot.datasets.spot_runs import OVERLAY, RUN
from jaxspot.errors import UserError
from jaxspot.files import hash_file, write_table, write_text
from jaxspot.own_video.done import FILES, HASHED
from jaxspot.own_video.overlay import write_overlay
from jaxspot.report.clip_plot import plot_spotted
from jaxspot.review.page import write_review
from jaxspot.spotting.decision import write_decision
from jaxspot.spotting.video_file import Spotted
from jaxspot.video.source import Source

Writer = Callable[[Spotted, Source, Path, Path], object]


def result_files(*, overlay: bool = False) -> dict[str, Writer]:
    """What is written for each video: file name -> function of (spotted, source, path, folder).

    A file is written to `path`, after those before it, and will at last be in `folder`.
    """
    writers: tuple[Writer, ...] = (
        lambda spotted, source, path, folder: write_table(spotted.frames, path),
        lambda spotted, source, path, folder: plot_spotted(spotted, path),
        lambda spotted, source, path, folder: write_table(spotted.intervals, path),
        lambda spotted, source, path, folder: write_decision(
            path.parent, spotted.decision, source.path, place=folder
        ),
        lambda spotted, source, path, folder: write_review(path.parent, place=folder),
    )
    files: dict[str, Writer] = dict(zip(FILES, writers, strict=True))
    if overlay:
        files[OVERLAY] = lambda spotted, source, path, folder: write_overlay(spotted, source, path)
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
    files = result_files(overlay=overlay)
    writers: dict[str, Callable[[Path], object]] = {
        name: lambda path, write=write: write(spotted, source, path, folder)
        for name, write in files.items()
    }

    def write_note(path: Path) -> None:
        hashes = {name: hash_file(path.parent / name) for name in HASHED}
        note = {**made_from, "files": sorted(files), "sha256": hashes}
        write_text(path, json.dumps(note, indent=1, ensure_ascii=False) + "\n")

    write_folder(folder, writers | {RUN: write_note}, partial=partial)


def write_folder(
    folder: Path, files: Mapping[str, Callable[[Path], object]], *, partial: Path | None = None
) -> None:
    """Writes files, name -> function of the path: they appear when all are whole.

    Until then they are in `partial`. Files of others in the folder stay. UserError: something else
    has a result's name.
    """
    partial = partial or folder.with_name(f".{os.getpid()}.part")
    try:
        for name, write in files.items():
            write(partial / name)
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            os.replace(partial, folder)
            return
        for name in files:
            if (folder / name).is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{name} is a folder there")
        (folder / RUN).unlink(missing_ok=True)  # until all are new, it is not done
        for name in files:
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
