"""How folds are laid over devices, and run inside one: the only place that decides it."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

AXIS = "fold"


def fold_mesh() -> Mesh:
    """All devices in a row."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), axis_types=(AxisType.Auto,))


def over_folds(function: Callable, mesh: Mesh) -> Callable:
    """Maps `function(fold, shared)` over the leading axis of its first argument.

    Folds are spread evenly over the devices (`shard_map`: nothing is exchanged between them).
    Inside a device they run as one batch (`vmap`) on accelerators, where one fold alone leaves most
    of it idle, and one after the other on CPU, where one fold keeps all cores busy and a batch of
    folds only overflows the caches.

    Args:
      function: of one fold's pytree and the pytree that all folds share.
      mesh: from `fold_mesh`; the number of folds must be a multiple of its size.
    """

    def on_device(folds: Any, shared: Any) -> Any:
        single = lambda fold: function(fold, shared)
        if jax.default_backend() == "cpu":
            return lax.map(single, folds)
        return jax.vmap(single)(folds)

    return jax.shard_map(
        on_device, mesh=mesh, in_specs=(P(AXIS), P()), out_specs=P(AXIS), check_vma=False
    )


def shard_folds(tree: Any, mesh: Mesh) -> Any:
    """Places a stacked pytree so that each device holds its folds."""
    return jax.device_put(tree, NamedSharding(mesh, P(AXIS)))


def replicate(tree: Any, mesh: Mesh) -> Any:
    """Places a pytree whole on every device."""
    return jax.device_put(tree, NamedSharding(mesh, P()))


def pad_folds(stack: Any, mesh: Mesh) -> Any:
    """A list or array of folds with its last one repeated until the devices share evenly."""
    idle = -len(stack) % mesh.size
    if isinstance(stack, list):
        return stack + stack[-1:] * idle
    return np.concatenate([stack, np.repeat(stack[-1:], idle, 0)])
