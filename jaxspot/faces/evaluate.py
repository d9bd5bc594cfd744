"""Scores of a method on the benchmark of real faces, and differences between methods."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.evaluation.bootstrap import bootstrap_difference, bootstrap_f1
from jaxspot.evaluation.f1 import score_by_subject, score_intervals
from jaxspot.evaluation.frame_scores import auc
from jaxspot.evaluation.judging import candidate_hits
from jaxspot.evaluation.reliability import reliability_table
from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.found import Found


def score_found(benchmark: Benchmark, found: Found) -> pd.DataFrame:
    """F1 and frame AUC on the injected takes, for all, each stratum and each person.

    Columns: group, kind (ME, MaE, overall), videos, ground_truth, predictions, tp, precision,
    recall, f1, low and high (95 % over persons, of all takes alone), auc. One-to-one, IoU 0.5.
    """
    videos = _of(benchmark, "injected")
    groups: dict[str, pd.DataFrame] = {"all": videos}
    groups |= {f"stratum {n}": part for n, part in videos.groupby("stratum", sort=False)}
    groups |= {f"person {n}": part for n, part in videos.groupby("person", sort=False)}
    spread = bootstrap_f1(by_person(benchmark, found))
    rows = []
    for group, part in groups.items():
        scored = score_intervals(
            _in(found.intervals, part), _in(benchmark.labels, part), videos=part.video
        )
        for kind, row in scored.items():
            row = {n: v for n, v in row.items() if n not in ("fp", "fn", "note")}
            ends = {"low": np.nan, "high": np.nan}
            if group == "all":
                ends = {"low": spread[kind]["f1_low"], "high": spread[kind]["f1_high"]}
            found_auc = frame_auc(benchmark, found, part, kind)
            rows.append(dict(group=group, kind=kind, videos=len(part)) | row | ends | found_auc)
    return pd.DataFrame(rows)


def frame_auc(benchmark: Benchmark, found: Found, videos: pd.DataFrame, kind: str) -> dict:
    """`auc` of a kind over all frames of some videos; NaN without scores, and overall."""
    if kind not in KINDS or not all(video in found.scores for video in videos.video):
        return {"auc": np.nan}
    scores, truth = [], []
    for video in videos.video:
        curve = found.scores[video][:, KINDS.index(kind)]
        mask = np.zeros(len(curve), bool)
        mine = benchmark.labels[(benchmark.labels.video == video) & (benchmark.labels.kind == kind)]
        for onset, offset in zip(mine.onset, mine.offset, strict=True):
            mask[onset - 1 : offset] = True
        scores.append(curve)
        truth.append(mask)
    return {"auc": auc(np.concatenate(scores), np.concatenate(truth))}


def score_chances(benchmark: Benchmark, found: Found) -> pd.DataFrame:
    """`reliability_table` of the scores of intervals on the injected takes: kind, low, high, ...

    Empty if some interval has no score in 0..1.
    """
    videos = _of(benchmark, "injected")
    mine: Any = _in(found.intervals, videos)
    truth: Any = _in(benchmark.labels, videos)
    if "score" not in mine or not mine.score.between(0, 1).all():
        return pd.DataFrame()
    tables = []
    for kind in KINDS:
        own = mine[mine.kind == kind]
        hits = [candidate_hits(part, truth[truth.video == v]) for v, part in own.groupby("video")]
        scores = [part.score for _, part in own.groupby("video")]
        if hits:
            table = reliability_table(np.concatenate(scores), np.concatenate(hits), bins=5)
            tables.append(table.assign(kind=kind))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def by_person(benchmark: Benchmark, found: Found) -> pd.DataFrame:
    """`score_by_subject` on the injected takes; a subject is a person."""
    videos = _of(benchmark, "injected").rename(columns={"person": "subject"})
    return score_by_subject(
        _in(found.intervals, videos), _in(benchmark.labels, videos), videos=videos
    )


def score_controls(benchmark: Benchmark, found: Found) -> pd.DataFrame:
    """Detections a minute where nothing was injected: resampled takes and untouched clips.

    Columns: take, stratum (and `all`), kind, minutes, detections, a_minute, and for resampled takes
    `scripted`, how many expressions of the script, which the warp took back, were found anyway.
    """
    rows = []
    for take in ("resampled", "untouched"):
        videos = _of(benchmark, take)
        groups = {"all": videos} | dict(list(videos.groupby("stratum", sort=False)))
        for stratum, part in groups.items():
            minutes = float((part.frames / part.fps).sum() / 60)
            mine = _in(found.intervals, part)
            script = _in(benchmark.resampled_labels, part)
            scored = score_intervals(mine, script, videos=part.video)
            for kind in KINDS:
                count = int((mine.kind == kind).sum())
                row = dict(take=take, stratum=stratum, kind=kind, minutes=minutes)
                row |= dict(detections=count, a_minute=count / minutes if minutes else np.nan)
                row["scripted"] = scored[kind]["tp"] if take == "resampled" else np.nan
                rows.append(row)
    return pd.DataFrame(rows)


def score_differences(benchmark: Benchmark, methods: Mapping[str, Found]) -> pd.DataFrame:
    """F1 of each method minus that of the first, with 95 % over persons drawn for both alike.

    Columns: method, minus, kind, difference, low, high.
    """
    names = list(methods)
    first = by_person(benchmark, methods[names[0]])
    rows = []
    for name in names[1:]:
        found = bootstrap_difference(by_person(benchmark, methods[name]), first)
        for kind, row in found.items():
            row.pop("draws")
            rows.append(dict(method=name, minus=names[0], kind=kind) | row)
    columns = ["method", "minus", "kind", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _of(benchmark: Benchmark, take: str) -> pd.DataFrame:
    return benchmark.videos.loc[benchmark.videos["take"] == take]


def _in(table: pd.DataFrame, videos: pd.DataFrame) -> pd.DataFrame:
    return table.loc[table.video.isin(videos.video)]
