"""Leave-one-subject-out training of all folds at once, paper section 3.3."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxspot.network.augment import Augmentation
from jaxspot.network.compiling import compile_program
from jaxspot.network.model import TwoStream
from jaxspot.training.folds import Fold, fold_key
from jaxspot.training.parallel import fold_mesh, over_folds, padding, replicate, shard_folds
from jaxspot.training.pool import FramePool
from jaxspot.training.sampling import epoch_tables, validation_tables
from jaxspot.training.state import FoldState, init_state
from jaxspot.training.step import Shared, Tables, Training, fold_epoch, make_optimiser

# One of the two keys of a fold starts its weights, the other runs its epochs.
_START, _EPOCHS = 0, 1


class TrainedFolds(NamedTuple):
    """What training leaves: the folds, their best variables and a row per fold and epoch.

    Attributes:
      folds: in the order of the stacked axis.
      variables: {"params", "batch_stats"}, every leaf with a leading fold axis (numpy).
      metrics: rows of subject, epoch, train_loss, validation_loss, best, stopped.
    """

    folds: tuple[Fold, ...]
    variables: dict[str, Any]
    metrics: list[dict[str, Any]]


def train_loso(
    pool: FramePool,
    folds: Sequence[Fold],
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation | None = None,
    mesh: Mesh | None = None,
    on_epoch: Callable[[int, FoldState, list[dict[str, Any]]], None] | None = None,
) -> TrainedFolds:
    """Trains every fold on its own training subjects, all folds in one program.

    The frames lie on the device once, for all folds; an epoch is one call, compiled once. A fold's
    weights depend on seed, its held-out subject's name and its training and validation subjects,
    not on the other folds or on the number of devices.

    Args:
      pool: frames and labels of all subjects.
      folds: from `loso_folds`, or some of them.
      model: the network.
      training: how to train.
      augmentation: ranges; the paper's by default.
      mesh: the devices; all by default.
      on_epoch: called after each epoch with its number (from 1), the stacked state and the rows of
        this epoch. The next epoch takes over the state's memory: copy what must last.
    """
    mesh = mesh or fold_mesh()
    padded = [*folds] + [folds[-1]] * padding(len(folds), mesh)
    run_epoch = compile_epoch(model, training, augmentation or Augmentation(), mesh)
    shared = replicate(Shared(jnp.asarray(pool.frames), jnp.asarray(pool.labels)), mesh)
    state = start_folds(padded, pool, model=model, training=training, mesh=mesh)
    state = dataclasses.replace(
        state, live=state.live & shard_folds(jnp.arange(len(padded)) < len(folds), mesh)
    )
    common: dict[str, Any] = dict(seed=training.seed, batch=training.batch, skips=training.skips)
    validation = shard_folds(
        validation_tables(pool, padded, batches=training.validation_batches, **common), mesh
    )
    metrics = []
    for epoch in range(1, training.epochs + 1):
        tables = epoch_tables(
            pool, padded, epoch=epoch, steps=training.steps, balance=training.balance, **common
        )
        tables = Tables(shard_folds(tables, mesh), validation)
        keys = epoch_keys(padded, training, epoch, mesh)
        state, losses = run_epoch(state, tables, keys, shared)
        rows = _rows(folds, epoch, *jax.device_get((losses, state.bad_epochs, state.live)))
        metrics += rows
        if on_epoch:
            on_epoch(epoch, state, rows)
        if all(row["stopped"] for row in rows):
            break
    best = {"params": state.best_params, "batch_stats": state.best_stats}
    best = jax.tree.map(lambda leaf: leaf[: len(folds)], jax.device_get(best))
    return TrainedFolds(tuple(folds), best, metrics)


def compile_epoch(
    model: TwoStream, training: Training, augmentation: Augmentation, mesh: Mesh
) -> Callable:
    """The program of one epoch: (state, tables, keys, all stacked, and shared) -> (state, losses).

    The stacked state is donated.
    """

    def one(fold, shared):
        state, tables, key = fold
        return fold_epoch(
            state, tables, key, shared, model=model, training=training, augmentation=augmentation
        )

    program = over_folds(one, mesh)
    run = lambda state, tables, keys, shared: program((state, tables, keys), shared)
    return compile_program(run, donate_argnums=0)


def start_folds(
    folds: Sequence[Fold], pool: FramePool, *, model: TwoStream, training: Training, mesh: Mesh
) -> FoldState:
    """Stacked states before the first epoch, placed on the devices."""
    sample = jnp.zeros((1, 1 + len(training.skips), *pool.frames.shape[1:]), jnp.float32)
    optimiser = make_optimiser(training)
    start = lambda key: init_state(model.init(key, sample, train=False), optimiser)
    keys = jnp.stack([jax.random.fold_in(fold_key(training.seed, fold), _START) for fold in folds])
    return shard_folds(jax.jit(jax.vmap(start))(keys), mesh)


def epoch_keys(folds: Sequence[Fold], training: Training, epoch: int, mesh: Mesh) -> jax.Array:
    """One key per fold for this epoch."""
    fold_in = jax.random.fold_in
    keys = [fold_in(fold_in(fold_key(training.seed, f), _EPOCHS), epoch) for f in folds]
    return shard_folds(jnp.stack(keys), mesh)


def _rows(folds, epoch, losses, bad_epochs, live):
    rows = []
    for i, fold in enumerate(folds):
        trained = not np.isnan(losses["train_loss"][i]) or bool(live[i])
        values = {name: float(value[i]) if trained else None for name, value in losses.items()}
        best = trained and int(bad_epochs[i]) == 0
        rows.append(
            dict(subject=fold.held_out, epoch=epoch, **values, best=best, stopped=not live[i])
        )
    return rows
