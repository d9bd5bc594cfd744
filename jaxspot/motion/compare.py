"""Tables that describe the region motion of a bank, for several banks side by side."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.motion.regions import TWELVE, Regions
from jaxspot.motion.statistics import (
    displacement,
    expression_shape,
    free_spans,
    gap_range,
    place_spectra,
    shapes_at_rest,
)
from jaxspot.video.bank import Bank

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
GROUPS = {"brows": ("brow",), "nose": ("nose",), "mouth": ("mouth", "lip")}
TOGETHER = "brows and mouth together"
"""The mean displacement of these two groups: against the nose, it shows turns of the head."""
SPANS_S = (0.2, 0.6, 2.0)
MARGIN_S = 0.2
"""Time before and after a label that also counts as labelled."""
TURN_PX, TURN_S = (0.5, 1.0, 2.0), 2.0
GAP_PX, GAP_S = (0.5, 1.0, 2.5), 0.3
MEASURES = {
    "duration": "duration (s)",
    "rise": "onset to apex (s)",
    "decay": "apex to offset (s)",
    "peak": "peak displacement (px)",
    "to_peak": "onset to peak displacement (s)",
    "times_rest": "peak / peak at rest",
    "left": "part of the peak left at the offset",
    "left_at_rest": "part of the peak left at rest",
}


@dataclass(frozen=True)
class Series:
    """The region motion of a video, rows a second, its free rows, and its labels in rows.

    A row is free if it shows a face and no label lies within MARGIN_S. `labels` has kind, onset,
    apex and offset, in rows from 0.
    """

    motion: np.ndarray
    rate: float
    free: np.ndarray
    labels: pd.DataFrame


def bank_series(
    bank: Bank, motion: Callable[[str], np.ndarray] | None = None
) -> Iterator[tuple[str, Series]]:
    """Yields the name and the region motion of each video.

    `motion` gives the motion of a video, by default that of the bank. UserError: a bank of frames
    without `motion`.
    """
    read = motion or bank.motion
    for video, fps in bank.videos[["video", "fps"]].itertuples(index=False, name=None):
        rate = fps / bank.every
        labels = bank.labels(video).loc[:, ["kind", "onset", "apex", "offset"]]
        labels = labels.assign(**{n: (labels[n] - 1) // bank.every for n in labels.columns[1:]})
        free, margin = bank.faces(video)[:: bank.every].copy(), round(MARGIN_S * rate)
        for onset, offset in zip(labels["onset"], labels["offset"], strict=True):
            free[max(0, onset - margin) : offset + margin + 1] = False
        yield video, Series(np.asarray(read(video)), rate, free, labels)


def bank_row(videos: Iterable[Series]) -> dict[str, float]:
    """Number of videos, minutes, rows a second, labels, and the part of the rows that is free."""
    videos = list(videos)
    minutes = sum(len(v.motion) / v.rate for v in videos) / 60
    kinds = [kind for v in videos for kind in v.labels["kind"]]
    count = {kind: kinds.count(kind) for kind in KINDS}
    return {
        "videos": len(videos),
        "minutes": minutes,
        "rows a second": float(np.median([v.rate for v in videos])),
        **count,
        **{f"{kind} a minute": count[kind] / minutes for kind in KINDS},
        "free": float(np.concatenate([v.free for v in videos]).mean()),
    }


def motion_quantiles(videos: Iterable[Series], regions: Regions = TWELVE) -> pd.DataFrame:
    """Quantiles of the length of displacements in free time, over a row and over SPANS_S.

    A row for each span and region, then each group (its regions pooled) and TOGETHER: `span`,
    `region`, `n`, `q5`... in pixels of the crop.
    """
    videos, rows = list(videos), []
    groups = region_groups(regions)
    both = groups["brows"] + groups["mouth"]
    for span in (0.0, *SPANS_S):
        moved = np.concatenate([free_displacement(video, span) for video in videos])
        lengths = np.hypot(moved[..., 0], moved[..., 1])
        parts = {name: lengths[:, [place]] for place, name in enumerate(regions.names)}
        parts |= {name: lengths[:, places] for name, places in groups.items()}
        mean = moved[:, both].mean(1)
        parts[TOGETHER] = np.hypot(mean[:, 0], mean[:, 1])
        name = f"{span:g} s" if span else "1 row"
        rows += [dict(span=name, region=r) | quantiles(v) for r, v in parts.items()]
    return pd.DataFrame(rows)


def group_spectra(videos: Iterable[Series], regions: Regions = TWELVE) -> pd.DataFrame:
    """Spectra of each group's mean density in free windows of 2 s: median and quantiles over them.

    Columns `region`, `frequency` (Hz), `n` (windows), `q5`... in squared pixels per Hz.
    """
    rows = []
    found = [place_spectra(video.motion, video.free, video.rate) for video in videos]
    frequencies = found[0][0]
    if any(len(f) != len(frequencies) for f, _ in found):  # videos of several rates
        found = [(f, d) for f, d in found if np.array_equal(f, frequencies)]
    density = np.concatenate([d for _, d in found])
    for name, places in region_groups(regions).items():
        mean = density[:, :, places].mean(2)
        for place, frequency in enumerate(frequencies.tolist()):
            rows.append(dict(region=name, frequency=frequency) | quantiles(mean[:, place]))
    return pd.DataFrame(rows)


def label_shapes(video: Series) -> pd.DataFrame:
    """A row for each label of a video: its kind, the keys of MEASURES and the `region` that peaks.

    `at rest` is the median over windows of free time of the same video that are as long as the
    label; NaN where it has none.
    """
    rows = []
    for label in video.labels.itertuples(index=False):
        kind, onset, apex, offset = label
        shape = expression_shape(video.motion, onset, offset)
        rest = shapes_at_rest(video.motion, video.free, offset - onset + 1)
        usual = np.median([s.peak for s in rest]) if rest else np.nan
        left_at_rest = np.median([s.left for s in rest]) if rest else np.nan
        lengths = dict(duration=offset - onset + 1, rise=apex - onset, decay=offset - apex)
        lengths |= dict(to_peak=shape.rows_to_peak)
        row = {name: length / video.rate for name, length in lengths.items()}
        row |= dict(peak=shape.peak, times_rest=shape.peak / usual if usual else np.nan)
        row |= dict(left=shape.left, left_at_rest=left_at_rest, region=shape.region)
        rows.append(dict(kind=kind) | row)
    return pd.DataFrame(rows, columns=["kind", *MEASURES, "region"])


def label_quantiles(shapes: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of each measure of `label_shapes`, by kind: `kind`, `measure`, `n`, `q5`..."""
    rows = [
        dict(kind=kind, measure=text) | quantiles(part[name].dropna().to_numpy())
        for kind, part in shapes.groupby("kind", sort=False)
        for name, text in MEASURES.items()
    ]
    return pd.DataFrame(rows, columns=["kind", "measure", *quantiles(np.zeros(0))])


def shares(
    videos: Iterable[Series], shapes: pd.DataFrame, regions: Regions = TWELVE
) -> pd.DataFrame:
    """How often something holds: `what` and `share`, a part of free time or of labels.

    In free time: the brows and mouth together move by over TURN_PX within TURN_S; the gap of the
    lips changes by over GAP_PX within GAP_S. Of the labels of a kind: the group that peaks.
    """
    videos, groups = list(videos), region_groups(regions)
    both = groups["brows"] + groups["mouth"]
    mean = np.concatenate([free_displacement(v, TURN_S)[:, both].mean(1) for v in videos])
    turn = np.hypot(mean[:, 0], mean[:, 1])
    gap = np.concatenate([_free_gap(video, regions) for video in videos])
    rows = [(f"{TOGETHER}: over {px:g} px in {TURN_S:g} s", turn > px) for px in TURN_PX]
    rows += [(f"lip gap changes by over {px:g} px in {GAP_S:g} s", gap > px) for px in GAP_PX]
    for kind in KINDS:
        peaks = shapes.loc[shapes["kind"] == kind, "region"]
        rows += [(f"{kind}: peak at the {n}", peaks.isin(p)) for n, p in groups.items()]
    found = [dict(what=what, share=hits.mean() if len(hits) else np.nan) for what, hits in rows]
    return pd.DataFrame(found)


def free_displacement(video: Series, seconds: float) -> np.ndarray:
    """Displacements (n, regions, 2) over a time, or a row for 0, in free time."""
    rows = max(1, round(seconds * video.rate))
    return displacement(video.motion, rows)[free_spans(video.free, rows)]


def region_groups(regions: Regions) -> dict[str, list[int]]:
    """Places of the regions of each of GROUPS, by their names."""
    return {
        group: [i for i, name in enumerate(regions.names) if any(word in name for word in words)]
        for group, words in GROUPS.items()
    }


def quantiles(values: np.ndarray) -> dict[str, Any]:
    """`n` and the quantiles LEVELS of values, q5..., NaN without any."""
    values = np.ravel(values)
    found = np.quantile(values, LEVELS) if len(values) else np.full(len(LEVELS), np.nan)
    return {"n": len(values)} | {
        f"q{round(100 * q)}": v for q, v in zip(LEVELS, found, strict=True)
    }


def _free_gap(video, regions):
    rows = max(1, round(GAP_S * video.rate))
    upper, lower = regions.names.index("upper lip"), regions.names.index("lower lip")
    if len(video.motion) <= rows:
        return np.zeros(0)
    return gap_range(video.motion, upper, lower, rows)[free_spans(video.free, rows)]
