"""Rises of MediaPipe's 52 blendshape scores; what one would try first, not a published method."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines.by_video import IGNORE, OnFrame, VideoResult
from jaxspot.baselines.feature_difference import peak_spans, stand_out
from jaxspot.motion.pictures import WHOLE_CROP
from jaxspot.spotting.intervals import intervals_table
from jaxspot.video.blendshapes import NAMES, blendshape_scores, load_blendshapes
from jaxspot.video.landmarker import Landmarker, load_landmarker
from jaxspot.video.mesh import MIN_PRESENCE, Mesh, fit_mesh, region_of_mesh
from jaxspot.video.writer import SIZE

LEFT_OUT = ("_neutral", "eyeBlink", "eyeLook", "eyeSquint")
"""Beginnings of names. A blink raises eyeSquint by as much as a strong expression."""
EXPRESSIONS = tuple(name for name in NAMES if not name.startswith(LEFT_OUT))
"""The scores that count, jawOpen among them: a surprise opens the jaw, and so does speech."""


def blendshapes(
    frames: np.ndarray,
    *,
    k: Mapping[str, int],
    p: float = 0.55,
    subject: str = "",
    video: str = "",
    on_frame: OnFrame = IGNORE,
) -> VideoResult:
    """Spots where a score of an expression is above the mean of those k frames before and after.

    Nothing is learned here, and no label is used except for k. Memory grows with the video by 208
    bytes a frame. The intervals are those of `moilanen`: peaks, each widened by k frames.

    `p` is the height of the threshold between the mean and the maximum of a video's curve. The
    other arguments are those of `by_video`. Returns scores, float32 (T, 2), the largest rise of any
    of `EXPRESSIONS` for ME and MaE, in 0..1, NaN where no face is found; and intervals. UserError:
    as `load_landmarker`.
    """
    series = score_series(frames, on_frame=on_frame)
    scores = np.stack([largest_rise(series, k=k[kind]) for kind in KINDS], axis=1)
    spans = {kind: peak_spans(scores[:, i], k=k[kind], p=p) for i, kind in enumerate(KINDS)}
    return scores, intervals_table(spans, scores, subject=subject, video=video)


def score_series(frames: Iterable[np.ndarray], *, on_frame: OnFrame = IGNORE) -> np.ndarray:
    """All 52 scores of aligned faces uint8 (112, 112): float32 (T, 52), NaN without a face."""
    net, rows = load_blendshapes(), []
    for mesh in crop_meshes(frames, load_landmarker()):
        if mesh is None:
            rows.append(np.full(len(NAMES), np.nan, np.float32))
        else:
            rows.append(blendshape_scores(net, mesh.landmarks, (SIZE, SIZE)))
        on_frame(1)
    return np.array(rows, np.float32).reshape(-1, len(NAMES))


def crop_meshes(frames: Iterable[np.ndarray], landmarker: Landmarker) -> Iterator[Mesh | None]:
    """Yields the mesh of each aligned face, sought where the last one was; None without a face."""
    region = None
    for image in frames:
        rgb = np.repeat(image[..., None], 3, axis=2)
        mesh = fit_mesh(landmarker, rgb, region or WHOLE_CROP)
        if region is None and mesh.presence >= MIN_PRESENCE:
            # The mesh is sharper on the region that it drew itself.
            mesh = fit_mesh(landmarker, rgb, region_of_mesh(mesh.landmarks))
        found = mesh.presence >= MIN_PRESENCE
        region = region_of_mesh(mesh.landmarks) if found else None
        yield mesh if found else None


def largest_rise(series: np.ndarray, *, k: int) -> np.ndarray:
    """How far any of `EXPRESSIONS` stands out from k frames before and after: float32 (T,).

    `series` is that of `score_series`. Frames without a face are compared as if the scores went
    straight on between their neighbours, and are NaN in the result. The rest is 0 or more.
    """
    frames = np.arange(len(series))
    seen = ~np.isnan(series).any(axis=1)
    result = np.full(len(series), np.nan, np.float32)
    if seen.any():
        columns = series[:, [NAMES.index(name) for name in EXPRESSIONS]].T
        whole = (np.interp(frames, frames[seen], column[seen]) for column in columns)
        rises = np.max([stand_out(column, distance=k) for column in whole], axis=0)
        result[seen] = np.maximum(rises[seen], 0)
    return result
