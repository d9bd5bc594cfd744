"""Scores of every video as files: `<video>.npz` with float32 arrays ME and MaE."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.files import whole_file


def write_scores(folder: Path, scores: Mapping[str, np.ndarray]) -> None:
    """Writes the scores of each video, float (frames, 2) in the order of KINDS."""
    for video, curve in scores.items():
        with whole_file(folder / f"{video}.npz") as partial, open(partial, "wb") as file:
            arrays: Any = {kind: curve[:, i] for i, kind in enumerate(KINDS)}
            np.savez(file, **arrays)


def read_scores(folder: Path, videos: Iterable[str]) -> dict[str, np.ndarray]:
    """video -> (frames, 2), as `write_scores` wrote them."""
    scores = {}
    for video in videos:
        with np.load(folder / f"{video}.npz") as file:
            scores[video] = np.stack([file[kind] for kind in KINDS], axis=1)
    return scores
