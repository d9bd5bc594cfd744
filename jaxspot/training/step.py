"""One training step and one epoch of a single fold: pure functions, to be stacked over folds."""

import dataclasses
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxspot.network.augment import Augmentation
from jaxspot.network.forms import FORMS
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import TwoStream
from jaxspot.training.state import FoldState, stop_early


@dataclasses.dataclass(frozen=True)
class Training:
    """How a fold is trained; the defaults are the paper's for CAS(ME)^2 (Table 3, section 2.2).

    Attributes:
      epochs: at most.
      steps: training steps an epoch.
      batch: samples a step.
      validation_batches: batches of the validation loss.
      patience: epochs without a lower validation loss after which a fold stops.
      optimiser: "sgd" (momentum 0.9) or "adam".
      learning_rate: at the start.
      decay: "constant", or "cosine" down to 0 at the last epoch.
      presence: W of eq. 2.
      kinds: M of eq. 2 for ME and MaE.
      skips: per stream, shortest and longest random frame skip in seconds.
      averaging: decay per step of the moving average of weights and statistics that is validated
        and kept; 0 keeps the last step's own.
      balance: share of samples whose kind (ME, MaE, neither) is drawn first, each as likely.
      seed: of everything random.
    """

    epochs: int = 40
    steps: int = 100
    batch: int = 16
    validation_batches: int = 16
    patience: int = 5
    optimiser: str = "sgd"
    learning_rate: float = 0.015
    decay: str = "constant"
    presence: float = 0.9
    kinds: tuple[float, float] = (0.1, 0.9)
    skips: tuple[tuple[float, float], ...] = ((0.1, 0.3), (16 / 30, 50 / 30))
    averaging: float = 0.0
    balance: float = 0.0
    seed: int = 0


class Shared(NamedTuple):
    """What all folds read: frames uint8 (n, height, width) and labels float32 (n, 2)."""

    frames: jax.Array
    labels: jax.Array


class Tables(NamedTuple):
    """Samples of one fold: int32 (steps, batch, 1 + streams) and (batches, batch, 1 + streams)."""

    training: jax.Array
    validation: jax.Array


def make_optimiser(training: Training) -> optax.GradientTransformation:
    """The optimiser that a fold's state belongs to."""
    rate = {
        "constant": optax.constant_schedule(training.learning_rate),
        "cosine": optax.cosine_decay_schedule(
            training.learning_rate, training.epochs * training.steps
        ),
    }[training.decay]
    return {"sgd": lambda: optax.sgd(rate, momentum=0.9), "adam": lambda: optax.adam(rate)}[
        training.optimiser
    ]()


def normalise(frames: jax.Array, form: str = "fast") -> jax.Array:
    """Uint8 frames (..., height, width) as the network sees them when nothing is augmented."""
    return FORMS[form].local_contrast_normalise(frames.astype(jnp.float32) / 255)


def train_step(
    state: FoldState,
    frames: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation,
) -> tuple[FoldState, jax.Array]:
    """Augments, normalises, and takes one step of the optimiser on the mean weighted loss.

    Args:
      state: of this fold.
      frames: uint8 (batch, 1 + streams, height, width).
      labels: float32 (batch, 2).
      key: random key of this step.

    Returns:
      The new state and the loss, float32 ().
    """
    form = FORMS[model.form]
    augment_key, dropout_key = jax.random.split(key)
    keys = jax.random.split(augment_key, len(frames))
    seen = jax.vmap(lambda f, k: form.augment(f, k, augmentation))(frames, keys)
    inputs = lax.optimization_barrier(form.local_contrast_normalise(seen))

    def mean_loss(params):
        logits, updates = model.apply(
            {"params": params, "batch_stats": state.batch_stats},
            inputs,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": dropout_key},
        )
        loss = weighted_bce(logits, labels, presence=training.presence, kinds=training.kinds)
        return loss.mean(), updates["batch_stats"]

    (loss, stats), gradients = jax.value_and_grad(mean_loss, has_aux=True)(state.params)
    updates, opt_state = make_optimiser(training).update(gradients, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    average = partial(optax.incremental_update, step_size=1 - training.averaging)
    state = dataclasses.replace(
        state,
        params=params,
        batch_stats=stats,
        opt_state=opt_state,
        mean_params=average(params, state.mean_params),
        mean_stats=average(stats, state.mean_stats),
    )
    return state, loss


def fold_epoch(
    state: FoldState,
    tables: Tables,
    key: jax.Array,
    shared: Shared,
    *,
    model: TwoStream,
    training: Training,
    augmentation: Augmentation,
) -> tuple[FoldState, dict[str, jax.Array]]:
    """One epoch of one fold: its steps, its validation loss, early stopping.

    A fold that has stopped is returned as it is, with NaN losses.

    Args:
      state: of this fold.
      tables: its samples of this epoch.
      key: random key of fold and epoch.
      shared: the frames and labels of all subjects.

    Returns:
      The new state and {"train_loss": float32 (steps,), "validation_loss": float32 ()}.
    """

    def step(state, numbered):
        number, rows = numbered
        frames, labels = shared.frames[rows], shared.labels[rows[:, 0]]
        return train_step(
            state,
            frames,
            labels,
            jax.random.fold_in(key, number),
            model=model,
            training=training,
            augmentation=augmentation,
        )

    def run(state):
        numbers = jnp.arange(len(tables.training), dtype=jnp.int32)
        state, losses = lax.scan(step, state, (numbers, tables.training))
        loss = validation_loss(
            {"params": state.mean_params, "batch_stats": state.mean_stats},
            tables.validation,
            shared,
            model=model,
            training=training,
        )
        metrics = {"train_loss": losses, "validation_loss": loss}
        return stop_early(state, loss, patience=training.patience), metrics

    def skip(state):
        nan = lambda *shape: jnp.full(shape, jnp.nan, jnp.float32)
        return state, {"train_loss": nan(len(tables.training)), "validation_loss": nan()}

    return lax.cond(state.live, run, skip, state)


def validation_loss(
    variables: dict[str, Any],
    table: jax.Array,
    shared: Shared,
    *,
    model: TwoStream,
    training: Training,
) -> jax.Array:
    """Mean weighted loss without augmentation, under the running statistics: float32 ()."""

    def batch_loss(rows):
        inputs = normalise(shared.frames[rows], model.form)
        logits: Any = model.apply(variables, inputs, train=False)
        labels = shared.labels[rows[:, 0]]
        return weighted_bce(logits, labels, presence=training.presence, kinds=training.kinds).mean()

    return lax.map(batch_loss, table).mean()
