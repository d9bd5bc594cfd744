"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxspot.errors import UserError
from jaxspot.experiment.compare import compare
from jaxspot.experiment.control import negative_control
from jaxspot.experiment.crossval import Trial, run_trial
from jaxspot.experiment.networks import refuse_unusable, run_networks
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.peers import spot_by_peers
from jaxspot.experiment.provenance import describe_run
from jaxspot.experiment.score_files import write_scores
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.stopping import stop_when_saved
from jaxspot.experiment.sweep import read_finished, write_family
from jaxspot.experiment.variants import Member, expand, training_key
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.files import write_table, write_text
from jaxspot.spotting.spotter import Spotter, save_spotter
from jaxspot.video.bank import Bank

MATTERS = {"packages", "device", "xla_flags", "git_revision"}


def train_and_evaluate(config: Any, workdir: str | Path, *, resume: bool = False) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    A config with `variants` or `seeds` is a family of such runs on one bank, see `run_family`.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; the README lists what appears in it.
      resume: go on where the run in `workdir` was cut, if there is one; what comes of it is the
        same bit for bit on the same machine.

    Returns:
      Table 5, tidy; of a family Table 7.

    Raises:
      UserError: the folder holds another run, the bank cannot be used, or a loss is not finite.
      Interrupted: asked to stop (SIGINT, SIGTERM), with all work saved.
    """
    workdir = Path(workdir)
    family = expand(config)
    for _, member in family:
        read_settings(member)
    bank = named_bank(config)
    if bank:
        refuse_runs(bank, family)
    with claim_workdir(workdir, config, resume=resume):
        if not bank:
            bank = make_bank(config, workdir)
            refuse_runs(bank, family)
        write_provenance(workdir / "provenance.json", describe_run(config, bank))
        with stop_when_saved() as stop_here:
            if len(family) > 1:
                return run_family(bank, family, workdir, stop_here)
            return run_experiment(
                bank,
                read_settings(config),
                workdir,
                stop_here,
                epochs=workdir / "checkpoints" / "epochs",
                peers=workdir / "peers",
            )


def refuse_runs(bank: Bank, family: Sequence[tuple[Member, Any]]) -> None:
    """Refuses a bank that some network of some run could not be trained on (`refuse_unusable`)."""
    for _, config in family:
        refuse_unusable(bank, run_networks(bank, read_settings(config)))


def run_family(
    bank: Bank,
    family: Sequence[tuple[Member, Any]],
    workdir: Path,
    stop_here: Callable[[], None],
) -> pd.DataFrame:
    """Runs on one bank, each in a folder of its own; returns Table 7 over all of them, tidy.

    Members that train alike share their epochs (`workdir/trained`), all of one seed their peers. A
    member that is done is not run again.
    """
    found = []
    for number, (member, config) in enumerate(family, 1):
        print(f"{member.name} ({number} of {len(family)})", file=sys.stderr)
        folder, settings = workdir / member.name, read_settings(config)
        with claim_workdir(folder, config, resume=True):
            write_provenance(folder / "provenance.json", describe_run(config, bank))
            table = read_finished(folder, settings.peers)
            if table is None:
                table = run_experiment(
                    bank,
                    settings,
                    folder,
                    stop_here,
                    epochs=workdir / "trained" / training_key(settings),
                    peers=workdir / "peers" / f"seed{settings.seed}",
                )
        found.append((member, settings, table))
    return write_family(workdir, bank, found)


def run_experiment(
    bank: Bank,
    settings: Settings,
    workdir: Path,
    stop_here: Callable[[], None],
    *,
    epochs: Path,
    peers: Path,
) -> pd.DataFrame:
    """One run, in a folder that is ours; returns Table 5, tidy.

    `epochs` and `peers` are the folders of the epochs and of the peers that are done.
    """
    saved = workdir / "checkpoints"
    trial = run_trial(
        bank,
        run_networks(bank, settings),
        settings,
        saved=saved,
        epochs=epochs,
        metrics=workdir / "metrics.jsonl",
        name="training",
        stop_here=stop_here,
    )
    write_scores(workdir / "scores", held_out_scores(bank, trial))
    write_table(trial.judged.intervals, workdir / "intervals.csv")
    decisions = tuple(trial.judged.decisions[fold.held_out] for fold in trial.folds)
    spotter = Spotter(settings.model, trial.variables, trial.skip_seconds, decisions)
    save_spotter(saved / "spotter", spotter)
    stop_here()
    spotted = spot_by_peers(
        bank,
        trial.folds,
        trial.durations,
        names=settings.peers,
        seed=settings.seed,
        saved=peers,
        stop_here=stop_here,
    )
    compared = compare(bank, trial, settings, spotted)
    stop_here()
    control = negative_control(bank, settings, saved / "control", stop_here)
    write_outputs(workdir, bank, settings, trial, compared, control)
    return compared.intervals


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
            f" {bank[:12]}; resume with the same bank or name another --out"
        )
    changed = {name: value for name, value in now.items() if value != first.get(name)}
    for name in sorted(changed.keys() & MATTERS):
        line = f"{path.parent}: was begun with another {name} ({first.get(name)}, now {now[name]})"
        print(f"{line}; the last digits may differ", file=sys.stderr)
    first["resumed"] = [*first.get("resumed", []), changed]
    write_text(path, json.dumps(first, indent=1) + "\n")


def held_out_scores(bank: Bank, trial: Trial) -> dict[str, np.ndarray]:
    """Each video's scores by the fold that held its subject out: video -> float32 (frames, 2)."""
    number = {fold.held_out: i for i, fold in enumerate(trial.folds)}
    rows = zip(bank.videos.video, bank.videos.subject, strict=True)
    return {video: trial.scores[video][number[subject]] for video, subject in rows}
