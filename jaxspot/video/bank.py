"""The frame bank: what preparing writes and what training and spotting read.

A folder with `videos.csv`, `annotations.csv`, `frames/<video>.npy` (uint8, frames x 112 x 112),
`quality/<video>.npy` (float32, frames x 2: face found 0/1, confidence) and `bank.json` (format
version, source, alignment settings, sha256 of every other file), which is written last.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import (
    ANNOTATION_COLUMNS,
    VIDEO_COLUMNS,
    read_annotations,
    read_videos,
)
from jaxspot.errors import UserError
from jaxspot.files import write_table, write_text
from jaxspot.video.writer import BAD_NAME, SIZE, is_file_name

FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Bank:
    """An opened frame bank; frames stay on disk until they are asked for."""

    root: Path
    videos: pd.DataFrame
    annotations: pd.DataFrame
    meta: dict[str, Any]

    def frames(self, video: str) -> np.ndarray:
        """Frames of a video, a read-only memory map: uint8 (frames, 112, 112)."""
        return np.load(self.root / "frames" / f"{video}.npy", mmap_mode="r")

    def quality(self, video: str) -> np.ndarray:
        """Quality of a video, float32 (frames, 2): face found 0 or 1, confidence in 0..1."""
        return np.load(self.root / "quality" / f"{video}.npy")

    def faces(self, video: str) -> np.ndarray:
        """Whether each frame of a video shows a face: bool (frames,)."""
        return self.quality(video)[:, 0] > 0

    def labels(self, video: str) -> pd.DataFrame:
        """The ground truth of a video; empty where it has none."""
        return self.annotations.loc[self.annotations["video"] == video]

    @property
    def sha256(self) -> str:
        """One hash for the whole bank: that of the list of its files' hashes."""
        return hashlib.sha256(json.dumps(self.meta["sha256"], sort_keys=True).encode()).hexdigest()


def finish_bank(
    root: str | Path,
    *,
    videos: pd.DataFrame,
    annotations: pd.DataFrame,
    source: dict[str, Any],
    alignment: dict[str, Any],
    more: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
) -> Bank:
    """Writes the tables and, last, `bank.json`; returns the bank opened again.

    `root` holds every video of `videos` (subject, video, frames, fps) by `save_video` or
    `video_writer`. `annotations` has subject, video, kind, onset, apex, offset (from 1, both ends
    included). `source` and `alignment` go into `bank.json`. `more` names further files that are
    there already; `known` are hashes by name of files that have not changed. UserError: tables that
    do not agree with each other or with the frames; there is no `bank.json` then.
    """
    root, known = Path(root), known or {}
    names = (*_file_names(videos), *more)
    write_table(videos.loc[:, list(VIDEO_COLUMNS)], root / "videos.csv")
    write_table(annotations.loc[:, list(ANNOTATION_COLUMNS)], root / "annotations.csv")
    meta = {
        "format": FORMAT_VERSION,
        "source": source,
        "alignment": alignment,
        "sha256": {name: known.get(name) or _sha256(root / name) for name in names},
    }
    _open_tables(root, meta)
    write_text(root / "bank.json", json.dumps(meta, indent=1) + "\n")
    return open_bank(root)


def open_bank(root: str | Path, *, verify: bool = False) -> Bank:
    """Opens a frame bank: a folder with the aligned faces and the labels of a data set.

    Args:
      root: the bank's folder.
      verify: also compare every file with its sha256 (reads the whole bank once).

    Raises:
      UserError: there is no bank, its format is not supported, or a file is missing, truncated or
        changed.
    """
    root = Path(root)
    meta = _read_description(root)
    for name, expected in meta["sha256"].items() if verify else ():
        if not (root / name).is_file():
            raise UserError(f"{root / name}: missing; prepare the bank again")
        if _sha256(root / name) != expected:
            raise UserError(f"{root / name}: altered since the bank was made; prepare it again")
    bank = _open_tables(root, meta)
    unknown = set(_file_names(bank.videos)) - set(meta["sha256"])
    if verify and unknown:
        raise UserError(f"{root / min(unknown)}: not listed in bank.json; prepare the bank again")
    return bank


def _read_description(root):
    try:
        meta = json.loads((root / "bank.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{root}: no frame bank here (bank.json is missing)") from None
    except ValueError as error:
        raise UserError(f"{root}/bank.json: not readable ({error}); prepare it again") from None
    needed = {"format": int, "source": dict, "sha256": dict}
    if not isinstance(meta, dict) or not all(isinstance(meta.get(k), needed[k]) for k in needed):
        raise UserError(f"{root}/bank.json: does not describe a frame bank; prepare it again")
    if meta["format"] != FORMAT_VERSION:
        raise UserError(f"{root}/bank.json: format {meta['format']}, need {FORMAT_VERSION}")
    return meta


def _open_tables(root, meta):
    videos = read_videos(root / "videos.csv")
    for row, video in enumerate(videos["video"].tolist()):
        if not is_file_name(video):
            raise UserError(f"{root / 'videos.csv'}, row {row + 2}: video {video!r}: {BAD_NAME}")
    annotations = read_annotations(root / "annotations.csv", videos)
    bank = Bank(root, videos, annotations, meta)
    for video, frames in zip(videos["video"].tolist(), videos["frames"].tolist(), strict=True):
        _check_array(bank, "frames", video, (frames, SIZE, SIZE), np.uint8)
        _check_array(bank, "quality", video, (frames, 2), np.float32)
    return bank


def _file_names(videos):
    arrays = [f"{d}/{video}.npy" for video in videos["video"] for d in ("frames", "quality")]
    return ["videos.csv", "annotations.csv", *arrays]


def _check_array(bank, name, video, shape, dtype):
    path = bank.root / name / f"{video}.npy"
    try:
        array = getattr(bank, name)(video)
    except (OSError, ValueError, EOFError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: missing or damaged ({reason}); prepare the bank again") from None
    if array.shape != shape or array.dtype != dtype:
        raise UserError(
            f"{path}: holds {array.dtype} {array.shape}, but videos.csv says {shape[0]} frames,"
            f" so {np.dtype(dtype)} {shape}; prepare the bank again"
        )


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
