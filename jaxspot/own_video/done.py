"""DIR/<video>/run.json: what the results were made from, by which they are known again."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import jaxspot
from jaxspot.datasets.review_tables import TABLE as REVIEWED
from jaxspot.datasets.spot_runs import DECISION, FOUND, FRAMES, OVERLAY, RUN
from jaxspot.errors import UserError
from jaxspot.exports.formats import exports_in
from jaxspot.files import hash_file

FILES = (FRAMES, "scores.png", FOUND, DECISION, "review.html")
"""What is written for each video, in this order; a video without one of them is done again."""
HASHED = (FRAMES, "scores.png", FOUND, DECISION)
"""Those that nothing but `spot` writes."""


def find_done(
    folder: Path, made_from: Mapping[str, Any], *, overlay: bool = False
) -> pd.DataFrame | None:
    """The intervals of a video that was done in the same way before; None: it was not."""
    try:
        note = json.loads((folder / RUN).read_text("utf-8"))
        if {name: note[name] for name in made_from} != json.loads(json.dumps(made_from)):
            return None
        files = {*note["files"], *FILES, *((OVERLAY,) if overlay else ())}
        if not all((folder / name).is_file() for name in files):
            return None
        words: Any = {"subject": str, "video": str}
        return pd.read_csv(folder / FOUND, dtype=words, keep_default_na=False)
    except (OSError, ValueError, KeyError, TypeError):  # or another version's
        return None


def say_replaced(folder: Path, made_from: Mapping[str, Any]) -> Iterator[str]:
    """A line where the folder has results of a video of other content.

    UserError: they were reviewed, or reviewed for another face or frame rate.
    """
    try:
        note = json.loads((folder / RUN).read_text("utf-8"))
        same_video = note["video_sha256"] == made_from["video_sha256"]
        options = [{**made["options"]} for made in (note, made_from)]
    except (OSError, ValueError, KeyError, TypeError):
        return
    other = [name for name in ("face", "fps") if options[0].get(name) != options[1].get(name)]
    if same_video and not other:
        return
    what = (
        f"intervals found by another --{other[0]}"
        if same_video
        else (f"another video called {folder.name!r}, or another version of it")
    )
    for table in (folder / REVIEWED, folder.with_name(f"{folder.name}.{REVIEWED}")):
        if table.exists():
            raise UserError(
                f"{table}: reviews {what}; choose another --out, or move the table away"
            )
    if not same_video:
        yield f"{folder}: replaces the results of another video, or of another version of it"


def altered(folder: Path) -> list[str]:
    """The result files of a video that was done which are not as they were written."""
    hashes = json.loads((folder / RUN).read_text("utf-8")).get("sha256", {})
    return [name for name, digest in hashes.items() if hash_file(folder / name) != digest]


def intervals_of(folder: Path) -> str:
    """The hash of a video's intervals.csv; "" where there is none."""
    table = folder / FOUND
    return hash_file(table) if table.is_file() else ""


def say_outdated(folder: Path, video: str, before: str, written: Collection[Path]) -> Iterator[str]:
    """A line on each export and overlay of intervals that have been replaced by others.

    `before` is `intervals_of` the folder then; `written` are files that were written since. Nothing
    is removed: a person may have gone on with such a file.
    """
    if not before or before == intervals_of(folder):
        return
    overlay = folder / OVERLAY
    noted = json.loads((folder / RUN).read_text("utf-8"))["files"]
    old = [overlay] if overlay.is_file() and OVERLAY not in noted else []
    for path in [*exports_in(folder, video), *old]:
        if path not in written:
            yield f"{path}: is of earlier intervals; make it again, or remove it"


def describe_run(content: str, *, weights: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """What results depend on: the video's content, the weights and the options."""
    made = {"jaxspot": jaxspot.__version__, "video_sha256": content, "weights_sha256": weights}
    return made | {"options": dict(options)}


def check_folder(folder: Path) -> None:
    """Refuses, by a UserError, a folder that is a file, is under one, or cannot be written."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not place.is_dir():
        raise UserError(f"{place}: is a file, not a folder; choose another --out")
    if not os.access(place, os.W_OK):
        raise UserError(f"{place}: cannot be written; change its permissions or the --out")
