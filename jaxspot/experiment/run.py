"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from jaxspot.errors import Interrupted
from jaxspot.experiment.control import negative_control
from jaxspot.experiment.crossval import cross_validate, refuse_unusable, run_networks
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.peers import compare_methods, spot_by_peers
from jaxspot.experiment.provenance import describe_run, write_provenance
from jaxspot.experiment.scores import write_scores
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.sweep import SweepRun, read_finished, sweep_runs, training_key, write_sweep
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.files import write_table
from jaxspot.spotting.spotter import Spotter, save_spotter
from jaxspot.video.bank import Bank

SAYS = b"\nstopping when this epoch or video is saved; again to stop now\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def train_and_evaluate(config: Any, workdir: str | Path, *, resume: bool = False) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    A config with `variants` or `seeds` is a sweep of such runs on one bank, see `run_sweep`.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; the README lists what appears in it.
      resume: continue the run in `workdir` if there is one; on the same machine its results are the
        same bit for bit.

    Returns:
      Table 5, tidy; of a sweep Table 7.

    Raises:
      UserError: the folder holds another run, the bank cannot be used, or a loss is not finite.
      Interrupted: asked to stop (SIGINT, SIGTERM), with all work saved.
    """
    workdir, runs = Path(workdir), sweep_runs(config)
    settings = [read_settings(own) for _, own in runs]
    bank = named_bank(config)
    if bank:
        refuse_unusable(bank, [run_networks(bank, own) for own in settings])
    with claim_workdir(workdir, config, resume=resume):
        if not bank:
            bank = make_bank(config, workdir)
            refuse_unusable(bank, [run_networks(bank, own) for own in settings])
        write_provenance(workdir / "provenance.json", describe_run(config, bank))
        with stop_when_saved() as stop_here:
            if len(runs) > 1:
                return run_sweep(bank, runs, settings, workdir, stop_here)
            epochs, peers = workdir / "checkpoints" / "epochs", workdir / "peers"
            return run_one(bank, settings[0], workdir, stop_here, epochs=epochs, peers=peers)


def run_sweep(
    bank: Bank,
    runs: Sequence[tuple[SweepRun, Any]],
    settings: Sequence[Settings],
    workdir: Path,
    stop_here: Callable[[], None],
) -> pd.DataFrame:
    """Runs on one bank, each in a folder of its own; returns Table 7 over all of them, tidy.

    Runs that train alike share their epochs (`workdir/trained`); runs of one seed share their
    peers. A run that is done is not run again.
    """
    found = []
    for number, ((run, config), own) in enumerate(zip(runs, settings, strict=True), 1):
        print(f"{run.name} ({number} of {len(runs)})", file=sys.stderr)
        folder = workdir / run.name
        with claim_workdir(folder, config, resume=True):
            write_provenance(folder / "provenance.json", describe_run(config, bank))
            table = read_finished(folder, own.peers)
            if table is None:
                epochs = workdir / "trained" / training_key(own)
                peers = workdir / "peers" / f"seed{own.seed}"
                table = run_one(bank, own, folder, stop_here, epochs=epochs, peers=peers)
        found.append((run, own, table))
    return write_sweep(workdir, bank, found)


def run_one(
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
    trained = cross_validate(
        bank,
        run_networks(bank, settings),
        settings,
        saved=saved,
        epochs=epochs,
        metrics=workdir / "metrics.jsonl",
        name="training",
        stop_here=stop_here,
    )
    write_scores(workdir / "scores", trained.held_out_scores(bank))
    write_table(trained.held_out.intervals, workdir / "intervals.csv")
    rules = tuple(trained.held_out.rules[fold.held_out] for fold in trained.folds)
    spotter = Spotter(settings.model, trained.variables, trained.reach, rules)
    save_spotter(saved / "spotter", spotter)
    stop_here()
    spotted = spot_by_peers(
        bank,
        trained.folds,
        trained.durations,
        names=settings.peers,
        seed=settings.seed,
        saved=peers,
        stop_here=stop_here,
    )
    compared = compare_methods(bank, trained.held_out, settings, spotted)
    stop_here()
    control = negative_control(bank, settings, saved / "control", stop_here)
    write_outputs(workdir, bank, settings, trained, compared, control)
    return compared.intervals


@contextlib.contextmanager
def stop_when_saved() -> Iterator[Callable[[], None]]:
    """Holds back the first SIGINT or SIGTERM until work is saved; a second one stops at once.

    Yields a function to call where all is saved: it raises Interrupted when a signal has come.
    Outside the main thread, where Python hears no signals, it never does.
    """
    came = []

    def hear(number, frame):
        if came:
            raise KeyboardInterrupt
        came.append(number)
        os.write(2, SAYS)  # print may not be called while it is at work itself

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
