"""Spotters that were never trained, and what they score."""

import jax
import numpy as np

from jaxspot.network.inputs import init_variables
from jaxspot.network.model import build_model, frame_shape
from jaxspot.spotting.automated_iou import FittedRule, IntervalRule
from jaxspot.spotting.spotter import Spotter

RULE = FittedRule(IntervalRule(), (0, 0), (1, 1), (0.0, 0.0), (0.5, 0.5))
"""Every frame with a score is in an interval."""


def untrained(*, rule=RULE, **fields):
    """A spotter of two networks that were never trained."""
    fields = dict(references=(("ME", 1.0), ("ME", -1.0))) | fields
    model = build_model(widths=(3, 4, 8), multiplier=2, **fields)
    start = lambda: init_variables(model, jax.random.key(0), frame_shape(model, 112))
    draw = np.random.default_rng(0).random
    random = lambda leaf: draw((2, *leaf.shape), np.float32) - 0.5 * (leaf.ndim > 1)
    variables = {"batch_stats": {}} | jax.tree.map(random, jax.eval_shape(start))
    return Spotter(model, variables, ((0.05, 0.2), (0.1, 0.2)), (rule, rule))


def seen_as_motion(count):
    """Frames uint8 (count, 112, 112): a smooth pattern that drifts."""
    down, right = np.mgrid[:112, :112] / 9
    shift = np.cumsum(np.random.default_rng(0).normal(0, 0.05, count))
    waves = np.sin(down + shift[:, None, None]) * np.cos(right - 2 * shift[:, None, None])
    return (128 + 100 * waves).astype(np.uint8)
