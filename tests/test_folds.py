import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxspot.errors import UserError
from jaxspot.training.folds import loso_folds
from jaxspot.training.random_keys import fold_key, subject_number

names = st.lists(st.text("abc019", min_size=1, max_size=3), min_size=3, max_size=40, unique=True)


@given(names, st.randoms())
def test_folds_split_the_subjects(subjects, random):
    folds = loso_folds(subjects)
    assert [fold.held_out for fold in folds] == sorted(subjects)
    for fold in folds:
        parts = [fold.held_out, *fold.training, *fold.validation]
        assert sorted(parts) == sorted(subjects)
        assert len(fold.validation) == max(1, (len(subjects) - 1) // 8)
        assert len(fold.training) >= 1
    again = subjects * 2
    random.shuffle(again)
    assert loso_folds(again) == folds


@given(names)
def test_every_subject_validates_equally_often(subjects):
    turns = [name for fold in loso_folds(subjects) for name in fold.validation]
    assert {turns.count(name) for name in subjects} == {max(1, (len(subjects) - 1) // 8)}


@pytest.mark.parametrize("subjects", [[], ["a"], ["a", "b", "b"]])
def test_too_few_subjects(subjects):
    with pytest.raises(UserError, match="needs at least 3 subjects, the bank holds"):
        loso_folds(subjects)


def test_keys_depend_on_seed_and_held_out_subject_only():
    folds = loso_folds(["a", "b", "c", "d"])
    fewer = {fold.held_out: fold for fold in loso_folds(["a", "b", "c"])}
    data = lambda seed, fold: tuple(np.asarray(jax.random.key_data(fold_key(seed, fold))))
    assert len({data(seed, fold) for seed in (0, 1) for fold in folds}) == 8
    assert data(0, folds[1]) == data(0, fewer["b"])


def test_subject_numbers_fit_a_key():
    numbers = [subject_number(f"s{i:02}") for i in range(1000)]
    assert len(set(numbers)) == 1000
    assert min(numbers) >= 0 and max(numbers) < 2**31
