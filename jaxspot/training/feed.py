"""What each epoch is run on; of a large bank only the frames that it sees, gathered ahead."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh

from jaxspot.devices import (
    load_folds,
    on_each_device,
    replicate,
    shard_folds,
    stack_places,
)
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import sample_inputs
from jaxspot.network.model import TwoStream
from jaxspot.training.epoch import EpochData, FoldData
from jaxspot.training.folds import Fold, validates
from jaxspot.training.pool import FramePool
from jaxspot.training.random_keys import EPOCHS, fold_key, samples_key
from jaxspot.training.sampling import epoch_samples, same_length, validation_samples
from jaxspot.training.step import Training

ROUND = 64
"""An epoch's frames are filled up to a multiple of it, so that seeds may share a program."""

Load = Callable[[int], tuple[jax.Array, jax.Array, jax.Array]]
"""From an epoch, counted from 1, to the first three fields of its `EpochData`."""


def feed_epochs(
    pool: FramePool,
    folds: Sequence[Fold],
    model: TwoStream,
    training: Training,
    mesh: Mesh,
    *,
    first: int = 1,
    resident: bool | None = None,
    running: Callable[[], np.ndarray] | None = None,
) -> Generator[tuple[FoldData, EpochData]]:
    """What each epoch from `first` on is run on: what each fold reads, and what all read.

    An epoch sees few frames of a large bank. Only these are loaded, and a thread gathers those of
    the next epoch while one is run. A small bank, of which an epoch sees half or more
    (`sees_half`), is loaded whole and once. The numbers are the same. Validation samples, which no
    epoch changes, are prepared on the device of their fold, again only where other folds run.

    `resident` is whether the bank is loaded whole; by `sees_half` where None. `running` is asked
    before each epoch for the numbers of the folds that run (`stack_places`); by default all do.
    Close it (`contextlib.closing`) to end the thread where not all epochs are taken.
    """
    everyone = stack_places(np.ones(len(folds), bool), mesh)
    ask = running or (lambda: everyone)
    draw = partial(epoch_samples, pool, folds, training, model.streams)
    drawn = same_length([draw(epoch=epoch) for epoch in range(1, training.epochs + 1)])
    samples, table = [one.samples for one in drawn], None
    if validates(folds):
        table = validation_samples(pool, folds, training, model.streams)
    keys = jnp.stack([jax.random.fold_in(fold_key(training.seed, f), EPOCHS) for f in folds])
    if resident is None:
        seen = np.zeros(0, np.int32) if table is None else table
        resident = sees_half(samples, seen, len(pool.labels))
    with ThreadPoolExecutor(1, thread_name_prefix="frames") as worker:
        ahead = partial(load_epochs, worker=worker)
        load = (load_bank if resident else ahead)(pool, samples, mesh)
        places, validation = np.zeros(0, int), (None, None)
        for epoch in range(first, training.epochs + 1):
            before, places = places, ask()
            if table is not None and not np.array_equal(places, before):
                validation = None, None  # gone before the next is made
                validation = load_validation(pool, table[places], model, mesh)
            own_keys = jax.vmap(partial(jax.random.fold_in, data=epoch))(keys[places])
            index, own_keys = shard_folds((drawn[epoch - 1].index[places], own_keys), mesh)
            key = replicate(samples_key(training.seed, epoch), mesh)
            # No name here holds an epoch's frames, so that they are gone when the next are loaded.
            yield FoldData(index, own_keys, *validation), EpochData(*load(epoch), key)


def load_validation(
    pool: FramePool, samples: np.ndarray, model: TwoStream, mesh: Mesh
) -> tuple[jax.Array, jax.Array]:
    """The last two fields of `FoldData`, from validation samples of each place of the stack."""
    shape = (*samples.shape, *pool.frames.shape[1:])
    frames = load_folds(shape, lambda part: pool.frames[samples[part]], mesh)
    return prepare_validation(frames, model, mesh), shard_folds(pool.labels[samples[..., 0]], mesh)


def prepare_validation(frames: jax.Array, model: TwoStream, mesh: Mesh) -> jax.Array:
    """Network inputs of validation samples spread over the devices, made a batch at a time.

    Uint8 (folds, batches, batch, 1 + streams, height, width) -> float32 (folds, batches, ...).
    """
    return _validation_program(model, mesh)(frames)  # pyright: ignore[reportArgumentType]


@cache
def _validation_program(model: Any, mesh: Mesh):
    one = lambda batches: lax.map(partial(sample_inputs, model=model), batches)
    return compile_program(on_each_device(partial(lax.map, one), mesh))


def sees_half(samples: Sequence[np.ndarray], validation: np.ndarray, frames: int) -> bool:
    """Whether an epoch (its places in the pool) with the validation sees half of the frames."""
    seen = (np.union1d(epoch, validation) for epoch in samples)
    return any(2 * len(places) >= frames for places in seen)


def load_bank(pool: FramePool, samples: Sequence[np.ndarray], mesh: Mesh) -> Load:
    """Loads all frames onto every device, for all epochs."""
    places = np.arange(len(pool.labels))
    frames, labels = replicate((pool.frames[places], pool.labels), mesh)
    return lambda epoch: (frames, labels, replicate(samples[epoch - 1], mesh))


def load_epochs(
    pool: FramePool, samples: Sequence[np.ndarray], mesh: Mesh, worker: Executor
) -> Load:
    """Loads an epoch's frames onto every device when asked; `worker` gathers those of the next."""
    epochs = seen_places(samples)
    coming: dict[int, Future] = {}

    def gather(epoch):
        places, samples = epochs[epoch - 1]
        return pool.frames[places], pool.labels[places], samples

    def load(epoch):
        ready = coming.pop(epoch, None) or worker.submit(gather, epoch)
        if epoch < len(epochs):
            coming[epoch + 1] = worker.submit(gather, epoch + 1)
        return replicate(ready.result(), mesh)

    return load


def seen_places(samples: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each epoch the places that it sees, int (n,), and its samples as places among those.

    The places are in order, each once. The last one is repeated up to the same n in all epochs, a
    multiple of 64, so that one program runs them all.
    """
    found = [np.unique(epoch, return_inverse=True) for epoch in samples]
    most = -(-max(len(places) for places, _ in found) // ROUND) * ROUND
    fill = lambda places: np.pad(places, (0, most - len(places)), mode="edge")
    return [
        (fill(places), inverse.reshape(epoch.shape).astype(np.int32))
        for epoch, (places, inverse) in zip(samples, found, strict=True)
    ]
