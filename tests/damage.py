"""Files with a bit turned or their end cut off."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np


def files_in(folder):
    """All files of a folder, by their path in it."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def damages(path: Path, *, seed: int, flips: int = 1, cuts: int = 1) -> Iterator[str]:
    """Damages a file in turn, one bit or its end at a time; afterwards it is as before.

    Yields "flip" or "cut" while the file is damaged. A file that is empty cannot be.
    """
    whole, rng = path.read_bytes(), np.random.default_rng(seed)
    for kind in ["flip"] * flips + ["cut"] * cuts if whole else []:
        place = int(rng.integers(len(whole)))
        data = bytearray(whole)
        if kind == "flip":
            data[place] ^= 1 << int(rng.integers(8))
        else:
            del data[place:]
        path.write_bytes(data)
        yield kind
    path.write_bytes(whole)


def damages_in(folder: Path, *, count: int) -> Iterator[str]:
    """`damages` of the files of a folder in turn, so many of each kind however many files it has.

    Every file has some of each.
    """
    files = [folder / name for name in files_in(folder) if (folder / name).stat().st_size]
    assert 4 < len(files) <= count
    for number in range(count):
        yield from damages(files[number % len(files)], seed=number)


class Count:
    """How many damages of each kind were made, and how many were noticed."""

    def __init__(self):
        self.made = {"flip": 0, "cut": 0}
        self.noticed = 0

    def add(self, kind, noticed):
        self.made[kind] += 1
        self.noticed += bool(noticed)

    @property
    def all(self):
        """Whether there were some, and all were noticed."""
        return 0 < sum(self.made.values()) == self.noticed

    @property
    def cells(self):
        """Cells of the table."""
        return self.made["flip"], self.made["cut"], self.noticed
