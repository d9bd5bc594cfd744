"""From a data set's folders to a frame bank, with every core, resumed where it was cut."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS, VIDEO_COLUMNS
from jaxspot.annotations.repairs import REPAIRS, RULES, Labels, fit_to_videos, no_labels
from jaxspot.datasets.look import announced
from jaxspot.datasets.prepare_video import Alignment, Prepared, prepare_video
from jaxspot.datasets.source import Source, SourceVideo, fingerprint
from jaxspot.datasets.work import (
    LABELS,
    WORK,
    claim_bank,
    find_done,
    frames_written,
    keep_only,
    leave,
    make_folder,
    note_done,
    refuse_strangers,
)
from jaxspot.errors import UserError
from jaxspot.files import write_table
from jaxspot.progress import progress_bar
from jaxspot.video.bank import Bank, finish_bank, open_bank
from jaxspot.video.landmarker import MODEL_SHA256, load_landmarker
from jaxspot.workers import run_jobs

LONG = 2**31


class BrokenVideos(UserError):
    """Some videos could not be prepared: a line for each; the others are done."""

    def __init__(self, errors: list[UserError], done: int, out: Path):
        last = (
            f"{out}: {done} videos are done, {len(errors)} are not; mend them and run the same"
            " command again, or leave them out by --skip-broken"
        )
        super().__init__("\n".join([*map(str, errors), last]))


def prepare(
    source: Source,
    out: str | Path,
    *,
    alignment: Alignment | None = None,
    rules: tuple[str, ...] = RULES,
    skip_broken: bool = False,
    workers: int | None = None,
    progress: bool = True,
) -> Bank:
    """Reads, tracks, aligns and writes all videos of a data set; a killed call is gone on with.

    What is done of the videos stays in `out` until all are; the same call with the same settings
    goes on from there; a video that has changed since is done again. Same source, same bytes,
    whatever the number of workers and kills.

    Args:
      source: the data set.
      out: the bank's folder, absent or begun by the same call.
      alignment: how faces are found and aligned.
      rules: of `repairs.RULES`, to fit labels to the videos by.
      skip_broken: leave out videos that cannot be read, instead of refusing to finish.
      workers: processes, see `run_jobs`.
      progress: show frames done and time left.

    Raises:
      BrokenVideos: after all others are done.
      UserError: as `claim_bank`; no video can be used; labels that do not fit (see
        `fit_to_videos`); a worker died.
    """
    out, alignment = Path(out), alignment or Alignment()
    if not all(video.aligned for video in source.videos):
        load_landmarker()
    expected = announced(source)
    fit_announced(source, expected, rules=rules)  # mistakes in labels come before hours of work
    with claim_bank(out, describe(source, alignment)):
        if not (out / "bank.json").exists():  # else only `leave` was cut
            done, errors = _work_off(
                out, source, alignment, expected.frames.sum(), workers=workers, progress=progress
            )
            if errors and not skip_broken:
                raise BrokenVideos(list(errors.values()), len(done), out)
            if not done:
                raise UserError(f"{source.root}: none of its videos can be used")
            keep_only(out, [prepared.video for prepared in done])
            finish(out, source, done, alignment=alignment, rules=rules, left_out=sorted(errors))
        leave(out)
    return open_bank(out)


def finish(
    out: Path,
    source: Source,
    prepared: list[Prepared],
    *,
    alignment: Alignment,
    rules: tuple[str, ...],
    left_out: list[str],
) -> Bank:
    """Writes the tables of a bank whose videos are all there: its labels, and what was mended."""
    videos = pd.DataFrame([vars(video) for video in prepared]).loc[:, list(VIDEO_COLUMNS)]
    labels = fit_labels(source, videos, rules=rules)
    write_table(labels.repairs, out / REPAIRS)
    details = {
        video.video: {k: v for k, v in vars(video).items() if k not in VIDEO_COLUMNS}
        for video in prepared
    }
    return finish_bank(
        out,
        videos=videos,
        annotations=labels.annotations,
        source=_label_source(source, rules) | dict(left_out=left_out, videos=details),
        alignment=describe(source, alignment)["alignment"],
        more=(REPAIRS,),
    )


def fit_labels(source: Source, videos: pd.DataFrame, *, rules: tuple[str, ...]) -> Labels:
    """The labels of a data set as its videos can bear them; empty tables where it has none."""
    if source.labels is None:
        return no_labels()
    return fit_to_videos(source.labels, videos, rules=rules)


def fit_announced(source: Source, videos: pd.DataFrame, *, rules: tuple[str, ...]) -> Labels:
    """Like `fit_labels`; a video of 0 frames is one whose length is not known."""
    known = videos.assign(frames=videos.frames.where(videos.frames > 0, LONG))
    return fit_labels(source, known, rules=rules)


def relabel(source: Source, out: str | Path, *, rules: tuple[str, ...] = RULES) -> Labels:
    """Writes annotations.csv and repairs.csv alone; a bank in `out` takes them as its labels.

    Without a bank there, labels are fitted to the lengths that folders and headers announce.

    Raises:
      UserError: the data set has no labels or they do not fit, the bank is another data set's, or
        `out` is no place for them.
    """
    out = Path(out)
    if source.labels is None:
        raise UserError(f"{source.root}: holds no labels (annotations.csv); name them by --labels")
    if (out / "bank.json").exists():
        bank = open_bank(out)
        kind = bank.meta["source"].get("kind")
        if kind != source.dataset:
            raise UserError(f"{out}: is a bank of {kind}, not of {source.dataset}; name its own")
        labels = fit_labels(source, bank.videos, rules=rules)
        write_table(labels.repairs, out / REPAIRS)
        finish_bank(
            out,
            videos=bank.videos,
            annotations=labels.annotations,
            source=bank.meta["source"] | _label_source(source, rules),
            alignment=bank.meta["alignment"],
            more=(REPAIRS,),
            known={name: sha for name, sha in bank.meta["sha256"].items() if "/" in name},
        )
        return labels
    if (out / WORK).exists():
        raise UserError(f"{out}: is not finished; its prepare command reads the labels anew")
    refuse_strangers(out)
    if source.labels_file and source.labels_file.resolve() in [(out / n).resolve() for n in LABELS]:
        raise UserError(f"{source.labels_file}: would be overwritten; name another --out")
    labels = fit_announced(source, announced(source), rules=rules)
    make_folder(out)
    write_table(labels.repairs, out / REPAIRS)
    write_table(labels.annotations.loc[:, list(ANNOTATION_COLUMNS)], out / "annotations.csv")
    return labels


def describe(source: Source, alignment: Alignment) -> dict[str, Any]:
    """What all videos of a bank depend on, as JSON values."""
    aligned = all(video.aligned for video in source.videos)
    ours = dict(kind="openface112", landmarks=MODEL_SHA256, **vars(alignment))
    return dict(
        dataset=source.dataset, alignment=dict(kind="openface, as it was") if aligned else ours
    )


def _label_source(source, rules):
    file = source.labels_file
    named = file and dict(file=file.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    return dict(kind=source.dataset, labels=named, rules=list(rules))


def _work_off(
    out: Path,
    source: Source,
    alignment: Alignment,
    frames: int,
    *,
    workers: int | None,
    progress: bool,
) -> tuple[list[Prepared], dict[str, UserError]]:
    """Prepares what is not done; what all came to, and the errors of those that cannot be read."""
    before = {video.video: find_done(out, video) for video in source.videos}
    done = {name: prepared for name, prepared in before.items() if prepared}
    todo = [video for video in source.videos if video.video not in done]
    errors: dict[str, UserError] = {}
    seen = frames_written(out)
    with progress_bar(
        total=int(frames),
        initial=sum(prepared.frames for prepared in done.values()),
        desc=f"preparing {len(source.videos)} videos",
        unit="frame",
        shown=progress,
    ) as bar:

        def show() -> None:
            nonlocal seen
            now = frames_written(out)
            bar.update(max(0, now - seen))
            seen = max(seen, now)

        job = partial(_prepare_job, out, alignment)
        for number, future in run_jobs(job, todo, workers=workers, on_poll=show):
            name, error = todo[number].video, future.exception()
            if isinstance(error, UserError):
                errors[name] = error
            else:
                done[name] = future.result()
    return [done[video.video] for video in source.videos if video.video in done], errors


def _prepare_job(out: Path, alignment: Alignment, video: SourceVideo) -> Prepared:
    before = fingerprint(video)
    prepared = prepare_video(out, video, alignment)
    note_done(out, prepared, source=before)
    return prepared
