"""The weighted loss, paper eq. 2."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.nn import softplus


def weighted_bce(
    logits: jax.Array,
    labels: jax.Array,
    *,
    presence_weight: float,
    kind_weights: tuple[float, float],
) -> jax.Array:
    """Weighted binary cross-entropy of every sample (paper eq. 2 with corrected signs).

    `sum_i -M_i [W t_i log s_i + (1 - W)(1 - t_i) log(1 - s_i)]` with `s = sigmoid(logits)`;
    computed from logits, so that it stays finite.

    Args:
      logits: float (..., 2), ME and MaE.
      labels: float (..., 2), 0 or 1.
      presence_weight: W in 0..1, the weight of frames with an expression; the others weigh 1 - W.
      kind_weights: M, the weights of ME and MaE.

    Returns:
      float (...,), 0 or more.

    Raises:
      TypeError: logits that are not float.
      ValueError: logits or labels have a wrong shape, or `kind_weights` does not have two values.
    """
    logits, labels = jnp.asarray(logits), jnp.asarray(labels)
    if logits.shape[-1:] != (2,) or labels.shape != logits.shape:
        raise ValueError(
            "logits and labels must have one shape (..., 2), ME and MaE, not"
            f" {logits.shape} and {labels.shape}"
        )
    if not jnp.issubdtype(logits.dtype, jnp.floating):
        raise TypeError(f"logits must be float, not {logits.dtype}")
    if np.shape(kind_weights) != (2,):
        raise ValueError(f"kind_weights must be two, of ME and MaE, not {kind_weights!r}")
    present = presence_weight * labels * softplus(-logits)
    absent = (1 - presence_weight) * (1 - labels) * softplus(logits)
    return ((present + absent) * jnp.asarray(kind_weights, logits.dtype)).sum(-1)
