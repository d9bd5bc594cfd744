"""Leave-one-subject-out folds, paper section 3.3."""

import dataclasses
from collections.abc import Iterable, Sequence

from jaxspot.errors import UserError


@dataclasses.dataclass(frozen=True)
class Fold:
    """One split by subjects: no frame or label of the held-out subject is used in training.

    Attributes:
      held_out: the subject; of an inner fold all that are held out, joined by " + ".
      training: the subjects that the weights are learned from.
      validation: those that early stopping looks at; none where all epochs are trained.
    """

    held_out: str
    training: tuple[str, ...]
    validation: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """The fold's own subjects: all but those held out."""
        return self.training + self.validation


def loso_folds(subjects: Iterable[str], *, validate: bool = True) -> list[Fold]:
    """Makes one fold per subject; an eighth of the others (at least one) are validation subjects.

    Args:
      subjects: names, in any order; repeated names are allowed.
      validate: if False, there are no validation subjects. Use it if `Training.patience` is 0.

    Returns:
      A fold per subject, sorted by name. Its validation subjects are the next ones in this order.

    Raises:
      UserError: fewer than three subjects (one held out, one to validate, one to train).
      TypeError: a text in place of names.
    """
    if isinstance(subjects, str):
        raise TypeError(f"subjects must be a list or column of names, not the text {subjects!r}")
    names = sorted(set(subjects))
    if len(names) < 3:
        raise UserError(
            f"leave-one-subject-out needs at least 3 subjects, the bank holds {len(names)}"
            f" ({', '.join(names)}); add subjects to it"
        )
    rotated = [names[i:] + names[:i] for i in range(len(names))]
    return [split_fold(held_out, others, validate=validate) for held_out, *others in rotated]


def split_fold(held_out: str, others: Sequence[str], *, validate: bool) -> Fold:
    """A fold of which one in eight of the others, the first, validates; none unless `validate`."""
    validating = max(1, len(others) // 8) if validate else 0
    return Fold(held_out, tuple(sorted(others[validating:])), tuple(sorted(others[:validating])))


def validates(folds: Sequence[Fold]) -> bool:
    """Whether the folds have validation subjects; a ValueError where only some have."""
    having = [bool(fold.validation) for fold in folds]
    if any(having) != all(having):
        raise ValueError("either all folds have validation subjects, or none has")
    return all(having)
