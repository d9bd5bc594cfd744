import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradients import agree_with_gradients, normal
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from jaxspot.network import pooled_kernels as kernels

few = settings(max_examples=5, deadline=None)  # every shape is compiled anew
even = st.integers(1, 4).map(lambda n: 2 * n)
shapes = dict(n=st.integers(1, 3), height=even, width=even, seed=st.integers(0, 2**31))


def window_pool(x, pooling):
    """ReLU, then a 2x2 pooling by reduce_window."""
    x = jnp.maximum(x, 0.0)
    start, operation = {"average": (0.0, lax.add), "max": (-jnp.inf, lax.max)}[pooling]
    pooled = lax.reduce_window(x, start, operation, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return pooled / 4 if pooling == "average" else pooled


def pair_convolution(pairs, kernel):
    return lax.conv_general_dilated(
        pairs[..., None],
        kernel[:, :, :, None],
        (1, 1, 1),
        ((0, 0), (1, 1), (1, 1)),
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )[:, 0]


@pytest.mark.parametrize("pooling", ["max", "average"])
@few
@given(**shapes, inputs=st.integers(1, 4), outputs=st.integers(1, 4))
def test_project_pool(pooling, n, height, width, inputs, outputs, seed):
    plain = lambda x, weights, shift: window_pool(
        jnp.einsum("nhwi,io->nhwo", x, weights) + shift, pooling
    )
    fast = lambda *arguments: kernels.project_pool(*arguments, pooling)
    with jax.enable_x64(True):
        arguments = normal(seed, (n, height, width, inputs), (inputs, outputs), (outputs,))
        agree_with_gradients(fast, plain, *arguments, seed=seed)


@pytest.mark.parametrize("pooling", ["max", "average"])
@few
@given(**shapes, outputs=st.integers(1, 4))
def test_convolve_pool(pooling, n, height, width, outputs, seed):
    def fast(pairs, kernel, shift):
        blocks = kernels.cut_blocks(pairs)
        return kernels.convolve_pool(blocks, kernels.pair_patches(blocks), kernel, shift, pooling)

    plain = lambda pairs, kernel, shift: window_pool(
        pair_convolution(pairs, kernel) + shift, pooling
    )
    with jax.enable_x64(True):
        pairs, kernel, shift = normal(seed, (n, 2, height, width), (2, 3, 3, outputs), (outputs,))
        agree_with_gradients(fast, plain, pairs, kernel, shift, seed=seed)


def test_a_tie_gives_the_gradient_to_the_first_place():
    x = jnp.array([[2.0, 2.0], [1.0, 2.0]])[None, ..., None]
    total = lambda x, shift: kernels.project_pool(x, jnp.ones((1, 1)), shift, "max").sum()
    by_place, by_shift = jax.grad(total, (0, 1))(x, jnp.zeros(1))
    np.testing.assert_array_equal(by_place[0, ..., 0], [[1, 0], [0, 0]])
    np.testing.assert_array_equal(by_shift, [1])


def test_where_nothing_is_positive_nothing_learns():
    x = -jnp.ones((1, 2, 2, 3))
    for pooling in ("max", "average"):
        total = lambda x, p=pooling: kernels.project_pool(x, jnp.eye(3), jnp.zeros(3), p).sum()
        value, gradient = jax.value_and_grad(total)(x)
        assert value == 0
        np.testing.assert_array_equal(gradient, jnp.zeros_like(x))


@few
@given(**shapes, outputs=st.integers(1, 4))
def test_patches_times_weights_are_the_convolution_at_every_place(n, height, width, outputs, seed):
    def fast(pairs, kernel):
        patches = kernels.pair_patches(kernels.cut_blocks(pairs))
        places = jnp.einsum("kr,kpo->rpo", patches, kernels.patch_weights(kernel))
        windows = places.reshape(n, height // 2, width // 2, 2, 2, outputs)
        return windows.swapaxes(2, 3).reshape(n, height, width, outputs)

    with jax.enable_x64(True):
        pairs, kernel = normal(seed, (n, 2, height, width), (2, 3, 3, outputs))
        agree_with_gradients(fast, pair_convolution, pairs, kernel, seed=seed)
