import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxspot.network.augment import Augmentation, augment, move, relight

NOTHING = dict(contrast=(1.0, 1.0), gamma=(1.0, 1.0), gain=(1.0, 1.0), rotation=0.0, flip=0.0)


def pictures(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def ramp(size=21):
    """Brightness rises by 8 a column about 128 in the centre, so that positions can be read off."""
    return np.tile((128 + 8 * (np.arange(size) - size // 2)).astype(np.uint8), (size, 1))


def many(frames, number=2000, **changes):
    """Float (number, frames, height, width): one sample augmented under many keys."""
    ranges = Augmentation(**NOTHING | changes)
    keys = jax.random.split(jax.random.key(7), number)
    return np.asarray(
        jax.jit(jax.vmap(lambda key: augment(jnp.asarray(frames), key, ranges)))(keys)
    )


def moved(frames, degrees=0.0, flip=False, drift=None):
    drift = np.zeros((len(frames), 2)) if drift is None else np.asarray(drift)
    angle = jnp.asarray(np.deg2rad(degrees), jnp.float32)
    return np.asarray(
        move(jnp.asarray(frames), angle, jnp.asarray(flip), jnp.asarray(drift, jnp.float32))
    )


def test_equal_frames_stay_equal():
    frames = np.repeat(pictures(1, 24, 32), 3, 0)
    change = jax.jit(augment)
    for seed in range(20):
        found = np.asarray(change(jnp.asarray(frames), jax.random.key(seed)))
        assert found.shape == frames.shape and found.dtype == np.float32
        np.testing.assert_array_equal(found[1], found[0])
        np.testing.assert_array_equal(found[2], found[0])
        assert found.min() >= 0 and found.max() <= 1


def test_keys_decide_and_differ():
    frames = jnp.asarray(pictures(3, 16, 16))
    first, again, other = (augment(frames, jax.random.key(seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


def test_nothing_asked_nothing_changed():
    frames = pictures(3, 16, 20)
    found = augment(jnp.asarray(frames), jax.random.key(0), Augmentation(**NOTHING))
    np.testing.assert_allclose(found, np.maximum(frames / 255, 1e-4), atol=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
@pytest.mark.parametrize("degrees", [-10.0, -3.3, 0.0, 7.3, 90.0])
def test_rotation_agrees_with_opencv(size, degrees):
    frames = pictures(2, *size)
    height, width = size
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    found = moved(frames, degrees)
    for frame, image in zip(found, frames, strict=True):
        expected = cv2.warpAffine(
            image.astype(np.float32) / 255,
            matrix,
            (width, height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        np.testing.assert_allclose(frame, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("degrees", [-10.0, 0.0, 4.2])
def test_flip_mirrors_first(degrees):
    frames = pictures(2, 20, 28)
    flipped = moved(frames, degrees, flip=True)
    np.testing.assert_allclose(flipped, moved(frames[..., ::-1], degrees), atol=1e-5)
    np.testing.assert_allclose(flipped, np.flip(moved(frames, -degrees), -1), atol=1e-5)


def test_drift_displaces_the_source():
    frames = pictures(2, 12, 14)
    found = moved(frames, drift=[[2, 0], [0, -3]]) * 255
    columns, rows = np.minimum(np.arange(14) + 2, 13), np.maximum(np.arange(12) - 3, 0)
    np.testing.assert_allclose(found[0], frames[0][:, columns], atol=1e-4)
    np.testing.assert_allclose(found[1], frames[1][rows], atol=1e-4)


@pytest.mark.parametrize("factors", [(1.5, 0.5, 1.2), (0.5, 1.5, 0.5), (1.0, 1.0, 1.0)])
def test_relight_agrees_with_numpy(factors):
    contrast, gamma, gain = factors
    frames = np.random.default_rng(0).uniform(0.01, 1, (3, 8, 9))
    light = gain * frames**gamma
    expected = np.clip(light.mean() + contrast * (light - light.mean()), 0, 1)
    found = relight(jnp.asarray(frames, jnp.float32), *map(jnp.float32, factors))
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("gain", lambda x: x.mean(1) / np.mean([80 / 255, 100 / 255])),
        ("contrast", lambda x: (x[:, 1] - x[:, 0]) / (20 / 255)),
        ("gamma", lambda x: np.log(x[:, 0]) / np.log(80 / 255)),
    ],
)
def test_light_stays_in_its_range_and_fills_it(name, measure):
    two_levels = np.repeat(np.uint8([[[80, 100]]]), 2, 1)
    pixels = many(two_levels, **{name: (0.5, 1.5)})[:, 0, 0]
    factors = measure(pixels.astype(float))
    assert factors.min() >= 0.5 - 1e-4 and factors.max() <= 1.5 + 1e-4
    counts, _ = np.histogram(factors, 10, (0.5 - 1e-4, 1.5 + 1e-4))
    assert counts.min() > 130 and counts.max() < 270


def test_rotation_stays_in_its_range_and_fills_it():
    found = many(ramp()[None], rotation=10.0)[:, 0] * 255
    slope_x, slope_y = (
        (found[:, 10, 15] - found[:, 10, 5]) / 80,
        (found[:, 15, 10] - found[:, 5, 10]) / 80,
    )
    degrees = np.rad2deg(np.arctan2(-slope_y, slope_x))
    assert np.abs(degrees).max() <= 10 + 1e-3
    counts, _ = np.histogram(degrees, 10, (-10.001, 10.001))
    assert counts.min() > 130 and counts.max() < 270


def test_half_of_the_samples_are_flipped():
    frames = np.repeat(ramp()[None], 2, 0)
    found = many(frames, flip=0.5)
    flipped = found[:, :, 0, 0] > 0.5
    assert (flipped[:, 0] == flipped[:, 1]).all()
    assert abs(flipped.mean() - 0.5) < 0.05


def test_drift_moves_each_frame_and_axis_on_its_own():
    across, down = ramp(), ramp().T
    found = many(np.stack([across, across, down]), drift=1.0)[:, :, 10, 10]
    shifts = (found * 255 - 128) / 8
    assert np.abs(shifts.mean(0)).max() < 0.1
    np.testing.assert_allclose(shifts.std(0), 1.0, atol=0.08)
    correlation = np.corrcoef(shifts.T) - np.eye(3)
    assert np.abs(correlation).max() < 0.1
