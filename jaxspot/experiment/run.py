"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.annotations.tables import whole_file, write_table, write_text
from jaxspot.errors import UserError
from jaxspot.evaluation.f1 import score_intervals
from jaxspot.evaluation.floors import random_floor
from jaxspot.evaluation.peers import PEERS
from jaxspot.evaluation.roc import score_frames
from jaxspot.experiment.control import negative_control
from jaxspot.experiment.judge import frame_rows, refuse_unusable
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.provenance import describe_run
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.stopping import stop_when_saved
from jaxspot.experiment.trial import Trial, run_trial
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.report.tables import score_rows, table4, table5
from jaxspot.spotter import Spotter, frame_skips, save_spotter
from jaxspot.training.folds import loso_folds
from jaxspot.video.bank import Bank

METHOD = "jaxspot"
MATTERS = {"packages", "device", "xla_flags", "git_revision"}


def train_and_evaluate(config: Any, workdir: str | Path, *, resume: bool = False) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; the README lists what appears in it.
      resume: go on where the run in `workdir` was cut, if there is one; what comes of it is the
        same bit for bit on the same machine.

    Returns:
      Table 5, tidy.

    Raises:
      UserError: the folder holds another run, the bank cannot be used, or a loss is not finite.
      Interrupted: asked to stop (SIGINT, SIGTERM), with all work saved.
    """
    workdir = Path(workdir)
    settings = read_settings(config)
    bank = named_bank(config)
    if bank:
        refuse_unusable(bank)
    with claim_workdir(workdir, config, resume=resume):
        if not bank:
            bank = make_bank(config, workdir)
            refuse_unusable(bank)
        write_provenance(workdir / "provenance.json", describe_run(config, bank))
        with stop_when_saved() as stop_here:
            return run_experiment(bank, settings, workdir, stop_here)


def run_experiment(
    bank: Bank, settings: Settings, workdir: Path, stop_here: Callable[[], None]
) -> pd.DataFrame:
    """The run itself, in a folder that is ours; returns Table 5, tidy."""
    saved = workdir / "checkpoints"
    trial = run_trial(
        bank,
        loso_folds(bank.videos.subject),
        settings,
        saved=saved,
        metrics=workdir / "metrics.jsonl",
        name="training",
        stop_here=stop_here,
    )
    save_scores(workdir / "scores", bank, trial)
    write_table(trial.judged.intervals, workdir / "intervals.csv")
    decisions = tuple(trial.judged.decisions[fold.held_out] for fold in trial.folds)
    spotter = Spotter(settings.model, trial.trained.variables, trial.reach, decisions)
    save_spotter(saved / "spotter", spotter)
    stop_here()
    frames, intervals = compare(bank, trial, settings)
    stop_here()
    control = negative_control(bank, settings, saved / "control", stop_here)
    write_outputs(workdir, bank, settings, trial, frames, intervals, control)
    return intervals


def write_provenance(path: Path, now: dict[str, Any]) -> None:
    """Writes provenance.json; where a run is resumed, adds what has changed since.

    Raises:
      UserError: the bank is another than the run was begun with.
    """
    try:
        first = json.loads(path.read_text("utf-8"))
        begun, bank = first["bank"]["sha256"], now["bank"]["sha256"]
    except FileNotFoundError:
        write_text(path, json.dumps(now, indent=1) + "\n")
        return
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f"{path}: not readable; copy it back, or remove the run's folder and train anew"
        ) from None
    if begun != bank:
        raise UserError(
            f"{path.parent}: was begun with the bank of sha256 {begun[:12]}, this one has"
            f" {bank[:12]}; resume with the same bank or name another --workdir"
        )
    changed = {name: value for name, value in now.items() if value != first.get(name)}
    for name in sorted(changed.keys() & MATTERS):
        line = f"{path.parent}: was begun with another {name} ({first.get(name)}, now {now[name]})"
        print(f"{line}; the last digits may differ", file=sys.stderr)
    first["resumed"] = [*first.get("resumed", []), changed]
    write_text(path, json.dumps(first, indent=1) + "\n")


def save_scores(folder: Path, bank: Bank, trial: Trial) -> None:
    """Writes each video's scores by the fold that held its subject out: arrays ME and MaE."""
    number = {fold.held_out: i for i, fold in enumerate(trial.folds)}
    for video, subject in zip(bank.videos.video, bank.videos.subject, strict=True):
        held_out = trial.scores[video][number[subject]]
        with whole_file(folder / f"{video}.npz") as partial, open(partial, "wb") as file:
            np.savez(file, ME=held_out[:, 0], MaE=held_out[:, 1])


def compare(bank: Bank, trial: Trial, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables 4 and 5: ours, the random floor and the peers, on the same videos and scorer."""
    rule = settings.protocol.scoring
    judged = trial.judged
    score = lambda table: score_intervals(table, bank.annotations, videos=bank.videos, **rule)
    raw, labels, thresholds = frame_rows(bank, judged)
    oracle = settings.protocol.oracle
    frames = score_rows(METHOD, score_frames(raw, labels, thresholds), oracle=oracle)
    rows = score_rows(METHOD, score(judged.intervals), oracle=oracle)
    floor = random_floor(
        judged.intervals, bank.annotations, bank.videos, seed=settings.seed, **rule
    )
    rows += score_rows("random", floor)
    pairs = {fold.held_out: pair for fold, pair in zip(trial.folds, trial.durations, strict=True)}
    k = lambda subject, fps: dict(zip(("ME", "MaE"), frame_skips(pairs[subject], fps), strict=True))
    for name in settings.peers:
        _, intervals = PEERS[name](bank.videos, bank.frames, k=k)
        rows += score_rows(name, score(intervals))
    return table4(frames), table5(rows)
