"""What the network is given of a frame and its references: the one preprocessing."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxspot.network.augment import Augmentation
from jaxspot.network.flow import local_motion
from jaxspot.network.forms import FORMS, FormName
from jaxspot.network.lcn import unit_range
from jaxspot.network.model import TwoStream


def compare(frames: jax.Array, *, trunk: str) -> jax.Array:
    """What the network is given of a frame and its references, each from `to_input`.

    Args:
      frames: float (batch, 1 + streams, height, width).
      trunk: see `TwoStream`.

    Returns:
      The frames as they are, or where the trunk is motion `local_motion` of them.
    """
    return local_motion(frames) if trunk == "motion" else frames


def to_input(images: jax.Array, *, form: FormName = "fast", lcn: bool = True) -> jax.Array:
    """Images as the network sees them: the one place that knows of networks without LCN.

    Without LCN they are put on the range -1..1, the same for all images: what light and skin do to
    brightness and contrast stays in, mid-gray is the 0 that convolutions pad with, and the size
    of the values is about that of LCN's, which the learning rate was chosen for.

    Args:
      images: float (..., height, width), range 0..1; or uint8, range 0..255.
      form: see `FORMS`.
      lcn: see `TwoStream`.

    Returns:
      float (..., height, width).
    """
    return FORMS[form].local_contrast_normalise(images) if lcn else 2 * unit_range(images) - 1


def normalise(frames: jax.Array, form: FormName = "fast", lcn: bool = True) -> jax.Array:
    """Uint8 frames (..., height, width) as `to_input` makes them."""
    return to_input(frames.astype(jnp.float32) / 255, form=form, lcn=lcn)


def prepare_samples(
    frames: jax.Array, keys: jax.Array, *, augmentation: Augmentation, model: TwoStream
) -> jax.Array:
    """Augments and normalises samples, each by its own key.

    Args:
      frames: uint8 (samples, 1 + streams, height, width).
      keys: random keys (samples,).
      augmentation: ranges.
      model: the network.

    Returns:
      float32 (samples, ...), what the network sees.
    """
    seen = jax.vmap(lambda f, k: FORMS[model.form].augment(f, k, augmentation))(frames, keys)
    seen = lax.optimization_barrier(to_input(seen, form=model.form, lcn=model.lcn))
    return compare(seen, trunk=model.trunk)


def see(frames: jax.Array, model: TwoStream) -> jax.Array:
    """Samples as the network sees them when nothing is augmented.

    Args:
      frames: uint8 (samples, 1 + streams, height, width).
      model: the network.

    Returns:
      float32 (samples, ...), what the network sees.
    """
    return compare(normalise(frames, model.form, model.lcn), trunk=model.trunk)


def init_variables(model: TwoStream, key: jax.Array, size: tuple[int, int]) -> dict[str, Any]:
    """A network at its start, {"params", "batch_stats"}, for frames of (height, width)."""
    blank = jnp.zeros((1, 1 + len(model.references), *size), jnp.uint8)
    return dict(model.init(key, see(blank, model), train=False))
