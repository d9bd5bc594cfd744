"""Random keys of a run: of folds and of the samples that they share."""

import zlib

import jax

from jaxspot.training.folds import Fold

SAMPLES = 2**31
"""In the keys of an epoch's samples, in place of a subject's number (0..2**31 - 1), so that no
subject has the same key."""
START, EPOCHS = 0, 1
"""Each fold has two random keys: START for its first weights, EPOCHS for its dropout."""


def subject_number(subject: str) -> int:
    """A number that depends on nothing but the name, for random keys: 0..2**31 - 1."""
    return zlib.crc32(subject.encode()) & 0x7FFFFFFF


def samples_key(seed: int, epoch: int) -> jax.Array:
    """The random key of an epoch's samples, which folds share."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), SAMPLES), epoch)


def fold_key(seed: int, fold: Fold) -> jax.Array:
    """The random key of a fold: from seed and held-out subject, whatever other folds there are."""
    return jax.random.fold_in(jax.random.key(seed), subject_number(fold.held_out))
