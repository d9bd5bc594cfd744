"""The release folders of SAMM-LV and CAS(ME)^2: which folder is which video."""

from collections.abc import Callable
from pathlib import Path

from jaxspot.annotations.cas_me2 import cas_me2_labels, cas_me2_video
from jaxspot.annotations.repairs import RULES, Labels
from jaxspot.annotations.samm_lv import samm_lv_labels, samm_lv_video
from jaxspot.datasets.source import (
    Source,
    SourceVideo,
    check_source,
    refuse_doubles,
    sub_folders,
)
from jaxspot.errors import UserError

Name = Callable[[str], tuple[str, str] | None]
SAMM_LV_FRAMES = ("SAMM_longvideos",)
CAS_ME2_FRAMES = ("rawpic", "longVideoFaceCropped")


def samm_lv_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """SAMM-LV as released: `SAMM_longvideos/006_1/006_1_0001.jpg`, 200 frames a second.

    Args:
      root: the folder that holds SAMM_longvideos and the workbook, or SAMM_longvideos itself.
      labels: the workbook; found in `root` by default.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: no video folder, or no workbook or several of them.
    """
    root = check_source(root)
    folders = sub_folders(_frames_root(root, SAMM_LV_FRAMES))
    videos, notes = _name_folders(folders, samm_lv_video, fps=200.0)
    if not videos:
        raise UserError(
            f"{root}: holds no folder such as SAMM_longvideos/006_1; name the one that does, or"
            " another --dataset"
        )
    workbook = _find_workbook(root, labels)
    return _source("samm_lv", root, videos, samm_lv_labels(workbook, rules=rules), workbook, notes)


def cas_me2_source(
    root: str | Path, *, labels: str | Path | None = None, rules: tuple[str, ...] = RULES
) -> Source:
    """CAS(ME)^2 as released: `rawpic/s15/15_0101disgustingteeth/img001.jpg`, 30 frames a second.

    The face crops `longVideoFaceCropped/s15/15_0101disgustingteeth/img_1.jpg` serve where there is
    no rawpic; their faces are tracked and aligned like any other.

    Args:
      root: the folder that holds rawpic and the workbook, or rawpic itself.
      labels: the workbook; found in `root` by default.
      rules: of `repairs.RULES`, to mend labels by.

    Raises:
      UserError: no video folder, or no workbook or several of them.
    """
    root = check_source(root)
    people = sub_folders(_frames_root(root, CAS_ME2_FRAMES))
    folders = [folder for person in people for folder in sub_folders(person)]
    videos, notes = _name_folders(folders, cas_me2_video, fps=30.0)
    if not videos:
        raise UserError(
            f"{root}: holds no folder such as rawpic/s15/15_0101disgustingteeth; name the one that"
            " does, or another --dataset"
        )
    workbook = _find_workbook(root, labels)
    return _source("cas_me2", root, videos, cas_me2_labels(workbook, rules=rules), workbook, notes)


def _frames_root(root: Path, names: tuple[str, ...]) -> Path:
    """The folder of frames; releases unpack as `name/name` with some tools."""
    for name in names:
        if (root / name).is_dir():
            inner = root / name / name
            return inner if inner.is_dir() else root / name
    return root


def _name_folders(
    folders: list[Path], name_of: Name, *, fps: float
) -> tuple[list[SourceVideo], list[str]]:
    videos, notes = [], []
    for folder in folders:
        named = name_of(folder.name)
        if named is None:
            notes.append(f"{folder}: is not named like a video of this data set; passed over")
        else:
            videos.append(SourceVideo(*named, folder, fps))
    return videos, notes


def _find_workbook(root: Path, labels: str | Path | None) -> Path:
    if labels is not None:
        return Path(labels)
    places = [*root.glob("*.xlsx"), *root.parent.glob("*.xlsx")]
    found = sorted(path for path in places if not path.name.startswith(("~$", ".")))
    here = [path for path in found if path.parent == root] or found
    if not here:
        raise UserError(f"{root}: holds no workbook (.xlsx) of labels; name it by --labels")
    if len(here) > 1:
        names = ", ".join(path.name for path in here)
        raise UserError(f"{root}: holds several workbooks ({names}); name one by --labels")
    return here[0]


def _source(
    dataset: str,
    root: Path,
    videos: list[SourceVideo],
    labels: Labels,
    workbook: Path,
    notes: list[str],
) -> Source:
    refuse_doubles(videos)
    ordered = sorted(videos, key=lambda video: (video.subject, video.video))
    return Source(dataset, root, tuple(ordered), labels, workbook, tuple(notes))
