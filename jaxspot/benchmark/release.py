"""A run at the size of SAMM-LV on made-up frames: what it takes, before the videos are at hand."""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import ANNOTATION_COLUMNS
from jaxspot.benchmark.measure import Machine, Row
from jaxspot.benchmark.work import made_up_frames
from jaxspot.configs import load_config
from jaxspot.experiment.crossval import run_networks, train
from jaxspot.experiment.heldout import mean_durations
from jaxspot.experiment.scores import Work, score_bank
from jaxspot.experiment.settings import Settings, read_settings
from jaxspot.memory import peak_gigabytes
from jaxspot.video.bank import Bank, finish_bank
from jaxspot.video.writer import save_video


class Release(NamedTuple):
    """How large a data set is."""

    frames: int
    videos: int
    subjects: int
    fps: float


SAMM_LV = Release(482_797, 147, 30, 200.0)


def samm_lv(_: Machine) -> list[Row]:
    """The size of SAMM-LV with the settings `samm_lv:best`; 6 GB of disk."""
    return dry_run(read_settings(load_config("samm_lv:best")), SAMM_LV)


def dry_run(settings: Settings, release: Release, *, scored: int = 10) -> list[Row]:
    """An epoch of all networks and the scores of some videos, as `train` makes them.

    Peak memory is that of this process. The bank takes 13 kB of disk a frame.
    """
    epochs = settings.training.epochs
    once = dataclasses.replace(settings.training, epochs=1)
    settings = dataclasses.replace(settings, training=once)
    with tempfile.TemporaryDirectory(prefix="release-") as name:
        folder = Path(name)
        bank_s, bank = _timed(lambda: made_up_bank(folder / "bank", release))
        networks = run_networks(bank, settings)
        work = Work(folder / "saved", folder / "epochs", folder / "metrics.jsonl", settings.dataset)
        epoch_s, trained = _timed(lambda: train(bank, networks, settings, work))
        k_seconds = [mean_durations(bank, fold) for fold in networks.all]
        some = dataclasses.replace(bank, videos=bank.videos.iloc[:scored])
        part = int(some.videos.frames.sum())
        score_s, _scores = _timed(
            lambda: score_bank(some, networks, trained.variables, k_seconds, settings, work)
        )
    whole_s = epochs * epoch_s + score_s * release.frames / part
    name, size = settings.dataset, f"{release.frames:,} frames, {len(networks.all)} networks"
    return [
        Row(f"{name}: a bank of {size}", bank_s, "s"),
        Row(f"{name}: an epoch of {settings.training.steps} steps", epoch_s, "s"),
        Row(f"{name}: scoring {len(some.videos)} videos", part / score_s, "frames/s"),
        Row(f"{name}: peak memory", peak_gigabytes() or np.nan, "GB"),
        Row(f"{name}: a whole run, extrapolated", whole_s / 3600, "hours"),
    ]


def _timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the only call, with compiling, and what it gives."""
    begin = time.perf_counter()
    found = jax.block_until_ready(function())
    return time.perf_counter() - begin, found


def made_up_bank(root: Path, release: Release) -> Bank:
    """A bank of noise with an ME and a MaE in each video."""
    frames = made_up_frames(256)
    lengths = np.diff(np.linspace(0, release.frames, release.videos + 1).round().astype(int))
    videos, labels = [], []
    for number, length in enumerate(lengths.tolist()):
        subject, video = f"s{number % release.subjects:03d}", f"v{number:03d}"
        places = (np.arange(length) + 7 * number) % len(frames)
        save_video(root, video, frames[places], np.ones((length, 2), np.float32))
        videos.append((subject, video, length, release.fps))
        second = int(release.fps)
        me, mae = (length // 4, second // 4), (length // 2, 2 * second)
        for kind, (onset, lasts) in (("ME", me), ("MaE", mae)):
            labels.append((subject, video, kind, onset, onset + lasts // 2, onset + lasts))
    return finish_bank(
        root,
        videos=pd.DataFrame(videos, columns=["subject", "video", "frames", "fps"]),
        annotations=pd.DataFrame(labels, columns=list(ANNOTATION_COLUMNS)),
        source={},
        alignment={},
    )
