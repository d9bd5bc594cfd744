"""The weights that ship: networks that each leave out two groups of people, a rule, a judge."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.fitting import ScoredVideo, fit_rule
from jaxspot.evaluation.judging import FittedJudge, fit_judge
from jaxspot.evaluation.reliability import calibration_error, reliability_table
from jaxspot.experiment.crossval import refuse_unusable, train
from jaxspot.experiment.heldout import fold_rule, mean_durations
from jaxspot.experiment.provenance import describe_run, write_provenance
from jaxspot.experiment.run import stop_when_saved
from jaxspot.experiment.scores import NetworkScores, Work, blank_faceless, score_bank
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.starting import describe_starts, refuse_start_as_out
from jaxspot.experiment.trained_on import describe_bank
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.files import write_table
from jaxspot.report.figures import save_figure
from jaxspot.report.reliability import reliability_figure
from jaxspot.spotting.automated_iou import FittedRule, apply_rule
from jaxspot.spotting.saved_spotter import save_shipped
from jaxspot.spotting.spotter import Spotter
from jaxspot.spotting.spotter_file import read_card
from jaxspot.training.folds import Fold, split_fold
from jaxspot.training.inner_folds import JOIN, Networks
from jaxspot.video.bank import Bank


class BuiltWeights(NamedTuple):
    """A spotter and what is known of it."""

    spotter: Spotter
    rule: FittedRule
    judge: FittedJudge
    card: dict[str, Any]


def build_weights(
    config: Any, out: str | Path, workdir: str | Path, *, resume: bool = False
) -> dict[str, Any]:
    """Trains the networks, fits rule and judge, writes the file `out` and its card beside it.

    `workdir` holds the bank, the epochs, the scores, `candidates.csv`, `reliability.csv` and
    `reliability.png`.

    Args:
      config: with `weights.groups`, see configs/shipped.py.
      out: the file, named .npz.
      workdir: an empty or absent folder.
      resume: continue the work in `workdir` if there is some.

    Returns:
      The card.

    Raises:
      UserError: the folder holds another run, `out` has another ending, a setting cannot be used,
        or a loss is not finite.
      Interrupted: asked to stop, with all work saved.
    """
    out, workdir, settings = Path(out), Path(workdir), read_settings(config)
    refuse_place(out)
    if "weights" not in config:
        raise UserError("--config has no weights.groups; take --config=shipped")
    if settings.protocol.frame_skip != "kth" or settings.protocol.oracle:
        raise UserError("--config.protocol must take the k-th frame and no test_oracle here")
    refuse_start_as_out(out, settings)
    starts, bank = describe_starts([settings]), named_bank(config)
    with claim_workdir(workdir, config, resume=resume):
        bank = bank or make_bank(config, workdir)
        networks = group_networks(bank, config.weights.groups, validate=settings.validates)
        refuse_unusable(bank, [networks])
        write_provenance(workdir / "provenance.json", describe_run(config, bank, starts))
        with stop_when_saved() as stop_here:
            built = _build(bank, networks, settings, workdir, stop_here)
        write_reliability(workdir, built.judge.candidates)
        save_shipped(out, built.spotter, built.card)
    return read_card(out)


def refuse_place(out: Path) -> None:
    """Raises UserError for a file of weights that is not named .npz."""
    if out.suffix != ".npz" or out.is_dir():
        raise UserError(f"{out}: the file of the weights must be named .npz; name another --out")


def group_networks(bank: Bank, groups: int, *, validate: bool = False) -> Networks:
    """One network for each of the groups of people, which are thought to stand in a ring.

    Network i leaves out groups i and i + 1, so two networks score each person.

    Raises:
      UserError: fewer than 3 groups, or more than people.
    """
    names = sorted(set(bank.videos.subject))
    if not 3 <= groups <= len(names):
        raise UserError(
            f"--config.weights.groups must lie in 3..{len(names)}, the people of the bank; not"
            f" {groups}"
        )
    group = {name: place % groups for place, name in enumerate(names)}
    folds, scorers = [], []
    for number in range(groups):
        left_out = (number, (number + 1) % groups)
        own = [name for name in names if group[name] in left_out]
        others = [name for name in names if name not in own]
        folds.append(split_fold(JOIN.join(own), others, validate=validate))
        scorers.append(dict.fromkeys(own, number))
    return Networks(tuple(folds), (), tuple(scorers))


def left_out_videos(bank: Bank, networks: Networks, scores: NetworkScores) -> list[ScoredVideo]:
    """All videos with the mean scores of the networks that were not trained on the person."""
    rows: Any = bank.videos.itertuples()
    mean = lambda row: np.mean(
        [scores[row.video][number] for number in networks.of_subject(row.subject)], axis=0
    )
    return [ScoredVideo(row.video, row.fps, mean(row), bank.labels(row.video)) for row in rows]


def _build(bank, networks, settings: Settings, workdir, stop_here) -> BuiltWeights:
    saved, metrics = workdir / "checkpoints", workdir / "metrics.jsonl"
    work = Work(saved, saved / "epochs", metrics, "weights", stop_here)
    mean = lambda fold: mean_durations(bank, fold, inclusive=settings.inclusive)
    trained = train(bank, networks, settings, work, need_all=True)
    k_seconds = tuple((micro / 2, macro / 2) for micro, macro in map(mean, networks.folds))
    scores = score_bank(bank, networks, trained.variables, k_seconds, settings, work)
    videos = left_out_videos(bank, networks, blank_faceless(bank, scores))
    print("fitting thresholds and the judge", file=sys.stderr)
    people = sorted(set(bank.videos.subject))
    rule = fold_rule(settings.rule, mean(Fold("", tuple(people))), settings.protocol)
    fitted = fit_rule(videos, rule, settings.protocol)
    subjects = zip(bank.videos.video, bank.videos.subject, strict=True)
    groups = {video: people.index(name) % len(networks.folds) for video, name in subjects}
    judge = fit_judge(videos, groups, settings.protocol)
    rules = (fitted,) * len(networks.folds)
    spotter = Spotter(
        settings.model, trained.variables, k_seconds, rules, bank.alignment, judge.judge
    )
    found = [
        apply_rule(video.scores, fps=video.fps, fitted=fitted, video=video.video)[1]
        for video in videos
    ]
    by_rule = score_intervals(
        pd.concat(found), bank.annotations, videos=bank.videos, **settings.protocol.scoring
    )
    card = describe_weights(bank, settings, networks, judge)
    card["f1_rule"] = {kind: round(row["f1"], 4) for kind, row in by_rule.items()}
    return BuiltWeights(spotter, fitted, judge, card)


def describe_weights(
    bank: Bank, settings: Settings, networks: Networks, judge: FittedJudge
) -> dict[str, Any]:
    """What the card says, but for the hash: data, settings, and figures on people left out."""
    known = {
        "data": describe_data(bank),
        "networks": len(networks.folds),
        "epochs": settings.training.epochs,
        "seed": settings.seed,
    }
    return known | describe_judge(judge)


def describe_data(bank: Bank) -> dict[str, Any]:
    """What a card says of the people and labels of a bank; it names none."""
    source = bank.meta["source"]
    return {
        "source": source.get("kind"),
        "level": source.get("level"),
        "seed": source.get("seed"),
        **describe_bank(bank),
        "people": int(bank.videos.subject.nunique()),
        "minutes": round(float((bank.videos.frames / bank.videos.fps).sum() / 60), 2),
        "fps": sorted({float(fps) for fps in bank.videos.fps}),
        "labels": {kind: int((bank.annotations.kind == kind).sum()) for kind in KINDS},
    }


def describe_judge(judge: FittedJudge) -> dict[str, Any]:
    """What a card says of a judge: figures on people left out, and thresholds."""
    table = judge.candidates
    kinds = {kind: table[table.kind == kind] for kind in KINDS}
    return {
        "f1": {kind: round(value, 4) for kind, value in judge.f1.items()},
        "candidates": {kind: len(mine) for kind, mine in kinds.items()},
        "calibration_error": {
            kind: round(calibration_error(mine.chance, mine.hit), 4) for kind, mine in kinds.items()
        },
        "threshold": dict(zip(KINDS, judge.judge.threshold, strict=True)),
    }


def reliability_by_kind(candidates: Any) -> dict[str, pd.DataFrame]:
    """`reliability_table` of ME and of MaE."""
    kinds = {kind: candidates[candidates.kind == kind] for kind in KINDS}
    return {kind: reliability_table(mine.chance, mine.hit) for kind, mine in kinds.items()}


def write_reliability(folder: Path, candidates: Any) -> None:
    """Writes candidates.csv, reliability.csv and reliability.png."""
    tables: Sequence[Any] = [
        table.assign(kind=kind) for kind, table in reliability_by_kind(candidates).items()
    ]
    write_table(candidates, folder / "candidates.csv")
    write_table(pd.concat(tables, ignore_index=True), folder / "reliability.csv")
    if len(candidates):
        save_figure(reliability_figure(candidates), folder / "reliability.png")
