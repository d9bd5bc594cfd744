"""The release folders of SAMM-LV and CAS(ME)^2: which folder is which video."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jaxspot.annotations.cas_me2 import cas_me2_video
from jaxspot.annotations.csv_sheets import WORKBOOKS
from jaxspot.annotations.labels import read_labels
from jaxspot.annotations.repairs import RULES
from jaxspot.annotations.samm_lv import samm_lv_video
from jaxspot.datasets.source import (
    Source,
    SourceVideo,
    check_source,
    check_videos,
    sub_folders,
)
from jaxspot.errors import UserError

Name = Callable[[str], tuple[str, str] | None]


class Release(NamedTuple):
    """How a release names its folders."""

    dataset: str
    fps: float
    example: str
    name_of: Name


SAMM_LV = Release("samm_lv", 200.0, "SAMM_longvideos/006_1", samm_lv_video)
CAS_ME2 = Release("cas_me2", 30.0, "rawpic/s15/15_0101disgustingteeth", cas_me2_video)
SAMM_LV_FRAMES = ("SAMM_longvideos",)
CAS_ME2_FRAMES = ("rawpic", "longVideoFaceCropped")


def samm_lv_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """SAMM-LV as released: `SAMM_longvideos/006_1/006_1_0001.jpg`, 200 frames a second.

    Args:
      root: the folder that holds SAMM_longvideos and the workbook, or SAMM_longvideos itself.
      labels: the workbook, or another file of labels (see `read_labels`); by default the workbook
        in `root` or beside it.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: no video folder, or no workbook or several of them.
    """
    root = check_source(root)
    folders = sub_folders(_frames_root(root, SAMM_LV_FRAMES))
    return _release(root, folders, SAMM_LV, labels, rules)


def cas_me2_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """CAS(ME)^2 as released: `rawpic/s15/15_0101disgustingteeth/img001.jpg`, 30 frames a second.

    The face crops `longVideoFaceCropped/s15/15_0101disgustingteeth/img_1.jpg` serve where there is
    no rawpic; their faces are tracked and aligned like any other.

    Args:
      root: the folder that holds rawpic and the workbook, or rawpic itself.
      labels: the workbook, or another file of labels (see `read_labels`); by default the workbook
        in `root` or beside it.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: no video folder, or no workbook or several of them.
    """
    root = check_source(root)
    people = sub_folders(_frames_root(root, CAS_ME2_FRAMES))
    folders = [folder for person in people for folder in sub_folders(person)]
    return _release(root, folders, CAS_ME2, labels, rules)


def _release(
    root: Path,
    folders: list[Path],
    release: Release,
    labels: str | Path | None,
    rules: tuple[str, ...],
) -> Source:
    videos, notes = _name_folders(folders, release.name_of, fps=release.fps)
    if not videos:
        raise UserError(
            f"{root}: holds no folder such as {release.example}; name the one that does, or"
            " another --dataset"
        )
    file = Path(labels) if labels else _find_workbook(root)
    read = read_labels(file, rules=rules, dataset=release.dataset)
    return Source(release.dataset, root, _in_order(videos), read, file, notes)


def _frames_root(root: Path, names: tuple[str, ...]) -> Path:
    """The folder of frames; releases unpack as `name/name` with some tools."""
    for name in names:
        if (root / name).is_dir():
            inner = root / name / name
            return inner if inner.is_dir() else root / name
    return root


def _name_folders(
    folders: list[Path], name_of: Name, *, fps: float
) -> tuple[list[SourceVideo], tuple[str, ...]]:
    videos, notes = [], []
    for folder in folders:
        named = name_of(folder.name)
        if named is None:
            notes.append(f"{folder}: is not named like a video of this data set; passed over")
        else:
            videos.append(SourceVideo(*named, folder, fps))
    return videos, tuple(notes)


def _find_workbook(root: Path) -> Path:
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


def _in_order(videos: list[SourceVideo]) -> tuple[SourceVideo, ...]:
    check_videos(videos)
    return tuple(sorted(videos, key=lambda video: (video.subject, video.video)))
