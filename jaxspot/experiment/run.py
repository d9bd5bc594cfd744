"""`train_and_evaluate`: from a config to a folder of scores, tables, figures and weights."""

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import jax
import pandas as pd

from jaxspot.errors import Interrupted, UserError
from jaxspot.experiment.baselines import compare_methods, refuse_peers, spot_by_peers
from jaxspot.experiment.control import negative_control
from jaxspot.experiment.crossval import cross_validate, refuse_unusable, run_networks
from jaxspot.experiment.heldout import mean_durations
from jaxspot.experiment.left_out import read_left_out, refuse_left_out, write_left_out
from jaxspot.experiment.outputs import write_outputs
from jaxspot.experiment.scores import Work, write_scores
from jaxspot.experiment.settings import Settings, make_bank, named_bank, read_settings
from jaxspot.experiment.starting import starting_variables
from jaxspot.experiment.sweep import SweepRun, read_finished, sweep_runs, training_key, write_sweep
from jaxspot.experiment.workdir import claim_workdir
from jaxspot.files import write_table, write_text
from jaxspot.spotting.spotter import Spotter, save_spotter
from jaxspot.training.failures import NoFoldLeft, describe_failures
from jaxspot.video.bank import Bank

SAYS = b"\nstopping when this epoch or video is saved; again to stop now\n"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PACKAGES = ("jaxspot", "jax", "jaxlib", "flax", "optax", "numpy", "scipy", "opencv-python")
MATTERS = {"packages", "device", "xla_flags", "git_revision"}
"""What the last digits of a run depend on."""


def train_and_evaluate(config: Any, workdir: str | Path, *, resume: bool = False) -> pd.DataFrame:
    """Trains all folds, scores the held-out subjects, writes everything that a run leaves.

    A config with `variants` or `seeds` is a sweep of such runs on one bank, see `run_sweep`.

    Args:
      config: of `configs/`.
      workdir: an empty or absent folder; docs/runs.md lists what appears in it.
      resume: continue the run in `workdir` if there is one; on the same machine its results are the
        same bit for bit.

    Returns:
      Table 5, tidy; of a sweep Table 7.

    Raises:
      UserError: the folder holds another run, the bank or the weights to start from cannot be used;
        or a loss is not finite. Its fold is left out, and all others are written before.
      Interrupted: asked to stop (SIGINT, SIGTERM), with all work saved.
    """
    workdir, runs = Path(workdir), sweep_runs(config)
    settings = [read_settings(own) for _, own in runs]
    for own in settings:
        starting_variables(own)
        refuse_peers(own.peers)
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
            table = run_one(bank, settings[0], workdir, epochs, peers, stop_here)
            refuse_left_out(describe_failures(read_left_out(workdir)).splitlines(), workdir)
            return table


def run_sweep(
    bank: Bank,
    runs: Sequence[tuple[SweepRun, Any]],
    settings: Sequence[Settings],
    workdir: Path,
    stop_here: Callable[[], None],
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
            write_provenance(folder / "provenance.json", describe_run(config, bank))
            table = read_finished(folder, own.peers)
            if table is None:
                epochs = workdir / "trained" / training_key(own)
                peers = workdir / "peers" / f"seed{own.seed}"
                try:
                    table = run_one(bank, own, folder, epochs, peers, stop_here)
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
) -> pd.DataFrame:
    """One run, in a folder that is ours; returns Table 5, tidy.

    `epochs` and `peers` are the folders of the epochs and of the peers that are done.
    """
    saved = workdir / "checkpoints"
    work = Work(saved, epochs, workdir / "metrics.jsonl", "training", stop_here)
    networks = run_networks(bank, settings)
    trained = cross_validate(bank, networks, settings, work)
    write_left_out(workdir, trained.left_out)
    write_scores(workdir / "scores", trained.held_out_scores(bank))
    write_table(trained.held_out.intervals, workdir / "intervals.csv")
    rules = tuple(trained.held_out.rules[fold.held_out] for fold in trained.folds)
    spotter = Spotter(settings.model, trained.variables, trained.k_seconds, rules, bank.alignment)
    save_spotter(saved / "spotter", spotter)
    stop_here()
    durations = [mean_durations(bank, f, inclusive=settings.inclusive) for f in networks.folds]
    spotted = spot_by_peers(
        bank, networks.folds, durations, settings, saved=peers, stop_here=stop_here
    )
    compared = compare_methods(trained.tested(bank), trained.held_out, settings, spotted)
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


def describe_run(config: Any, bank: Bank) -> dict[str, Any]:
    """Provenance of a run as JSON values."""
    devices = jax.devices()
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "device": f"{len(devices)} x {devices[0].device_kind}",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "command": sys.argv,
        "seed": config.seed,
        "bank": {"sha256": bank.sha256, "source": bank.meta["source"]},
        "git_revision": git_revision(),
    }


def git_revision() -> str | None:
    """The commit of the code, with a + where files differ from it; None outside a checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    run = lambda *words: subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, check=True
    ).stdout.strip()
    try:
        return run("rev-parse", "HEAD") + ("+" if run("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(name):
    """A checkout may be run without being installed, and OpenCV may be another of its packages."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
