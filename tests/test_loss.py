import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxspot.network.loss import weighted_bce

PAIRS = [[0, 0], [0, 1], [1, 0], [1, 1]]


def by_hand(logits, labels, presence, kinds):
    """Eq. 2 term by term in float64, signs mended."""
    total = 0.0
    for logit, label, weight in zip(logits, labels, kinds, strict=True):
        s = 1 / (1 + np.exp(-np.float64(logit)))
        total -= weight * (
            presence * label * np.log(s) + (1 - presence) * (1 - label) * np.log(1 - s)
        )
    return total


@settings(max_examples=50, deadline=None)
@given(
    logits=st.tuples(st.floats(-12, 12), st.floats(-12, 12)),
    labels=st.sampled_from(PAIRS),
    presence=st.floats(0, 1),
    share=st.floats(0, 1),
)
def test_agrees_with_a_hand_computation(logits, labels, presence, share):
    kinds = (share, 1 - share)
    with jax.enable_x64(True):
        found = weighted_bce(
            jnp.asarray(logits),
            jnp.asarray(labels, float),
            presence_weight=presence,
            kind_weights=kinds,
        )
        assert found.dtype == jnp.float64
    np.testing.assert_allclose(
        found, by_hand(logits, labels, presence, kinds), rtol=1e-9, atol=1e-12
    )


def test_single_precision_keeps_the_batch_axis():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 4, (20, 2)).astype(np.float32)
    labels = rng.integers(0, 2, (20, 2)).astype(np.float32)
    found = weighted_bce(
        jnp.asarray(logits), jnp.asarray(labels), presence_weight=0.9, kind_weights=(0.1, 0.9)
    )
    expected = [by_hand(x, t, 0.9, (0.1, 0.9)) for x, t in zip(logits, labels, strict=True)]
    assert found.shape == (20,)
    np.testing.assert_allclose(found, expected, rtol=2e-5)


@pytest.mark.parametrize("logit", [1e4, -1e4, 0.0])
@pytest.mark.parametrize("labels", PAIRS)
def test_finite_for_any_logit(logit, labels):
    logits, labels = jnp.full((2,), logit), jnp.asarray(labels, jnp.float32)
    loss = lambda x: weighted_bce(x, labels, presence_weight=0.9, kind_weights=(0.1, 0.9))
    value, gradient = jax.value_and_grad(loss)(logits)
    assert np.isfinite(value) and value >= 0
    assert np.isfinite(gradient).all()


def test_a_missed_expression_costs_more_than_a_false_one():
    loss = lambda logit, label: float(
        weighted_bce(
            jnp.full((2,), logit),
            jnp.full((2,), label),
            presence_weight=0.9,
            kind_weights=(0.5, 0.5),
        )
    )
    assert loss(-3.0, 1.0) == pytest.approx(9 * loss(3.0, 0.0))
    assert loss(20.0, 1.0) == pytest.approx(0.0, abs=1e-6)
