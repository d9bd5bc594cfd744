"""Spots the videos of a person: found on disk, done side by side, none of them twice."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from jaxspot.errors import Interrupted, UserError
from jaxspot.exports.formats import export_spotted
from jaxspot.exports.names import check_names
from jaxspot.files import content_of
from jaxspot.own_video import WORK
from jaxspot.own_video.done import (
    altered,
    check_folder,
    describe_run,
    find_done,
    intervals_of,
    say_outdated,
    say_replaced,
)
from jaxspot.own_video.inputs import Video, find_videos
from jaxspot.own_video.one import Job, Options, check_options, run_job, warm_up
from jaxspot.own_video.reading import Progress, counts_of, load_reader, new_counts, picture_files
from jaxspot.own_video.work_folder import work_folder
from jaxspot.progress import progress_bar
from jaxspot.spotting.saved_spotter import load_spotter
from jaxspot.video.container import probe
from jaxspot.video.landmarker import load_landmarker
from jaxspot.workers import Pool, run_threads, worker_pool


class BrokenVideos(UserError):
    """Some of several videos could not be spotted; a line for each, and `found` for the others."""

    def __init__(self, errors: Sequence[UserError], found: dict[str, pd.DataFrame]):
        super().__init__("\n".join(map(str, errors)))
        self.found = found


class Stopped(Interrupted):
    """The user asked to stop; `found` has the videos that are done."""

    def __init__(self, found: dict[str, pd.DataFrame], videos: int):
        super().__init__(
            f"stopped with {len(found)} of {videos} videos done; the same command does the others"
        )
        self.found = found


def spot_videos(
    places: str | Path | Sequence[str | Path],
    *,
    weights: str | Path | None = None,
    out: str | Path,
    face: str = "largest",
    fps: float | None = None,
    subject: str = "",
    threshold: tuple[float, float] | None = None,
    min_chance: float | None = None,
    per_minute: float | None = None,
    formats: Sequence[str] = (),
    overlay: bool = False,
    again: bool = False,
    workers: int = 1,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> dict[str, pd.DataFrame]:
    """Finds expressions in videos and writes OUT/<video>/ for each.

    OUT/<video>/ has intervals.csv, frames.csv, scores.png, run.json (what they were made from) and,
    if asked for, overlay.mp4. They appear together when all are whole. A video that was done before
    from the same content by the same weights and options is not done again.

    Args:
      places: video files, folders (searched at any depth), globs, folders of pictures; one or
        several. A video is named as its file without the ending, or `folder/name` where several
        have one name.
      weights: a run's folder or a file of weights, see `load_spotter`; by default those that come
        with jaxspot.
      out: folder of the results.
      face: which face to follow: "largest", "left" or "right" in the picture, one at a time; or
        "all": every face is followed and spotted by itself.
      fps: takes the frames as evenly so many a second, in place of the times in the file. Folders
        of pictures need it.
      subject: fills the column of that name; "folder": folders name the people (`find_videos`).
      threshold: for weights without a judge, the least height of a peak, (ME, MaE), see
        `Spotter.intervals`.
      min_chance: for weights with a judge, the least chance of an interval, 0..1.
      per_minute: keeps so many intervals of each kind a minute and face, those with the highest
        scores.
      formats: of annotation tools, see `export_file`; their files are written beside intervals.csv.
      overlay: whether to write the video with face boxes, curves and intervals.
      again: whether to do videos that were done before.
      workers: processes that read videos, and stretches of a long one, side by side; the results
        do not depend on how many. More than 1 need a main module that is a file, not a notebook.
      progress: whether to show the frames done and the time left.
      say: is given lines about videos.

    Returns:
      Name -> intervals, in the order of the videos: subject, video, face (track number from 0),
      kind ("ME" or "MaE"), onset, apex, offset (frames from 1, both ends included), score (0..1;
      the chance where the weights have a judge), rank (1: the highest score of the video), onset_s,
      apex_s, offset_s (seconds). Videos that were done before are among them.

    Raises:
      UserError: no video is there, the weights or the face model cannot be read, or an option does
        not go with the weights; nothing is done then. BrokenVideos, which has `found`: some videos
        could not be read, the others are done. Stopped, which has `found`: by Ctrl-C.
      ValueError: an option is out of its range.
    """
    options = Options(face, fps, threshold, min_chance, per_minute)
    check_options(options, workers)
    with worker_pool(workers, preload=WORK) as pool:
        return spot_by(
            pool,
            places,
            weights=weights,
            out=out,
            options=options,
            subject=subject,
            formats=formats,
            overlay=overlay,
            again=again,
            progress=progress,
            say=say,
        )


def spot_by(
    pool: Pool,
    places: str | Path | Sequence[str | Path],
    *,
    weights: str | Path | None,
    out: str | Path,
    options: Options,
    subject: str = "",
    formats: Sequence[str] = (),
    overlay: bool = False,
    again: bool = False,
    progress: bool = True,
    say: Callable[[str], object] = print,
) -> dict[str, pd.DataFrame]:
    """`spot_videos` by the workers of a pool."""
    places = [places] if isinstance(places, str | Path) else places
    pool.start(load_reader)
    videos, notes = find_videos(places, fps=options.fps, subject=subject)
    if formats:
        check_names((video.name, video.subject) for video in videos)
    check_folder(Path(out))
    spotter = load_spotter(weights)
    spotter.check_options(min_chance=options.min_chance, threshold=options.threshold)
    load_landmarker()
    for note in notes:
        say(note)
    sha = spotter.sha256()
    found: dict[str, pd.DataFrame] = {}
    errors: dict[str, UserError] = {}
    jobs: list[Job] = []
    totals: list[int] = []
    before: dict[str, str] = {}
    with work_folder(Path(out)) as (work, partials):
        for place, video in enumerate(videos):
            folder = Path(out) / video.name
            try:
                check_folder(folder)
                total = _frames(video)
                content = content_of(_files(video))
                lost = [place for place, name in enumerate(video.pictures, 1) if not name]
                kept = asdict(options) | {"subject": video.subject}
                kept |= {"lost": lost} if lost else {}
                made_from = describe_run(content, weights=sha, options=kept)
                done = None if again else find_done(folder, made_from, overlay=overlay)
                if done is None:
                    for line in say_replaced(folder, made_from):
                        say(line)
            except UserError as error:
                errors[video.name] = error
                continue
            if done is not None:
                found[video.name] = done
                say(f"{video.name}: was done before, kept (to do it again: --again)")
                for name in altered(folder):
                    say(f"{folder / name}: altered since it was made; --again makes it anew")
                continue
            where = (folder, *partials(place))
            before[video.name] = intervals_of(folder)
            count = Progress(work / "frames", len(jobs))
            jobs.append(Job(video, *where, options, made_from, overlay, count))
            totals.append(total)
        try:
            if jobs:
                if pool.workers > 1:
                    threading.Thread(target=warm_up, args=(spotter, jobs[0]), daemon=True).start()
                _run(jobs, totals, spotter, pool, progress, say, found, errors)
            for video in videos:
                folder, written = Path(out) / video.name, []
                if formats and video.name in found:
                    written = export_spotted(video.name, video.path, formats, folder=folder)
                if video.name in found and video.name in before:
                    for line in say_outdated(folder, video.name, before[video.name], written):
                        say(line)
        except KeyboardInterrupt:
            raise Stopped(_ordered(found, videos), len(videos)) from None
    if errors:
        raise BrokenVideos(list(_ordered(errors, videos).values()), _ordered(found, videos))
    return _ordered(found, videos)


def _run(jobs, totals, spotter, pool, progress, say, found, errors):
    """Runs all jobs under one bar; fills `found` and `errors`."""
    counts = new_counts(jobs[0].progress.path, len(jobs))
    ended: set[int] = set()
    total = sum(totals) if all(totals) else None
    with progress_bar(total=total, desc="videos", unit="frame", shown=progress) as bar:

        def show() -> None:
            done = counts.sum(1)
            running = [n for n in range(len(jobs)) if done[n] > 0 and n not in ended]
            names = ", ".join(jobs[n].video.name for n in running[:2])
            more = f" +{len(running) - 2}" if len(running) > 2 else ""
            bar.set_description_str(names + more or "videos", refresh=False)
            bar.update(int(done.sum()) - bar.n)

        work = lambda job: run_job(job, spotter, pool)
        for number, future in run_threads(work, jobs, pool=pool, on_poll=show):
            ended.add(number)
            if totals[number]:
                counts[number] = 0
                counts[number, -1] = totals[number]
            show()
            name = jobs[number].video.name
            try:
                found[name], lines = future.result()
            except UserError as error:
                errors[name] = error
                continue
            with bar.external_write_mode():
                for line in lines:
                    say(line)
    counts_of.cache_clear()


def _frames(video: Video) -> int:
    return len(video.pictures) if video.path.is_dir() else probe(video.path).frames


def _files(video: Video) -> list[Path]:
    if not video.path.is_dir():
        return [video.path]
    return picture_files(video)


def _ordered(values, videos):
    return {video.name: values[video.name] for video in videos if video.name in values}
