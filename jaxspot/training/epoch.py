"""One epoch of the folds of a device: a pure function."""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.devices import map_folds
from jaxspot.network.augment import Augmentation
from jaxspot.network.inputs import prepare_samples
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import TwoStream
from jaxspot.training.state import FoldState, stop_early
from jaxspot.training.step import Training, train_step


class Shared(NamedTuple):
    """What all folds read in an epoch.

    Attributes:
      frames: uint8 (n, height, width), all or those that the epoch sees.
      labels: float32 (n, 2).
      rows: int32 (steps, samples, 1 + streams), places in these, see `sampling.Samples`.
      key: random key of the samples.
    """

    frames: jax.Array
    labels: jax.Array
    rows: jax.Array
    key: jax.Array


class Tables(NamedTuple):
    """Samples of some folds in one epoch.

    Attributes:
      picks: int32 (folds, steps, batch), places in the `rows` of `sampling.Samples`.
      validation: float32 (folds, batches, batch, ...), what the networks see; None where no subject
        validates.
      labels: float32 (folds, batches, batch, 2), of the validation, or None.
    """

    picks: jax.Array
    validation: jax.Array | None = None
    labels: jax.Array | None = None


def train_epoch(
    states: FoldState,
    tables: Tables,
    keys: jax.Array,
    shared: Shared,
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation,
    batched: bool | None = None,
) -> tuple[FoldState, dict[str, jax.Array]]:
    """One epoch of the folds of one device: their steps, validation losses, early stopping.

    A step's samples are augmented and normalised once for all folds where that is less work than
    for each on its own; the numbers are the same. A fold that has stopped is returned as it is,
    with NaN losses.

    Args:
      states: stacked.
      tables: the folds' samples of this epoch.
      keys: random keys of fold and epoch (folds,).
      shared: what all folds read.
      batched: see `map_folds`.

    Returns:
      The new states and {"train_loss": float32 (folds, steps), "validation_loss": (folds,)}, the
      latter NaN where nothing validates.
    """
    each = partial(map_folds, batched=batched)
    folds, _, batch = tables.picks.shape
    prepare = partial(prepare_samples, augmentation=augmentation, model=model)

    def step(states, numbered):
        number, rows, picks = numbered
        key = jax.random.fold_in(shared.key, number)
        keys_of = jax.vmap(partial(jax.random.fold_in, key))
        make = lambda places: prepare(shared.frames[rows[places]], keys_of(places))
        inputs_of = make
        if len(rows) < folds * batch:
            ready = make(jnp.arange(len(rows)))
            inputs_of = lambda places: ready[places]

        def one(fold):
            state, places, key = fold
            labels = shared.labels[rows[places, 0]]
            update = lambda state: train_step(
                state,
                inputs_of(places),
                labels,
                jax.random.fold_in(key, number),
                model=model,
                training=training,
            )
            return lax.cond(state.live, update, lambda state: (state, jnp.float32(jnp.nan)), state)

        return each(one, (states, picks, keys))

    def judge(fold):
        state, inputs, labels = fold
        if inputs is None:
            return stop_early(state, jnp.float32(jnp.inf), patience=0), jnp.float32(jnp.nan)
        loss = validation_loss(
            {"params": state.mean_params, "batch_stats": state.mean_stats},
            inputs,
            labels,
            model=model,
            training=training,
        )
        return stop_early(state, loss, patience=training.patience), loss

    def judge_live(fold):
        return lax.cond(fold[0].live, judge, lambda fold: (fold[0], jnp.float32(jnp.nan)), fold)

    steps = jnp.arange(len(shared.rows), dtype=jnp.int32)
    # What only the end of an epoch writes is not carried, and so not copied, through its steps.
    kept = dict(best_params=states.best_params, best_stats=states.best_stats)
    states = dataclasses.replace(states, best_params=None, best_stats=None)
    states, losses = lax.scan(step, states, (steps, shared.rows, tables.picks.swapaxes(0, 1)))
    states = dataclasses.replace(states, **kept)
    states, validation = each(judge_live, (states, tables.validation, tables.labels))
    return states, {"train_loss": losses.T, "validation_loss": validation}


def validation_loss(
    variables: dict[str, Any],
    inputs: jax.Array,
    labels: jax.Array,
    *,
    model: TwoStream,
    training: Training,
) -> jax.Array:
    """Mean weighted loss without augmentation, under the running statistics: float32 ().

    Args:
      variables: of one network.
      inputs: float32 (batches, batch, ...), what the network sees.
      labels: float32 (batches, batch, 2).
      model: the network.
      training: its weights of the loss.
    """

    def batch_loss(samples):
        inputs, labels = samples
        logits: Any = model.apply(variables, inputs, train=False)
        return weighted_bce(
            logits,
            labels,
            presence_weight=training.presence_weight,
            kind_weights=training.kind_weights,
        ).mean()

    return lax.map(batch_loss, (inputs, labels)).mean()
