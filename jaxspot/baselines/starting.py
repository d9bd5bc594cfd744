"""First weights of the networks of peers."""

from typing import Any

import jax
import numpy as np


def draw_params(shapes: Any, rng: np.random.Generator) -> Any:
    """Glorot's uniform kernels, scales of 1, biases of 0 (numpy), for a pytree of shapes.

    Drawn here, not by the library's initialisers, which take seconds to compile.
    """
    return jax.tree_util.tree_map_with_path(lambda path, leaf: _draw(path, leaf.shape, rng), shapes)


def _draw(path, shape, rng):
    if len(shape) == 1:
        return np.full(shape, path[-1].key == "scale", np.float32)
    limit = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)
