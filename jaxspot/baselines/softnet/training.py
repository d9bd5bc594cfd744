"""How SOFTNet's networks are trained: one a fold and kind, all in one program."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jax.sharding import Mesh

from jaxspot.baselines.softnet.inputs import SIDE
from jaxspot.baselines.softnet.network import SoftNet
from jaxspot.baselines.softnet.samples import PairSamples, other_form
from jaxspot.baselines.starting import draw_params
from jaxspot.devices import fold_mesh, map_folds, on_each_device, pad_folds, shard_folds
from jaxspot.errors import UserError
from jaxspot.network.compiling import compile_program

Seeds = Sequence[Sequence[int]]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network is trained: by plain SGD on the squared error.

    The published batch is 12 and the rate 0.0005. Both are four times as large here: at so low a
    rate the path is the same, and on CPU a sample costs half. `kept` is the number of samples
    without expression, as a share of the more frequent class. At most `most` samples are drawn anew
    for each epoch, so the time does not grow with the bank. One call of the program trains all
    networks for `steps_a_call` steps.
    """

    learning_rate: float = 0.002
    epochs: int = 10
    batch: int = 48
    kept: float = 0.5
    most: int = 8_000
    steps_a_call: int = 8


def train_networks(
    images: np.ndarray,
    samples: Sequence[PairSamples],
    *,
    seeds: Seeds,
    names: Sequence[str],
    recipe: Recipe,
    mesh: Mesh | None = None,
    batched: bool | None = None,
    on_share: Callable[[float], object] = lambda share: None,
) -> tuple[Any, np.ndarray]:
    """Trains a network on each list of samples, all at once; each by its own samples and seed.

    `images` is uint8 (rows, 42, 42, 3) and may be memory-mapped. `samples`, `seeds` (0 or more) and
    `names` are of each network. `on_share` is called with the share of the training that is done.
    Returns params, stacked numpy, and losses, float32 (networks, steps), 0 where a network had no
    samples left in an epoch. Raises UserError if a loss is not finite.
    """
    mesh, train_some = mesh or fold_mesh(), _train_some(recipe)
    place = lambda tree: shard_folds(jax.tree.map(lambda leaf: pad_folds(leaf, mesh), tree), mesh)
    run = compile_program(
        on_each_device(lambda *all: map_folds(train_some, all, batched=batched), mesh),
        donate_argnums=0,
    )
    params = start_networks(seeds)
    state = place((params, jax.vmap(optax.sgd(recipe.learning_rate).init)(params)))
    losses, total = [], recipe.epochs * calls_an_epoch(samples, recipe)
    for batch in batches(images, samples, seeds=seeds, recipe=recipe):
        state, loss = run(state, *place(batch))
        losses.append(loss)
        if len(losses) > 1:  # the next batch is gathered while the last call runs
            losses[-2] = _finite(losses[-2], names)
            on_share((len(losses) - 1) / total)
    if losses:
        losses[-1] = _finite(losses[-1], names)
    on_share(1.0)
    params = jax.tree.map(lambda leaf: np.array(leaf[: len(samples)]), jax.device_get(state[0]))
    return params, np.concatenate([np.zeros((len(samples), 0), np.float32), *losses], axis=1)


def start_networks(seeds: Seeds) -> Any:
    """Stacked parameters before the first step: Glorot's uniform kernels, biases of 0 (numpy)."""
    image = jax.ShapeDtypeStruct((1, SIDE, SIDE, 3), jnp.float32)
    shapes = jax.eval_shape(SoftNet().init, jax.random.key(0), image)["params"]

    drawn = [draw_params(shapes, np.random.default_rng([*seed, 0])) for seed in seeds]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *drawn)


def calls_an_epoch(samples: Sequence[PairSamples], recipe: Recipe) -> int:
    """How many calls the network with most samples needs; the others idle at an epoch's end."""
    longest = max((min(len(each.rows), recipe.most) for each in samples), default=0)
    return -(-longest // (recipe.batch * recipe.steps_a_call))


def batches(
    images: np.ndarray, samples: Sequence[PairSamples], *, seeds: Seeds, recipe: Recipe
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yields the samples of each call, epoch after epoch.

    uint8 (networks, steps, batch, 42, 42, 3), float32 labels (networks, steps, batch) and weights
    of the same shape, 0 where there is no sample.
    """
    steps = (len(samples), recipe.steps_a_call, recipe.batch)
    each_call = recipe.steps_a_call * recipe.batch
    chances = [np.random.default_rng([*seed, 1]) for seed in seeds]
    for _ in range(recipe.epochs):
        pairs = zip(chances, samples, strict=True)
        orders = [rng.permutation(len(own.rows))[: recipe.most] for rng, own in pairs]
        for call in range(calls_an_epoch(samples, recipe)):
            pixels = np.zeros((len(samples), each_call, *images.shape[1:]), np.uint8)
            labels, weights = np.zeros((2, len(samples), each_call), np.float32)
            for n, (own, order, rng) in enumerate(zip(samples, orders, chances, strict=True)):
                picked = order[call * each_call : (call + 1) * each_call]
                pixels[n, : len(picked)] = images[own.rows[picked]]
                for at in np.flatnonzero(own.forms[picked]):
                    pixels[n, at] = other_form(pixels[n, at], int(own.forms[picked[at]]), rng)
                labels[n, : len(picked)], weights[n, : len(picked)] = own.labels[picked], 1
            pixels = pixels.reshape(*steps, *images.shape[1:])
            yield pixels, labels.reshape(steps), weights.reshape(steps)


def _train_some(recipe):
    optimiser, network = optax.sgd(recipe.learning_rate), SoftNet()

    def squared_error(params, images, labels, weights):
        error = network.apply({"params": params}, images.astype(jnp.float32) / 255) - labels
        return (weights * error**2).sum() / jnp.maximum(weights.sum(), 1)

    def step(state, batch):
        loss, gradient = jax.value_and_grad(squared_error)(state[0], *batch)
        updates, memory = optimiser.update(gradient, state[1])
        return (optax.apply_updates(state[0], updates), memory), loss

    return lambda one: lax.scan(step, one[0], one[1:])


def _finite(losses, names):
    found = np.asarray(losses)[: len(names)]
    for name, values in zip(names, found, strict=True):
        if not np.isfinite(values).all():
            raise UserError(f"SOFTNet, {name}: the loss is not finite; lower its learning rate")
    return found
