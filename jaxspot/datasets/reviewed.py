"""Videos with the tables of a review: what a person accepted of the intervals that `spot` found."""

from collections.abc import Collection, Iterator
from pathlib import Path

from jaxspot.annotations.intervals import ACCEPTED, OPEN, REJECTED
from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.annotations.repairs import RULES, Label, Labels, join_labels, mend
from jaxspot.annotations.rules import Span
from jaxspot.datasets.dataset import Dataset, SourceVideo, check_names, check_root
from jaxspot.datasets.folders import list_people
from jaxspot.datasets.review_tables import (
    TABLE,
    Review,
    find_tables,
    read_review,
    refuse_other_video,
    refuse_twice,
)
from jaxspot.datasets.spot_runs import FOUND, SpotRun
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.files import content_of

ALL_FACES = "all"


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
    Without the run beside the table, its frames must begin at the times in column onset_s.
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
    paths = [video_of(review, files, videos or root) for review in reviews]
    both = list(zip(reviews, paths, strict=True))
    for review, path in both:
        refuse_other_video(review, path)
    found = [
        SourceVideo(review.subject, review.video, path, review.run.fps) for review, path in both
    ]
    check_names(found)
    return Dataset(
        "reviewed",
        root,
        tuple(found),
        _labels(root, reviews, rules),
        rules,
        notes=(*say_reviewed(root, reviews), *say_unchecked(both)),
        tables=tuple(review.file for review in reviews),
    )


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


def say_unchecked(reviews: list[tuple[Review, Path]]) -> Iterator[str]:
    """A line on tables whose run is not beside them, with the videos that they are laid on."""
    alone = [(review.file, path) for review, path in reviews if review.run == SpotRun()]
    if alone:
        (file, path), *more = alone
        yield (
            f"{file}: no run of `spot` beside it; whether {path} is the one that was spotted cannot"
            f" be checked{f' (and so for {len(more)} more tables)' if more else ''}"
        )


def _labels(root: Path, reviews: list[Review], rules: Collection[str]) -> Labels:
    tables = [mend(_accepted(review), file=str(review.file), rules=rules) for review in reviews]
    return join_labels(tables, file=str(root))


def _accepted(review: Review) -> Iterator[Label]:
    rows = review.rows[review.rows.verdict == ACCEPTED]
    columns = (rows[name].tolist() for name in ("kind", "onset", "apex", "offset"))
    for row, kind, onset, apex, offset in zip(rows.index + 2, *columns, strict=True):
        span = Span(onset, apex, offset)
        yield Label(int(row), review.subject, review.video, kind, span)
