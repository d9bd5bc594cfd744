"""How a fold is trained, and one step of it: pure functions, to be stacked over folds."""

import dataclasses
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax
from jax import lax

from jaxspot.annotations.tables import with_tuples
from jaxspot.errors import check_choices
from jaxspot.network.augment import Augmentation
from jaxspot.network.forms import FORMS, FormName, compare, to_input
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import TwoStream
from jaxspot.training.state import FoldState


@dataclasses.dataclass(frozen=True)
class Training:
    """How a fold is trained; the defaults are the paper's for CAS(ME)^2 (Table 3, section 2.2).

    Attributes:
      epochs: at most.
      steps: training steps an epoch.
      batch: samples a step.
      validation_batches: batches of the validation loss.
      patience: epochs without a lower validation loss after which a fold stops; its best epoch is
        kept. 0: all epochs are trained and the last is kept.
      optimiser: "sgd" (momentum 0.9) or "adam".
      learning_rate: at the start.
      decay: "constant", or "cosine" down to 0 at the last epoch.
      presence: W of eq. 2.
      kinds: M of eq. 2 for ME and MaE.
      skips: of ME and MaE, shortest and longest random frame skip in seconds.
      averaging: decay per step of the moving average of weights and statistics that is validated
        and kept; 0 keeps the last step's own.
      balance: share of samples whose kind (ME, MaE, neither) is drawn first, each of the subject's
        as likely.
      seed: of everything random.

    Raises:
      ValueError: another optimiser or decay.
    """

    epochs: int = 40
    steps: int = 100
    batch: int = 16
    validation_batches: int = 16
    patience: int = 5
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = 0.015
    decay: Literal["constant", "cosine"] = "constant"
    presence: float = 0.9
    kinds: tuple[float, float] = (0.1, 0.9)
    skips: tuple[tuple[float, float], tuple[float, float]] = ((0.1, 0.3), (16 / 30, 50 / 30))
    averaging: float = 0.0
    balance: float = 0.0
    seed: int = 0

    def __post_init__(self):
        check_choices(self)
        for name in ("kinds", "skips"):  # lists would keep programs from being found again
            object.__setattr__(self, name, with_tuples(getattr(self, name)))


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


def normalise(frames: jax.Array, form: FormName = "fast", lcn: bool = True) -> jax.Array:
    """Uint8 frames (..., height, width) as `to_input` makes them."""
    return to_input(frames.astype(jnp.float32) / 255, form=form, lcn=lcn)


def prepare_samples(
    frames: jax.Array, keys: jax.Array, *, augmentation: Augmentation, model: TwoStream
) -> jax.Array:
    """Augments and normalises samples, each by its own key.

    Args:
      frames: uint8 (samples, 1 + streams, height, width).
      keys: random keys (samples,).
      augmentation: ranges.
      model: the network.

    Returns:
      float32 (samples, ...), what the network sees.
    """
    seen = jax.vmap(lambda f, k: FORMS[model.form].augment(f, k, augmentation))(frames, keys)
    seen = lax.optimization_barrier(to_input(seen, form=model.form, lcn=model.lcn))
    return compare(seen, trunk=model.trunk)


def init_variables(model: TwoStream, key: jax.Array, size: tuple[int, int]) -> dict[str, Any]:
    """A network at its start, {"params", "batch_stats"}, for frames of (height, width)."""
    blank = jnp.zeros((1, 1 + len(model.references), *size), jnp.uint8)
    return dict(model.init(key, see(blank, model), train=False))


def see(frames: jax.Array, model: TwoStream) -> jax.Array:
    """Samples as the network sees them when nothing is augmented.

    Args:
      frames: uint8 (samples, 1 + streams, height, width).
      model: the network.

    Returns:
      float32 (samples, ...), what the network sees.
    """
    return compare(normalise(frames, model.form, model.lcn), trunk=model.trunk)


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
      inputs: float32 (batch, ...), from `prepare_samples`.
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
        return loss.mean(), updates.get("batch_stats", {})

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
