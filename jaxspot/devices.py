"""Which devices there are, how folds are spread over them and run on one: decided here alone."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

AXIS = "fold"
ALIGNMENT = 64  # bytes; jax copies other arrays, once for each device


def on_cpu() -> bool:
    """Whether jax computes on the CPU; programs have another form elsewhere."""
    return jax.default_backend() == "cpu"


def fold_mesh(count: int | None = None, *, everywhere: bool = False) -> Mesh:
    """The first `count` devices of this process in a row; all by default.

    `everywhere`: of all processes that `jax.distributed` has joined.
    """
    devices = (jax.devices() if everywhere else jax.local_devices())[:count]
    return jax.make_mesh((len(devices),), (AXIS,), devices=devices, axis_types=(AxisType.Auto,))


def map_folds(function: Callable, folds: Any, *, batched: bool | None = None) -> Any:
    """Maps over the leading axis of what is on one device.

    One batch (`vmap`) on accelerators, where one fold leaves most of the device idle; one after the
    other on CPU, where a batch of folds only overflows the caches. `batched` overrides this.
    """
    return jax.vmap(function)(folds) if _as_batch(batched) else lax.map(function, folds)


def _as_batch(batched):
    return not on_cpu() if batched is None else batched


def stack_places(live: np.ndarray, mesh: Mesh, *, batched: bool | None = None) -> np.ndarray:
    """Numbers of the folds that a program runs, as many on each device: int (places,).

    All folds, of which bool (folds,) `live` still train. In a batch (`map_folds`) a stopped fold
    costs as much as a live one. So only live folds run there once they fit half of the places a
    device has, or a quarter and so on. Such few shapes need few programs. The last place is
    repeated until the devices share evenly.
    """
    every = -(-len(live) // mesh.size)
    count, needed = every, -(-int(live.sum()) // mesh.size)
    while _as_batch(batched) and count > 1 and -(-count // 2) >= needed:
        count = -(-count // 2)
    chosen = np.arange(len(live)) if count == every else np.flatnonzero(live)
    return np.pad(chosen, (0, count * mesh.size - len(chosen)), mode="edge")


def in_turns(tree: Any, mesh: Mesh, *, batched: bool | None = None) -> list[Any]:
    """A stacked pytree spread over the devices in parts that a program runs one after the other.

    On accelerators it is one part, as in `map_folds`. On CPU a part holds one fold a device: where
    little is done for each fold, as in scoring, a loop inside the program costs a third more.
    `join_turns` puts the parts' outputs in the order of the folds again.
    """
    each = len(jax.tree.leaves(tree)[0]) // mesh.size
    turns = 1 if _as_batch(batched) else each
    pick = lambda leaf, turn: leaf.reshape(mesh.size, turns, -1, *leaf.shape[1:])[:, turn]
    flat = lambda leaf: leaf.reshape(-1, *leaf.shape[2:])
    parts = [jax.tree.map(lambda leaf, t=t: flat(pick(leaf, t)), tree) for t in range(turns)]
    return [shard_folds(part, mesh) for part in parts]


def join_turns(outputs: list[jax.Array], mesh: Mesh) -> np.ndarray:
    """The outputs of the parts of `in_turns`, (folds, ...) in their order."""
    by_device = [np.asarray(output).reshape(mesh.size, -1, *output.shape[1:]) for output in outputs]
    joined = np.concatenate(by_device, 1)
    return joined.reshape(-1, *joined.shape[2:])


def on_each_device(function: Callable, mesh: Mesh, *, shared: int = 0) -> Callable:
    """Calls `function` on each device with its share of all arguments but the last `shared`."""

    def call(*arguments: Any) -> Any:
        specs = (P(AXIS),) * (len(arguments) - shared) + (P(),) * shared
        options: Any = dict(mesh=mesh, in_specs=specs, out_specs=P(AXIS), check_vma=False)
        return jax.shard_map(function, **options)(*arguments)

    return call


def shard_folds(tree: Any, mesh: Mesh) -> Any:
    """Places a stacked pytree so that each device holds its folds."""
    return _place(tree, NamedSharding(mesh, P(AXIS)))


def load_folds(
    shape: tuple[int, ...], read: Callable[[slice], np.ndarray], mesh: Mesh
) -> jax.Array:
    """As `shard_folds`, of an array of this shape; `read` gives the part of each device here."""
    sharding = NamedSharding(mesh, P(AXIS))
    each: Any = lambda index: read(index[0])
    return jax.make_array_from_callback(shape, sharding, each)


def replicate(tree: Any, mesh: Mesh) -> Any:
    """Places a pytree whole on every device; on CPU, they all read one copy of a numpy array."""
    if on_cpu():
        tree = jax.tree.map(_aligned, tree)
    return _place(tree, NamedSharding(mesh, P()))


def to_host(tree: Any) -> Any:
    """A pytree whose leaves `np.asarray` can read here.

    If its devices are those of several processes, all of them must call this.
    """
    far = [leaf for leaf in jax.tree.leaves(tree) if not leaf.is_fully_addressable]
    if not far:
        return tree
    everywhere = NamedSharding(far[0].sharding.mesh, P())
    copies = jax.jit(lambda leaves: leaves, out_shardings=everywhere)(tree)
    return jax.tree.map(lambda leaf: leaf.addressable_data(0), copies)


def _place(tree, sharding):
    """`jax.device_put`, which would compare the values of all processes, also among several."""
    if sharding.is_fully_addressable:
        return jax.device_put(tree, sharding)
    return jax.tree.map(partial(_place_among_several, sharding=sharding), tree)


def _place_among_several(leaf, sharding):
    if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(_place_among_several(jax.random.key_data(leaf), sharding))
    values = np.asarray(leaf)
    return jax.make_array_from_callback(values.shape, sharding, values.__getitem__)


def aligned_array(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of any values, as `np.empty`, that devices of the CPU read where it is."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, np.uint8)
    first = -memory.ctypes.data % ALIGNMENT
    return memory[first : first + size].view(dtype).reshape(shape)


def _aligned(leaf):
    if not isinstance(leaf, np.ndarray) or leaf.ctypes.data % ALIGNMENT == 0:
        return leaf
    copy = aligned_array(leaf.shape, leaf.dtype)
    copy[...] = leaf
    return copy


def pad_folds(stack: np.ndarray, mesh: Mesh) -> np.ndarray:
    """An array of folds with its last one repeated until the devices share evenly."""
    idle = -len(stack) % mesh.size
    return np.concatenate([stack, np.repeat(stack[-1:], idle, 0)])
