"""The folders of CAS(ME)^3 (part A) and SMIC-E-Long: which folder is which video."""

import dataclasses
from collections.abc import Collection
from pathlib import Path

from jaxspot.annotations.cas_me3 import cas_me3_video
from jaxspot.annotations.repairs import RULES, Labels
from jaxspot.annotations.smic_long import smic_subject
from jaxspot.datasets.dataset import Dataset, SourceVideo, check_root, make_dataset
from jaxspot.datasets.images import first_number, is_image
from jaxspot.datasets.releases import find_workbook
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError

COLOUR = "color"
CAS_ME3_FPS, SMIC_FPS = 30.0, 100.0


def cas_me3_source(
    root: str | Path, *, labels: str | Path | None = None, rules: Collection[str] = RULES
) -> Dataset:
    """CAS(ME)^3, part A: `spNO.1/a/color/123.jpg`, at any depth, and the workbook.

    Labels count by the numbers of the files; where these begin at 0, labels move with them (see
    `number_images`). `labels` is the workbook, by default that in `root` or beside it; `rules` are
    the repair rules in force. UserError: no such folder, no labels, or several workbooks.
    """
    root, videos = check_root(root), []
    for folder in all_folders(root):
        if folder.name == COLOUR:
            names = cas_me3_video(folder.parent.parent.name, folder.parent.name)
            videos += [SourceVideo(*names, folder, CAS_ME3_FPS)] if names else []
    if not videos:
        raise UserError(f"{root}: holds no folder such as spNO.1/a/{COLOUR}; check --source")
    file = labels or find_workbook(root)
    made = make_dataset("cas_me3", root, videos, labels=file, rules=rules, release="cas_me3")
    return _shifted(made, {video.video: int(_first(video.path) == 0) for video in videos})


def smic_long_source(
    root: str | Path, *, labels: str | Path | None = None, rules: Collection[str] = RULES
) -> Dataset:
    """SMIC-E-Long: every folder of images under `root` is the clip of its name, and the workbook.

    Images may be numbered from 1 in every clip, or go on from `FirstF`. `labels`, `rules` and
    errors are as in `cas_me3_source`.
    """
    root, videos = check_root(root), []
    for folder in all_folders(root):
        if any(is_image(path) for path in folder.iterdir()):
            name = folder.resolve().name
            videos.append(SourceVideo(smic_subject(name), name, folder, SMIC_FPS))
    if not videos:
        raise UserError(f"{root}: holds no folder of images; check --source")
    file = labels or find_workbook(root)
    made = make_dataset("smic_long", root, videos, labels=file, rules=rules, release="smic_long")
    return _shifted(made, {video.video: max(_first(video.path) - 1, 0) for video in videos})


def _first(folder):
    try:
        return first_number(folder)
    except UserError:  # raised again when this video is prepared
        return 1


def _shifted(dataset: Dataset, shifts: dict[str, int]) -> Dataset:
    """The data set with the labels of its release moved by a number of frames in each video."""
    labels: Labels = dataset.labels
    if labels.release != dataset.name or not any(shifts.values()):
        return dataset
    table = labels.annotations.copy()
    by = table.video.map(shifts).fillna(0).astype(int)
    repairs = labels.repairs
    # Where images begin with 0, an onset of 0 was right; its repair has moved it already.
    from_0 = dataset.name == "cas_me3"
    zero = (repairs.rule == "onset_zero") & (repairs.video.map(shifts) > 0) & from_0
    by_onset = by.where(~table.row.isin(repairs.row[zero]), 0)
    for name in ("onset", "apex", "offset"):
        table[name] += by_onset if name == "onset" else by
    moved = sum(bool(shift) for shift in shifts.values())
    line = f"the images of {moved} videos do not begin with 1; labels were moved with them"
    kept = repairs[~zero].reset_index(drop=True)
    shifted = labels._replace(annotations=table, repairs=kept)
    return dataclasses.replace(dataset, labels=shifted, assumed=(*dataset.assumed, line))
