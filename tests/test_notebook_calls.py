"""What a person in a notebook calls by hand: it works, or says in one sentence why not."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_lcn import pictures, scipy_lcn

from jaxspot import Protocol, Training, TwoStream, local_contrast_normalise
from jaxspot.errors import choices_of
from jaxspot.network.forms import FORMS
from jaxspot.network.model import NORMS
from jaxspot.training.step import make_optimiser


def refused(error, words, call, *args, **options):
    """Asserts that a call is refused in one line that says `words`; returns the line."""
    with pytest.raises(error, match=re.escape(words)) as caught:
        call(*args, **options)
    line = str(caught.value)
    assert "\n" not in line and len(line) < 200, line
    return line


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("jitted", [False, True])
def test_lcn_of_bytes_is_that_of_the_same_picture_as_fractions(form, jitted):
    lcn = FORMS[form].local_contrast_normalise
    frames = np.round(255 * pictures(2, 24, 40)).astype(np.uint8)
    found = (jax.jit(lcn) if jitted else lcn)(frames)
    assert found.dtype == np.float32 and found.min() < -1
    np.testing.assert_allclose(found, [scipy_lcn(frame / 255.0) for frame in frames], atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [np.int32, np.uint16, bool, np.int8])
def test_lcn_refuses_numbers_whose_range_nobody_knows(form, dtype):
    lcn = FORMS[form].local_contrast_normalise
    words = f"images must be uint8 or float in the range 0..1, not {np.dtype(dtype)}"
    refused(TypeError, words, lcn, np.zeros((24, 24), dtype))
    refused(TypeError, words, jax.jit(lcn), np.zeros((24, 24), dtype))


def test_lcn_refuses_what_is_no_image():
    for images in (jnp.zeros(30), 0.5, np.zeros(30, np.uint8)):
        refused(ValueError, "(..., height, width), not ", local_contrast_normalise, images)


@pytest.mark.parametrize(
    ("kind", "field", "word", "near"),
    [
        (TwoStream, "pooling", "avg", "average"),
        (TwoStream, "trunk", "motoin", "motion"),
        (TwoStream, "start", "diff", None),
        (TwoStream, "norm", "batchnorm", "batch"),
        (TwoStream, "form", "Plain", "plain"),
        (TwoStream, "regions", 3, None),
        (Training, "optimiser", "rmsprop", None),
        (Training, "decay", "cosin", "cosine"),
        (Protocol, "matching", "one_to_on", "one_to_one"),
        (Protocol, "threshold", "oracle", "test_oracle"),
        (Protocol, "frame_skip", "kht", "kth"),
        (Protocol, "normalisation", "train", None),
    ],
)
def test_an_option_of_a_few_words_takes_no_other(kind, field, word, near):
    line = refused(ValueError, f"{field} must be one of ", kind, **{field: word})
    choices, _, rest = line.removeprefix(f"{field} must be one of ").partition(", not ")
    assert rest.partition(". Did you mean ")[0] == repr(word)
    assert (f". Did you mean {near!r}?" in line) == ("Did you mean" in line) == (near is not None)
    plain = kind()
    assert str(getattr(plain, field)) in choices.split(", ")
    for choice in choices.split(", "):
        value = int(choice) if field == "regions" else choice
        assert getattr(dataclasses.replace(plain, **{field: value}), field) == value


def test_every_word_that_an_option_takes_is_known_where_it_is_used():
    assert set(choices_of(TwoStream)["form"]) == set(FORMS)
    assert set(choices_of(TwoStream)["norm"]) == set(NORMS)
    for field in ("optimiser", "decay"):
        for word in choices_of(Training)[field]:
            optimiser = make_optimiser(Training(**{field: word}))
            assert optimiser.init({"weight": jnp.zeros(2)}) is not None


@pytest.mark.parametrize(
    "references",
    [(("micro", 1.0),), (("ME", 0.0),), (("ME", np.nan),), (("ME", 1.0), "MaE"), (), [("ME", 1.0)]],
)
def test_references_are_kinds_and_numbers(references):
    refused(ValueError, "references must be a tuple", TwoStream, references=references)


TWO = TwoStream(widths=(2, 2, 2), multiplier=1)
SEEN = TwoStream(widths=(2, 2, 2), trunk="motion")


@pytest.mark.parametrize(
    ("model", "shape", "dtype", "words"),
    [
        (
            TWO,
            (2, 112, 112, 3),
            float,
            "(2, 112, 112, 3); they must have (batch, 3, height, width)",
        ),
        (TWO, (2, 3, 113, 112), float, "113x112 pixels; height and width must be multiples of 4"),
        (TWO, (3, 112, 112), float, "(3, 112, 112); they must have (batch, 3, height, width)"),
        (TWO, (2, 2, 112, 112), float, "each frame before its 2 references"),
        (SEEN, (2, 3, 112, 112), float, "(2, 3, 112, 112); they must have (batch, 2, cells, cells"),
        (SEEN, (2, 3, 14, 14, 2), float, "they must have (batch, 2, cells, cells, 2)"),
        (TWO, (2, 3, 112, 112), np.uint8, "inputs are uint8; they must be float"),
    ],
)
def test_the_network_says_what_shape_it_wants(model, shape, dtype, words):
    inputs = np.zeros(shape, dtype)
    error = TypeError if dtype is np.uint8 else ValueError
    refused(error, words, model.init, jax.random.key(0), inputs, train=False)
    whole = np.zeros((1, 3, 8, 8) if model is TWO else (1, 2, 14, 14, 2), np.float32)
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), whole, train=False))
    variables = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), variables)
    apply = jax.jit(lambda x: model.apply(variables, x, train=False))
    refused(error, words, apply, inputs)
    assert np.shape(apply(whole)) == (1, 2)
