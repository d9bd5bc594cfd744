"""Bilinear features of regions of a face: products of the channels of a network's maps."""

from collections.abc import Iterator
from functools import cache

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from jaxspot.baselines.lbcnn.backbone import CHANNELS, Weights, backbone
from jaxspot.baselines.recurrent.features import Extract
from jaxspot.network.compiling import compile_program
from jaxspot.video.align import openface_template
from jaxspot.video.bank import SIZE, Bank

LOCAL = ((*range(17, 22), *range(36, 42)), (*range(22, 27), *range(42, 48)))
LOCAL += (tuple(range(27, 36)), tuple(range(48, 68)))
"""The points of the 68 around whose mean a region lies: each brow with its eye, nose, mouth."""
REGION, INPUT = 48, 64
"""Pixels: sides of a region and of the network's input."""
REGIONS = len(LOCAL) + 1
PRODUCTS = CHANNELS * (CHANNELS + 1) // 2
WIDTH = REGIONS * PRODUCTS
FRAMES = 16
"""Frames that go through the network at once."""


def bilinear_features(weights: Weights) -> Extract:
    """An `Extract` of WIDTH features a row, from the weights of `image_net_weights`."""
    pooled = compile_program(lambda images: bilinear_pool(backbone(weights, images)))

    def extract(bank: Bank, video: str, every: int) -> Iterator[np.ndarray]:
        frames = bank.frames(video)
        for first in range(0, len(frames), FRAMES * every):
            images = [region_images(frames[i]) for i in range(len(frames))[first::every][:FRAMES]]
            whole = np.zeros((FRAMES, *images[0].shape), np.uint8)
            whole[: len(images)] = images
            found = np.asarray(pooled(whole.reshape(-1, INPUT, INPUT)))
            yield from found.reshape(FRAMES, WIDTH)[: len(images)]

    return extract


def region_images(frame: np.ndarray) -> np.ndarray:
    """The whole face and each local region of a frame (112, 112), uint8 (5, 64, 64)."""
    parts = [frame, *(frame[box] for box in region_boxes())]
    return np.stack([cv2.resize(part, (INPUT, INPUT)) for part in parts])


@cache
def region_boxes() -> tuple[tuple[slice, slice], ...]:
    """Rows and columns of the local regions of an aligned face."""
    points = openface_template()
    middles = [points[list(each)].mean(axis=0) for each in LOCAL]
    corners = np.clip(np.rint(np.array(middles) - REGION / 2).astype(int), 0, SIZE - REGION)
    return tuple((slice(y, y + REGION), slice(x, x + REGION)) for x, y in corners.tolist())


def bilinear_pool(maps: jax.Array) -> jax.Array:
    """Mean products of all pairs of channels over the positions of maps (B, H, W, C).

    Their square roots, with their sign, of length 1: float32 (B, C (C + 1) / 2).
    """
    values = maps.reshape(len(maps), -1, maps.shape[-1])
    products = jnp.einsum("bpc,bpd->bcd", values, values) / values.shape[1]
    upper = products[:, *np.triu_indices(maps.shape[-1])]
    roots = jnp.sign(upper) * jnp.sqrt(jnp.abs(upper))
    return roots / jnp.maximum(jnp.linalg.norm(roots, axis=-1, keepdims=True), 1e-12)
