"""How recurrent networks are trained: one a fold for a kind, all in one program."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import Mesh

from jaxspot.baselines.recurrent.features import Features
from jaxspot.baselines.recurrent.samples import SubjectWindows, batches
from jaxspot.baselines.recurrent.windows import Windows
from jaxspot.baselines.starting import draw_params
from jaxspot.devices import (
    fold_mesh,
    map_folds,
    on_each_device,
    pad_folds,
    replicate,
    shard_folds,
)
from jaxspot.errors import UserError
from jaxspot.network.compiling import compile_program
from jaxspot.training.folds import Fold
from jaxspot.training.random_keys import subject_number
from jaxspot.video.bank import Bank

CALL_BYTES = 2**25
"""Windows that are handed to one call of the program, at most (one step, at least)."""


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained: by AdamW on the cross-entropy.

    Attributes:
      learning_rate, weight_decay: of the optimiser; the rate falls to 0 along a cosine.
      steps: of the optimiser.
      batch: windows a step, as many of each subject. A network's loss leaves out those of subjects
        that are not its own.
      groups: of subjects, see `plan_networks`.
    """

    learning_rate: float = 0.005
    weight_decay: float = 0.1
    steps: int = 200
    batch: int = 192
    groups: int = 6


def train_networks(
    bank: Bank,
    features: Features,
    network: Any,
    *,
    folds: Sequence[Fold],
    kind: str,
    windows: Windows,
    recipe: Recipe,
    seed: int,
    mesh: Mesh | None = None,
    batched: bool | None = None,
    on_share: Callable[[float], object] = lambda share: None,
) -> tuple[Any, np.ndarray]:
    """Trains a network for each fold on its subjects, all at once.

    `network` maps float32 (B, steps, width) to logits (B, outputs). Every step draws the same
    windows for all folds; each subject's depend on it alone, so what is held out of a fold changes
    nothing in it. Returns params, stacked numpy, and losses, float32 (folds, steps). Raises
    UserError if a loss is not finite.
    """
    subjects = sorted(bank.videos.subject.unique())
    draws = [SubjectWindows(bank, features, name, kind, windows, seed) for name in subjects]
    each = max(2, recipe.batch // len(subjects))
    owners = np.repeat(subjects, each)
    own = np.stack([np.isin(owners, fold.subjects) for fold in folds]).astype(np.float32)
    size = 4 * each * len(subjects) * windows.steps * features.rows.shape[1]
    steps_a_call = int(np.clip(CALL_BYTES // size, 1, 8))

    mesh = mesh or fold_mesh()
    run = _program(network, recipe, mesh, batched)
    params = start_networks(network, folds, windows, features.rows.shape[1], seed=seed)
    place = lambda tree: shard_folds(jax.tree.map(lambda leaf: pad_folds(leaf, mesh), tree), mesh)
    state, own = place((params, jax.vmap(_optimiser(recipe).init)(params))), place(own)
    losses, calls = [], -(-recipe.steps // steps_a_call)
    names = [f"fold of subject {fold.held_out}, {kind}" for fold in folds]
    for batch in batches(draws, each=each, steps=recipe.steps, steps_a_call=steps_a_call):
        state, loss = run(state, own, *replicate(tuple(batch), mesh))
        losses.append(loss)
        if len(losses) > 1:  # the next windows are gathered while the last call runs
            losses[-2] = _finite(losses[-2], names)
        on_share(len(losses) / calls)
    losses[-1] = _finite(losses[-1], names)
    params = jax.tree.map(lambda leaf: np.array(leaf[: len(folds)]), jax.device_get(state[0]))
    return params, np.concatenate(losses, axis=1)[:, : recipe.steps]


def start_networks(
    network: Any, folds: Sequence[Fold], windows: Windows, width: int, *, seed: int
) -> Any:
    """Stacked parameters before the first step (numpy), from the seed and the fold alone."""
    window = jax.ShapeDtypeStruct((1, windows.steps, width), jnp.float32)
    shapes = jax.eval_shape(network.init, jax.random.key(0), window)["params"]
    numbers = [subject_number(fold.held_out) for fold in folds]
    drawn = [draw_params(shapes, np.random.default_rng([seed, number])) for number in numbers]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *drawn)


@cache
def _program(network, recipe, mesh, batched):
    train_some = _train_some(network, _optimiser(recipe))

    def train(state, own, *batches):
        one = lambda fold: train_some(*fold, *batches)
        return map_folds(one, (state, own), batched=batched)

    return compile_program(on_each_device(train, mesh, shared=3), donate_argnums=0)


def _optimiser(recipe):
    schedule = optax.cosine_decay_schedule(recipe.learning_rate, recipe.steps)
    return optax.adamw(schedule, weight_decay=recipe.weight_decay)


def _train_some(network, optimiser):
    def cross_entropy(params, own, windows, labels, weights):
        logits = network.apply({"params": params}, windows)
        weights = weights * own[:, None]
        losses = optax.sigmoid_binary_cross_entropy(logits, labels)
        return (weights * losses).sum() / jnp.maximum(weights.sum(), 1)

    def train(state, own, *batches):
        def step(state, batch):
            loss, gradient = jax.value_and_grad(cross_entropy)(state[0], own, *batch)
            updates, memory = optimiser.update(gradient, *state[::-1])
            return (optax.apply_updates(state[0], updates), memory), loss

        return lax.scan(step, state, batches)

    return train


def _finite(losses, names):
    found = np.asarray(losses)[: len(names)]
    for name, values in zip(names, found, strict=True):
        if not np.isfinite(values).all():
            raise UserError(f"{name}: the loss of the peer is not finite; lower its learning rate")
    return found
