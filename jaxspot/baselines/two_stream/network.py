"""The two-stream network: convolutions, two-way LSTM and attention over time for each stream."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

SIDE = 32
CHANNELS = 3
"""A row: the picture, and the flow to the right and down; each SIDE x SIDE."""
WIDTH = CHANNELS * SIDE * SIDE


class TwoStreamAttention(nn.Module):
    """Logits of the steps of a window, from what its pictures and its flow show.

    The `outputs` steps before the last `delay` are answered, see `Windows`. 52,033 parameters.
    """

    outputs: int = 8
    delay: int = 4
    units: int = 16

    @nn.compact
    def __call__(self, windows: jax.Array) -> jax.Array:
        """Logits float32 (B, outputs) of rows float32 (B, steps, WIDTH)."""
        rows = windows.reshape(*windows.shape[:2], CHANNELS, SIDE, SIDE)
        picture, flow = rows[:, :, :1], rows[:, :, 1:]
        seen = [
            Stream(self.units, name=name)(values)
            for name, values in (("picture", picture), ("flow", flow))
        ]
        steps, contexts = (jnp.stack(each, axis=-2) for each in zip(*seen, strict=True))
        shares = Attention(self.units, name="fusion")(contexts)
        fused = lambda values, shares: (shares[..., None] * values).sum(axis=-2)
        context = fused(contexts, shares)
        each = fused(steps, shares[:, None])
        both = jnp.concatenate([each, jnp.broadcast_to(context[:, None], each.shape)], axis=-1)
        logits = nn.Dense(1, name="out")(both)[..., 0]
        last = logits.shape[1] - self.delay
        return logits[:, last - self.outputs : last]


class Stream(nn.Module):
    """A small convolutional network of each step, a two-way LSTM, and attention over the steps."""

    units: int

    @nn.compact
    def __call__(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(B, steps, C, SIDE, SIDE) to (B, steps, 2 units) and their attended mean (B, 2 units)."""
        values = jnp.moveaxis(images, 2, -1)
        for number, (size, features) in enumerate(((4, 16), (2, 32))):
            values = nn.relu(nn.Dense(features, name=f"conv{number}")(patches(values, size)))
        flat = values.reshape(*values.shape[:2], -1)
        embedded = nn.relu(nn.Dense(2 * self.units, name="embed")(flat))
        cell = lambda: nn.OptimizedLSTMCell(self.units)
        both: Any = nn.Bidirectional(nn.RNN(cell()), nn.RNN(cell()), name="lstm")
        steps = both(embedded)
        shares = Attention(self.units, name="attention")(steps)
        return steps, (shares[..., None] * steps).sum(axis=-2)


class Attention(nn.Module):
    """How much each of several vectors counts: a softmax over scores of a hidden layer."""

    units: int

    @nn.compact
    def __call__(self, values: jax.Array) -> jax.Array:
        """Shares float32 (..., n), 0..1, that sum to 1, of vectors (..., n, features)."""
        hidden = nn.tanh(nn.Dense(self.units, name="hidden")(values))
        scores = nn.Dense(1, use_bias=False, name="score")(hidden)[..., 0]
        return nn.softmax(scores, axis=-1)


def patches(images: jax.Array, size: int) -> jax.Array:
    """Squares that do not overlap, (..., H, W, C) to (..., H / size, W / size, size * size * C).

    A dense layer on them is a convolution whose stride is its kernel's size; for one network a fold
    that is one product of matrices, which a convolution would not be.
    """
    *lead, height, width, channels = images.shape
    split = images.reshape(*lead, height // size, size, width // size, size, channels)
    together = jnp.moveaxis(split, -4, -3)
    return together.reshape(*lead, height // size, width // size, size * size * channels)
