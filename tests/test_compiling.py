import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxspot.network.compiling import KEEP_BARRIERS, compile_program
from jaxspot.network.lcn import local_contrast_normalise


def shifted_sums(x):
    """A convolution by shifts with two consumers: what XLA would fuse, and compute twice."""
    padded = lax.optimization_barrier(jnp.pad(x, 1))
    y = sum(padded[i : i + 64, j : j + 64] * (1 + i + j) for i in range(3) for j in range(3))
    y = lax.optimization_barrier(jnp.sin(y))
    return y - y.mean(), (y * y).sum(0)


@pytest.mark.skipif("jax.default_backend() != 'cpu'")
@pytest.mark.skipif(not KEEP_BARRIERS, reason="without the option XLA drops them, see compiling.py")
@pytest.mark.parametrize("program", [shifted_sums, lambda x: local_contrast_normalise(x[None])])
def test_barriers_outlive_compilation(program):
    x = jnp.ones((64, 64))
    text = compile_program(program).lower(x).compile().as_text()
    assert "opt-barrier" in text, (
        f"jax {jax.__version__} drops optimisation barriers on CPU: XLA no longer knows the pass"
        " named in network/compiling.py, so training is several times slower; find its new name"
    )


@pytest.mark.parametrize("program", [shifted_sums, lambda x: local_contrast_normalise(x[None])])
def test_results_agree_with_plain_jit(program):
    x = jnp.asarray(np.random.default_rng(0).random((64, 64)), jnp.float32)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(close, compile_program(program)(x), jax.jit(program)(x))


def test_arguments_reach_jit():
    program = compile_program(lambda x, n: x * n, static_argnums=1)
    assert float(program(jnp.float32(2), 3)) == 6
