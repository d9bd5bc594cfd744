"""The formats by name, and the files that each writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from jaxspot.errors import UserError, one_of
from jaxspot.exports.activitynet import activitynet_file
from jaxspot.exports.bids import bids_sidecar, bids_table
from jaxspot.exports.boris import boris_file
from jaxspot.exports.elan import eaf_file
from jaxspot.exports.medium import Medium, find_medium
from jaxspot.exports.megc2020 import NEEDS_LABELS, megc2020_file
from jaxspot.exports.megc2022 import megc2022_file
from jaxspot.exports.names import file_stem, files_by_name, refuse_one_stem, say_moved
from jaxspot.exports.spans import read_spans, with_seconds
from jaxspot.exports.srt import srt_file
from jaxspot.exports.textgrid import textgrid_file
from jaxspot.exports.webvtt import webvtt_file
from jaxspot.exports.xlsx import xlsx_file
from jaxspot.files import write_bytes
from jaxspot.spotting.decision import read_decision
from jaxspot.spotting.same_video import check_same_video

# Format -> ending -> what makes the file: one a video, or one for all videos of the table.
OF_A_VIDEO = {
    "elan": {".eaf": eaf_file},
    "textgrid": {".TextGrid": textgrid_file},
    "webvtt": {".vtt": webvtt_file},
    "srt": {".srt": srt_file},
    "bids": {"_events.tsv": bids_table, "_events.json": bids_sidecar},
}
OF_ALL = {
    "boris": {".boris": boris_file},
    "xlsx": {".xlsx": xlsx_file},
    "activitynet": {"_activitynet.json": activitynet_file},
    "megc2022": {"_megc2022.csv": megc2022_file},
}
MEGC2020 = "_megc2020.txt"
FORMATS = ("elan", "boris", "textgrid", "webvtt", "srt", "xlsx", "bids", "activitynet")
FORMATS += ("megc2022", "megc2020")
IN_FRAMES = ("megc2022", "megc2020", "xlsx")


class Exported(list[Path]):
    """The files that were written; `notes` has a line for each thing worth knowing."""

    notes: list[str]


def parse_formats(text: str, *, labels: bool = True) -> tuple[str, ...]:
    """'elan,boris' as names of formats, each once. UserError: an unknown name, or none.

    Without `labels`, one for megc2020 too.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        try:
            one_of("a format", name, FORMATS)
        except ValueError as error:
            raise UserError(str(error)) from None
    if not names:
        raise UserError(f"no format is named; take some of {','.join(FORMATS)}")
    if "megc2020" in names and not labels:
        raise UserError(NEEDS_LABELS)
    return names


def export_file(
    intervals: str | Path,
    formats: Sequence[str],
    *,
    out: str | Path,
    videos: Sequence[str | Path] | Mapping[str, Path] = (),
    labels: str | Path | None = None,
) -> Exported:
    """Writes the intervals of a CSV in other formats.

    Args:
      intervals: an intervals.csv, a reviewed.csv (rejected rows are left out) or any table of
        predictions.
      formats: some of FORMATS.
      out: their folder.
      videos: files of videos in the table, see `files_by_name`; or name -> file.
      labels: the workbook of a release, for megc2020.

    Raises:
      UserError: a table, video or workbook that cannot be used; nothing is written then.
    """
    path, out = Path(intervals), Path(out)
    if "megc2020" in formats and labels is None:
        raise UserError(NEEDS_LABELS)
    read = read_spans(path)
    files = videos if isinstance(videos, Mapping) else files_by_name(videos, read.videos)
    names = tuple(dict.fromkeys([*read.videos, *files]))
    if not names:
        raise UserError(f"{path}: holds no interval; name its video by --video")
    refuse_one_stem(path, names)
    beside = _frames_beside(path, names[0], files) if len(names) == 1 else None
    media, parts, copies = {}, [], []
    for name in names:
        if beside and name in files:
            copies += check_same_video(files[name], beside)
        media[name] = find_medium(name, out=out, video=files.get(name), frames=beside)
        part = read.table.loc[read.table.video == name]
        if set(formats) - set(IN_FRAMES) or media[name].starts is not None:
            known_by = beside or files.get(name)
            part = with_seconds(path, part, media[name].starts, known_by=known_by)
        parts.append(part)
    spans = pd.concat(parts, ignore_index=True)
    made = {}
    for name in names:
        for ending, make in _makers(formats, OF_A_VIDEO):
            made[f"{file_stem(name)}{ending}"] = make(spans.loc[spans.video == name], media[name])
    stem = file_stem(names[0]) if len(names) == 1 else path.stem
    for ending, make in _makers(formats, OF_ALL):
        made[f"{stem}{ending}"] = make(spans, media)
    if "megc2020" in formats:
        made[f"{stem}{MEGC2020}"] = megc2020_file(spans, labels)
    written = Exported()
    for name, data in made.items():
        write_bytes(out / name, data)
        written.append(out / name)
    moved = [] if isinstance(videos, Mapping) else say_moved(files)
    written.notes = [*_notes(read.rejected, spans, media, formats), *copies, *moved]
    return written


def export_spotted(name: str, video: Path, formats: Sequence[str], *, folder: Path) -> Exported:
    """Writes formats beside FOLDER/intervals.csv, which `spot` wrote for a video."""
    return export_file(folder / "intervals.csv", formats, out=folder, videos={name: video})


def exports_in(folder: Path, video: str) -> list[Path]:
    """The files of a folder that have the names of exports of a video, in order."""
    endings = [ending for made in (OF_A_VIDEO, OF_ALL) for own in made.values() for ending in own]
    # The review page calls s1/talk by its folder.
    stems = dict.fromkeys((file_stem(video), file_stem(PurePosixPath(video).name)))
    files = [folder / f"{stem}{ending}" for stem in stems for ending in (*endings, MEGC2020)]
    return [file for file in files if file.is_file()]


def _frames_beside(path, name, files):
    """The frames.csv of `spot` beside a table, or None where it is of another video."""
    frames, intervals = path.with_name("frames.csv"), path.with_name("intervals.csv")
    if not frames.is_file():
        return None
    spotted = set(read_spans(intervals).videos) if intervals.is_file() else set()
    _, address = read_decision(path.parent)
    if not spotted and address:
        video = PurePosixPath(address)
        spotted, name = {video.name, video.stem}, PurePosixPath(name).name
    # The review page calls s1/talk by its folder.
    spotted |= {PurePosixPath(video).name for video in spotted}
    # Where nothing tells, a video that is named comes first.
    own = name in spotted if spotted else name not in files
    return frames if own else None


def _makers(formats, table):
    return [pair for name in formats for pair in table.get(name, {}).items()]


def _notes(rejected: int, spans: pd.DataFrame, media: Mapping[str, Medium], formats) -> list[str]:
    notes = [f"{rejected} rejected {'row' if rejected == 1 else 'rows'} left out"]
    notes = notes if rejected else []
    lone = {"elan", "boris"} & set(formats)
    for name, medium in media.items():
        if not (spans.video == name).any():
            notes.append(f"{name}: no interval")
        if not medium.file and lone:
            notes.append(f"{name}: its file is not known; name it by --video to have it opened")
        if medium.starts is None and {"boris", "textgrid", "activitynet"} & set(formats):
            notes.append(f"{name}: its length is not known; taken to end with its last interval")
    return notes
