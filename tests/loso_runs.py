"""Tiny leave-one-subject-out trainings that several test files share."""

import jax
import numpy as np
from pools import make_pool

from jaxspot.devices import fold_mesh
from jaxspot.network.model import build_model
from jaxspot.training.folds import loso_folds
from jaxspot.training.loso import train_loso
from jaxspot.training.step import Training

MODEL = build_model(widths=(3, 4, 5), multiplier=2, dropout=0.2)
TRAINING = Training(
    epochs=3,
    steps=3,
    batch=2,
    validation_batches=2,
    optimiser="adam",
    learning_rate=0.01,
    averaging=0.5,
    balance=0.5,
    skip_range_seconds=((0.1, 0.2), (0.2, 0.4)),
)
FOLDS = loso_folds(["s0", "s1", "s2", "s3"])


def train(pool=None, folds=FOLDS, *, mesh=None, **options):
    """`train_loso` on made-up frames, on one device unless told."""
    options = dict(model=MODEL, training=TRAINING) | options
    pool = make_pool() if pool is None else pool
    return train_loso(pool, folds, mesh=mesh or fold_mesh(1), **options)


def same(found, expected):
    """All leaves equal, bit for bit."""
    jax.tree.map(np.testing.assert_array_equal, found, expected)
