"""Fine-tuning: networks that were trained on other people go on with those of a small bank."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.fitting import fit_rule
from jaxspot.evaluation.judging import FEWEST, FittedJudge, recalibrate_judge
from jaxspot.evaluation.protocol import Protocol
from jaxspot.experiment.build_weights import (
    describe_data,
    describe_judge,
    left_out_videos,
    refuse_place,
    write_reliability,
)
from jaxspot.experiment.crossval import train
from jaxspot.experiment.provenance import describe_run, write_provenance
from jaxspot.experiment.run import stop_when_saved
from jaxspot.experiment.score_weights import bank_intervals, bank_scores, refuse_unlike
from jaxspot.experiment.scores import Work, blank_faceless, score_bank
from jaxspot.experiment.settings import Settings, named_bank, read_settings
from jaxspot.experiment.starting import SHIPPED, refuse_start_as_out, starting_spotter
from jaxspot.experiment.trained_on import known_banks, was_trained_on
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.spotting.mean_rule import mean_rule
from jaxspot.spotting.saved_spotter import save_shipped
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.spotter_file import CARD, read_card
from jaxspot.storage import hash_tree
from jaxspot.training.folds import Fold
from jaxspot.training.inner_folds import JOIN, Networks
from jaxspot.video.bank import Bank

LEAST_PEOPLE = 10
"""People that thresholds and chances are fitted on; of fewer, those of the start stay."""
LEAST_GROUPS = 3


class FineTuned(NamedTuple):
    """A fine-tuned spotter; `judge` is None where thresholds and chances are those of the start."""

    spotter: Spotter
    judge: FittedJudge | None
    card: dict[str, Any]


def finetune_weights(
    config: Any, out: str | Path, workdir: str | Path, *, resume: bool = False
) -> dict[str, Any]:
    """Trains a spotter's networks on with all people of a bank, writes `out` and its card.

    The weights end between those of the start and those that training reached, see `toward_start`.
    With LEAST_PEOPLE people or more, further networks leave people out; calibration and thresholds
    are fitted on their scores of these. With fewer, thresholds and chances are those of the start.
    Frame skips are those of the start in any case.

    Args:
      config: with `finetuning` and `start`, see configs/reviewed.py.
      out: the file, named .npz.
      workdir: an empty or absent folder: epochs, scores, candidates.csv, reliability.csv.
      resume: continue the work in `workdir` if there is some.

    Returns:
      The card. "f1" is that of people left out, if there are any; "f1_before" that of the start.

    Raises:
      UserError: as `build_weights`; the bank has no label, or does not go with the start.
      Interrupted: asked to stop, with all work saved.
    """
    out, workdir, settings = Path(out), Path(workdir), read_settings(config)
    refuse_place(out)
    refuse_start_as_out(out, settings)
    if not out.exists() and out.with_name(CARD).exists():
        raise UserError(
            f"{out.with_name(CARD)}: is the card of other weights; name an --out in a folder of its"
            " own"
        )
    if settings.validates:
        raise UserError("--config.training.patience must be 0 here: everybody is trained on")
    start = starting_spotter(settings)
    if start is None:
        raise UserError("--config.start is empty; name the weights that are trained on")
    bank = named_bank(config)
    if bank is None:
        raise UserError("--config.data.synthetic does not go with fine-tuning; name a bank")
    refuse_unlike(start, bank)
    if bank.annotations.empty:
        raise UserError(f"{bank.root}: holds no label; accept or add intervals in the review page")
    sizes = {name: config.finetuning[name] for name in ("groups", "networks")}
    networks = tuning_networks(bank, start, **sizes)
    prior = read_prior(config)
    with claim_workdir(workdir, config, resume=resume):
        told = describe_run(config, bank, {settings.start: hash_tree(start.variables)})
        write_provenance(workdir / "provenance.json", told)
        with stop_when_saved() as stop_here:
            work = Work(
                workdir / "checkpoints",
                workdir / "checkpoints" / "epochs",
                workdir / "metrics.jsonl",
                "fine-tuning",
                stop_here,
            )
            tuned = finetune(bank, start, networks, settings, work, prior=prior)
        if tuned.judge is not None:
            write_reliability(workdir, tuned.judge.candidates)
        save_shipped(out, tuned.spotter, tuned.card)
    return read_card(out)


def tuning_networks(bank: Bank, start: Spotter, *, groups: int, networks: int) -> Networks:
    """The networks of the start, trained on all people; then some a group that leave it out.

    The first len(start.rules) are those that are kept. With fewer than LEAST_PEOPLE people there
    are no others. `groups` of people at most; `networks` a group, which start from the networks of
    the start in turn.

    Raises:
      UserError: `groups` or `networks` is too small.
    """
    if groups < LEAST_GROUPS or networks < 1:
        raise UserError(
            f"--config.finetuning.groups must be {LEAST_GROUPS} or more, .networks 1 or more; not"
            f" {groups} and {networks}"
        )
    names = tuple(sorted(set(bank.videos.subject)))
    folds = [Fold(f"nobody, network {number}", names) for number in range(len(start.rules))]
    scorers: list[Mapping[str, int]] = [{} for _ in folds]
    groups = min(groups, len(names))
    if len(names) >= LEAST_PEOPLE:
        for group in range(groups):
            own = names[group::groups]
            others = tuple(name for name in names if name not in own)
            for turn in range(networks):
                scorers.append(dict.fromkeys(own, len(folds)))
                folds.append(Fold(f"{JOIN.join(own)}, network {turn}", others))
    return Networks(tuple(folds), (), tuple(scorers))


def read_prior(config: Any) -> float:
    """`finetuning.start_people`; a UserError if it is below 0."""
    prior = float(config.finetuning.start_people)
    if not 0 <= prior < np.inf:
        raise UserError(f"--config.finetuning.start_people must be 0 or more, not {prior}")
    return prior


def toward_start(
    variables: Mapping[str, Any], start: Spotter, networks: Networks, *, prior: float
) -> dict[str, Any]:
    """The weights of networks, moved back toward those that they started from.

    Trained on n people, a network keeps n / (n + prior) of its way: the start counts as `prior`
    people. Leaves have a leading axis of networks, which begin with those of the start in turn.
    """
    people = np.array([len(fold.training) for fold in networks.folds], np.float32)
    share = people / (people + prior)
    turn = np.arange(len(people)) % len(start.rules)

    def between(trained, began):
        began, each = np.asarray(began)[turn], share.reshape(-1, *[1] * (trained.ndim - 1))
        return began + each * (np.asarray(trained) - began)

    return jax.tree.map(between, dict(variables), dict(start.variables))


def finetune(
    bank: Bank,
    start: Spotter,
    networks: Networks,
    settings: Settings,
    work: Work,
    *,
    prior: float = 0.0,
) -> FineTuned:
    """Trains `tuning_networks`; fits thresholds and calibration on people left out, if any are.

    `prior` is that of `toward_start`.
    """
    count = len(start.rules)
    before = f1_of_spotter(bank, start, settings.protocol)
    trained = train(bank, networks, settings, work, need_all=True)
    variables = toward_start(trained.variables, start, networks, prior=prior)
    spotter = Spotter(
        start.model,
        jax.tree.map(lambda leaf: leaf[:count], variables),
        start.k_seconds,
        start.rules,
        start.alignment,
        start.judge,
    )
    card = {
        "data": describe_data(bank),
        "start": describe_start(bank, start, settings.start),
        "networks": count,
        "start_people": prior,
        "epochs": settings.training.epochs,
        "seed": settings.seed,
        "f1_before": before,
        "fitted": "thresholds and chances of the start",
    }
    if len(networks.folds) == count:
        return FineTuned(spotter, None, card)
    pairs = tuple(start.k_seconds[number % count] for number in range(len(networks.folds)))
    scores = score_bank(bank, networks, variables, pairs, settings, work)
    videos = left_out_videos(bank, networks, blank_faceless(bank, scores))
    print("fitting thresholds and chances on people left out", file=sys.stderr)
    rules, judge = start.rules, None
    if bank.annotations.kind.value_counts().reindex(KINDS, fill_value=0).min() >= FEWEST:
        rules = (fit_rule(videos, mean_rule(start.rules).rule, settings.protocol),) * count
    if start.judge is not None:
        subjects = zip(bank.videos.video, bank.videos.subject, strict=True)
        groups = {video: min(networks.of_subject(subject)) for video, subject in subjects}
        judge = recalibrate_judge(start.judge, videos, groups, settings.protocol)
        card |= describe_judge(judge)
    card["fitted"] = "on people left out"
    spotter = Spotter(
        start.model,
        spotter.variables,
        start.k_seconds,
        rules,
        start.alignment,
        judge and judge.judge,
    )
    return FineTuned(spotter, judge, card)


def describe_start(bank: Bank, start: Spotter, name: str) -> dict[str, Any]:
    """What a card says of the weights that were tuned; `banks` are those that they were trained on.

    Where `trained_on_this_bank`, no figure is of people whom the networks had never seen.
    """
    place = None if name == SHIPPED else name
    return {
        "weights": name,
        "variables_sha256": hash_tree(start.variables),
        "banks": sorted(known_banks(place)),
        "trained_on_this_bank": was_trained_on(place, bank),
    }


def f1_of_spotter(bank: Bank, spotter: Spotter, protocol: Protocol) -> dict[str, float]:
    """ME, MaE and overall -> F1 of what a spotter finds in a bank, as `spot` finds it."""
    found = bank_intervals(bank, spotter, bank_scores(bank, spotter))
    rows = score_intervals(found, bank.annotations, videos=bank.videos, **protocol.scoring)
    return {kind: round(float(np.nan_to_num(row["f1"])), 4) for kind, row in rows.items()}
