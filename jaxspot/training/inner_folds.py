"""Inner folds: networks whose scores of a fold's own subjects are as held out as its test scores.

A network scores people whose labels it has learned far more surely than anyone else, so a threshold
fitted on such scores is wrong for new people. Here every subject is scored, for every fold, by a
network that has seen neither that subject nor the fold's held-out one.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import combinations

from jaxspot.errors import UserError
from jaxspot.training.folds import Fold, split_fold

FEWEST = 3


@dataclasses.dataclass(frozen=True)
class Networks:
    """The networks of a run, and which of them scores whom.

    Attributes:
      folds: the leave-one-subject-out folds; the first of all networks, in this order.
      inner: the inner folds, behind them.
      scorers: for each fold, subject -> number of the network whose scores of that subject the fold
        uses: its own network for the held-out one, and others or the same for those that its
        thresholds are fitted on.
    """

    folds: tuple[Fold, ...]
    inner: tuple[Fold, ...]
    scorers: tuple[Mapping[str, int], ...]

    @property
    def all(self) -> tuple[Fold, ...]:
        """Folds and inner folds, in the order of every stacked axis."""
        return self.folds + self.inner

    def of_subject(self, subject: str) -> list[int]:
        """Numbers of the networks that some fold asks for this subject's scores."""
        return sorted({scorers[subject] for scorers in self.scorers if subject in scorers})

    def fitted_on(self, number: int) -> tuple[str, ...]:
        """The subjects that the thresholds of a fold are fitted on."""
        held_out = self.folds[number].held_out
        return tuple(subject for subject in self.scorers[number] if subject != held_out)


def plan_networks(folds: Sequence[Fold], *, fit: str, groups: int = 8) -> Networks:
    """Which networks a run needs, by whose scores its thresholds are fitted on.

    With inner folds the subjects are dealt into groups, and one network is trained for each pair of
    groups, on everyone else. The folds of both groups use it: it has seen none of the one group's
    held-out subjects, and scores the subjects of the other. So n subjects in g groups take
    g (g - 1) / 2 more networks, not n times as many. Who is in which group depends on the names of
    all subjects alone, not on which folds are asked for.

    Args:
      folds: all of `loso_folds`, or some of them.
      fit: "inner": every other subject, by a network that has seen neither that subject nor the
        held-out one; "training": all own subjects of the fold, by its own network, which has
        learned the labels of most; "validation": the fold's validation subjects alone.
      groups: for "inner"; as many as there are subjects, where these are fewer.

    Raises:
      UserError: too few subjects for inner folds, or none validates although `fit` needs it.
    """
    folds = tuple(folds)
    if fit == "inner":
        return _with_inner(folds, groups)
    own = {
        "training": lambda fold: fold.training + fold.validation,
        "validation": lambda fold: fold.validation,
    }[fit]
    if not all(map(own, folds)):
        raise UserError(
            "protocol.fit is 'validation', but no subject validates; take a training.patience above"
            " 0, or fit='inner'"
        )
    scorers = [
        dict.fromkeys((fold.held_out, *own(fold)), number) for number, fold in enumerate(folds)
    ]
    return Networks(folds, (), tuple(scorers))


def _with_inner(folds, groups):
    names = sorted({name for fold in folds for name in (fold.held_out, *fold.subjects)})
    validate = any(fold.validation for fold in folds)
    groups = min(groups, len(names))
    two_largest = sum(len(names[number::groups]) for number in (0, 1))
    if groups < FEWEST or len(names) - two_largest < 1 + validate:
        raise UserError(
            f"{len(names)} subjects in {groups} groups leave none for an inner fold to train"
            f"{' and validate' if validate else ''} on: it leaves out two groups. Take a larger"
            " protocol.inner_groups (3 or more), or protocol.fit='training'"
        )
    group = {name: number % groups for number, name in enumerate(names)}
    wanted = {group[fold.held_out] for fold in folds}
    pairs = [pair for pair in combinations(range(groups), 2) if wanted & set(pair)]
    inner = [_inner_fold(names, group, pair, validate) for pair in pairs]
    number = {pair: len(folds) + i for i, pair in enumerate(pairs)}
    scorers = []
    for i, fold in enumerate(folds):
        mine = group[fold.held_out]
        # Its own group is left out of each of its pairs, so that any would do for them.
        other = {n: group[n] if group[n] != mine else (mine + 1) % groups for n in names}
        scores = {name: number[min(mine, g), max(mine, g)] for name, g in other.items()}
        scorers.append(scores | {fold.held_out: i})
    return Networks(folds, tuple(inner), tuple(scorers))


def _inner_fold(names, group, pair, validate):
    held_out = " + ".join(name for name in names if group[name] in pair)
    others = [name for name in names if group[name] not in pair]
    turn = sum(pair) % len(others)
    return split_fold(held_out, others[turn:] + others[:turn], validate=validate)
