"""Leave-one-subject-out training of all folds at once, paper section 3.3."""

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxspot.devices import fold_mesh, on_each_device, shard_folds, stack_places, to_host
from jaxspot.network.augment import Augmentation
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import init_variables
from jaxspot.network.model import TwoStream
from jaxspot.training.epoch import train_epoch
from jaxspot.training.failures import (
    FAILED,
    REMEDY,
    NoFoldLeft,
    describe_failures,
    failed_folds,
    find_failures,
    stop_failed,
)
from jaxspot.training.feed import feed_epochs
from jaxspot.training.folds import Fold, validates
from jaxspot.training.pool import FramePool, as_pool
from jaxspot.training.random_keys import START, fold_key
from jaxspot.training.saved_epochs import Progress
from jaxspot.training.state import FoldState, init_state
from jaxspot.training.step import Training, make_optimiser
from jaxspot.video.bank import Bank


class TrainedFolds(NamedTuple):
    """What training leaves: the folds, the variables they kept and a row per fold and epoch.

    Attributes:
      folds: in the order of the stacked axis, without those that failed.
      variables: {"params", "batch_stats"}, every leaf with a leading fold axis (numpy).
      metrics: rows of subject, epoch, train_loss, validation_loss, best, stopped; in the last row
        of a fold that failed also `failed`.
      failed: held-out subject -> the epoch and step where its fold's loss was not finite.
    """

    folds: tuple[Fold, ...]
    variables: dict[str, Any]
    metrics: list[dict[str, Any]]
    failed: dict[str, str]


def train_loso(
    pool: FramePool | Bank,
    folds: Sequence[Fold],
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation | None = None,
    mesh: Mesh | None = None,
    batched: bool | None = None,
    resident: bool | None = None,
    resume: Progress | None = None,
    on_epoch: Callable[[Progress], None] | None = None,
) -> TrainedFolds:
    """Trains all folds in one program, each on its own training subjects.

    Each device holds one copy of the frames, which all its folds share: the whole bank if it is
    small, else the frames of one epoch. Those of the next epoch are then gathered while one runs
    (`feed_epochs`). An epoch is one call, which is compiled once; on accelerators, once more where
    so many folds have stopped that the others fit a smaller stack (`stack_places`).

    A fold's weights depend on the seed, on the names and recorded lengths of all subjects, and on
    its training and validation subjects. They do not depend on the other folds, on where a run was
    interrupted, or on how frames are sent to the devices. The number of devices, of folds and of
    folds that still train changes them only by rounding.

    A fold whose loss is not finite is left out; the others go on.

    Args:
      pool: frames and labels of all subjects: a bank, or its pool from `gather_pool`.
      folds: from `loso_folds`, or some of them.
      model: the network.
      training: how to train.
      augmentation: ranges; the paper's by default.
      mesh: the devices to use; all of this process by default. If it has those of several
        processes, all of them call this with equal arguments, and have equal results.
      batched: how the folds of one device run, see `map_folds`.
      resident: whether the devices hold the whole bank or an epoch's frames, see `feed_epochs`.
      resume: progress of an earlier call with the same arguments.
      on_epoch: called after each epoch with the progress so far.

    Raises:
      TypeError: neither a bank nor a pool.
      UserError: every fold has a loss that is not finite (the message gives subject, epoch and
        step), or frames of the bank are missing.
    """
    pool = as_pool(pool)
    mesh = mesh or fold_mesh()
    if training.patience and not validates(folds):
        raise ValueError(
            f"patience is {training.patience}, but the folds have no validation subjects; take"
            " patience=0, or loso_folds(subjects)"
        )
    progress = resume or Progress(0, start_folds(folds, pool, model=model, training=training), [])
    ranges = augmentation or Augmentation()
    run_epoch = compile_epoch(model, training, ranges, mesh, batched=batched)
    state, places, failed = progress.state, np.zeros(0, int), {}
    first, running = progress.epoch + 1, lambda: places
    feed = feed_epochs(
        pool, folds, model, training, mesh, first=first, resident=resident, running=running
    )
    with closing(feed):
        while progress.epoch < training.epochs and progress.state.live.any():
            epoch, trained = progress.epoch + 1, np.asarray(progress.state.live)
            wanted = stack_places(trained, mesh, batched=batched)
            if len(wanted) != len(places) or failed:
                places, state = wanted, stack_states(progress.state, wanted, mesh)
            state, losses = run_epoch(state, *next(feed))
            wait_for(losses)
            ended, losses = to_host((state, losses))
            losses = jax.tree.map(partial(unstack, places=places, folds=len(folds)), losses)
            failed = find_failures(folds, epoch, losses, trained)
            after = jax.tree.map(partial(unstack, places=places), ended, progress.state)
            after = stop_failed(after, progress.state, failed)
            rows = _rows(folds, epoch, losses, trained, after, failed)
            refuse_all_failed(folds, progress.metrics + rows)
            progress = Progress(epoch, after, progress.metrics + rows)
            if on_epoch:
                on_epoch(progress)
    failed = failed_folds(progress.metrics)
    kept = [number for number, fold in enumerate(folds) if fold.held_out not in failed]
    best = {"params": progress.state.best_params, "batch_stats": progress.state.best_stats}
    best = jax.tree.map(lambda leaf: leaf[kept], best)
    return TrainedFolds(tuple(folds[n] for n in kept), best, progress.metrics, failed)


def wait_for(tree: Any) -> None:
    """Waits for arrays in short sleeps: inside jax's own wait no key press is heard."""
    while not all(leaf.is_ready() for leaf in jax.tree.leaves(tree)):
        time.sleep(0.005)


def refuse_all_failed(folds: Sequence[Fold], metrics: Sequence[dict[str, Any]]) -> None:
    """Raises NoFoldLeft where the rows say that every fold has failed."""
    failed = failed_folds(metrics)
    if all(fold.held_out in failed for fold in folds):
        raise NoFoldLeft(f"{describe_failures(failed)}; no fold is left: {REMEDY}")


def compile_epoch(
    model: TwoStream,
    training: Training,
    augmentation: Augmentation,
    mesh: Mesh,
    *,
    batched: bool | None = None,
) -> Callable:
    """The program of one epoch, `train_epoch` on every device; the stacked state is donated.

    Equal arguments give the same program, and equal shapes do not compile it again. The seed is no
    part of it, but how many samples a step prepares may differ between seeds.
    """
    training = dataclasses.replace(training, seed=0)
    return _epoch_program(model, training, augmentation, mesh, batched)  # pyright: ignore[reportArgumentType]


@cache
def _epoch_program(
    model: Any, training: Training, augmentation: Augmentation, mesh: Mesh, batched: bool | None
):
    options: Any = dict(model=model, training=training, augmentation=augmentation, batched=batched)
    run = partial(train_epoch, **options)
    return compile_program(on_each_device(run, mesh, shared=1), donate_argnums=0)


def start_folds(
    folds: Sequence[Fold],
    pool: FramePool,
    *,
    model: TwoStream,
    training: Training,
    weights: Mapping[str, Any] | None = None,
) -> FoldState:
    """Stacked states before the first epoch (numpy).

    `weights` are {"params", "batch_stats"} of n networks, every leaf with a leading axis. Fold i
    starts from those of network i mod n; by default from random ones.
    """
    if weights is not None:
        places = np.arange(len(folds)) % len(jax.tree.leaves(weights)[0])
        chosen = jax.tree.map(lambda leaf: jnp.asarray(leaf)[places], dict(weights))
        optimiser = make_optimiser(training)
        return jax.device_get(jax.vmap(lambda own: init_state(own, optimiser))(chosen))
    size = as_pool(pool).frames.shape[1:]
    start = _start_program(model, dataclasses.replace(training, seed=0), size)  # pyright: ignore[reportArgumentType]
    keys = jnp.stack([jax.random.fold_in(fold_key(training.seed, fold), START) for fold in folds])
    return jax.device_get(start(keys))


@cache
def _start_program(model: Any, training: Training, size: tuple[int, ...]):
    start = lambda key: init_state(init_variables(model, key, size), make_optimiser(training))
    return jax.jit(jax.vmap(start))


def stack_states(state: FoldState, places: np.ndarray, mesh: Mesh) -> FoldState:
    """The states of the folds of `stack_places`, on the devices; where one is there again, idle."""
    picked = jax.tree.map(lambda leaf: np.asarray(leaf)[places], state)
    picked = dataclasses.replace(picked, live=picked.live & _first_places(places))
    return shard_folds(picked, mesh)


def unstack(
    stacked: jax.Array, others: Any = np.nan, *, places: np.ndarray, folds: int | None = None
) -> np.ndarray:
    """The values of a stack in the order of all folds, with those of the `others` in between.

    `others` has values of all folds, or is one for each of so many `folds`.
    """
    found = np.asarray(stacked)
    shape = (folds, *found.shape[1:]) if folds else np.shape(others)
    values = np.array(np.broadcast_to(others, shape), found.dtype)
    values[places[_first_places(places)]] = found[_first_places(places)]
    return values


def _first_places(places):
    """Whether each place of a stack is the first of its fold: bool (places,)."""
    return np.diff(places, prepend=-1) > 0


def _rows(folds, epoch, losses, trained, state, failed):
    rows = []
    for i, fold in enumerate(folds):
        row = dict(subject=fold.held_out, epoch=epoch)
        for name, values in losses.items():
            known = trained[i] and i not in failed and (fold.validation or name == "train_loss")
            row[name] = float(np.mean(values[i])) if known else None
        best = bool(trained[i] and i not in failed and state.bad_epochs[i] == 0)
        row |= dict(best=best, stopped=not state.live[i])
        rows.append(row | ({FAILED: failed[i]} if i in failed else {}))
    return rows
