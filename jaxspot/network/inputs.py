"""What the network is given of a frame and its references: the only preprocessing."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.network.augment import Augmentation, augment, augment_regions
from jaxspot.network.lcn import local_contrast_normalise, unit_range
from jaxspot.network.model import TwoStream
from jaxspot.network.motion import Motion, local_motion
from jaxspot.network.region_motion import RegionMotion, region_features


def preprocess_frames(frames: jax.Array, model: TwoStream) -> jax.Array:
    """Frames as the network sees them, each on its own: `preprocess`, or region motion as it is."""
    if isinstance(model.trunk, RegionMotion):
        return frames
    return preprocess(frames, lcn=model.streams.lcn)


def preprocess(images: jax.Array, *, lcn: bool = True) -> jax.Array:
    """Images as the network sees them, each on its own: by LCN (paper eq. 1), or only scaled.

    Float (..., height, width) in 0..1, or uint8 in 0..255 -> float of that shape. Without LCN the
    range is -1..1 for all images: light and skin stay in, mid-gray is the 0 that convolutions pad
    with, and values are about as large as those of LCN, which the learning rate was chosen for.
    """
    return local_contrast_normalise(images) if lcn else 2 * unit_range(images) - 1


def stream_inputs(frames: jax.Array, model: TwoStream) -> jax.Array:
    """What the network is given of frames from `preprocess_frames`.

    As they are, float (batch, 1 + streams, height, width), for `Convolution`; `local_motion`
    (batch, streams, cells, cells, 2) for `Motion`; `region_features` for `RegionMotion`.
    """
    if isinstance(model.trunk, RegionMotion):
        return region_features(frames, model.streams.references)
    return local_motion(frames) if isinstance(model.trunk, Motion) else frames


def sample_inputs(frames: jax.Array, model: TwoStream) -> jax.Array:
    """What the network is given of samples, without augmentation.

    Uint8 (samples, 1 + streams, height, width), or of regions float32 (samples, 1 + streams,
    regions, coordinates) -> float32 (samples, ...), see `stream_inputs`.
    """
    return stream_inputs(preprocess_frames(frames, model), model)


def augmented_inputs(
    frames: jax.Array, keys: jax.Array, *, augmentation: Augmentation, model: TwoStream
) -> jax.Array:
    """`sample_inputs` of samples that are each augmented by their own random key (samples,)."""
    if isinstance(model.trunk, RegionMotion):
        one = lambda sample, key: augment_regions(sample, key, augmentation, model.trunk.mirror)
        return stream_inputs(jax.vmap(one)(frames, keys), model)
    changed = jax.vmap(lambda sample, key: augment(sample, key, augmentation))(frames, keys)
    seen = lax.optimization_barrier(preprocess(changed, lcn=model.streams.lcn))
    return stream_inputs(seen, model)


def init_variables(model: TwoStream, key: jax.Array, size: tuple[int, ...]) -> dict[str, Any]:
    """A network at its start, {"params", "batch_stats"}, for frames of this shape."""
    kind = jnp.float32 if isinstance(model.trunk, RegionMotion) else jnp.uint8
    blank = jnp.zeros((1, 1 + len(model.streams.references), *size), kind)
    return dict(model.init(key, sample_inputs(blank, model), train=False))
