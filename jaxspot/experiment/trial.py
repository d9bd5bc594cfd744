"""Training, scoring and judging of some folds on one set of labels; each part can be resumed."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxspot.annotations.tables import write_text
from jaxspot.errors import UserError
from jaxspot.experiment.judge import (
    Judged,
    Pair,
    blank_faceless,
    fold_protocol,
    judge,
    mean_durations,
    shown_frames,
)
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.skips import search_skips
from jaxspot.progress import progress_bar
from jaxspot.spotter import network_skips
from jaxspot.spotting.scoring import score_video
from jaxspot.training.checkpoint import hash_tree, restore_tree, save_tree
from jaxspot.training.folds import Fold
from jaxspot.training.loso import TrainedFolds, start_folds, train_loso
from jaxspot.training.pool import gather_pool
from jaxspot.training.saved_epochs import Progress, restore_progress, save_progress
from jaxspot.video.bank import Bank

MADE_BY = "made_by.txt"


class Trial(NamedTuple):
    """What some folds came to.

    Attributes:
      folds: in the order of every fold axis.
      durations: per fold, mean seconds of ME and MaE of its own subjects.
      reach: per fold, twice its frame skips in seconds: `durations`, unless they were searched.
      trained: networks and losses.
      scores: video -> float32 (folds, frames, 2), raw.
      judged: decisions, curves and intervals of the held-out subjects.
    """

    folds: tuple[Fold, ...]
    durations: tuple[Pair, ...]
    reach: tuple[Pair, ...]
    trained: TrainedFolds
    scores: dict[str, np.ndarray]
    judged: Judged


def run_trial(
    bank: Bank,
    folds: Sequence[Fold],
    settings: Settings,
    *,
    saved: Path,
    epochs: Path,
    metrics: Path,
    name: str,
    stop_here: Callable[[], None] = lambda: None,
) -> Trial:
    """Trains and scores folds with progress on the terminal, going on where `saved` ends.

    Args:
      bank: frames and labels.
      folds: all of `loso_folds` or some.
      settings: of the run.
      saved: folder of the scores that are done.
      epochs: folder of the epochs that are done.
      metrics: file with a JSON row per fold and epoch.
      name: what the progress bars say.
      stop_here: called whenever all that is done is saved; may raise.

    Raises:
      UserError: a loss or score is not finite, or nothing in `saved` is whole.
    """
    durations = tuple(mean_durations(bank, fold, inclusive=settings.inclusive) for fold in folds)
    trained = train(bank, folds, settings, epochs, metrics, name=name, stop_here=stop_here)
    reach = search_skips(
        bank,
        folds,
        settings.model,
        trained.variables,
        durations,
        rule=settings.protocol.frame_skip,
        saved=saved / "frame_skips.json",
        name=name,
        stop_here=stop_here,
    )
    scores = score_bank(
        bank, trained, reach, settings, saved / "scores", name=name, stop_here=stop_here
    )
    protocols = [
        fold_protocol(settings.protocol, pair, cycles=settings.cycles) for pair in durations
    ]
    judged = judge(bank, folds, blank_faceless(bank, scores), protocols)
    return Trial(tuple(folds), durations, reach, trained, scores, judged)


def train(
    bank: Bank,
    folds: Sequence[Fold],
    settings: Settings,
    saved: Path,
    metrics: Path,
    *,
    name: str,
    stop_here: Callable[[], None],
) -> TrainedFolds:
    """`train_loso`, every epoch saved before it counts as done."""
    pool = gather_pool(bank)
    start = start_folds(folds, pool, model=settings.model, training=settings.training)
    found, damage = restore_progress(saved, start)
    begun = found or Progress(0, start, [])
    for line in damage:
        print(f"{line}; going on from epoch {begun.epoch}", file=sys.stderr)
    with progress_bar(
        total=settings.training.epochs,
        initial=begun.epoch,
        desc=f"{name} {len(folds)} folds",
        unit="epoch",
    ) as bar:

        def on_epoch(progress: Progress) -> None:
            save_progress(saved, progress)
            write_metrics(metrics, progress.metrics)
            bar.set_postfix_str(describe(progress), refresh=False)
            bar.update()
            stop_here()

        trained = train_loso(
            pool,
            folds,
            model=settings.model,
            training=settings.training,
            augmentation=settings.augmentation,
            resume=begun,
            on_epoch=on_epoch,
        )
    write_metrics(metrics, trained.metrics)
    return trained


def write_metrics(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Writes one JSON row a line."""
    write_text(path, "".join(json.dumps(row) + "\n" for row in rows))


def describe(progress: Progress) -> str:
    """The last epoch in a few words: mean losses of the folds that trained, how many are done."""
    rows = [row for row in progress.metrics if row["epoch"] == progress.epoch]
    live = [row for row in rows if row["train_loss"] is not None]
    mean = lambda name: f"{np.mean([row[name] for row in live]):.4f}"
    stopped = sum(row["stopped"] for row in rows)
    return f"loss {mean('train_loss')}, validation {mean('validation_loss')}, {stopped} done"


def score_bank(
    bank: Bank,
    trained: TrainedFolds,
    durations: Sequence[Pair],
    settings: Settings,
    saved: Path,
    *,
    name: str,
    stop_here: Callable[[], None],
) -> dict[str, np.ndarray]:
    """Every video by every fold, each with its own k: video -> float32 (folds, frames, 2).

    Folds need the scores of their training subjects too, to fit thresholds on. Videos whose scores
    these very weights have left in `saved` are not scored again.
    """
    weights = hash_tree(trained.variables)
    total = int(bank.videos.frames.sum())
    scores = {}
    desc = f"scoring by {len(durations)} folds ({name})"
    with progress_bar(total=total, desc=desc, unit="frame") as bar:
        for video, frames, fps in bank.videos[["video", "frames", "fps"]].itertuples(index=False):
            skips = network_skips(settings.model, durations, fps)
            place, made_by = saved / str(video), f"{weights} {skips.tolist()}"
            known = _known_scores(place, (len(durations), frames, 2), made_by)
            if known is None:
                known = score_video(
                    settings.model,
                    trained.variables,
                    shown_frames(bank, video),
                    skips=skips,
                    on_chunk=bar.update,
                )
                refuse_not_finite(known, trained.folds, video)
                save_tree(place, {"scores": known}, texts={MADE_BY: made_by})
            else:
                bar.update(int(frames))
            scores[video] = known
            stop_here()
    return scores


def refuse_not_finite(scores: np.ndarray, folds: Sequence[Fold], video: str) -> None:
    """Stops at a score (folds, frames, 2) that is not a finite number.

    Raises:
      UserError: it names subject, video and frame.
    """
    bad = np.argwhere(~np.isfinite(scores))
    if len(bad):
        fold, frame, _ = bad[0]
        raise UserError(
            f"fold of subject {folds[fold].held_out}, video {video}, frame {frame + 1}: the score"
            " is not finite; the weights are unusable. Train anew with a lower"
            " --config.training.learning_rate"
        )


def _known_scores(place, shape, made_by):
    try:
        if (place / MADE_BY).read_bytes() != made_by.encode():
            return None
        return restore_tree(place, {"scores": np.zeros(shape, np.float32)})["scores"]
    except (FileNotFoundError, UserError):
        return None
