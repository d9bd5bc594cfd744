"""A pack of region motion: one video's segments, checked and joined.

A segment is an .npz file whose `feature` is (270, 12, 2): 256 values of the video, and at each end
7 of its neighbours', or zeros where there are none. A value is the motion of the twelve regions
from a frame to the next, relative to the nose; 1.0 is 20 pixels of a face box of 500.
"""

import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxspot.errors import UserError
from jaxspot.motion.regions import TWELVE
from jaxspot.video.writer import SIZE

STEP, OVERLAP = 256, 7
SHAPE = (STEP + 2 * OVERLAP, len(TWELVE.names), 2)
SCALE = 20 * SIZE / 500  # pixels of the crop
DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
NAME = re.compile(r"(casme|samm)_([0-9]+)_([0-9]+)_([0-9]+)")


class SegmentName(NamedTuple):
    """A segment's name: casme_015_0101_0256 is "casme", "15_0101", begins with value 256."""

    pack: str
    video: str
    start: int


@dataclass(frozen=True)
class Segments:
    """The files of a video's segments, in order; a value spans `every` frames of the video."""

    paths: tuple[Path, ...]
    every: int = 1

    def read(self) -> np.ndarray:
        """The video's region motion, see `Bank.motion`: float32 (values + 1, 12, 2).

        UserError names the file: a segment is missing, cannot be read, has another shape or a value
        that is not finite, or does not agree with the one before it.
        """
        _check_starts(self.paths)
        parts = [_read_segment(path) for path in self.paths]
        for place in range(1, len(parts)):
            _check_join(self.paths[place - 1 : place + 1], *parts[place - 1 : place + 1])
        if parts[-1][STEP + OVERLAP :].any():
            missing = _segment(self.paths[-1], STEP * len(parts))
            raise UserError(f"{missing}: is missing, the video goes on there; copy it again")
        values = np.concatenate([part[OVERLAP : OVERLAP + STEP] for part in parts])
        moved = np.flatnonzero(values.any((1, 2)))
        if not len(moved):
            raise UserError(f"{self.paths[0]}: its video is all zeros; copy its segments again")
        first = np.zeros((1, *SHAPE[1:]))
        return np.concatenate([first, values[: moved[-1] + 1] * SCALE]).astype(np.float32)


def segment_name(path: Path) -> SegmentName | None:
    """What a file's name says of the segment in it; None where it is not named as one."""
    match = NAME.fullmatch(path.stem)
    if path.suffix != ".npz" or not match:
        return None
    return SegmentName(match[1], f"{int(match[2])}_{match[3]}", int(match[4]))


def _check_starts(paths):
    for place, path in enumerate(paths):
        start = int(path.stem.rpartition("_")[2])
        if start % STEP:
            raise UserError(
                f"{path}: begins with value {start}, but segments begin every {STEP};"
                " name a pack of such segments"
            )
        if start != STEP * place:
            missing = _segment(path, STEP * place)
            raise UserError(f"{missing}: is missing, though {path.name} is there; copy it again")


def _read_segment(path):
    try:
        with open(path, "rb") as file:
            zipfile.ZipFile(file).close()  # numpy would take other files for a pickle
            file.seek(0)
            with np.load(file) as arrays:
                values = arrays["feature"]
    except KeyError:
        raise UserError(f"{path}: holds no array 'feature'; copy it again") from None
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n")[0] or "damaged"
        raise UserError(f"{path}: cannot be read ({reason}); copy it again") from None
    if values.shape != SHAPE or values.dtype.kind != "f":
        raise UserError(
            f"{path}: holds {values.dtype} {values.shape}, need floats {SHAPE}; name a pack of"
            " twelve regions"
        )
    if not np.isfinite(values).all():
        row = int(np.argmax(~np.isfinite(values).all((1, 2))))
        raise UserError(f"{path}: has NaN or infinity in row {row} (from 0); copy it again")
    return values.astype(np.float64)


def _check_join(paths, before, after):
    """Raises UserError unless the ends of two segments in a row hold the same values."""
    ours, theirs = before[STEP:], after[: 2 * OVERLAP]
    if not np.array_equal(ours, theirs):
        row = int(np.argmax((ours != theirs).any((1, 2))))
        raise UserError(
            f"{paths[1]}: its row {row} (from 0) is not row {STEP + row} of {paths[0].name}, though"
            " both are the same frame; copy both again from one pack"
        )
    if not ours.any():
        raise UserError(
            f"{paths[0]}: ends with zeros, as the last segment of a video does, but"
            f" {paths[1].name} follows; copy both again from one pack"
        )


def _segment(path, start):
    return path.with_stem(f"{path.stem.rpartition('_')[0]}_{start:04d}")
