"""Inner folds: networks whose scores of a fold's own subjects are as held out as its test scores.

A network's scores are far more confident on the people it was trained on than on others, so a
threshold fitted on them is wrong for new people. Here every subject is scored, for every fold, by a
network that has seen neither that subject nor the fold's held-out one.
"""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Literal, get_args

from jaxspot.errors import UserError, one_of
from jaxspot.training.folds import Fold, split_fold, validates

Fit = Literal["inner", "training", "validation"]
FITS: tuple[Fit, ...] = get_args(Fit)
JOIN = " + "
FEWEST = 3
"""An inner fold leaves out two groups; somebody must remain to train on."""


@dataclasses.dataclass(frozen=True)
class Networks:
    """The networks of a run, and which of them scores whom.

    Attributes:
      folds: the leave-one-subject-out folds; the first of all networks, in this order.
      inner: the inner folds, behind them.
      scorers: for each fold, subject -> number of the network whose scores of that subject the fold
        uses: its own network for the held-out subject; for those that its thresholds are fitted on,
        networks of inner folds, or again its own.
    """

    folds: tuple[Fold, ...]
    inner: tuple[Fold, ...]
    scorers: tuple[Mapping[str, int], ...]

    @property
    def all(self) -> tuple[Fold, ...]:
        """Folds and inner folds, in the order of every stacked axis."""
        return self.folds + self.inner

    def of_subject(self, subject: str) -> list[int]:
        """Numbers of the networks whose scores of this subject some fold uses."""
        return sorted({scorers[subject] for scorers in self.scorers if subject in scorers})

    def fitted_on(self, number: int) -> tuple[str, ...]:
        """The subjects that the thresholds of a fold are fitted on."""
        held_out = self.folds[number].held_out
        return tuple(subject for subject in self.scorers[number] if subject != held_out)


def leave_out(networks: Networks, failed: Collection[str]) -> Networks:
    """The networks without those of some folds and inner folds, by their `held_out`.

    Thresholds are then fitted on fewer subjects. A fold with none left is left out too.
    """
    kept = [n for n, fold in enumerate(networks.all) if fold.held_out not in failed]
    if len(kept) == len(networks.all):
        return networks
    left = [{s: n for s, n in own.items() if n in kept} for own in networks.scorers]
    orphans = {
        number
        for number, fold in enumerate(networks.folds)
        if (subjects := set(networks.fitted_on(number))) and not subjects & set(left[number])
    }
    kept = [number for number in kept if number not in orphans]
    place = {number: i for i, number in enumerate(kept)}
    folds = [number for number in kept if number < len(networks.folds)]
    every = networks.all
    return Networks(
        tuple(every[number] for number in folds),
        tuple(every[number] for number in kept[len(folds) :]),
        tuple({s: place[n] for s, n in left[i].items() if n in place} for i in folds),
    )


def plan_networks(folds: Sequence[Fold], *, fit: Fit, groups: int = 8) -> Networks:
    """Lists the networks that a run needs; `fit` says whose scores its thresholds are fitted on.

    With inner folds, the subjects are divided into groups. For each pair of groups, one network is
    trained on all other subjects. It was trained on neither group. If a subject of one group is
    held out, this network scores the subjects of the other group. With g groups, this takes at most
    g (g - 1) / 2 more networks, however many subjects there are. The groups depend only on the
    names of all subjects, not on the folds that are requested.

    Args:
      folds: all of `loso_folds`, or some of them.
      fit: "inner": all subjects but the held-out one, each scored by a network that has seen
        neither this subject nor the held-out one; "training": all subjects but the held-out one,
        scored by the fold's own network, which was trained on all of them except the validation
        subjects; "validation": only the fold's validation subjects.
      groups: for "inner", 3 or more; if there are fewer subjects, one group per subject.

    Raises:
      ValueError: there is no fold, or `fit` is not valid.
      UserError: too few subjects or groups for inner folds, or no validation subjects although
        `fit` needs them.
    """
    one_of("fit", fit, FITS)
    if not folds:
        raise ValueError("there are no folds; take some of loso_folds(subjects)")
    folds = tuple(folds)
    if fit == "inner":
        return _with_inner(folds, groups)
    own = lambda fold: fold.subjects if fit == "training" else fold.validation
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
    validate, wanted = validates(folds), min(groups, len(names))
    needed = 1 + validate + sum(len(names[number::wanted]) for number in (0, 1) if wanted)
    if groups < FEWEST or len(names) < needed:
        raise UserError(
            f"{len(names)} subjects in {groups} groups are too few: an inner fold leaves out two"
            f" groups, and nobody remains to train{' and validate' if validate else ''} on. Take"
            f" {FEWEST} or more protocol.inner_groups and {FEWEST + validate} or more subjects, or"
            " protocol.fit='training'"
        )
    if joined := [name for name in names if JOIN in name]:
        raise UserError(
            f"subject {joined[0]!r}: {JOIN!r} joins the names of inner folds; rename it"
        )
    groups = wanted
    group = {name: number % groups for number, name in enumerate(names)}
    asked = {group[fold.held_out] for fold in folds}
    pairs = [pair for pair in combinations(range(groups), 2) if asked & set(pair)]
    inner = [_inner_fold(names, group, pair, validate) for pair in pairs]
    number = {pair: len(folds) + i for i, pair in enumerate(pairs)}
    scorers = []
    for i, fold in enumerate(folds):
        mine = group[fold.held_out]
        # Each of its pairs leaves its own group out, so any of them may score its members.
        other = {n: group[n] if group[n] != mine else (mine + 1) % groups for n in names}
        scores = {name: number[min(mine, g), max(mine, g)] for name, g in other.items()}
        scorers.append(scores | {fold.held_out: i})
    return Networks(folds, tuple(inner), tuple(scorers))


def _inner_fold(names, group, pair, validate):
    held_out = JOIN.join(name for name in names if group[name] in pair)
    others = [name for name in names if group[name] not in pair]
    turn = sum(pair) % len(others)
    return split_fold(held_out, others[turn:] + others[:turn], validate=validate)
