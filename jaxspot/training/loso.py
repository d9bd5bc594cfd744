"""Leave-one-subject-out training of all folds at once, paper section 3.3."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from jaxspot.errors import UserError
from jaxspot.network.augment import Augmentation
from jaxspot.network.compiling import compile_program
from jaxspot.network.model import TwoStream
from jaxspot.training.epochs import Progress
from jaxspot.training.folds import Fold, fold_key
from jaxspot.training.parallel import fold_mesh, over_folds, pad_folds, replicate, shard_folds
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
    resume: Progress | None = None,
    on_epoch: Callable[[Progress], None] | None = None,
) -> TrainedFolds:
    """Trains every fold on its own training subjects, all folds in one program.

    The frames lie on the device once, for all folds; an epoch is one call, compiled once. A fold's
    weights depend on seed, its held-out subject's name and its training and validation subjects,
    not on the other folds or on where a run was cut and resumed, and on the number of devices by
    rounding alone.

    Args:
      pool: frames and labels of all subjects.
      folds: from `loso_folds`, or some of them.
      model: the network.
      training: how to train.
      augmentation: ranges; the paper's by default.
      mesh: the devices; all by default.
      resume: where an earlier call with the same arguments had come to.
      on_epoch: called after each epoch with all that has come of it.

    Raises:
      UserError: a loss is not finite; it names subject, epoch and step.
    """
    mesh = mesh or fold_mesh()
    padded = pad_folds(list(folds), mesh)
    run_epoch = compile_epoch(model, training, augmentation or Augmentation(), mesh)
    shared = replicate(Shared(jnp.asarray(pool.frames), jnp.asarray(pool.labels)), mesh)
    progress = resume or Progress(0, start_folds(folds, pool, model=model, training=training), [])
    state = shard_folds(_pad_idle(progress.state, mesh), mesh)
    common: dict[str, Any] = dict(seed=training.seed, batch=training.batch, skips=training.skips)
    validation = shard_folds(
        validation_tables(pool, padded, batches=training.validation_batches, **common), mesh
    )
    ours = lambda tree: jax.tree.map(lambda x: np.array(x[: len(folds)]), jax.device_get(tree))
    while progress.epoch < training.epochs and progress.state.live.any():
        epoch = progress.epoch + 1
        tables = epoch_tables(
            pool, padded, epoch=epoch, steps=training.steps, balance=training.balance, **common
        )
        tables = Tables(shard_folds(tables, mesh), validation)
        state, losses = run_epoch(state, tables, epoch_keys(padded, training, epoch, mesh), shared)
        wait_for(losses)
        trained, losses = np.asarray(progress.state.live), ours(losses)
        refuse_not_finite(folds, epoch, losses, trained)
        after = ours(state)
        rows = _rows(folds, epoch, losses, trained, after)
        progress = Progress(epoch, after, progress.metrics + rows)
        if on_epoch:
            on_epoch(progress)
    best = {"params": progress.state.best_params, "batch_stats": progress.state.best_stats}
    return TrainedFolds(tuple(folds), best, progress.metrics)


def wait_for(tree: Any) -> None:
    """Waits for arrays in short sleeps: inside jax's own wait no key press is heard."""
    while not all(leaf.is_ready() for leaf in jax.tree.leaves(tree)):
        time.sleep(0.005)


def refuse_not_finite(
    folds: Sequence[Fold], epoch: int, losses: dict[str, np.ndarray], trained: np.ndarray
) -> None:
    """Stops at the first loss that is not a finite number.

    Args:
      folds: in the order of the leading axis.
      epoch: the epoch of these losses.
      losses: "train_loss" float32 (folds, steps) and "validation_loss" float32 (folds,).
      trained: bool (folds,), false for folds that had stopped before.

    Raises:
      UserError: it names subject, epoch and step.
    """
    by_step = np.column_stack([losses["train_loss"], losses["validation_loss"]])
    for fold, values, live in zip(folds, by_step, trained, strict=True):
        bad = np.flatnonzero(~np.isfinite(values))
        if live and len(bad):
            last = bad[0] == len(values) - 1
            where = "validation" if last else f"step {bad[0] + 1} of {len(values) - 1}"
            raise UserError(
                f"fold of subject {fold.held_out}, epoch {epoch}, {where}: the loss is"
                f" {values[bad[0]]}; epoch {epoch - 1} is the last good one. Train anew with a"
                " lower --config.training.learning_rate"
            )


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
    folds: Sequence[Fold], pool: FramePool, *, model: TwoStream, training: Training
) -> FoldState:
    """Stacked states before the first epoch (numpy)."""
    sample = jnp.zeros((1, 1 + len(training.skips), *pool.frames.shape[1:]), jnp.float32)
    optimiser = make_optimiser(training)
    start = lambda key: init_state(model.init(key, sample, train=False), optimiser)
    keys = jnp.stack([jax.random.fold_in(fold_key(training.seed, fold), _START) for fold in folds])
    return jax.device_get(jax.jit(jax.vmap(start))(keys))


def epoch_keys(folds: Sequence[Fold], training: Training, epoch: int, mesh: Mesh) -> jax.Array:
    """One key per fold for this epoch."""
    fold_in = jax.random.fold_in
    keys = [fold_in(fold_in(fold_key(training.seed, f), _EPOCHS), epoch) for f in folds]
    return shard_folds(jnp.stack(keys), mesh)


def _pad_idle(state, mesh):
    """The state with folds that do nothing behind its own, so that the devices share evenly."""
    padded = jax.tree.map(lambda leaf: np.asarray(pad_folds(leaf, mesh)), state)
    return dataclasses.replace(
        padded, live=padded.live & (np.arange(len(padded.live)) < len(state.live))
    )


def _rows(folds, epoch, losses, trained, state):
    rows = []
    for i, fold in enumerate(folds):
        means = {name: float(np.mean(values[i])) for name, values in losses.items()}
        row = dict(subject=fold.held_out, epoch=epoch)
        row |= {name: mean if trained[i] else None for name, mean in means.items()}
        row |= dict(best=bool(trained[i] and state.bad_epochs[i] == 0))
        rows.append(row | dict(stopped=not state.live[i]))
    return rows
