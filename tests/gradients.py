"""Fast functions beside plain ones: values and gradients."""

import jax
import jax.numpy as jnp
import numpy as np


def normal(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [jnp.asarray(rng.normal(size=shape)) for shape in shapes]


def agree_with_gradients(fast, plain, *arguments, seed=0):
    """Values and all gradients of a random weighting of the outputs agree in float64."""
    normal_like = lambda x: jnp.asarray(np.random.default_rng(seed).normal(size=x.shape))
    weights = jax.tree.map(normal_like, jax.eval_shape(plain, *arguments))

    def run(function):
        outputs, pull = jax.vjp(function, *arguments)
        return outputs, pull(weights)

    found, expected = (jax.jit(run, static_argnums=0)(f) for f in (fast, plain))
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    jax.tree.map(close, found, expected)
