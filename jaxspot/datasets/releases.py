"""The release folders of SAMM-LV and CAS(ME)^2: which folder is which video."""

import os
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jaxspot.annotations.cas_me2 import cas_me2_video
from jaxspot.annotations.csv_sheets import WORKBOOKS
from jaxspot.annotations.repairs import RULES
from jaxspot.annotations.samm_lv import samm_lv_video
from jaxspot.datasets.dataset import (
    Dataset,
    SourceVideo,
    check_root,
    find_table,
    make_dataset,
)
from jaxspot.datasets.packs import find_pack
from jaxspot.errors import UserError


class Release(NamedTuple):
    """How a release names its folders; `name` is as `--dataset` takes it, `fps` frames a second.

    `frames` are folders that may hold the videos, the best first; `depth` folders stand between
    these and a video's images. `example` is a video's folder and `segment` a file of a pack, for
    messages. `video_of` gives subject and video of a folder's name, None for any other name.
    """

    name: str
    fps: float
    frames: tuple[str, ...]
    example: str
    segment: str
    depth: int
    video_of: Callable[[str], tuple[str, str] | None]


SAMM_LV = Release(
    "samm_lv",
    200.0,
    ("SAMM_longvideos",),
    "SAMM_longvideos/006_1",
    "samm_006_1_0000.npz",
    1,
    samm_lv_video,
)
# Faces of the face crops are tracked and aligned like any other.
CAS_ME2 = Release(
    "cas_me2",
    30.0,
    ("rawpic", "longVideoFaceCropped"),
    "rawpic/s15/15_0101disgustingteeth",
    "casme_015_0101_0000.npz",
    2,
    cas_me2_video,
)


def release_source(
    release: Release,
    root: str | Path,
    *,
    labels: str | Path | None = None,
    rules: Collection[str] = RULES,
) -> Dataset:
    """A data set as released, or a pack of its region motion.

    `root` holds the frames and the workbook, or is the frames' folder. SAMM-LV is
    `SAMM_longvideos/006_1/006_1_0001.jpg`, CAS(ME)^2 is
    `rawpic/s15/15_0101disgustingteeth/img001.jpg` or, without rawpic,
    `longVideoFaceCropped/s15/15_0101disgustingteeth/img_1.jpg`. Without such folders, the segments
    of a pack may lie at any depth (`find_pack`). `labels` is the workbook or another file of labels
    (see `read_labels`), by default the workbook in `root` or beside it, and for a pack also
    `annotations.csv` in `root`; `rules` are the repair rules in force. UserError: no video, no
    labels, or several workbooks.
    """
    root = check_root(root)
    folders = [_frames_root(root, release.frames)]
    for _ in range(release.depth):
        folders = [inner for folder in folders for inner in _sub_folders(folder)]
    named = [(release.video_of(folder.name), folder) for folder in folders]
    videos = [SourceVideo(*names, folder, release.fps) for names, folder in named if names]
    notes = [
        f"{folder}: is not named like a video of this data set; passed over"
        for names, folder in named
        if not names
    ]
    if not videos:
        name, fps, video_of = release.name, release.fps, release.video_of
        videos, notes = find_pack(root, dataset=name, fps=fps, video_of=video_of)
        table = find_table(root, "annotations.csv")
        labels = labels or (table if videos and table.is_file() else None)
    if not videos:
        raise UserError(
            f"{root}: holds no folder such as {release.example}, nor segments of region motion"
            f" such as {release.segment}; name the one that does, or another --dataset"
        )
    return make_dataset(
        release.name,
        root,
        sorted(videos, key=lambda video: (video.subject, video.video)),
        labels=labels or _find_workbook(root),
        rules=rules,
        release=release.name,
        notes=notes,
    )


samm_lv_source = partial(release_source, SAMM_LV)
cas_me2_source = partial(release_source, CAS_ME2)


def _frames_root(root, names):
    """The folder of frames; releases unpack as `name/name` with some tools."""
    for name in names:
        if (root / name).is_dir():
            inner = root / name / name
            return inner if inner.is_dir() else root / name
    return root


def _sub_folders(root):
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name[0] != ".")


def _find_workbook(root):
    """The only workbook of a folder, or else of the folder around it; a lock of Excel is none."""
    for folder in (root, Path(os.path.abspath(root)).parent):
        found = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in WORKBOOKS]
        found = [path for path in found if not path.name.startswith(("~$", "."))]
        found = [path for path in found if path.suffix.lower() != ".xls"] or found
        if len(found) > 1:
            names = ", ".join(path.name for path in found)
            raise UserError(f"{folder}: holds several workbooks ({names}); name one by --labels")
        if found:
            return found[0]
    raise UserError(f"{root}: holds no workbook (.xlsx) of labels; name it by --labels")
