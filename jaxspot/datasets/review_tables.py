"""Tables of a review: which files they are, and their rows with checks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.annotations.intervals import ACCEPTED, KINDS, OPEN, VERDICTS, check_verdicts
from jaxspot.datasets.spot_runs import SpotRun, find_run, other_times
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.video.container import packet_times

TABLE = "reviewed.csv"
NEARLY = re.compile(r"(^|\.)reviewed[^.]*\.csv$", re.IGNORECASE)


class Review(NamedTuple):
    """A reviewed table: its file, the video's name, its rows, and the run that found them.

    The index of a row + 2 is its number in the file.
    """

    file: Path
    video: str
    rows: pd.DataFrame
    run: SpotRun

    @property
    def subject(self) -> str:
        """The subject that the table names; else the video's name."""
        names = [name for name in self.rows.subject if name]
        return names[0] if names else self.video

    @property
    def faces(self) -> list[int]:
        """The faces, or stays of one face in the picture, that have accepted intervals."""
        faces: Any = self.rows.face[self.rows.verdict == ACCEPTED]
        return sorted(map(int, faces.dropna().unique()))

    def count(self, verdict: str) -> int:
        """How many intervals have this verdict."""
        return int((self.rows.verdict == verdict).sum())


def find_tables(root: Path) -> Iterator[tuple[Path, str]]:
    """Every reviewed table under a folder with the name of its video.

    UserError: a file is named nearly so, such as `talk.reviewed (1).csv`.
    """
    for folder in all_folders(root):
        for path in sorted(folder.iterdir()):
            if path.name == TABLE:
                yield path, folder.resolve().name
            elif path.name.endswith(f".{TABLE}") and path.name[0] != ".":
                yield path, path.name.removesuffix(f".{TABLE}")
            elif NEARLY.search(path.name) and path.name[0] != ".":
                raise UserError(
                    f"{path}: is not read; a reviewed table is named {TABLE} or <video>.{TABLE};"
                    " rename it, or remove it if it is a second download"
                )


def read_review(file: Path, video: str) -> Review:
    """One reviewed table; raises UserError for rows that are none, and where all are open."""
    columns: dict[str, type] = dict.fromkeys(("subject", "video", "kind", "verdict"), str)
    columns |= dict(onset=float, offset=float)
    rows = read_columns(file, columns, optional=dict(apex=float, face=float, onset_s=float))
    for name in ("apex", "face", "onset_s"):
        rows = rows if name in rows else rows.assign(**{name: np.nan})
    check_verdicts(file, rows, rows.verdict.isin(VERDICTS))
    shown: Any = rows[["video", "kind", "onset", "offset", "verdict"]]
    refuse(file, shown, ~rows.kind.isin(KINDS), f"kind must be {' or '.join(KINDS)}")
    refuse(file, shown, rows.video != video, f"video must be {video!r}, as the name of the table")
    review = Review(file, video, rows, find_run(file, video))
    shown, other = rows[["subject", "video"]], ~rows.subject.isin(["", review.subject])
    refuse(file, shown, other, f"subject was {review.subject!r} before")
    _refuse_times(review, review.run.starts, "by frames.csv of the run; correct either")
    if len(rows) and review.count(OPEN) == len(rows):
        raise UserError(
            f"{file}: none of its {len(rows)} intervals was reviewed, all are open; accept or"
            " reject them in the review page, or remove the table"
        )
    return review


def refuse_other_video(review: Review, path: Path) -> None:
    """Raises UserError where a table without its run has other times than the video's frames."""
    if review.run != SpotRun():
        return
    try:
        starts = tuple(packet_times(path))
    except UserError:  # told of where the video is read
        return
    _refuse_times(
        review,
        starts,
        f"in {path}; correct either, or name the folder of the version that was spotted by"
        " --videos",
    )


def refuse_twice(reviews: list[Review]) -> None:
    """Raises UserError where two tables review one video."""
    seen: dict[str, Path] = {}
    for review in reviews:
        if review.video in seen:
            raise UserError(
                f"{review.file}: reviews {review.video!r}, as {seen[review.video]} does; keep the"
                " newer one"
            )
        seen[review.video] = review.file


def _refuse_times(review: Review, starts: tuple[float, ...], where: str) -> None:
    rows = review.rows
    other = other_times(rows.onset.to_numpy(), rows.onset_s.to_numpy(), starts)
    reason = f"frame onset does not start at onset_s {where}"
    shown: Any = rows[["kind", "onset", "onset_s"]]
    refuse(review.file, shown, other, reason)
