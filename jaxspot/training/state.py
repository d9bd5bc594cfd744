"""The state of a fold: one pytree, so that all folds stack along a leading axis."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct


@struct.dataclass
class FoldState:
    """What one fold carries from epoch to epoch.

    Attributes:
      params, batch_stats, opt_state: after the last step; a network without batch normalisation
        has no statistics, an empty dict.
      mean_params, mean_stats: moving averages of weights and statistics, validated and kept.
      best_params, best_stats: these of the epoch with the lowest validation loss, or of the last
        (`stop_early`).
      best_loss: that loss, float32.
      bad_epochs: epochs since, int32.
      live: whether the fold still trains, bool; once false, nothing here changes any more.
    """

    params: Any
    batch_stats: Any
    opt_state: Any
    mean_params: Any
    mean_stats: Any
    best_params: Any
    best_stats: Any
    best_loss: jax.Array
    bad_epochs: jax.Array
    live: jax.Array


def init_state(variables: Mapping[str, Any], optimiser: optax.GradientTransformation) -> FoldState:
    """The state before the first epoch."""
    params, stats = variables["params"], variables.get("batch_stats", {})
    return FoldState(
        params=params,
        batch_stats=stats,
        opt_state=optimiser.init(params),
        mean_params=params,
        mean_stats=stats,
        best_params=params,
        best_stats=stats,
        best_loss=jnp.full((), jnp.inf, jnp.float32),
        bad_epochs=jnp.zeros((), jnp.int32),
        live=jnp.ones((), bool),
    )


def stop_early(state: FoldState, loss: jax.Array, *, patience: int) -> FoldState:
    """Keeps the best weights; stops after exactly `patience` epochs without a lower loss.

    A patience of 0 keeps the last epoch's and never stops: the loss decides nothing. The paper has
    5. `loss` is float32 (), on the validation subjects, after an epoch's steps.
    """
    better = (loss < state.best_loss) | (patience == 0)
    keep = lambda new, old: jax.tree.map(lambda n, o: jnp.where(better, n, o), new, old)
    bad_epochs = jnp.where(better, 0, state.bad_epochs + 1)
    return dataclasses.replace(
        state,
        best_params=keep(state.mean_params, state.best_params),
        best_stats=keep(state.mean_stats, state.best_stats),
        best_loss=jnp.where(better, loss, state.best_loss),
        bad_epochs=bad_epochs,
        live=state.live & (better | (bad_epochs < patience)),
    )
