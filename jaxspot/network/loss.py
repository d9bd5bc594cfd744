"""The weighted loss, paper eq. 2."""

import jax
import jax.numpy as jnp
from jax.nn import softplus


def weighted_bce(
    logits: jax.Array, labels: jax.Array, *, presence: float, kinds: tuple[float, float]
) -> jax.Array:
    """Weighted binary cross-entropy of every sample, paper eq. 2 with its signs mended.

    `sum_i -M_i [W t_i log s_i + (1 - W)(1 - t_i) log(1 - s_i)]` with `s = sigmoid(logits)`;
    computed from logits, so that it stays finite.

    Args:
      logits: float (..., 2), ME and MaE.
      labels: float (..., 2), 0 or 1.
      presence: W in 0..1, the weight of frames with an expression against those without.
      kinds: M, the weights of ME and MaE.

    Returns:
      float (...,), 0 or more.
    """
    present = presence * labels * softplus(-logits)
    absent = (1 - presence) * (1 - labels) * softplus(logits)
    return ((present + absent) * jnp.asarray(kinds, logits.dtype)).sum(-1)
