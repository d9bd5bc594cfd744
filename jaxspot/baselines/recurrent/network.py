"""The recurrent network: LSTM layers over the steps of a window."""

from typing import Any

import flax.linen as nn
import jax


class Recurrent(nn.Module):
    """A dense layer with tanh unless `dense` is 0, LSTM layers of `widths`, a logit a step.

    `outputs` is that of `Windows`.
    """

    widths: tuple[int, ...] = (12, 12)
    dense: int = 0
    outputs: int = 1

    @nn.compact
    def __call__(self, steps: jax.Array) -> jax.Array:
        """Logits float32 (B, outputs) of float32 (B, steps, features)."""
        values: Any = steps
        if self.dense:
            values = nn.tanh(nn.Dense(self.dense, name="dense")(values))
        for number, width in enumerate(self.widths):
            values = nn.RNN(nn.OptimizedLSTMCell(width), name=f"lstm{number}")(values)
        return nn.Dense(1, name="out")(values[:, -self.outputs :])[..., 0]
