"""Makes the benchmark's folder from clips, and reads it again."""

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.errors import UserError
from jaxspot.faces.clips import Stretch, find_clips, track_clip
from jaxspot.faces.measures import face_measures
from jaxspot.faces.stretches import find_stretches, stratum_of
from jaxspot.faces.table import Known, read_stretches, stretch_table
from jaxspot.faces.takes import Job, Written, write_takes
from jaxspot.files import write_table
from jaxspot.video.landmarker import load_landmarker
from jaxspot.workers import run_in_order

VIDEOS, LABELS, STRATA_FILE, RESAMPLED_LABELS = (
    f"{name}.csv" for name in ("videos", "annotations", "strata", "resampled_annotations")
)
TAKES = ("injected", "resampled", "untouched")


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """The benchmark in a folder.

    `videos`: video, person, stratum, take (one of TAKES), frames, fps, path (absolute). `labels`:
    ANNOTATION_COLUMNS, of the injected takes; `resampled_labels`: the scripts of the resampled
    ones. `measures(video)` gives the curves of `face_measures`, without what was warped in.
    """

    root: Path
    videos: pd.DataFrame
    labels: pd.DataFrame
    resampled_labels: pd.DataFrame

    def measures(self, video: str) -> dict[str, np.ndarray]:
        """Curves (frames,) of a video's face."""
        with np.load(self.root / "measures" / f"{video}.npz") as file:
            return {name: file[name] for name in file.files}


class Seen(NamedTuple):
    """A whole clip: frames, frames a second, curves of its face."""

    frames: int
    fps: float
    measures: dict[str, np.ndarray]


def make_benchmark(
    out: str | Path,
    clips: Sequence[str | Path],
    *,
    table: str | Path | None = None,
    takes: int = 2,
    workers: int | None = None,
    progress: bool = True,
) -> Benchmark:
    """Warps expressions into clips and writes the benchmark's folder.

    Args:
      out: the folder; it gets videos/, videos.csv, annotations.csv (both as `prepare
        --dataset=csv` reads them), strata.csv, resampled_annotations.csv, stretches.csv and
        measures/.
      clips: video files, and folders of such.
      table: stretches and people, see `read_stretches`. Clips that it does not name, or without it
        all, get those of `find_stretches`, and each is a person of its own.
      takes: injected takes of each stretch. The first stretch of each person also gets a resampled
        one.
      workers: as in `run_jobs`.

    Raises:
      UserError: clips that cannot be read, a table that is not as it should be, or no stretch.
    """
    out, files = Path(out), find_clips(clips)
    known = read_stretches(table, files) if table else Known([], {}, {})
    spread = partial(run_in_order, workers=workers, unit="", shown=progress)
    looks = spread(see_clip, list(files.values()), desc="clips")
    seen = dict(zip(files, looks, strict=True))
    stretches = list(known.stretches)
    for name, path in files.items():
        if name not in known.people:
            found = find_stretches(seen[name].measures, seen[name].fps)
            stretches += [Stretch(path, name, *part) for part in found]
    if not stretches:
        raise UserError("no neutral stretch in these clips; name some in --stretches=FILE")
    first = {s.person: s for s in reversed(stretches)}
    jobs = [
        Job(s, out, tuple(range(takes)), (takes,) if first[s.person] is s else ())
        for s in stretches
    ]
    written = [w for part in spread(write_takes, jobs, desc="stretches") for w in part]
    for name, path in files.items():
        clip = seen[name]
        stratum = known.strata.get(name) or stratum_of(_faces(clip.measures), clip.fps)
        row = dict(subject=known.people.get(name, name), video=name, path=str(path), fps=clip.fps)
        row |= dict(stratum=stratum, take="untouched", frames=clip.frames)
        empty = pd.DataFrame(columns=list(ANNOTATION_COLUMNS))
        written.append(Written(row, empty, clip.measures))
    save(out, written, stretches)
    return read_benchmark(out)


def see_clip(path: Path) -> Seen:
    """Tracks a whole clip; UserError: no face in it."""
    points, fps = track_clip(path, load_landmarker())
    if not np.isfinite(points).any():
        raise UserError(f"{path}: no face found; leave it out")
    return Seen(len(points), fps, face_measures(points))


def save(out: Path, written: Sequence[Written], stretches: list[Stretch]) -> None:
    """Writes all tables; `videos.csv` last, so that it stands for a complete folder."""
    (out / "measures").mkdir(parents=True, exist_ok=True)
    for item in written:
        curves: dict[str, Any] = item.measures
        np.savez(out / "measures" / f"{item.row['video']}.npz", **curves)
    rows = pd.DataFrame([item.row for item in written])
    for name, take in ((LABELS, "injected"), (RESAMPLED_LABELS, "resampled")):
        parts = [item.labels for item in written if item.row["take"] == take]
        write_table(pd.concat(parts, ignore_index=True), out / name)
    write_table(stretch_table(stretches), out / "stretches.csv")
    strata = rows.rename(columns={"subject": "person"})
    write_table(strata.loc[:, ["video", "person", "stratum", "take", "frames"]], out / STRATA_FILE)
    write_table(rows.loc[:, ["subject", "video", "path", "fps"]], out / VIDEOS)


def read_benchmark(root: str | Path) -> Benchmark:
    """Reads the folder of `make_benchmark`; UserError: it is not complete."""
    root = Path(root)
    for name in (VIDEOS, STRATA_FILE, LABELS, RESAMPLED_LABELS):
        if not (root / name).is_file():
            raise UserError(f"{root / name}: not there; name clips to make the benchmark")
    text: Any = {"video": str, "subject": str, "person": str}
    videos, strata, labels, scripts = (
        pd.read_csv(root / name, dtype=text)
        for name in (VIDEOS, STRATA_FILE, LABELS, RESAMPLED_LABELS)
    )
    videos = strata.merge(videos[["video", "fps", "path"]], on="video", validate="1:1")
    videos["path"] = [str(root / path) for path in videos["path"]]
    return Benchmark(root, videos, labels, scripts)


def _faces(measures: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    seen = np.isfinite(measures["lip_gap"])
    return {name: values[seen] for name, values in measures.items()}
