import jax.numpy as jnp
import numpy as np
import pytest
from reference_lcn import pictures, scipy_lcn
from scipy.ndimage import gaussian_filter

from jaxspot.network.lcn import blur, gaussian_window, local_contrast_normalise


@pytest.mark.parametrize("shape", [(112, 112), (24, 40), (9, 17)])
def test_agrees_with_scipy_borders_included(shape):
    images = pictures(3, *shape)
    found = local_contrast_normalise(jnp.asarray(images, jnp.float32))
    expected = np.stack([scipy_lcn(image) for image in images])
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def test_other_windows_agree_with_scipy():
    image = pictures(40, 40)
    found = blur(jnp.asarray(image, jnp.float32), gaussian_window(1.7, 4.0))
    expected = gaussian_filter(image, 1.7, truncate=4.0, mode="reflect")
    np.testing.assert_allclose(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0.0), (0.3, 0.6), (1.0, -0.1), (2.0, 0.0)])
def test_brightness_and_contrast_change_nothing(gain, offset):
    image = 0.2 + 0.25 * pictures(112, 112)
    plain, changed = (
        np.asarray(local_contrast_normalise(jnp.asarray(x, jnp.float32)))
        for x in (image, gain * image + offset)
    )
    smooth = lambda x: gaussian_filter(x, 3.0, mode="reflect", radius=9)
    deviation = np.sqrt(smooth((image - smooth(image)) ** 2))
    textured = deviation > 0.5 * deviation.mean()
    assert textured.mean() > 0.9
    np.testing.assert_allclose(changed[textured], plain[textured], atol=1e-4, rtol=0)


@pytest.mark.parametrize("level", [0.0, 1 / 255, 0.1, 0.3, 0.7, 254 / 255, 1.0])
def test_constant_image_gives_zeros(level):
    found = np.asarray(local_contrast_normalise(jnp.full((2, 112, 112), level, jnp.float32)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, 0.0, atol=1e-6)


def test_half_constant_image_is_finite():
    image = np.full((48, 48), 0.7, np.float32)
    image[:, 24:] = pictures(48, 24)
    found = np.asarray(local_contrast_normalise(jnp.asarray(image)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, scipy_lcn(image.astype(float)), atol=1e-5, rtol=0)


def test_every_image_is_normalised_on_its_own():
    images = jnp.asarray(pictures(2, 3, 24, 24), jnp.float32)
    together = local_contrast_normalise(images)
    alone = local_contrast_normalise(images[1, 2])
    np.testing.assert_allclose(together[1, 2], alone, atol=1e-6)


def test_window_is_a_normalised_gaussian():
    window = np.array(gaussian_window(3.0, 3.0))
    assert len(window) == 19
    assert window.sum() == pytest.approx(1.0)
    assert window[9 + 3] / window[9] == pytest.approx(np.exp(-0.5))


def test_images_smaller_than_the_radius_are_refused():
    with pytest.raises(ValueError, match="8x30 are smaller than the window's radius of 9"):
        local_contrast_normalise(jnp.zeros((8, 30)))
