"""Any other data set: tables, a folder of video files or of OpenFace's output, a frame bank."""

import contextlib
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jaxspot.annotations.columns import read_columns, refuse
from jaxspot.annotations.names import VIDEO_ENDINGS
from jaxspot.annotations.repairs import RULES
from jaxspot.datasets.dataset import (
    Dataset,
    SourceVideo,
    check_root,
    find_table,
    make_dataset,
)
from jaxspot.datasets.left_out import say_pictures, say_unknown, without_overlays
from jaxspot.datasets.openface import ALIGNED, OpenFaceRun, StampGap, openface_fps, read_run
from jaxspot.datasets.rates import is_same_rate
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.video.bank import open_bank
from jaxspot.video.writer import BAD_NAME, is_file_name

MOST_NAMED = 4
BIDS = re.compile(r"sub-[A-Za-z0-9]+")


def csv_source(
    root: str | Path, *, labels: str | Path | None = None, rules: Collection[str] = RULES
) -> Dataset:
    """A data set as tables: `videos.csv` and `annotations.csv` (or the file `labels`) in `root`.

    `videos.csv` has subject, video, path, fps. A path is that of a video file or of a folder of
    numbered images, relative to `root`. fps may be blank for a video file; else its frames count as
    evenly so many a second, but labels in seconds are at the times of the file. `rules` are the
    repair rules in force (`repairs.RULES`). UserError names file and row.
    """
    root = check_root(root)
    file = find_table(root, "videos.csv")
    columns: dict[str, type] = dict(subject=str, video=str, path=str)
    table = read_columns(file, columns, optional={"fps": float})
    table = table if "fps" in table else table.assign(fps=math.nan)
    if table.empty:
        raise UserError(f"{file}: lists no video")
    refuse(file, table, table.video.duplicated(), "video is listed twice; keep one row")
    for name in columns:
        refuse(file, table, table[name] == "", f"{name} is empty")
    refuse(file, table, table.fps <= 0, "fps must be above 0")
    videos = []
    for index, subject, video, path, fps in table.itertuples():
        place = root / path
        where = f"{file}, row {index + 2}"
        if not is_file_name(video):
            raise UserError(f"{where}: video {video!r}: {BAD_NAME}")
        if not place.exists():
            raise UserError(f"{where}: {place} is not there; paths start from {root}")
        if place.is_dir() and not fps > 0:
            raise UserError(f"{where}: fps is blank; a folder of images has no times of its own")
        videos.append(SourceVideo(subject, video, place, float(fps) if fps > 0 else 0.0))
    return make_dataset("csv", root, videos, labels=labels, rules=rules)


def video_source(
    root: str | Path, *, labels: str | Path | None = None, rules: Collection[str] = RULES
) -> Dataset:
    """All video files under a folder, each named as its file without the ending.

    The subject is the folder that BIDS names so, such as `sub-01` of `sub-01/ses-1/x.mp4`; else the
    top folder under `root` that a file is in; for files in `root` itself, what stands before the
    first `_` of the name.
    `assumed` says who is who. Links are followed; the overlays of `spot` are no videos. `labels`
    and `rules` are as in `csv_source`.
    UserError: no video file, or two of one name.
    """
    root = check_root(root)
    inside = {folder: list(folder.iterdir()) for folder in all_folders(root)}
    paths = {path for found in inside.values() for path in found}
    files = [path for path in sorted(paths) if path.suffix.lower() in VIDEO_ENDINGS]
    files = [path for path in files if path.is_file() and path.name[0] != "."]
    files, ours = without_overlays(root, files)
    pictures = say_pictures(inside)
    notes = [*say_unknown(root, paths - set(files)), *ours, *pictures]
    if not files:
        why = (*ours, *pictures, f"{root}: holds no video file ({', '.join(VIDEO_ENDINGS)})")
        raise UserError(why[0])
    videos = [SourceVideo(_subject(root, path, path.stem), path.stem, path) for path in files]
    assumed = say_subjects(root, videos)
    return make_dataset(
        "video", root, videos, labels=labels, rules=rules, notes=notes, assumed=assumed
    )


def bank_source(
    root: str | Path, *, labels: str | Path | None = None, rules: Collection[str] = RULES
) -> Dataset:
    """The videos and labels of a frame bank, for a bank of their region motion.

    `labels` is a file of others in place of the bank's own. UserError: no bank of frames is there.
    """
    bank = open_bank(check_root(root))
    if bank.regions:
        raise UserError(f"{bank.root}: holds region motion already; name a bank of frames")
    columns = (bank.videos[name].tolist() for name in ("subject", "video", "fps"))
    path = lambda folder, video: bank.root / folder / f"{video}.npy"
    videos = [
        SourceVideo(
            subject,
            video,
            path("frames", video),
            fps,
            path("quality", video),
            aligned=True,
            begins=bank.begins(video),
        )
        for subject, video, fps in zip(*columns, strict=True)
    ]
    made = make_dataset("bank", bank.root, videos, labels=labels, rules=rules)
    origin = {name: bank.meta[name] for name in ("source", "alignment")}
    return replace(made, measure=True, origin=dict(bank=dict(sha256=bank.sha256, **origin)))


def openface_source(
    root: str | Path,
    *,
    labels: str | Path | None = None,
    rules: Collection[str] = RULES,
    fps: float | None = None,
) -> Dataset:
    """OpenFace's output: `<video>_aligned/` and `<video>.csv` beside it, anywhere under a folder.

    Subjects and labels are found as by `video_source`. `fps` is in frames a second; by default it
    comes from the time stamps of each CSV. UserError: no aligned folder, two videos of one name, a
    frame rate that cannot be known, or a gap in time stamps of this rate.
    """
    root = check_root(root)
    if fps is not None and not 0 < fps < math.inf:
        raise UserError(f"--fps is {fps:g}; it must be above 0")
    videos, assumed, rates = [], [], []
    for folder in sorted(path for path in all_folders(root) if path.name.endswith(ALIGNED)):
        name = folder.name.removesuffix(ALIGNED)
        csv = folder.with_name(f"{name}.csv")
        table = csv if csv.exists() else None
        if not table and not fps:
            raise UserError(f"{csv}: is not there, so name the frame rate by --fps")
        rate = fps or openface_fps(csv)
        rates += _say_stamps(csv, fps) if table and fps else []
        subject = _subject(root, folder, name)
        videos.append(SourceVideo(subject, name, folder, rate, table, aligned=True))
        with contextlib.suppress(UserError):  # raised again when this video is prepared
            assumed += _say_faces(folder, read_run(folder, table))
    if not videos:
        raise UserError(f"{root}: holds no folder such as <video>{ALIGNED}; was OpenFace run here?")
    assumed = say_subjects(root, videos) + assumed
    options: Any = dict(labels=labels, rules=rules, assumed=assumed, rates=rates)
    return make_dataset("openface", root, videos, **options)


def say_subjects(root: Path, videos: Sequence[SourceVideo]) -> list[str]:
    """Lines that say which videos are taken for whose."""
    told = {
        "bids": "the folder named sub-...",
        "folder": f"the top folder under {root}",
        "name": "the name up to the first _",
    }
    used = {_decided_by(root, video.path) for video in videos}
    rule = " or ".join(words for name, words in told.items() if name in used)
    lines = [f"who is who, by {rule}; if this is wrong, use --dataset=csv:"]
    people = list(list_people((video.subject, video.video) for video in videos))
    lines += people
    if len(people) == 1 and len(videos) > 1:
        lines.append(
            f"  all {len(videos)} videos are taken for one person; --source should be the folder"
            " that holds a folder for each"
        )
    return lines


def list_people(videos: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A line for each subject with the first of its videos, from pairs of subject and video."""
    names: dict[str, list[str]] = {}
    for subject, video in videos:
        names.setdefault(subject, []).append(video)
    for subject, own in names.items():
        more = f" and {len(own) - MOST_NAMED} more" if len(own) > MOST_NAMED else ""
        yield f"  {subject}: {', '.join(own[:MOST_NAMED])}{more}"


def _say_stamps(csv: Path, fps: float) -> list[str]:
    """A line where `fps` takes the place of other time stamps; those of its rate have no gap."""
    try:
        own = openface_fps(csv)
    except StampGap as error:
        own = error.fps
        if is_same_rate(fps, own):
            raise
    except UserError:  # no rate can be known by them
        return []
    line = f"{csv}: its time stamps are those of {own:.5g} frames a second, counted as {fps:g}"
    return [] if is_same_rate(fps, own) else [line]


def _say_faces(folder: Path, run: OpenFaceRun) -> list[str]:
    """Lines on the numbers of faces that OpenFace gave, where there are several."""
    numbers = lambda faces: ", ".join(map(str, sorted(faces)))
    lines = []
    if len(run.faces) > 1:
        lines.append(f"{folder}: faces {numbers(run.faces)} are taken for one, lost between")
    if run.others:
        one = numbers(run.faces)
        lines.append(f"{folder}: faces {numbers(run.others)}, beside face {one}, are left out")
    return lines


def _decided_by(root, path):
    folders = path.relative_to(root).parts[:-1]
    return "bids" if any(map(BIDS.fullmatch, folders)) else "folder" if folders else "name"


def person_folder(root: Path, path: Path) -> str:
    """The folder under `root` that names the person of a file: as BIDS does, else the top one."""
    folders = path.relative_to(root).parts[:-1]
    bids = [folder for folder in folders if BIDS.fullmatch(folder)]
    return (bids or folders or ("",))[0]


def _subject(root, path, name):
    subject = person_folder(root, path) or name.partition("_")[0]
    return subject.strip() or name
