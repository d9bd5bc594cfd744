"""Runs a method on every video of the benchmark."""

from dataclasses import replace
from pathlib import Path

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines import ON_PICTURES, PEERS, TRAINED
from jaxspot.datasets.folders import csv_source
from jaxspot.datasets.prepare import prepare
from jaxspot.datasets.prepare_video import Alignment
from jaxspot.errors import one_of
from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.found import SPAN, Found
from jaxspot.network.streams import k_in_frames
from jaxspot.progress import progress_bar
from jaxspot.video.bank import Bank, open_bank

K_SECONDS = (0.15, 0.75)
"""Half the mean duration of the scripts' ME and MaE."""


def spot_by_weights(
    benchmark: Benchmark, weights: str | Path, *, workers: int | None = None
) -> Found:
    """Spots every video by a trained spotter, from the crops or the region motion that it takes.

    `jaxspot spot` finds the same in a video: the bank holds what it would measure. UserError: as
    `load_spotter` and `prepare`.
    """
    from jaxspot.experiment.score_weights import bank_intervals, bank_scores
    from jaxspot.spotting.saved_spotter import load_spotter

    spotter = load_spotter(weights)
    kind = "motion" if spotter.takes_motion else spotter.alignment
    bank = benchmark_bank(benchmark, kind, workers=workers)
    scores = bank_scores(bank, spotter)
    intervals = bank_intervals(bank, spotter, scores)
    return Found(intervals.loc[:, [*SPAN, "score"]], scores)


def benchmark_bank(
    benchmark: Benchmark, kind: str = "posed", *, workers: int | None = None
) -> Bank:
    """A bank of the benchmark's videos, DIR/bank_<kind>; made when it is not there yet.

    `kind` is "posed" or "similarity" (the crops, see `video/pose.py`) or "motion" (region motion).
    """
    place = benchmark.root / f"bank_{kind}"
    if (place / "bank.json").exists():
        return open_bank(place)
    source = replace(csv_source(benchmark.root), measure=kind == "motion")
    alignment = Alignment(posed=kind == "posed")
    return prepare(source, place, alignment=alignment, workers=workers)


def spot_by_peer(bank: Bank, name: str) -> Found:
    """Spots every video of the bank by a peer; one that trains learns from the other people here.

    It learns from all takes of the others, the untouched too, in which nothing is labelled.
    ValueError: another name, or a peer that needs region motion.
    """
    from jaxspot.training.folds import loso_folds

    one_of("peer", name, tuple(n for n in PEERS if n in ON_PICTURES))
    folds = loso_folds(bank.videos.subject, validate=False) if name in TRAINED else ()
    k = lambda subject, fps: dict(zip(map(str, KINDS), k_in_frames(K_SECONDS, fps), strict=True))
    with progress_bar(total=int(bank.videos.frames.sum()), desc=name, unit="frame") as bar:
        scores, intervals = PEERS[name](bank, folds=folds, k=k, seed=0, on_frame=bar.update)
    return Found(intervals.loc[:, SPAN], scores)
