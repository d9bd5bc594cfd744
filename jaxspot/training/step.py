"""One training step of a fold, and one epoch of the folds of a device: pure functions."""

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
from jaxspot.training.parallel import map_folds
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
    """What all folds read in an epoch.

    Attributes:
      frames: uint8 (n, height, width), of all subjects.
      labels: float32 (n, 2).
      rows: int32 (steps, samples, 1 + streams), see `sampling.Samples`.
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
      validation: int32 (folds, batches, batch, 1 + streams), places in the pool.
    """

    picks: jax.Array
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


def prepare_samples(
    frames: jax.Array, keys: jax.Array, *, augmentation: Augmentation, form: str = "fast"
) -> jax.Array:
    """Augments and normalises samples, each by its own key.

    Args:
      frames: uint8 (samples, 1 + streams, height, width).
      keys: random keys (samples,).
      augmentation: ranges.
      form: see `FORMS`.

    Returns:
      float32 (samples, 1 + streams, height, width), what the network sees.
    """
    chosen = FORMS[form]
    seen = jax.vmap(lambda f, k: chosen.augment(f, k, augmentation))(frames, keys)
    return lax.optimization_barrier(chosen.local_contrast_normalise(seen))


def train_step(
    state: FoldState,
    inputs: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    *,
    model: TwoStream,
    training: Training,
) -> tuple[FoldState, jax.Array]:
    """Takes one step of the optimiser on the mean weighted loss.

    Args:
      state: of this fold.
      inputs: float32 (batch, 1 + streams, height, width), from `prepare_samples`.
      labels: float32 (batch, 2).
      key: random key of dropout.

    Returns:
      The new state and the loss, float32 ().
    """

    def mean_loss(params):
        logits, updates = model.apply(
            {"params": params, "batch_stats": state.batch_stats},
            inputs,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
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
      The new states and {"train_loss": float32 (folds, steps), "validation_loss": (folds,)}.
    """
    each = partial(map_folds, batched=batched)
    folds, _, batch = tables.picks.shape
    prepare = partial(prepare_samples, augmentation=augmentation, form=model.form)

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
        state, table = fold
        loss = validation_loss(
            {"params": state.mean_params, "batch_stats": state.mean_stats},
            table,
            shared,
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
    states, validation = each(judge_live, (states, tables.validation))
    return states, {"train_loss": losses.T, "validation_loss": validation}


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
