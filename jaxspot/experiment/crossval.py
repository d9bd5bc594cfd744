"""Training, scoring and judging of some folds on one set of labels; each part can be resumed."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxspot.errors import UserError
from jaxspot.experiment.heldout import (
    Judged,
    Pair,
    Scores,
    blank_faceless,
    fold_protocol,
    judge,
    mean_durations,
    shown_frames,
)
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.skips import search_skips
from jaxspot.files import write_text
from jaxspot.network.streams import network_skips
from jaxspot.progress import progress_bar
from jaxspot.spotting.scoring import score_video
from jaxspot.storage import hash_tree, restore_tree, save_tree
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import Networks
from jaxspot.training.loso import TrainedFolds, start_folds, train_loso
from jaxspot.training.pool import gather_pool
from jaxspot.training.saved_epochs import Progress, restore_progress, save_progress
from jaxspot.video.bank import Bank

MADE_BY = "made_by.txt"


class Trial(NamedTuple):
    """Results of some folds.

    Attributes:
      folds: in the order of every fold axis.
      durations: per fold, mean seconds of ME and MaE of its own subjects.
      skip_seconds: per fold, k of ME and MaE in seconds: half of `durations`, unless searched.
      variables: of the folds' networks, stacked; the inner folds' are not among them.
      metrics: losses of the folds, see `TrainedFolds`.
      scores: raw, of the folds and inner folds.
      judged: decisions, curves and intervals of the held-out subjects.
    """

    folds: tuple[Fold, ...]
    durations: tuple[Pair, ...]
    skip_seconds: tuple[Pair, ...]
    variables: dict[str, Any]
    metrics: list[dict[str, Any]]
    scores: Scores
    judged: Judged


def run_trial(
    bank: Bank,
    networks: Networks,
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
      networks: folds and inner folds, see `plan_networks`.
      settings: of the run.
      saved: folder of the scores that are done.
      epochs: folder of the epochs that are done.
      metrics: file with a JSON row per fold and epoch; inner folds go to inner_<its name>.
      name: what the progress bars say.
      stop_here: called whenever all that is done is saved; may raise.

    Raises:
      UserError: a loss or score is not finite, or nothing in `saved` is whole.
    """
    durations = tuple(
        mean_durations(bank, fold, inclusive=settings.inclusive) for fold in networks.all
    )
    trained = train(bank, networks, settings, epochs, metrics, name=name, stop_here=stop_here)
    skip_seconds = search_skips(
        bank,
        networks.all,
        settings.model,
        trained.variables,
        durations,
        rule=settings.protocol.frame_skip,
        saved=saved / "frame_skips.json",
        name=name,
        stop_here=stop_here,
    )
    scores = score_bank(
        bank,
        networks,
        trained.variables,
        skip_seconds,
        settings,
        saved / "scores",
        name=name,
        stop_here=stop_here,
    )
    count = len(networks.folds)
    durations, skip_seconds = durations[:count], skip_seconds[:count]
    protocols = [
        fold_protocol(settings.protocol, pair, cycles=settings.cycles) for pair in durations
    ]
    judged = judge(bank, networks, blank_faceless(bank, scores), protocols)
    variables = jax.tree.map(lambda leaf: leaf[:count], trained.variables)
    rows, _ = split_metrics(networks, trained.metrics)
    return Trial(networks.folds, durations, skip_seconds, variables, rows, scores, judged)


def train(
    bank: Bank,
    networks: Networks,
    settings: Settings,
    saved: Path,
    metrics: Path,
    *,
    name: str,
    stop_here: Callable[[], None],
) -> TrainedFolds:
    """`train_loso`, every epoch saved before it counts as done."""
    pool = gather_pool(bank)
    folds, inner = networks.all, len(networks.inner)
    start = start_folds(folds, pool, model=settings.model, training=settings.training)
    found, damage = restore_progress(saved, start)
    begun = found or Progress(0, start, [])
    for line in damage:
        print(f"{line}; going on from epoch {begun.epoch}", file=sys.stderr)
    with progress_bar(
        total=settings.training.epochs,
        initial=begun.epoch,
        desc=f"{name} {len(networks.folds)} folds{f' and {inner} inner' if inner else ''}",
        unit="epoch",
    ) as bar:

        def on_epoch(progress: Progress) -> None:
            save_progress(saved, progress)
            write_metrics(metrics, networks, progress.metrics)
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
    write_metrics(metrics, networks, trained.metrics)
    return trained


def split_metrics(
    networks: Networks, rows: Sequence[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows of the folds, and those of the inner folds."""
    held_out = {fold.held_out for fold in networks.folds}
    parts = [], []
    for row in rows:
        parts[row["subject"] not in held_out].append(row)
    return parts


def write_metrics(path: Path, networks: Networks, rows: Sequence[dict[str, Any]]) -> None:
    """Writes one JSON row a line: those of the folds, and beside it those of the inner folds."""
    ours, inner = split_metrics(networks, rows)
    for place, part in ((path, ours), (path.with_name(f"inner_{path.name}"), inner)):
        if part or place == path:
            write_text(place, "".join(json.dumps(row) + "\n" for row in part))


def describe(progress: Progress) -> str:
    """The last epoch in a few words: mean losses of the folds that trained, how many are done."""
    rows = [row for row in progress.metrics if row["epoch"] == progress.epoch]
    mean = lambda losses: f"{np.mean(losses):.4f}"
    loss, validation = (
        [row[name] for row in rows if row[name] is not None]
        for name in ("train_loss", "validation_loss")
    )
    if not validation:
        return f"loss {mean(loss)}"
    stopped = sum(row["stopped"] for row in rows)
    return f"loss {mean(loss)}, validation {mean(validation)}, {stopped} done"


def score_bank(
    bank: Bank,
    networks: Networks,
    variables: dict[str, Any],
    skip_seconds: Sequence[Pair],
    settings: Settings,
    saved: Path,
    *,
    name: str,
    stop_here: Callable[[], None],
) -> dict[str, dict[int, np.ndarray]]:
    """Every video by the networks that some fold asks about its subject, each with its own k.

    Videos whose scores these very weights have left in `saved` are not scored again.
    """
    weights = hash_tree(variables)
    scores = {}
    with progress_bar(
        total=int(bank.videos.frames.sum()), desc=f"scoring ({name})", unit="frame"
    ) as bar:
        columns = (bank.videos[name].tolist() for name in ("video", "subject", "frames", "fps"))
        for video, subject, frames, fps in zip(*columns, strict=True):
            wanted, scores[video] = networks.of_subject(subject), {}
            if not wanted:
                bar.update(frames)
                continue
            pairs = [skip_seconds[number] for number in wanted]
            skips = network_skips(settings.model.streams, pairs, fps)
            place, made_by = saved / video, f"{weights} {wanted} {skips.tolist()}"
            known = _known_scores(place, (len(wanted), frames, 2), made_by)
            if known is None:
                known = score_video(
                    settings.model,
                    jax.tree.map(lambda leaf, wanted=wanted: leaf[wanted], variables),
                    shown_frames(bank, video),
                    skips=skips,
                    on_chunk=bar.update,
                )
                refuse_not_finite(known, [networks.all[number] for number in wanted], video)
                save_tree(place, {"scores": known}, texts={MADE_BY: made_by})
            else:
                bar.update(frames)
            scores[video] = dict(zip(wanted, known, strict=True))
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
