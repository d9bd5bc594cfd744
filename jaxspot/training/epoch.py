"""One epoch of the folds of a device: a pure function."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxspot.devices import map_folds
from jaxspot.network.augment import Augmentation
from jaxspot.network.inputs import augmented_inputs
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import TwoStream
from jaxspot.training.state import FoldState, stop_early
from jaxspot.training.step import Training, train_step

NAN = np.float32(np.nan)


class EpochData(NamedTuple):
    """What all folds read in an epoch.

    Attributes:
      frames: uint8 (n, height, width), all or those that the epoch sees.
      labels: float32 (n, 2).
      samples: int32 (steps, samples, 1 + streams), places in these, see `EpochSamples`.
      key: random key of the samples.
    """

    frames: jax.Array
    labels: jax.Array
    samples: jax.Array
    key: jax.Array


class FoldData(NamedTuple):
    """What each fold of a stack reads in an epoch.

    Attributes:
      sample_index: int32 (folds, steps, batch), which of a step's samples each fold takes.
      key: random keys of fold and epoch (folds,).
      validation: float32 (folds, batches, batch, ...), network inputs; None where no subject
        validates.
      validation_labels: float32 (folds, batches, batch, 2), or None.
    """

    sample_index: jax.Array
    key: jax.Array
    validation: jax.Array | None = None
    validation_labels: jax.Array | None = None


def train_epoch(
    states: FoldState,
    folds: FoldData,
    epoch: EpochData,
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation,
    batched: bool | None = None,
) -> tuple[FoldState, dict[str, jax.Array]]:
    """One epoch of the folds of one device: their steps, validation losses, early stopping.

    Returns the new states and {"train_loss": float32 (folds, steps), "validation_loss": (folds,)},
    the latter NaN where nothing validates. A fold that has stopped keeps its state; its losses are
    NaN. For `batched` see `map_folds`.
    """
    each = partial(map_folds, batched=batched)
    train = partial(train_step, model=model, training=training)

    def step(states, numbered):
        number, samples, index = numbered
        inputs_of = _step_inputs(epoch, number, samples, index, augmentation, model)

        def one(fold):
            state, places, key = fold
            labels = epoch.labels[samples[places, 0]]

            def update(state):
                inputs, dropout = inputs_of(places), jax.random.fold_in(key, number)
                return train(state, inputs, labels, dropout)

            return lax.cond(state.live, update, lambda state: (state, NAN), state)

        return each(one, (states, index, folds.key))

    def validate(fold):
        one = partial(_validate_fold, model=model, training=training)
        return lax.cond(fold[0].live, one, lambda fold: (fold[0], NAN), fold)

    steps = jnp.arange(len(epoch.samples), dtype=jnp.int32)
    # What only the end of an epoch writes is not carried, and so not copied, through its steps.
    kept = dict(best_params=states.best_params, best_stats=states.best_stats)
    states = dataclasses.replace(states, best_params=None, best_stats=None)
    index = folds.sample_index.swapaxes(0, 1)
    states, losses = lax.scan(step, states, (steps, epoch.samples, index))
    states = dataclasses.replace(states, **kept)
    states, validation = each(validate, (states, folds.validation, folds.validation_labels))
    return states, {"train_loss": losses.T, "validation_loss": validation}


def _step_inputs(epoch, number, samples, index, augmentation, model) -> Callable:
    """From places among a step's samples to their network inputs, augmented.

    Samples are prepared once for all folds, or by each fold on its own where that is less work; the
    numbers are the same.
    """
    key = jax.random.fold_in(epoch.key, number)
    keys_of = jax.vmap(partial(jax.random.fold_in, key))
    prepare = partial(augmented_inputs, augmentation=augmentation, model=model)
    make = lambda places: prepare(epoch.frames[samples[places]], keys_of(places))
    if len(samples) >= index.size:
        return make
    ready = make(jnp.arange(len(samples)))
    return lambda places: ready[places]


def _validate_fold(fold, *, model, training):
    state, inputs, labels = fold
    if inputs is None:
        return stop_early(state, jnp.float32(jnp.inf), patience=0), NAN
    variables = {"params": state.mean_params, "batch_stats": state.mean_stats}
    loss = validation_loss(variables, inputs, labels, model=model, training=training)
    return stop_early(state, loss, patience=training.patience), loss


def validation_loss(
    variables: dict[str, Any],
    inputs: jax.Array,
    labels: jax.Array,
    *,
    model: TwoStream,
    training: Training,
) -> jax.Array:
    """Mean weighted loss of one network under the running statistics: float32 ().

    `inputs` float32 (batches, batch, ...), from `sample_inputs`; `labels` (batches, batch, 2).
    """

    def batch_loss(batch):
        inputs, labels = batch
        logits: Any = model.apply(variables, inputs, train=False)
        return weighted_bce(logits, labels, **training.loss_weights).mean()

    return lax.map(batch_loss, (inputs, labels)).mean()
