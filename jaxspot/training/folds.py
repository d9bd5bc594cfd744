"""Leave-one-subject-out folds, paper section 3.3."""

import dataclasses
import zlib
from collections.abc import Iterable

import jax

from jaxspot.errors import UserError

SAMPLES = 2**31
"""Stands where a subject's number stands in other keys; those are lower."""
START, EPOCHS = 0, 1
"""Of the two keys folded from a fold's: one starts its weights, the other runs its epochs."""


@dataclasses.dataclass(frozen=True)
class Fold:
    """One split by subjects: the held-out subject decides nothing."""

    held_out: str
    training: tuple[str, ...]
    validation: tuple[str, ...]


def loso_folds(subjects: Iterable[str]) -> list[Fold]:
    """One fold a subject; one in eight of the others (at least one), rotating, validates.

    Args:
      subjects: names, in any order and repeated at will.

    Returns:
      A fold per subject, sorted by name.

    Raises:
      UserError: fewer than three subjects (one held out, one to validate, one to train).
    """
    names = sorted(set(subjects))
    if len(names) < 3:
        raise UserError(
            f"leave-one-subject-out needs at least 3 subjects, the bank holds {len(names)}"
            f" ({', '.join(names)}); add subjects to it"
        )
    return [_fold(names[i:] + names[:i]) for i in range(len(names))]


def _fold(rotated):
    held_out, *others = rotated
    validating = max(1, len(others) // 8)
    return Fold(held_out, tuple(sorted(others[validating:])), tuple(sorted(others[:validating])))


def subject_number(subject: str) -> int:
    """A number that depends on nothing but the name, for random keys: 0..2**31 - 1."""
    return zlib.crc32(subject.encode()) & 0x7FFFFFFF


def samples_key(seed: int, epoch: int) -> jax.Array:
    """The random key of an epoch's samples, which folds share."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), SAMPLES), epoch)


def fold_key(seed: int, fold: Fold) -> jax.Array:
    """The random key of a fold: from seed and held-out subject, whatever other folds there are."""
    return jax.random.fold_in(jax.random.key(seed), subject_number(fold.held_out))
