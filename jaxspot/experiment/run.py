"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import contextlib
import hashlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.errors import Interrupted
from jaxspot.experiment.baselines import compare_methods, refuse_peers, spot_by_peers
from jaxspot.experiment.control import control_work, negative_control
from jaxspot.experiment.crossval import cross_validate, refuse_unusable, run_networks
from jaxspot.experiment.heldout import mean_durations
from jaxspot.experiment.left_out import read_left_out, refuse_left_out, write_left_out
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.provenance import describe_run, package_versions, write_provenance
from jaxspot.experiment.scores import Work, write_scores
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.starting import describe_starts
from jaxspot.experiment.sweep import SweepRun, read_finished, sweep_runs, training_key, write_sweep
from jaxspot.experiment.team import Team
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.files import write_table
from jaxspot.spotting.saved_spotter import save_spotter
from jaxspot.spotting.spotter import Spotter
from jaxspot.training.failures import NoFoldLeft, describe_failures
from jaxspot.video.bank import Bank

SAYS = b"\nstopping when this epoch or video is saved; again to stop now\n"
TRAINING = "training"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def train_and_evaluate(
    config: Any, workdir: str | Path, *, resume: bool = False, team: Team | None = None
) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    A config with `variants` or `seeds` is a sweep of such runs on one bank, see `run_sweep`.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; docs/runs.md lists what appears in it.
      resume: continue the run in `workdir` if there is one; on the same machine its results are the
        same bit for bit.
      team: the processes that work at it, of which this one leads (`make_team`); the others call
        `help_run`. By default this one alone.

    Returns:
      Table 5, tidy; of a sweep Table 7.

    Raises:
      UserError: the folder holds another run, the bank or the weights to start from cannot be used;
        or a loss is not finite. Its fold is left out, and all others are written before.
      Interrupted: asked to stop (SIGINT, SIGTERM), with all work saved.
    """
    workdir, runs, team = Path(workdir), sweep_runs(config), team or Team()
    settings = [read_settings(own) for _, own in runs]
    for own in settings:
        refuse_peers(own.peers)
    starts = describe_starts(settings)
    bank = named_bank(config)
    if bank:
        refuse_unusable(bank, [run_networks(bank, own) for own in settings])
    with claim_workdir(workdir, config, resume=resume):
        if not bank:
            bank = make_bank(config, workdir)
            refuse_unusable(bank, [run_networks(bank, own) for own in settings])
        write_provenance(workdir / "provenance.json", describe_run(config, bank, starts))
        with stop_when_saved() as stop_here:
            if len(runs) > 1:
                return run_sweep(bank, runs, settings, workdir, stop_here, team)
            epochs, peers = workdir / "checkpoints" / "epochs", workdir / "peers"
            tell_run(team, 0, settings[0], bank, workdir, epochs)
            table = run_one(bank, settings[0], workdir, epochs, peers, stop_here, team)
            refuse_left_out(describe_failures(read_left_out(workdir)).splitlines(), workdir)
            return table


def tell_run(
    team: Team, number: int, settings: Settings, bank: Bank, workdir: Path, epochs: Path
) -> None:
    """Tells the helpers which run of a sweep comes next, and where; UserError: theirs differs."""
    places = dict(bank=bank.root, workdir=workdir, epochs=epochs)
    absolute = {name: str(Path(place).resolve()) for name, place in places.items()}
    team.agree("run", number=number, settings=describe_settings(settings), **absolute)
    team.meet()


def describe_settings(settings: Settings) -> str:
    """A hash of settings, start and packages: equal where processes can train together."""
    told = (settings, describe_starts([settings]), package_versions())
    return hashlib.sha256(repr(told).encode()).hexdigest()


def run_sweep(
    bank: Bank,
    runs: Sequence[tuple[SweepRun, Any]],
    settings: Sequence[Settings],
    workdir: Path,
    stop_here: Callable[[], None],
    team: Team,
) -> pd.DataFrame:
    """Runs on one bank, each in a folder of its own; returns Table 7 over all of them, tidy.

    Runs that train alike share their epochs (`workdir/trained`); runs of one seed share their
    peers. A run that is done is not run again. One of which no fold is left is left out.
    """
    found, lines = [], []
    for number, ((run, config), own) in enumerate(zip(runs, settings, strict=True), 1):
        print(f"{run.name} ({number} of {len(runs)})", file=sys.stderr)
        folder = workdir / run.name
        with claim_workdir(folder, config, resume=True):
            told = describe_run(config, bank, describe_starts([own]))
            write_provenance(folder / "provenance.json", told)
            table = read_finished(folder, own.peers)
            if table is None:
                epochs = workdir / "trained" / training_key(own)
                peers = workdir / "peers" / f"seed{own.seed}"
                tell_run(team, number - 1, own, bank, folder, epochs)
                try:
                    table = run_one(bank, own, folder, epochs, peers, stop_here, team)
                except NoFoldLeft as error:
                    lines.append(f"{run.name}: {error}")
                    print(f"{lines[-1]}; left out, the others go on", file=sys.stderr)
                    continue
        found.append((run, own, table))
        lost = describe_failures(read_left_out(folder)).splitlines()
        lines += [f"{run.name}: {line}" for line in lost]
    if not found:
        raise NoFoldLeft("\n".join(lines))
    table = write_sweep(workdir, bank, found)
    refuse_left_out(lines, workdir)
    return table


def run_one(
    bank: Bank,
    settings: Settings,
    workdir: Path,
    epochs: Path,
    peers: Path,
    stop_here: Callable[[], None],
    team: Team | None = None,
) -> pd.DataFrame:
    """One run, in a folder that is ours; returns Table 5, tidy.

    `epochs` and `peers` are the folders of the epochs and of the peers that are done.
    """
    team = team or Team()
    work = run_work(workdir, epochs, stop_here, team)
    networks = run_networks(bank, settings)
    team.agree(TRAINING)
    trained = cross_validate(bank, networks, settings, work)
    write_left_out(workdir, trained.left_out)
    write_scores(workdir / "scores", trained.held_out_scores(bank))
    write_table(trained.held_out.intervals, workdir / "intervals.csv")
    rules = tuple(trained.held_out.rules[fold.held_out] for fold in trained.folds)
    spotter = Spotter(settings.model, trained.variables, trained.k_seconds, rules, bank.alignment)
    save_spotter(work.saved / "spotter", spotter)
    stop_here()
    durations = [mean_durations(bank, f, inclusive=settings.inclusive) for f in networks.folds]
    spotted = spot_by_peers(
        bank, networks.folds, durations, settings, saved=peers, stop_here=stop_here
    )
    compared = compare_methods(trained.tested(bank), trained.held_out, settings, spotted)
    stop_here()
    control = negative_control(bank, settings, control_work(workdir, stop_here, team))
    write_outputs(workdir, bank, settings, trained, compared, control)
    return compared.intervals


def run_work(workdir: Path, epochs: Path, stop_here: Callable[[], None], team: Team) -> Work:
    """Where a run keeps what is done."""
    metrics = workdir / "metrics.jsonl"
    return Work(workdir / "checkpoints", epochs, metrics, TRAINING, stop_here, team)


@contextlib.contextmanager
def stop_when_saved(*, says: bytes = SAYS) -> Iterator[Callable[[], None]]:
    """Holds back the first SIGINT or SIGTERM until work is saved; a second one stops at once.

    Yields a function to call where all is saved: it raises Interrupted when a signal has come.
    Outside the main thread, where Python hears no signals, it never does.
    """
    came = []

    def hear(number, frame):
        if came:
            raise KeyboardInterrupt
        came.append(number)
        os.write(2, says)  # print may not be called while it is at work itself

    def stop_here():
        if came:
            raise Interrupted("stopped as asked, all work is saved; go on with --resume")

    if threading.current_thread() is not threading.main_thread():
        yield stop_here
        return
    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield stop_here
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
