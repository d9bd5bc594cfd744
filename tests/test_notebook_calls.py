"""What a person in a notebook calls by hand: it works, or says in one sentence why not."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_lcn import pictures, scipy_lcn

from jaxspot import local_contrast_normalise
from jaxspot.network.forms import FORMS


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
