from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.errors import UserError
from jaxspot.evaluation.protocol import Protocol
from jaxspot.training.folds import loso_folds
from jaxspot.training.inner_folds import plan_networks

subjects = st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=4, max_size=25, unique=True)
groups = st.integers(3, 30)


def plan(names, groups, validate=False):
    """None where the subjects are too few."""
    folds = loso_folds(names, validate=validate)
    try:
        return plan_networks(folds, fit="inner", groups=groups)
    except UserError:
        each, more = divmod(len(names), min(groups, len(names)))
        assert len(names) - 2 * each - min(more, 2) < 1 + validate
        return None


@given(names=subjects, groups=groups, validate=st.booleans())
def test_every_score_is_by_a_network_that_knows_neither_subject(names, groups, validate):
    networks = plan(names, groups, validate)
    if networks is None:
        return
    for number, fold in enumerate(networks.folds):
        assert set(networks.fitted_on(number)) == set(names) - {fold.held_out}
        for subject, scorer in networks.scorers[number].items():
            assert not {subject, fold.held_out} & set(networks.all[scorer].subjects)
            assert (scorer == number) == (subject == fold.held_out)


@given(names=subjects, groups=groups, validate=st.booleans())
def test_an_inner_fold_splits_all_subjects(names, groups, validate):
    networks = plan(names, groups, validate)
    if networks is None:
        return
    count = min(groups, len(names))
    assert len(networks.inner) == len(list(combinations(range(count), 2)))
    for fold in networks.inner:
        parts = [*fold.held_out.split(" + "), *fold.training, *fold.validation]
        assert sorted(parts) == sorted(names)
        assert fold.training and bool(fold.validation) == validate
        assert len(fold.held_out.split(" + ")) <= 2 * -(-len(names) // count)


@given(names=subjects, groups=groups, data=st.data())
def test_a_fold_has_the_same_networks_whichever_others_are_asked_for(names, groups, data):
    networks = plan(names, groups)
    if networks is None:
        return
    folds = list(networks.folds)
    some = data.draw(st.lists(st.sampled_from(folds), min_size=1, unique=True))
    fewer = plan_networks(some, fit="inner", groups=groups)
    for number, fold in enumerate(fewer.folds):
        before = networks.scorers[folds.index(fold)]
        for subject, scorer in fewer.scorers[number].items():
            assert fewer.all[scorer] == networks.all[before[subject]]


@given(names=subjects, groups=groups)
def test_a_video_is_scored_by_the_networks_that_some_fold_asks_and_no_others(names, groups):
    networks = plan(names, groups)
    if networks is None:
        return
    for subject in names:
        asked = {scorers[subject] for scorers in networks.scorers}
        assert networks.of_subject(subject) == sorted(asked)
        assert len(asked) == min(groups, len(names))


@pytest.mark.parametrize("fit", ["training", "validation"])
def test_without_inner_folds_a_fold_asks_its_own_network_alone(fit):
    folds = loso_folds(list("abcdefghijklmnopqrst"))
    networks = plan_networks(folds, fit=fit)
    assert networks.all == tuple(folds) and not networks.inner
    for number, fold in enumerate(folds):
        own = fold.subjects if fit == "training" else fold.validation
        assert networks.scorers[number] == dict.fromkeys((fold.held_out, *own), number)
        assert networks.fitted_on(number) == own


def test_what_cannot_be_planned_is_one_sentence():
    with pytest.raises(UserError, match="no subject validates"):
        plan_networks(loso_folds(list("abcd"), validate=False), fit="validation")
    with pytest.raises(UserError, match=r"train and validate on.* and 4 or more subjects"):
        plan_networks(loso_folds(list("abc")), fit="inner")
    for groups in (0, 2):
        with pytest.raises(UserError, match=f"10 subjects in {groups} groups are too few"):
            plan_networks(
                loso_folds(list("abcdefghij"), validate=False), fit="inner", groups=groups
            )
    with pytest.raises(ValueError, match="Did you mean 'inner'"):
        plan_networks(loso_folds(list("abc")), fit="iner")
    with pytest.raises(ValueError, match="no folds"):
        plan_networks([], fit="inner")
    with pytest.raises(UserError, match="rename it"):
        plan_networks(loso_folds(["a", "b", "c", "a + b"], validate=False), fit="inner")
    assert plan_networks(loso_folds(list("abc"), validate=False), fit="inner").inner


def test_inner_folds_do_not_go_with_skips_of_the_test_subject():
    with pytest.raises(ValueError, match="looks at test labels"):
        Protocol(fit="inner", frame_skip="test_oracle")
