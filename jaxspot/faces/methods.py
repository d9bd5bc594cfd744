"""Runs a method on every video of the benchmark."""

from pathlib import Path

from jaxspot.annotations.intervals import KINDS
from jaxspot.baselines import ON_MOTION, PEERS, TRAINED
from jaxspot.datasets.folders import csv_source
from jaxspot.datasets.prepare import prepare
from jaxspot.errors import one_of
from jaxspot.faces.benchmark import Benchmark
from jaxspot.faces.found import SPAN, Found, read_found
from jaxspot.network.streams import k_in_frames
from jaxspot.progress import progress_bar
from jaxspot.video.bank import Bank

K_SECONDS = (0.15, 0.75)
"""Half the mean duration of the scripts' ME and MaE."""


def spot_by_weights(benchmark: Benchmark, weights: str | Path, out: Path) -> Found:
    """Spots every video by a trained spotter, as `jaxspot spot` does, and writes OUT/<video>/.

    Videos that are done there are not done again. UserError: as `spot_videos`.
    """
    from jaxspot.own_video.videos import spot_videos

    done = lambda video: (out / video / "intervals.csv").is_file()
    left = [p for v, p in benchmark.videos[["video", "path"]].to_numpy() if not done(v)]
    if left:
        spot_videos(left, weights=weights, out=out)
    return read_found(out, benchmark)


def benchmark_bank(benchmark: Benchmark, *, workers: int | None = None) -> Bank:
    """The frame bank of the benchmark's videos, in DIR/bank; made when it is not there yet."""
    return prepare(csv_source(benchmark.root), benchmark.root / "bank", workers=workers)


def spot_by_peer(bank: Bank, name: str) -> Found:
    """Spots every video of the bank by a peer; one that trains learns from the other people here.

    It learns from all takes of the others, the untouched too, in which nothing is labelled.
    ValueError: another name, or a peer that needs region motion.
    """
    from jaxspot.training.folds import loso_folds

    one_of("peer", name, tuple(n for n in PEERS if n not in ON_MOTION))
    folds = loso_folds(bank.videos.subject, validate=False) if name in TRAINED else ()
    k = lambda subject, fps: dict(zip(map(str, KINDS), k_in_frames(K_SECONDS, fps), strict=True))
    with progress_bar(total=int(bank.videos.frames.sum()), desc=name, unit="frame") as bar:
        scores, intervals = PEERS[name](bank, folds=folds, k=k, seed=0, on_frame=bar.update)
    return Found(intervals.loc[:, SPAN], scores)
