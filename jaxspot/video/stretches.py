"""A long video followed in stretches side by side, and joined to what one pass would have found.

Each stretch is followed from some frames before its first, in which the tracker finds the face and
forgets that it did not know it. Where it then has the same face to the last bit as the stretch
before, or both have none, all that follows is the same as well, see `coarse_region`.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from jaxspot.video.landmarker import Landmarker
from jaxspot.video.mesh import POINTS
from jaxspot.video.pose import RIGID
from jaxspot.video.source import Source
from jaxspot.video.tracker import MEMORY_S, track_faces

WARM_UP_S = 1.1  # longer than a lost face is remembered
WARM_UP = 30  # frames, at least
LONGER = 4  # times as many, for a stretch that does not agree with the one before
SAME = 3  # frames: the tracker tells a cut by the two steps before
LONGEST = 1500
SHORTEST = 120


class Stretch(NamedTuple):
    """Frames `first` (from 0) to before `stop` (None: to the end) of a video.

    They are read from frame `warm` on, which is shown at `second`.
    """

    first: int = 0
    stop: int | None = None
    warm: int = 0
    second: float = 0.0


class Followed(NamedTuple):
    """A face followed over n frames from frame `stretch.warm` on.

    `times` (n,) in seconds, `faces` int (n,) track numbers, -1 without a face, `confidence` (n,) in
    0..1, `boxes` float32 (n, 4) and `upside_down` bool (n,), see `Clip`, and `rigid` float32 (n,
    38, 3), the landmarks RIGID.
    """

    stretch: Stretch
    times: np.ndarray
    faces: np.ndarray
    confidence: np.ndarray
    boxes: np.ndarray
    upside_down: np.ndarray
    rigid: np.ndarray

    @property
    def own(self) -> slice:
        """The frames of the stretch itself."""
        return slice(self.stretch.first - self.stretch.warm, None)


def divide(times: Sequence[float], *, least: int = 1) -> list[Stretch]:
    """Stretches of a video with frames at `times` (T,) in seconds, at least `least` if it is long.

    `least` 1 gives the whole video in one.
    """
    frames = len(times)
    count = max(-(-frames // LONGEST), min(least, frames // SHORTEST)) if least > 1 else 1
    if count <= 1:
        return [Stretch()]
    ends = np.linspace(0, frames, count + 1).round().astype(int).tolist()
    pairs = zip(ends[:-1], [*ends[1:-1], None], strict=True)
    return [stretch_of(times, first, stop) for first, stop in pairs]


def stretch_of(times: Sequence[float], first: int, stop: int | None, *, longer: int = 1) -> Stretch:
    """Frames `first` to before `stop`, read from some frames before; from `longer` times as many.

    `times` (T,) are those of the video, in seconds.
    """
    by_time = int(np.searchsorted(times, times[first] - longer * WARM_UP_S))
    warm = max(0, min(by_time, first - longer * WARM_UP))
    return Stretch(first, stop, warm, times[warm])


def follow_stretch(
    source: Source,
    landmarker: Landmarker,
    stretch: Stretch,
    *,
    prefer: str = "largest",
    landmarks: Path,
    known: Followed | None = None,
    on_frame: Callable[[], object] = lambda: None,
) -> Followed:
    """Follows a face through a stretch; errors as `read_video`.

    Writes the landmarks float32 (478, 3) of each frame of the stretch to its place in the file
    `landmarks`, which exists. `prefer` is as in `track_faces`. `known` is the same stretch, or its
    end, followed before from another frame: once both have the same face, the rest is taken from
    it.
    """
    count = None if stretch.stop is None else stretch.stop - stretch.warm
    frames = islice(source.read_from(stretch.warm, stretch.second), count)
    rows, same = [], 0
    with landmarks.open("r+b") as file:
        file.seek(stretch.first * LANDMARKS.itemsize)
        for number, seen in enumerate(track_faces(frames, landmarker, prefer=prefer), stretch.warm):
            points = np.zeros((POINTS, 3), np.float32) if seen.landmarks is None else seen.points
            box = np.full(4, np.nan) if seen.box is None else seen.box
            side = seen.upside_down
            rows.append((seen.frame.pts_s, seen.face, seen.confidence, box, side, points[RIGID]))
            if number >= stretch.first:
                file.write(points.astype(np.float32).tobytes())
                on_frame()
            same = same + 1 if known is not None and _is_in(known, number, rows[-1]) else 0
            if known is not None and same >= SAME and number >= stretch.first:
                return _go_on(_followed(stretch, rows), known)
    return _followed(stretch, rows)


def _is_in(known, number, row):
    """Whether a frame has the same face in another stretch."""
    at = number - known.stretch.warm
    if not 0 <= at < len(known.times) or row[1] < 0 or known.faces[at] < 0:
        return False
    return row[0] == known.times[at] and np.array_equal(row[-1], known.rigid[at])


def _go_on(part, known):
    """A stretch and what is known of the frames after its last."""
    at = part.stretch.warm + len(part.times) - known.stretch.warm
    faces = known.faces.copy()
    faces[faces >= 0] += part.faces[-1] - faces[at - 1]
    rest = known._replace(faces=faces)[1:]
    return Followed(
        part.stretch, *(np.concatenate([a, b[at:]]) for a, b in zip(part[1:], rest, strict=True))
    )


def _followed(stretch, rows):
    times, faces, confidence, boxes, side, rigid = zip(*rows, strict=True) if rows else [()] * 6
    return Followed(
        stretch,
        np.array(times, np.float64),
        np.array(faces, np.int32),
        np.array(confidence, np.float32),
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(side, bool),
        np.array(rigid, np.float32).reshape(-1, len(RIGID), 3),
    )


LANDMARKS = np.dtype((np.float32, (POINTS, 3)))
"""A frame in the file of `follow_stretch`."""


def agree(before: Followed, after: Followed) -> bool:
    """Whether a stretch goes on as one pass from the stretch before would have."""
    joint = after.own.start - 1
    if not len(before.times) or len(after.times) <= joint or before.times[-1] != after.times[joint]:
        return False
    if before.faces[-1] >= 0 and after.faces[joint] >= 0:
        last = slice(joint + 1 - SAME, joint + 1)
        return np.array_equal(before.rigid[-SAME:], after.rigid[last])
    return _forgotten(before.faces, before.times) and _forgotten(
        after.faces[: joint + 1], after.times[: joint + 1]
    )


def _forgotten(faces, times):
    """Whether a tracker remembers no face after the last of these frames."""
    seen = np.flatnonzero(faces >= 0)
    return not len(seen) or times[-1] - times[seen[-1]] > MEMORY_S


def unite(before: Stretch, after: Stretch) -> Stretch:
    """Two stretches as one."""
    return before._replace(stop=after.stop)


def join(parts: Sequence[Followed]) -> Followed:
    """A video's stretches, each of which agrees with the one before, with their tracks numbered."""
    faces, last = [], -1
    for part in parts:
        own = part.faces[part.own].copy()
        known = int(part.faces[: part.own.start].max(initial=-1))
        own[own >= 0] += last - known
        last = max(last, int(own.max(initial=-1)))
        faces.append(own)
    joined = (
        np.concatenate([getattr(part, name)[part.own] for part in parts])
        for name in ("times", "confidence", "boxes", "upside_down", "rigid")
    )
    times, *others = joined
    return Followed(Stretch(), times, np.concatenate(faces), *others)
