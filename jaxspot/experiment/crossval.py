"""Leave-one-subject-out: trains, scores and spots by folds; each part can be resumed."""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxspot.errors import UserError
from jaxspot.experiment.heldout import HeldOut, fold_rule, mean_durations, spot_held_out
from jaxspot.experiment.left_out import bank_of, describe_left_out, tell_failures
from jaxspot.experiment.manual_skips import search_skips
from jaxspot.experiment.metrics import describe, split_metrics, write_metrics
from jaxspot.experiment.scores import NetworkScores, Work, blank_faceless, score_together
from jaxspot.experiment.settings import Settings
from jaxspot.experiment.starting import starting_variables
from jaxspot.progress import progress_bar
from jaxspot.spotting.automated_iou import Pair
from jaxspot.training.failures import REMEDY, NoFoldLeft, describe_failures
from jaxspot.training.folds import Fold, loso_folds
from jaxspot.training.inner_folds import Networks, leave_out, plan_networks
from jaxspot.training.loso import TrainedFolds, start_folds, train_loso
from jaxspot.training.pool import gather_pool
from jaxspot.training.sampling import FACELESS
from jaxspot.training.saved_epochs import Progress, restore_progress, save_progress
from jaxspot.training.state import FoldState
from jaxspot.video.bank import Bank


class CrossValidation(NamedTuple):
    """Results of some folds.

    Attributes:
      folds: in the order of every fold axis, without those that are left out.
      durations: per fold, mean seconds of ME and MaE of its own subjects.
      k_seconds: per fold, k of ME and MaE in seconds: half of `durations`, unless they were
        searched.
      variables: of the folds' networks, stacked; the inner folds' are not among them.
      metrics: losses of the folds, see `TrainedFolds`.
      scores: raw, of the folds and inner folds.
      held_out: what was found in the held-out subjects' videos.
      left_out: what happened to the folds and inner folds that are left out, by held-out subject.
    """

    folds: tuple[Fold, ...]
    durations: tuple[Pair, ...]
    k_seconds: tuple[Pair, ...]
    variables: dict[str, Any]
    metrics: list[dict[str, Any]]
    scores: NetworkScores
    held_out: HeldOut
    left_out: dict[str, str]

    def tested(self, bank: Bank) -> Bank:
        """The bank with the held-out subjects' videos and labels alone."""
        return bank_of(bank, [fold.held_out for fold in self.folds])

    def held_out_scores(self, bank: Bank) -> dict[str, np.ndarray]:
        """Each video by the fold that held its subject out: video -> float32 (frames, 2)."""
        number = {fold.held_out: i for i, fold in enumerate(self.folds)}
        rows = zip(*self.tested(bank).videos[["video", "subject"]].to_numpy().T, strict=True)
        return {video: self.scores[video][number[subject]] for video, subject in rows}


def run_networks(bank: Bank, settings: Settings, *, count: int | None = None) -> Networks:
    """The networks of a run: all folds of a bank, or `count` evenly spread, and their inner folds.

    Raises:
      UserError: too few subjects.
    """
    protocol = settings.protocol
    folds = loso_folds(bank.videos.subject, validate=settings.validates)
    if count is not None:
        folds = spread(folds, count)
    return plan_networks(folds, fit=protocol.fit, groups=protocol.inner_groups)


def spread(folds: Sequence[Fold], count: int) -> list[Fold]:
    """`count` of the folds, evenly spread; all where there are fewer."""
    places = np.linspace(0, len(folds), min(count, len(folds)), endpoint=False)
    return [folds[int(place)] for place in places]


def refuse_unusable(bank: Bank, plans: Sequence[Networks]) -> None:
    """Refuses a bank that some network could not be trained on, before anything is written.

    Raises:
      UserError: a kind that the subjects of a network never show, or training or validation
        subjects without a face in any frame.
    """
    seen = set(bank.videos.subject[[bank.faces(video).any() for video in bank.videos.video]])
    for fold in dict.fromkeys(fold for networks in plans for fold in networks.all):
        mean_durations(bank, fold)
        for group in (fold.training, fold.validation):
            if group and not seen & set(group):
                raise UserError(f"{bank.root}: {FACELESS.format(', '.join(group))}")


def cross_validate(
    bank: Bank,
    networks: Networks,
    settings: Settings,
    work: Work,
) -> CrossValidation:
    """Trains and scores folds (`run_networks`), continuing what is done.

    A fold whose loss is not finite is left out.

    Raises:
      NoFoldLeft: every fold is left out.
      UserError: a score is not finite, or nothing that was saved is whole.
    """
    asked = networks
    trained, networks, left_out = train_and_leave_out(bank, asked, settings, work)
    variables = trained.variables
    durations = tuple(
        mean_durations(bank, fold, inclusive=settings.inclusive) for fold in networks.all
    )
    k_seconds = search_skips(
        bank,
        networks.all,
        settings.model,
        variables,
        durations,
        frame_skip=settings.protocol.frame_skip,
        saved=work.saved / "frame_skips.json",
        name=work.name,
        stop_here=work.stop_here,
    )
    scores = score_together(bank, networks, variables, k_seconds, settings, work)
    count = len(networks.folds)
    durations, k_seconds = durations[:count], k_seconds[:count]
    rules = [fold_rule(settings.rule, pair, settings.protocol) for pair in durations]
    blank = blank_faceless(bank, scores)
    return CrossValidation(
        networks.folds,
        durations,
        k_seconds,
        jax.tree.map(lambda leaf: leaf[:count], variables),
        split_metrics(asked, trained.metrics)[0],
        scores,
        spot_held_out(bank, networks, blank, rules, settings.protocol),
        left_out,
    )


def train_and_leave_out(
    bank: Bank, networks: Networks, settings: Settings, work: Work
) -> tuple[TrainedFolds, Networks, dict[str, str]]:
    """What `train` leaves, without folds that no other fold needs; the networks that are left.

    Also what happened to those left out, see `CrossValidation`. NoFoldLeft: every fold is left out.
    """
    trained, left = train(bank, networks, settings, work), networks
    networks = leave_out(networks, trained.failed)
    left_out = describe_left_out(left, networks, trained.failed)
    if not networks.folds:
        raise NoFoldLeft(f"{describe_failures(left_out)}; no fold is left: {REMEDY}")
    kept = [trained.folds.index(fold) for fold in networks.all]
    variables = jax.tree.map(lambda leaf: leaf[kept], trained.variables)
    return trained._replace(variables=variables), networks, left_out


def train(
    bank: Bank, networks: Networks, settings: Settings, work: Work, *, need_all: bool = False
) -> TrainedFolds:
    """`train_loso`, every epoch saved before it counts as done.

    With `need_all`, a loss that is not finite is a UserError.
    """
    pool, team = gather_pool(bank), work.team
    folds, inner = networks.all, len(networks.inner)
    options: Any = dict(model=settings.model, training=settings.training)
    start = start_folds(folds, pool, weights=starting_variables(settings), **options)
    begun = begin(start, work)
    if need_all:
        tell_failures(begun, need_all)
    with progress_bar(
        total=settings.training.epochs,
        initial=begun.epoch,
        desc=f"{work.name} {len(networks.folds)} folds{f' and {inner} inner' if inner else ''}",
        unit="epoch",
        shown=not team.helps,
    ) as bar:

        def on_epoch(progress: Progress) -> None:
            if not team.helps:
                save_progress(work.epochs, progress)
                write_metrics(work.metrics, networks, progress.metrics)
                tell_failures(progress, need_all)
            bar.set_postfix_str(describe(progress), refresh=False)
            bar.update()
            work.stop_here()
            team.agree("epoch")

        with team.watch():
            trained = train_loso(
                pool,
                folds,
                model=settings.model,
                training=settings.training,
                augmentation=settings.augmentation,
                mesh=team.mesh(),
                resume=begun,
                on_epoch=on_epoch,
            )
    if not team.helps:
        write_metrics(work.metrics, networks, trained.metrics)
    return trained


def begin(start: FoldState, work: Work) -> Progress:
    """The progress that was saved, or that before the first epoch; the same for all processes.

    UserError: all that was saved is damaged, or a helper does not see what the leader does.
    """
    told = work.team.agree("train") if work.team.helps else None
    found, damage = restore_progress(work.epochs, start)
    begun = found or Progress(0, start, [])
    for line in damage:
        print(f"{line}; going on from epoch {begun.epoch}", file=sys.stderr)
    if told is None:
        work.team.agree("train", epoch=begun.epoch)
    elif told["epoch"] != begun.epoch:
        raise UserError(
            f"{work.epochs}: epoch {told['epoch']} of the first process is not there; --out must be"
            " a folder that all processes share"
        )
    work.team.meet()
    return begun
