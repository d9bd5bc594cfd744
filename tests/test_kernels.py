import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradients import agree_with_gradients, normal
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from jaxspot.network import kernels

few = settings(max_examples=5, deadline=None)  # every shape is compiled anew
sizes = st.integers(1, 9)
seeds = st.integers(0, 2**31)


def grouped_convolution(x, kernel):
    return lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def depthwise(tap_sums):
    return lambda x, kernel: kernels.depthwise(x, kernel, tap_sums)


FORMS = [kernels.tap_sums_by_image, kernels.tap_sums_whole]


@pytest.mark.parametrize("tap_sums", FORMS)
@few
@given(n=st.integers(1, 4), height=sizes, width=sizes, channels=st.integers(1, 5), seed=seeds)
def test_depthwise_is_a_grouped_convolution(tap_sums, n, height, width, channels, seed):
    with jax.enable_x64(True):
        x, kernel = normal(seed, (n, height, width, channels), (3, 3, channels))
        agree_with_gradients(depthwise(tap_sums), grouped_convolution, x, kernel, seed=seed)


@pytest.mark.parametrize("tap_sums", FORMS)
@pytest.mark.parametrize(("n", "size"), [(2, 28), (64, 3), (70, 3)])
def test_depthwise_at_full_chunks(tap_sums, n, size):
    with jax.enable_x64(True):
        x, kernel = normal(0, (n, size, size, 3), (3, 3, 3))
        agree_with_gradients(depthwise(tap_sums), grouped_convolution, x, kernel)


@pytest.mark.parametrize("shape", [(3, 28, 28, 5), (2, 7, 9, 3), (784, 2), (1, 4)])
def test_column_sum(shape):
    x = np.random.default_rng(0).normal(3, 1, shape)
    found = kernels.column_sum(jnp.asarray(x, jnp.float32))
    np.testing.assert_allclose(found, x.reshape(-1, shape[-1]).sum(0), rtol=1e-6)


@few
@given(lead=st.lists(sizes, max_size=3), inputs=sizes, outputs=sizes, seed=seeds)
def test_project_is_a_matrix_product(lead, inputs, outputs, seed):
    with jax.enable_x64(True):
        x, weights = normal(seed, (*lead, inputs), (inputs, outputs))
        plain = lambda x, w: jnp.einsum("...i,io->...o", x, w)
        agree_with_gradients(kernels.project, plain, x, weights, seed=seed)


def plain_moments(x):
    rows = x.reshape(-1, x.shape[-1])
    return rows.mean(0), jnp.einsum("ni,nj->ij", rows, rows) / len(rows)


@few
@given(lead=st.lists(sizes, min_size=1, max_size=3), channels=sizes, seed=seeds)
def test_moments(lead, channels, seed):
    with jax.enable_x64(True):
        (x,) = normal(seed, (*lead, channels))
        agree_with_gradients(kernels.moments, plain_moments, x, seed=seed)


@few
@given(channels=sizes, rows=st.sampled_from([1, 7, 784, 1568]), seed=seeds)
def test_row_moments(channels, rows, seed):
    with jax.enable_x64(True):
        (x,) = normal(seed, (channels, rows))
        plain = lambda x: plain_moments(x.T)
        agree_with_gradients(kernels.row_moments, plain, x, seed=seed)


@few
@given(rows=st.integers(1, 40), inputs=sizes, outputs=sizes, seed=seeds)
def test_projected_statistics(rows, inputs, outputs, seed):
    with jax.enable_x64(True):
        x, weights = normal(seed, (rows, inputs), (inputs, outputs))
        x = x + 2.0
        found = kernels.projected_statistics(*kernels.moments(x), weights)
        product = x @ weights
        np.testing.assert_allclose(found[0], product.mean(0), atol=1e-10)
        np.testing.assert_allclose(found[1], product.var(0), atol=1e-10)
