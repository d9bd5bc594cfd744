"""Packs of region motion of SAMM-LV and CAS(ME)^2: which segments are which video."""

from collections.abc import Callable, Sequence
from pathlib import Path

from jaxspot.datasets.dataset import SourceVideo
from jaxspot.datasets.walk import all_folders
from jaxspot.errors import UserError
from jaxspot.motion.pack import SegmentName, Segments, segment_name

TITLES = dict(casme="CAS(ME)^2", samm="SAMM-LV")
DATASETS = dict(casme="cas_me2", samm="samm_lv")
EVERY = dict(casme=1, samm=8)  # SAMM-LV is thinned from 200 to 25 frames a second


def find_pack(
    root: Path,
    *,
    dataset: str,
    fps: float,
    video_of: Callable[[str], tuple[str, str] | None],
) -> tuple[list[SourceVideo], list[str]]:
    """The videos whose segments lie under a folder, at any depth, and a note on each other file.

    Segments are not read. `fps` is that of the release, `video_of` gives subject and video of a
    name such as '15_0101' or '6_1'. UserError: segments of another data set, or of two packs.
    """
    files = [path for folder in all_folders(root) for path in sorted(folder.glob("*.npz"))]
    files = [path for path in files if not path.name.startswith(".")]
    named = [(name, path) for path in files if (name := segment_name(path))]
    if not named:
        return [], []
    _check_one_pack(named, dataset)
    by_video: dict[str, list[tuple[int, Path]]] = {}
    for name, path in named:
        by_video.setdefault(name.video, []).append((name.start, path))
    videos, odd = [], [path for path in files if not segment_name(path)]
    for video, segments in by_video.items():
        paths = tuple(path for _, path in sorted(segments))
        if names := video_of(video):
            motion = Segments(paths, EVERY[named[0][0].pack])
            videos.append(SourceVideo(*names, paths[0], fps, motion=motion))
        else:
            odd += paths
    note = "is not named like a segment of this data set; passed over"
    return videos, [f"{path}: {note}" for path in odd]


def _check_one_pack(named: Sequence[tuple[SegmentName, Path]], dataset: str) -> None:
    """Raises UserError unless all segments are of one pack of the data set, each there once."""
    packs: dict[str, Path] = {}
    for name, path in named:
        packs.setdefault(name.pack, path)
    if len(packs) > 1:
        (one, first), (other, second) = packs.items()
        raise UserError(
            f"{first}: is a segment of {TITLES[one]}, but {second} is one of {TITLES[other]};"
            " name the folder of one pack by --source"
        )
    ((pack, path),) = packs.items()
    if DATASETS[pack] != dataset:
        right = DATASETS[pack]
        raise UserError(f"{path}: is a segment of {TITLES[pack]}; use --dataset={right}")
    seen: dict[SegmentName, Path] = {}
    for name, path in named:
        if seen.setdefault(name, path) != path:
            raise UserError(
                f"{path}: is there a second time, beside {seen[name]}; name the folder of one pack"
                " by --source"
            )
