"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from jaxspot.annotations.tables import whole_file, write_table, write_text
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.floors import random_floor
from jaxspot.evaluation.peers import PEERS
from jaxspot.evaluation.roc import score_frames
from jaxspot.experiment.judge import (
    Judged,
    blank_faceless,
    fold_protocol,
    frame_rows,
    judge,
    mean_durations,
)
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.provenance import describe_run
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.report.tables import score_rows, table4, table5
from jaxspot.spotter import Spotter, frame_skips, save_spotter
from jaxspot.spotting.scoring import score_video
from jaxspot.training.folds import Fold, loso_folds
from jaxspot.training.loso import TrainedFolds, train_loso
from jaxspot.training.pool import gather_pool
from jaxspot.video.bank import Bank

METHOD = "jaxspot"


def train_and_evaluate(config: Any, workdir: str | Path) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; the README lists what appears in it.

    Returns:
      Table 5, tidy.

    Raises:
      UserError: the folder holds another run, or the bank cannot be used.
    """
    workdir = Path(workdir)
    settings = read_settings(config)
    bank = named_bank(config)
    refuse_used(workdir)
    bank = bank or make_bank(config, workdir)
    folds = loso_folds(bank.videos.subject)
    durations = [mean_durations(bank, fold) for fold in folds]
    write_text(workdir / "config.json", config.to_json_best_effort(indent=1) + "\n")
    write_text(workdir / "provenance.json", json.dumps(describe_run(config, bank), indent=1) + "\n")
    trained = train(bank, folds, settings, workdir)
    scores = score_bank(bank, trained, durations, settings)
    save_scores(workdir / "scores", bank, folds, scores)
    protocols = [fold_protocol(settings.protocol, d, cycles=settings.cycles) for d in durations]
    judged = judge(bank, folds, blank_faceless(bank, scores, durations), protocols)
    write_table(judged.intervals, workdir / "intervals.csv")
    decisions = tuple(judged.decisions[fold.held_out] for fold in folds)
    spotter = Spotter(settings.model, trained.variables, tuple(durations), decisions)
    save_spotter(workdir / "checkpoints" / "spotter", spotter)
    tables = compare(bank, folds, durations, judged, settings)
    write_outputs(workdir, bank, settings, trained, judged, *tables)
    return tables[1]


def refuse_used(workdir: Path) -> None:
    """Refuses a folder for results before any work.

    Raises:
      UserError: it holds a run or anything else, is no folder, or cannot be written.
    """
    if (workdir / "config.json").exists():
        raise UserError(f"{workdir}: holds another run; remove it or name another --workdir")
    if workdir.is_dir() and any(workdir.iterdir()):
        raise UserError(f"{workdir}: is not empty; remove it or name another --workdir")
    for place in (workdir, *workdir.parents):
        if place.exists() and not place.is_dir():
            raise UserError(f"{place}: is a file, not a folder; name another --workdir")
    try:
        workdir.mkdir(parents=True, exist_ok=True)
        (workdir / ".writable").touch()
        (workdir / ".writable").unlink()
    except OSError as error:
        raise UserError(f"{workdir}: cannot be written ({error.strerror})") from None


def train(bank: Bank, folds: list[Fold], settings: Settings, workdir: Path) -> TrainedFolds:
    """`train_loso` with progress on the terminal and a row per fold and epoch in metrics.jsonl."""
    epochs = settings.training.epochs
    with (
        open(workdir / "metrics.jsonl", "w", encoding="utf-8") as log,
        tqdm(total=epochs, desc=f"training {len(folds)} folds", unit="epoch") as bar,
    ):

        def on_epoch(epoch: int, _: Any, rows: list[dict[str, Any]]) -> None:
            log.writelines(json.dumps(row) + "\n" for row in rows)
            log.flush()
            live = [row for row in rows if row["train_loss"] is not None]
            mean = lambda name: f"{np.mean([row[name] for row in live]):.4f}"
            stopped = sum(row["stopped"] for row in rows)
            bar.set_postfix_str(
                f"loss {mean('train_loss')}, validation {mean('validation_loss')}, {stopped} done"
            )
            bar.update()

        return train_loso(
            gather_pool(bank),
            folds,
            model=settings.model,
            training=settings.training,
            augmentation=settings.augmentation,
            on_epoch=on_epoch,
        )


def score_bank(
    bank: Bank, trained: TrainedFolds, durations: list[tuple[float, float]], settings: Settings
) -> dict[str, np.ndarray]:
    """Every video by every fold, each with its own k: video -> float32 (folds, frames, 2).

    Folds need the scores of their training subjects too, to fit thresholds on.
    """
    total = int(bank.videos.frames.sum())
    scores = {}
    with tqdm(total=total, desc=f"scoring by {len(durations)} folds", unit="frame") as bar:
        for video, fps in zip(bank.videos.video, bank.videos.fps, strict=True):
            scores[video] = score_video(
                settings.model,
                trained.variables,
                bank.frames(video),
                skips=np.array([frame_skips(pair, fps) for pair in durations]),
                on_chunk=bar.update,
            )
    return scores


def save_scores(folder: Path, bank: Bank, folds: list[Fold], scores: dict[str, np.ndarray]) -> None:
    """Writes each video's scores by the fold that held its subject out: arrays ME and MaE."""
    number = {fold.held_out: i for i, fold in enumerate(folds)}
    for video, subject in zip(bank.videos.video, bank.videos.subject, strict=True):
        held_out = scores[video][number[subject]]
        with whole_file(folder / f"{video}.npz") as partial, open(partial, "wb") as file:
            np.savez(file, ME=held_out[:, 0], MaE=held_out[:, 1])


def compare(
    bank: Bank,
    folds: list[Fold],
    durations: list[tuple[float, float]],
    judged: Judged,
    settings: Settings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables 4 and 5: ours, the random floor and the peers, on the same videos and scorer."""
    rule: dict[str, Any] = dict(
        protocol=settings.protocol.matching, threshold=settings.protocol.iou
    )
    score = lambda table: score_intervals(table, bank.annotations, videos=bank.videos, **rule)
    raw, labels, thresholds = frame_rows(bank, judged)
    oracle = settings.protocol.oracle
    frames = score_rows(METHOD, score_frames(raw, labels, thresholds), oracle=oracle)
    rows = score_rows(METHOD, score(judged.intervals), oracle=oracle)
    floor = random_floor(
        judged.intervals, bank.annotations, bank.videos, seed=settings.seed, **rule
    )
    rows += score_rows("random", floor)
    pairs = {fold.held_out: pair for fold, pair in zip(folds, durations, strict=True)}
    k = lambda subject, fps: dict(zip(("ME", "MaE"), frame_skips(pairs[subject], fps), strict=True))
    for name in settings.peers:
        _, intervals = PEERS[name](bank.videos, bank.frames, k=k)
        rows += score_rows(name, score(intervals))
    return table4(frames), table5(rows)
