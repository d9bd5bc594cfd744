"""How a fold is trained, and one step of it: pure functions, to be stacked over folds."""

import dataclasses
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import optax

from jaxspot.errors import check_fields, check_numbers
from jaxspot.files import with_tuples
from jaxspot.network.loss import weighted_bce
from jaxspot.network.model import TwoStream
from jaxspot.training.frame_skips import CAS_ME2, Ranges
from jaxspot.training.state import FoldState


@dataclasses.dataclass(frozen=True)
class Training:
    """Training settings of a fold; defaults are the paper's for CAS(ME)^2 where it states them.

    It states `batch`, `patience`, `learning_rate`, W, M and `skip_range_seconds` (Table 3,
    sections 2.2 and 3.3).

    Attributes:
      epochs: maximum number of epochs.
      steps: training steps per epoch.
      batch: samples per step.
      validation_batches: number of batches for the validation loss.
      patience: epochs without a lower validation loss after which a fold stops; its best epoch is
        kept. 0: all epochs are trained and the last is kept.
      optimiser: "sgd" (momentum 0.9) or "adam".
      learning_rate: learning rate at the start.
      decay: "constant", or "cosine" down to 0 at the last epoch.
      presence_weight: W of eq. 2.
      kind_weights: M of eq. 2 for ME and MaE.
      skip_range_seconds: of ME and MaE, shortest and longest random frame skip in seconds.
      averaging: decay per step of the moving average of weights and statistics. The average is
        validated and kept. 0 turns averaging off.
      balance: for this share of the samples, the kind (ME, MaE, neither) is drawn first, then a
        frame of that kind. Each kind that the subject has is equally likely.
      seed: seed of all random numbers.

    Raises:
      ValueError: a value is not valid.
    """

    epochs: int = 60
    steps: int = 200
    batch: int = 16
    validation_batches: int = 16
    patience: int = 5
    optimiser: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = 0.015
    decay: Literal["constant", "cosine"] = "constant"
    presence_weight: float = 0.9
    kind_weights: tuple[float, float] = (0.1, 0.9)
    skip_range_seconds: Ranges = CAS_ME2
    averaging: float = 0.0
    balance: float = 0.0
    seed: int = 0

    def __post_init__(self):
        for name in ("kind_weights", "skip_range_seconds"):
            # A list would keep a compiled program from being found again.
            object.__setattr__(self, name, with_tuples(getattr(self, name)))
        check_fields(self)
        check_numbers(self, "epochs", "steps", "batch", "validation_batches", least=1)
        check_numbers(self, "patience", "kind_weights", least=0)
        check_numbers(self, "learning_rate", "skip_range_seconds", above=0)
        check_numbers(self, "averaging", least=0, below=1)
        check_numbers(self, "presence_weight", "balance", least=0, most=1)
        if any(short > long for short, long in self.skip_range_seconds):
            raise ValueError(
                f"skip_range_seconds must have the shorter first, not {self.skip_range_seconds}"
            )

    @property
    def loss_weights(self) -> dict[str, Any]:
        """W and M as `weighted_bce` takes them."""
        return dict(presence_weight=self.presence_weight, kind_weights=self.kind_weights)


def make_optimiser(training: Training) -> optax.GradientTransformation:
    """The optimiser that a fold's state belongs to."""
    start, steps = training.learning_rate, training.epochs * training.steps
    rate = {
        "constant": optax.constant_schedule(start),
        "cosine": optax.cosine_decay_schedule(start, steps),
    }[training.decay]
    make = {"sgd": partial(optax.sgd, momentum=0.9), "adam": optax.adam}[training.optimiser]
    return make(rate)


def train_step(
    state: FoldState,
    inputs: jax.Array,
    labels: jax.Array,
    key: jax.Array,
    *,
    model: TwoStream,
    training: Training,
) -> tuple[FoldState, jax.Array]:
    """One step of the optimiser on the mean weighted loss: the new state and the loss, float32 ().

    `inputs` float32 (batch, ...) come from `augmented_inputs`; `labels` are float32 (batch, 2);
    `key` is that of dropout.
    """

    def mean_loss(params):
        logits, updates = model.apply(
            {"params": params, "batch_stats": state.batch_stats},
            inputs,
            train=True,
            mutable=["batch_stats"],
            rngs={"dropout": key},
        )
        known = jnp.broadcast_to(labels[:, None], logits.shape) if logits.ndim == 3 else labels
        loss = weighted_bce(logits, known, **training.loss_weights)
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
