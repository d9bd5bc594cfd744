"""Videos with the tables of a review: what a person accepted of the intervals that `spot` found."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.annotations.intervals import ACCEPTED, KINDS, OPEN, REJECTED, VERDICTS, check_verdicts
from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.annotations.repairs import RULES, Label, Labels, join_labels, mend
from jaxspot.annotations.rules import Span
from jaxspot.datasets.dataset import Dataset, SourceVideo, check_names, check_root
from jaxspot.datasets.folders import list_people
from jaxspot.datasets.spot_runs import SpotRun, find_run, other_times
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.files import content_of

TABLE, FOUND, ALL_FACES = "reviewed.csv", "intervals.csv", "all"
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


def reviewed_source(
    root: str | Path,
    *,
    labels: str | Path | None = None,
    rules: Collection[str] = RULES,
    videos: str | Path | None = None,
    face: str | None = None,
) -> Dataset:
    """The videos whose intervals were reviewed; the accepted ones are their labels.

    Tables are `<video>/reviewed.csv` and `<video>.reviewed.csv`, at any depth under `root`, with
    the columns subject, video, kind, onset, apex, offset and verdict; frames count from 1, both
    ends included. A table without a subject makes its video a subject of its own. A video file is
    the one that `spotted.json` of the run names, else that of this name under `videos`, by default
    `root`; its content must be that of the run, and its frames have the rate of `spot --fps`.
    `face` is the one that a bank will follow; None: not known. UserError names file and row: no
    table, a table that nobody reviewed, no video file, two, or another one, or a run that followed
    another face.
    """
    root = check_root(root)
    if labels:
        raise UserError(f"{labels}: --labels does not go with reviewed tables; they are the labels")
    tables = sorted(find_tables(root), key=lambda found: found[1])
    reviews = [read_review(file, video) for file, video in tables]
    if not reviews:
        raise UserError(
            f"{root}: holds no {TABLE} and no <video>.{TABLE}; review what `jaxspot spot` found"
            " there, and save the table"
        )
    refuse_twice(reviews)
    refuse_face(reviews, face)
    files = video_files(check_root(videos) if videos else root)
    found = [
        SourceVideo(
            review.subject, review.video, video_of(review, files, videos or root), review.run.fps
        )
        for review in reviews
    ]
    check_names(found)
    return Dataset(
        "reviewed",
        root,
        tuple(found),
        _labels(root, reviews, rules),
        rules,
        notes=tuple(say_reviewed(root, reviews)),
        tables=tuple(review.file for review in reviews),
    )


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
    shown = rows[["kind", "onset", "onset_s"]]
    other = other_times(rows.onset.to_numpy(), rows.onset_s.to_numpy(), review.run.starts)
    reason = "frame onset does not start at onset_s by frames.csv of the run; correct either"
    refuse(file, shown, other, reason)
    if len(rows) and review.count(OPEN) == len(rows):
        raise UserError(
            f"{file}: none of its {len(rows)} intervals was reviewed, all are open; accept or"
            " reject them in the review page, or remove the table"
        )
    return review


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


def refuse_face(reviews: list[Review], face: str | None) -> None:
    """Raises UserError where `spot` followed another face than the one that a bank will follow."""
    for review in reviews if face else []:
        if review.run.face not in ("", ALL_FACES, face):
            raise UserError(
                f"{review.file}: `spot` followed the face {review.run.face!r}, and a bank would"
                f" follow {face!r}; prepare it with --face={review.run.face}"
            )


def video_files(root: Path) -> dict[str, list[Path]]:
    """Name without ending -> the video files of this name under a folder."""
    found: dict[str, list[Path]] = {}
    for folder in all_folders(root):
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in VIDEO_ENDINGS and path.name[0] != "." and path.is_file():
                found.setdefault(path.stem, []).append(path)
    return found


def video_of(review: Review, files: dict[str, list[Path]], where: str | Path) -> Path:
    """The video file of a table; raises UserError where there is none, or more than one."""
    run = review.run
    named = [run.video] if run.video and run.video.is_file() else []
    named = [path for path in named if path.suffix.lower() in VIDEO_ENDINGS]
    paths = named or files.get(review.video, [])
    if run.content and paths:
        found = [*named, *files.get(review.video, [])]
        paths = [path for path in found if content_of([path]) == run.content][:1]
        if not paths:
            raise UserError(
                f"{review.file}: reviews another video than {found[0]}, or another version of it;"
                " name the folder of the one that was spotted by --videos, or spot this one anew"
            )
    if not paths:
        raise UserError(
            f"{review.file}: there is no video {review.video!r} under {where}; name the folder of"
            " the videos by --videos"
        )
    if len(paths) > 1:
        raise UserError(
            f"{review.file}: its video may be {paths[0]} or {paths[1]}; name one folder by --videos"
        )
    return paths[0]


def say_reviewed(root: Path, reviews: list[Review]) -> Iterator[str]:
    """Lines on what the tables hold, and on what was passed over."""
    count = lambda verdict: sum(review.count(verdict) for review in reviews)
    yield (
        f"{root}: {len(reviews)} reviewed tables: {count(ACCEPTED)} intervals accepted (the"
        f" labels), {count(REJECTED)} rejected, {count(OPEN)} still open (no labels)"
    )
    known = [review for review in reviews if review.rows.subject.any()]
    if known:
        yield "who is who, by the column subject:"
        yield from list_people((review.subject, review.video) for review in known)
    unknown = [review.video for review in reviews if not review.rows.subject.any()]
    if unknown:
        yield f"no subject is known of {', '.join(unknown)}: each is taken as a person of its own"
    several = [review.video for review in reviews if len(review.faces) > 1]
    if several:
        yield (
            f"accepted intervals of several faces: {', '.join(several)}; the bank follows one face"
            " (--face), so reject those of others"
        )
    every = [review for review in reviews if review.run.face == ALL_FACES and review.faces]
    if every:
        faces = lambda review: " and ".join(map(str, review.faces))
        told = ", ".join(f"{review.video} (face {faces(review)})" for review in every)
        yield f"spotted by --face=all, accepted: {told}; check that the bank's --face is this one"
    tables = {review.file.parent for review in reviews if review.file.name == TABLE}
    names = {review.video for review in reviews}
    bare = [place for place in all_folders(root) if (place / FOUND).is_file()]
    bare = [p.name for p in bare if p not in tables and p.resolve().name not in names]
    if bare:
        yield f"not reviewed, so left out: {', '.join(bare)}"


def _labels(root: Path, reviews: list[Review], rules: Collection[str]) -> Labels:
    tables = [mend(_accepted(review), file=str(review.file), rules=rules) for review in reviews]
    return join_labels(tables, file=str(root))


def _accepted(review: Review) -> Iterator[Label]:
    rows = review.rows[review.rows.verdict == ACCEPTED]
    columns = (rows[name].tolist() for name in ("kind", "onset", "apex", "offset"))
    for row, kind, onset, apex, offset in zip(rows.index + 2, *columns, strict=True):
        span = Span(onset, apex, offset)
        yield Label(int(row), review.subject, review.video, kind, span)
