"""From a data set's folders to a bank, on every core; a cut run is resumed."""

import hashlib
import math
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS, VIDEO_COLUMNS
from jaxspot.annotations.repairs import REPAIRS, Labels
from jaxspot.datasets.dataset import Dataset, SourceVideo
from jaxspot.datasets.fitting import fit_labels
from jaxspot.datasets.identity import hash_content, hash_source
from jaxspot.datasets.look import look_over
from jaxspot.datasets.prepare_video import Alignment, Prepared, prepare_video
from jaxspot.datasets.work import (
    LABELS,
    WORK,
    claim_bank,
    find_done,
    frames_written,
    keep_only,
    make_folder,
    note_done,
    refuse_strangers,
)
from jaxspot.errors import UserError
from jaxspot.files import write_table
from jaxspot.motion.measure import METHOD
from jaxspot.progress import progress_bar
from jaxspot.video.bank import Bank, finish_bank, open_bank
from jaxspot.video.landmarker import MODEL_SHA256, load_landmarker
from jaxspot.workers import run_jobs


class BrokenVideos(UserError):
    """Some videos could not be prepared: a line for each; the others are done."""

    def __init__(self, errors: list[UserError], done: int, out: Path):
        last = (
            f"{out}: {done} videos are done, {len(errors)} are not; mend them and run the same"
            " command again, or leave them out by --skip-broken"
        )
        super().__init__("\n".join([*map(str, errors), last]))


def prepare(
    dataset: Dataset,
    out: str | Path,
    *,
    alignment: Alignment | None = None,
    skip_broken: bool = False,
    say: Callable[[str], object] = print,
    workers: int | None = None,
    progress: bool = True,
) -> Bank:
    """Reads, tracks, aligns and writes all videos of a data set into the bank's folder `out`.

    Where the data set is a pack of region motion, it is checked and written, in this process. Where
    it says `measure`, the region motion of its pictures is written in their place.

    The same call after a kill continues where it was cut; a video that has changed since is done
    again. The bank's bytes depend on the data set and settings alone. `skip_broken` leaves out
    videos that cannot be read, and `say` is given a line about each; else BrokenVideos is raised
    after all others are done. `workers` are processes, see `run_jobs`. UserError: as `claim_bank`
    and `refuse_posing`; no usable video; labels that do not fit; a worker died.
    """
    out, alignment = Path(out), alignment or Alignment()
    refuse_posing(dataset, alignment)
    if dataset.regions:
        workers = 1  # a process takes longer to begin than the whole pack
    elif dataset.measure or not all(video.aligned for video in dataset.videos):
        load_landmarker()
    expected, _ = look_over(dataset)
    fit_labels(dataset, expected)  # mistakes in labels come before hours of work
    settings = _settings(dataset, alignment)
    with claim_bank(out, settings):
        if not (out / "bank.json").exists():  # else only the tidying up was cut
            total, options = expected.frames.sum(), dict(workers=workers, progress=progress)
            done, errors = _prepare_rest(out, dataset, alignment, total, **options)
            if errors and not skip_broken:
                raise BrokenVideos(list(errors.values()), len(done), out)
            for error in errors.values():
                say(f"{error}; left out")
            if not done:
                raise UserError(f"{dataset.root}: none of its videos can be used")
            keep_only(out, [prepared.video for prepared in done])
            details = {
                video.video: {k: v for k, v in vars(video).items() if k not in VIDEO_COLUMNS}
                for video in done
            }
            _write_tables(
                out,
                dataset,
                pd.DataFrame(map(vars, done)).loc[:, list(VIDEO_COLUMNS)],
                source=dict(left_out=sorted(errors), videos=details, **dataset.origin),
                alignment=settings["alignment"],
                regions=dataset.kept,
            )
        shutil.rmtree(out / WORK, ignore_errors=True)
    return open_bank(out)


def refuse_posing(dataset: Dataset, alignment: Alignment) -> None:
    """Raises UserError where faces are to be posed, but there are no pictures to pose them in."""
    if alignment.posed and (dataset.kept or any(video.aligned for video in dataset.videos)):
        kind = "region motion has no crops" if dataset.kept else "its faces are aligned already"
        raise UserError(
            f"{dataset.root}: {kind}; --align=posed needs video files or whole images, without"
            " --motion"
        )


def relabel(dataset: Dataset, out: str | Path) -> Labels:
    """Writes annotations.csv and repairs.csv alone; a bank in `out` takes them as its labels.

    Without a bank there, labels are fitted to the lengths that folders and headers announce.
    UserError: no labels, labels that do not fit, another data set's bank, one whose videos are of
    other subjects or frame rates, or an `out` that is no place for them.
    """
    out, file = Path(out), dataset.labels.file
    if not file:
        raise UserError(f"{dataset.root}: holds no labels (annotations.csv); name them by --labels")
    if (out / "bank.json").exists():
        bank = open_bank(out)
        kind = bank.meta["source"].get("kind")
        if kind != dataset.name:
            raise UserError(f"{out}: is a bank of {kind}, not of {dataset.name}; name its own")
        _refuse_other_videos(dataset, bank)
        hashes = {name: sha for name, sha in bank.meta["sha256"].items() if "/" in name}
        parts = {name: bank.meta[name] for name in ("source", "alignment")}
        return _write_tables(out, dataset, bank.videos, **parts, regions=bank.regions, known=hashes)
    if (out / WORK).exists():
        raise UserError(f"{out}: is not finished; its prepare command reads the labels anew")
    refuse_strangers(out)
    if Path(file).resolve() in [(out / name).resolve() for name in LABELS]:
        raise UserError(f"{file}: would be overwritten; name another --out")
    labels = fit_labels(dataset, look_over(dataset)[0])
    make_folder(out)
    write_table(labels.repairs, out / REPAIRS)
    write_table(labels.annotations.loc[:, list(ANNOTATION_COLUMNS)], out / "annotations.csv")
    return labels


def _refuse_other_videos(dataset, bank):
    """Labels alone cannot change whose a video is, its frame rate, nor what it shows."""
    held, details = bank.videos.set_index("video"), bank.meta["source"].get("videos", {})
    for video in dataset.videos:
        if video.video not in held.index:
            continue
        subject, fps = held.subject[video.video], held.fps[video.video]
        change = ""
        if subject != video.subject:
            change = f"subject {subject!r}, now {video.subject!r}"
        elif video.fps and not math.isclose(fps, video.fps):
            change = f"{fps:g} frames a second, now {video.fps:g}"
        content = details.get(video.video, {}).get("content")  # older banks have none
        if not change and content and content != hash_content(video):
            change = f"other content than {video.path} has now"
        if change:
            raise UserError(
                f"{bank.root}: holds video {video.video!r} with {change}; prepare again, without"
                " --labels-only, into another --out"
            )


def _write_tables(out, dataset, videos, *, source, **more):
    """The tables of a bank whose arrays are all there, and bank.json; returns the labels."""
    labels = fit_labels(dataset, videos)
    write_table(labels.repairs, out / REPAIRS)
    named = None
    if labels.file:
        file, digest = Path(labels.file), hashlib.sha256()
        for path in dataset.tables or (file,):
            digest.update(path.read_bytes())
        named = dict(file=file.name, sha256=digest.hexdigest())
    ours = dict(kind=dataset.name, labels=named, rules=list(dataset.rules))
    source, table = ours | source | ours, labels.annotations
    finish_bank(out, videos=videos, annotations=table, source=source, more=(REPAIRS,), **more)
    return labels


def _settings(dataset: Dataset, alignment: Alignment) -> dict[str, Any]:
    """What all videos of a bank depend on, as JSON values."""
    if dataset.regions:
        values = dict(kind="region motion, as it was")
    elif all(video.aligned for video in dataset.videos):
        values = dict(kind=f"{dataset.name}, as it was")
    else:
        kind = "posed112" if alignment.posed else "openface112"
        options = dict(prefer=alignment.prefer, smooth=alignment.smooth)
        values = dict(kind=kind, landmarks=MODEL_SHA256, **options)
    if dataset.measure:
        values |= dict(motion=METHOD, landmarks=MODEL_SHA256)
    return dict(dataset=dataset.name, alignment=values)


def _prepare_rest(out, dataset, alignment, expected, *, workers, progress):
    """Prepares what is not done; gives all that is done, and errors of videos by name."""
    motion = bool(dataset.kept)
    before = {video.video: find_done(out, video, motion=motion) for video in dataset.videos}
    done = {name: prepared for name, prepared in before.items() if prepared}
    todo = [video for video in dataset.videos if video.video not in done]
    errors: dict[str, UserError] = {}
    seen = frames_written(out, motion=motion)
    with progress_bar(
        total=int(expected),
        initial=sum(prepared.frames for prepared in done.values()),
        desc=f"preparing {len(dataset.videos)} videos",
        unit="frame",
        shown=progress,
    ) as bar:

        def show() -> None:
            nonlocal seen
            now = frames_written(out, motion=motion)
            bar.update(max(0, now - seen))
            seen = max(seen, now)

        job = partial(_prepare_job, out, alignment, dataset.measure)
        for number, future in run_jobs(job, todo, workers=workers, on_poll=show):
            name, error = todo[number].video, future.exception()
            if isinstance(error, UserError):
                errors[name] = error
            else:
                done[name] = future.result()
    return [done[video.video] for video in dataset.videos if video.video in done], errors


def _prepare_job(out: Path, alignment: Alignment, measure: bool, video: SourceVideo) -> Prepared:
    before = hash_source(video)
    prepared = prepare_video(out, video, alignment, measure=measure)
    note_done(out, prepared, source=before)
    return prepared
