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

from jaxspot.devices import on_each_device, pad_folds, replicate, shard_folds
from jaxspot.network.compiling import compile_program
from jaxspot.network.inputs import see
from jaxspot.network.model import TwoStream
from jaxspot.training.epoch import Shared, Tables
from jaxspot.training.folds import EPOCHS, Fold, fold_key, samples_key, validates
from jaxspot.training.pool import FramePool
from jaxspot.training.sampling import epoch_samples, same_length, validation_tables
from jaxspot.training.step import Training

ROUND = 64
"""An epoch's frames are filled up to a multiple of it, so that seeds may share a program."""

Lay = Callable[[int], tuple[jax.Array, jax.Array, jax.Array]]
"""From an epoch, counted from 1, to the first three fields of its `Shared`."""


def feed_epochs(
    pool: FramePool,
    folds: Sequence[Fold],
    model: TwoStream,
    training: Training,
    mesh: Mesh,
    *,
    first: int = 1,
    resident: bool | None = None,
) -> Generator[tuple[Tables, jax.Array, Shared]]:
    """What each epoch from `first` on is run on: its tables, the folds' keys, what folds share.

    An epoch sees few frames of a large bank. Only these are laid on the devices, and a thread
    gathers those of the next epoch while one is run. A small bank, of which an epoch sees half or
    more (`sees_half`), is laid on the devices whole and once. The numbers are the same. Validation
    samples, which no epoch changes, are prepared once, on the device of their fold.

    Close it (`contextlib.closing`) to end the thread where not all epochs are taken.

    Args:
      pool: frames and labels of all subjects.
      folds: idle ones are added until the devices share evenly.
      model: the network, for its references and what it sees.
      training: how to train.
      mesh: the devices.
      first: the epoch to begin with.
      resident: whether the bank is laid on the devices whole; by `sees_half` where None.
    """
    padded = pad_folds(list(folds), mesh)
    common: dict[str, Any] = dict(
        seed=training.seed,
        batch=training.batch,
        skips=training.skip_range_seconds,
        references=model.references,
    )
    draw = partial(
        epoch_samples, pool, padded, steps=training.steps, balance=training.balance, **common
    )
    epochs = same_length([draw(epoch=epoch) for epoch in range(1, training.epochs + 1)])
    rows = [samples.rows for samples in epochs]
    table, validation = np.zeros(0, np.int32), (None, None)
    if validates(folds):
        table = validation_tables(pool, padded, batches=training.validation_batches, **common)
        validation = (
            prepare_validation(shard_folds(pool.frames[table], mesh), model, mesh),
            shard_folds(pool.labels[table[..., 0]], mesh),
        )
    own_keys = jnp.stack([jax.random.fold_in(fold_key(training.seed, f), EPOCHS) for f in padded])
    if resident is None:
        resident = sees_half(rows, table, len(pool.labels))
    with ThreadPoolExecutor(1, thread_name_prefix="frames") as worker:
        lay = lay_whole(pool, rows, mesh) if resident else lay_seen(pool, rows, mesh, worker)
        for epoch in range(first, training.epochs + 1):
            keys = jax.vmap(partial(jax.random.fold_in, data=epoch))(own_keys)
            tables = Tables(shard_folds(epochs[epoch - 1].picks, mesh), *validation)
            key = replicate(samples_key(training.seed, epoch), mesh)
            # No name here holds an epoch's frames, so that they are gone when the next are laid.
            yield tables, shard_folds(keys, mesh), Shared(*lay(epoch), key)


def prepare_validation(frames: jax.Array, model: TwoStream, mesh: Mesh) -> jax.Array:
    """What the networks see of validation samples, a batch at a time.

    Args:
      frames: uint8 (folds, batches, batch, 1 + streams, height, width), laid over the devices.
      model: the network.
      mesh: the devices.

    Returns:
      float32 (folds, batches, batch, ...).
    """
    return _validation_program(model, mesh)(frames)  # pyright: ignore[reportArgumentType]


@cache
def _validation_program(model: Any, mesh: Mesh):
    one = lambda batches: lax.map(partial(see, model=model), batches)
    return compile_program(on_each_device(partial(lax.map, one), mesh))


def sees_half(rows: Sequence[np.ndarray], validation: np.ndarray, frames: int) -> bool:
    """Whether an epoch with its validation sees half of all frames or more.

    Args:
      rows: places in the pool, an array for each epoch.
      validation: places in the pool.
      frames: of the pool.
    """
    seen = (np.union1d(epoch, validation) for epoch in rows)
    return any(2 * len(places) >= frames for places in seen)


def lay_whole(pool: FramePool, rows: Sequence[np.ndarray], mesh: Mesh) -> Lay:
    """Lays all frames on every device, for all epochs."""
    places = np.arange(len(pool.labels))
    frames, labels = replicate((pool.frames[places], pool.labels), mesh)
    return lambda epoch: (frames, labels, replicate(rows[epoch - 1], mesh))


def lay_seen(pool: FramePool, rows: Sequence[np.ndarray], mesh: Mesh, worker: Executor) -> Lay:
    """Lays an epoch's frames on every device when asked; has `worker` gather those of the next.

    Args:
      pool: all frames.
      rows: for each epoch int32 (steps, samples, 1 + streams), places in the pool.
      mesh: the devices.
      worker: runs one call at a time.
    """
    epochs = seen_places(rows)
    coming: dict[int, Future] = {}

    def gather(epoch):
        places, rows = epochs[epoch - 1]
        return pool.frames[places], pool.labels[places], rows

    def lay(epoch):
        ready = coming.pop(epoch, None) or worker.submit(gather, epoch)
        if epoch < len(epochs):
            coming[epoch + 1] = worker.submit(gather, epoch + 1)
        return replicate(ready.result(), mesh)

    return lay


def seen_places(rows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each epoch the places that it sees, and its rows as places among those.

    Args:
      rows: for each epoch int32 (steps, samples, 1 + streams), places in the pool.

    Returns:
      int (n,), each once and in order, the last one repeated up to the same n in all epochs (a
      multiple of 64), so that one program runs them all; and int32 of the shape of the rows.
    """
    found = [np.unique(epoch, return_inverse=True) for epoch in rows]
    most = -(-max(len(places) for places, _ in found) // ROUND) * ROUND
    return [
        (
            np.pad(places, (0, most - len(places)), mode="edge"),
            inverse.reshape(epoch.shape).astype(np.int32),
        )
        for epoch, (places, inverse) in zip(rows, found, strict=True)
    ]
