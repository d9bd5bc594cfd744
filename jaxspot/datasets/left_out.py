"""What lies among videos and is not taken for one, with a line where that may be wrong."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.datasets.images import IMAGE_ENDINGS, is_image
from jaxspot.datasets.openface import ALIGNED
from jaxspot.datasets.spot_runs import is_overlay

FEWEST_FRAMES = 10
"""Fewer numbered pictures are photographs rather than frames."""
BESIDE = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".eaf", ".pfsx", ".etf", ".boris", ".textgrid")
BESIDE += (".json", ".yaml", ".yml", ".xml", ".md", ".pdf", ".html", ".htm", ".log", ".vtt", ".srt")
BESIDE += (".wav", ".mp3", ".m4a", ".npy", ".npz", ".zip", ".docx", ".rtf", ".ini", ".sha256")
"""Endings of files that often lie beside videos, and are none."""


def say_unknown(folder: Path, others: Iterable[Path]) -> list[str]:
    """A line on files that are no videos by their ending, and no tables, pictures or texts."""
    known = {*BESIDE, *IMAGE_ENDINGS, *VIDEO_ENDINGS, ""}
    odd = sorted(path for path in others if path.suffix.lower() not in known)
    odd = [path for path in odd if path.name[0] != "." and path.is_file()]
    if not odd:
        return []
    more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
    line = f"{odd[0].name}{more} left out, no video by the ending; rename what is one"
    return [f"{folder}: {line}"]


def without_overlays(place: str | Path, paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Paths without the overlays that `spot` wrote, and a line on these."""
    ours = [path for path in paths if is_overlay(path)]
    if not ours:
        return list(paths), []
    more = f" and {len(ours) - 1} more" if len(ours) > 1 else ""
    note = f"{place}: {ours[0]}{more} left out, which `spot` wrote beside its results"
    return [path for path in paths if path not in ours], [note]


def say_pictures(inside: Mapping[Path, Iterable[Path]]) -> list[str]:
    """A line on folders (folder -> what it holds) of numbered pictures without a video."""
    found = []
    for folder, paths in inside.items():
        pictures = [path for path in paths if is_image(path)]
        films = any(path.suffix.lower() in VIDEO_ENDINGS for path in paths)
        numbered = sum(bool(re.search(r"\d", path.stem)) for path in pictures)
        if numbered >= FEWEST_FRAMES and not films and not folder.name.endswith(ALIGNED):
            found.append((folder, len(pictures)))
    if not found:
        return []
    folder, count = found[0]
    more = f", and {len(found) - 1} more such folders" if len(found) > 1 else ""
    line = f"{count} pictures left out{more}; name it in a videos.csv (--dataset=csv) with its fps"
    return [f"{folder}: {line}"]
