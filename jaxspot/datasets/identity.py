"""Whether a video of a data set is still the one that it was."""

import hashlib
import json
from pathlib import Path

from jaxspot.datasets.dataset import SourceVideo
from jaxspot.datasets.images import is_image
from jaxspot.errors import UserError
from jaxspot.files import content_of


def hash_source(video: SourceVideo) -> str:
    """A sha256 that changes when a video does: its names, and name, size and time of its files.

    It does not depend on where the data set is. UserError: a file is gone.
    """
    stats = [(path.name, stat.st_size, stat.st_mtime_ns) for path, stat in _stats(video)]
    parts = [video.subject, video.video, video.fps, video.aligned, stats]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def hash_content(video: SourceVideo) -> str:
    """A sha256 of what a video shows, wherever it lies and whenever it was written (`content_of`).

    Of a folder of images, it is that of all names and sizes, and of the first, middle and last
    image. UserError: a file cannot be read.
    """
    if not video.path.is_dir() or video.motion:
        return content_of(_files(video))
    found = _stats(video)
    some = {found[at][0] for at in (0, len(found) // 2, -1)} if found else ()
    parts = [[(path.name, stat.st_size) for path, stat in found], content_of(sorted(some))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _stats(video):
    try:
        return [(path, path.stat()) for path in _files(video)]
    except OSError as error:
        raise UserError(f"{error.filename}: cannot be read ({error.strerror})") from None


def _files(video: SourceVideo) -> list[Path]:
    if video.motion:
        files = list(video.motion.paths)
    elif video.path.is_dir():
        files = [path for path in sorted(video.path.iterdir()) if is_image(path)]
    else:
        files = [video.path]
    return files + ([video.table] if video.table else [])
