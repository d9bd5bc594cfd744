"""The bank: what preparing writes and what training and spotting read.

A folder with `videos.csv`, `annotations.csv`, `frames/<video>.npy` (uint8, frames x 112 x 112),
`quality/<video>.npy` (float32, frames x 2: face found 0/1, confidence) and `bank.json` (format
version, source, alignment settings, sha256 of every other file), which is written last.

A bank of region motion has `motion/<video>.npy` (float32, rows x regions x 2) in place of `frames`,
and its regions in `bank.json` under "motion". Tables and quality count the video's own frames, of
which a row stands for `Regions.every`.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from tokenize import TokenError
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
from jaxspot.files import hash_file, write_table, write_text
from jaxspot.motion.regions import Regions, regions_of
from jaxspot.video.writer import BAD_NAME, SIZE, is_file_name

FORMAT_VERSION = 1
DAMAGE = (OSError, ValueError, EOFError, SyntaxError, TokenError)  # of an .npy file


@dataclasses.dataclass(frozen=True)
class Bank:
    """An opened bank of frames or region motion; arrays stay on disk until they are asked for."""

    root: Path
    videos: pd.DataFrame
    annotations: pd.DataFrame
    meta: dict[str, Any]

    def frames(self, video: str) -> np.ndarray:
        """Frames of a video, a read-only memory map: uint8 (frames, 112, 112).

        UserError: a bank of region motion.
        """
        if self.regions:
            kind = self.meta["source"].get("kind")
            config = kind if kind in ("samm_lv", "cas_me2") else "cas_me2"
            raise UserError(
                f"{self.root}: holds region motion, not frames; name a bank of frames, or settings"
                f" for region motion (--config={config}:motion)"
            )
        return np.load(self.root / "frames" / f"{video}.npy", mmap_mode="r")

    def motion(self, video: str) -> np.ndarray:
        """Region motion of a video, a read-only memory map: float32 (rows, regions, 2).

        Row t holds how far each region moved from row t - 1 to row t, right and down, in pixels of
        the 112 crop and relative to the nose; row 0 is 0. UserError: a bank of frames.
        """
        if not self.regions:
            raise UserError(
                f"{self.root}: holds frames, not region motion; name a bank of region motion, or"
                " settings for frames (--config=cas_me2:best)"
            )
        return np.load(self.root / "motion" / f"{video}.npy", mmap_mode="r")

    @cached_property
    def regions(self) -> Regions | None:
        """The regions of a bank of region motion; None for a bank of frames."""
        return regions_of(self.meta["motion"]) if "motion" in self.meta else None

    @property
    def every(self) -> int:
        """Frames of a video from one row of its arrays to the next; 1 for a bank of frames."""
        return self.regions.every if self.regions else 1

    @property
    def alignment(self) -> str:
        """How its faces are aligned: "similarity" or "posed" (from the front, `posed_clip`)."""
        kind = self.meta.get("alignment", {}).get("kind")
        return "posed" if kind == "posed112" else "similarity"

    def quality(self, video: str) -> np.ndarray:
        """Quality of a video, float32 (frames, 2): face found 0 or 1, confidence in 0..1."""
        return np.load(self.root / "quality" / f"{video}.npy")

    def faces(self, video: str) -> np.ndarray:
        """Whether each frame of a video shows a face: bool (frames,)."""
        return self.quality(video)[:, 0] > 0

    def begins(self, video: str) -> tuple[int, ...]:
        """The frames, from 1, at which another stay of a face begins: after a cut, or away."""
        details = self.meta.get("source", {}).get("videos", {}).get(video, {})
        return tuple(details.get("begins", ()))

    def tracks(self, video: str) -> np.ndarray:
        """The number of the stay that each frame shows, from 0, -1 without a face: int (frames,).

        Frames of different stays are never compared with each other.
        """
        faces = self.faces(video)
        stays = np.searchsorted(self.begins(video), np.arange(1, len(faces) + 1), side="right")
        return np.where(faces, stays, -1)

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
    regions: Regions | None = None,
    more: Sequence[str] = (),
    known: Mapping[str, str] | None = None,
) -> Bank:
    """Writes the tables and, last, `bank.json`; returns the bank opened again.

    `root` holds every video of `videos` (subject, video, frames, fps) by `save_video` or
    `video_writer`, or by `save_motion` where `regions` are given. `annotations` has subject, video,
    kind, onset, apex, offset (from 1, both ends included). `source` and `alignment` go into
    `bank.json`. `more` names further files that are there already; `known` are hashes by name of
    files that have not changed. UserError: tables that do not agree with each other or with the
    frames; there is no `bank.json` then.
    """
    root, known = Path(root), known or {}
    names = (*_file_names(videos, regions), *more)
    write_table(videos.loc[:, list(VIDEO_COLUMNS)], root / "videos.csv")
    write_table(annotations.loc[:, list(ANNOTATION_COLUMNS)], root / "annotations.csv")
    meta = {
        "format": FORMAT_VERSION,
        "source": source,
        "alignment": alignment,
        **({"motion": regions.meta} if regions else {}),
        "sha256": {name: known.get(name) or hash_file(root / name) for name in names},
    }
    _open_tables(root, meta)
    meta["check"] = _hash_description(meta)
    write_text(root / "bank.json", json.dumps(meta, indent=1) + "\n")
    return open_bank(root)


def open_bank(root: str | Path, *, verify: bool = False) -> Bank:
    """Opens a bank: a folder with the aligned faces, or region motion, and labels of a data set.

    Args:
      root: the bank's folder.
      verify: also compare every file with its sha256 (reads the whole bank once).

    Raises:
      UserError: there is no bank, its format is not supported, or a file is missing, truncated or
        changed.
    """
    root = Path(root)
    meta = _read_description(root)
    if verify and meta.get("check", expected := _hash_description(meta)) != expected:
        raise UserError(f"{root}/bank.json: altered since the bank was made; prepare it again")
    for name, expected in meta["sha256"].items() if verify else ():
        if not (root / name).is_file():
            raise UserError(f"{root / name}: missing; prepare the bank again")
        if hash_file(root / name) != expected:
            raise UserError(f"{root / name}: altered since the bank was made; prepare it again")
    bank = _open_tables(root, meta)
    unknown = set(_file_names(bank.videos, bank.regions)) - set(meta["sha256"])
    if verify and unknown:
        raise UserError(f"{root / min(unknown)}: not listed in bank.json; prepare the bank again")
    return bank


def _hash_description(meta):
    """A sha256 of what `bank.json` says, whatever its layout; older banks hold none."""
    others = {name: value for name, value in meta.items() if name != "check"}
    return hashlib.sha256(json.dumps(others, sort_keys=True).encode()).hexdigest()


def _read_description(root):
    try:
        meta = json.loads((root / "bank.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{root}: no frame bank here (bank.json is missing)") from None
    except ValueError as error:
        raise UserError(f"{root}/bank.json: not readable ({error}); prepare it again") from None
    needed = {"format": int, "source": dict, "sha256": dict}
    described = isinstance(meta, dict) and all(isinstance(meta.get(k), needed[k]) for k in needed)
    if not described or not _has_details(meta):
        raise UserError(f"{root}/bank.json: does not describe a frame bank; prepare it again")
    if meta["format"] != FORMAT_VERSION:
        raise UserError(f"{root}/bank.json: format {meta['format']}, need {FORMAT_VERSION}")
    return meta


def _has_details(meta):
    """Whether alignment and details of videos are objects, where they are given."""
    videos = meta["source"].get("videos", {})
    objects = [meta.get("alignment", {}), videos]
    objects += videos.values() if isinstance(videos, dict) else []
    return all(isinstance(value, dict) for value in objects)


def _open_tables(root, meta):
    videos = read_videos(root / "videos.csv")
    for row, video in enumerate(videos["video"].tolist()):
        if not is_file_name(video):
            raise UserError(f"{root / 'videos.csv'}, row {row + 2}: video {video!r}: {BAD_NAME}")
    annotations = read_annotations(root / "annotations.csv", videos)
    bank = Bank(root, videos, annotations, meta)
    try:
        regions = bank.regions
    except UserError as error:
        raise UserError(f"{root}/bank.json: {error}") from None
    for video, frames in zip(videos["video"].tolist(), videos["frames"].tolist(), strict=True):
        if regions:
            rows = -(-frames // regions.every)
            _check_array(bank, "motion", video, frames, (rows, len(regions.names), 2), np.float32)
        else:
            _check_array(bank, "frames", video, frames, (frames, SIZE, SIZE), np.uint8)
        _check_array(bank, "quality", video, frames, (frames, 2), np.float32)
    return bank


def _file_names(videos, regions):
    folders = ("motion" if regions else "frames", "quality")
    arrays = [f"{folder}/{video}.npy" for video in videos["video"] for folder in folders]
    return ["videos.csv", "annotations.csv", *arrays]


def _check_array(bank, name, video, frames, shape, dtype):
    path = bank.root / name / f"{video}.npy"
    try:
        array = getattr(bank, name)(video)
    except DAMAGE as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: missing or damaged ({reason}); prepare the bank again") from None
    if array.shape != shape or array.dtype != dtype:
        raise UserError(
            f"{path}: holds {array.dtype} {array.shape}, but videos.csv says {frames} frames,"
            f" so {np.dtype(dtype)} {shape}; prepare the bank again"
        )
