from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from jaxspot.network.inputs import init_variables, sample_inputs
from jaxspot.network.model import build_model
from jaxspot.network.motion import SIDE, STIFFNESS, local_motion
from jaxspot.network.streams import stream_skips

SIZE = 56
CELLS = SIZE // SIDE


def picture(seed=0, size=SIZE):
    """Smooth structure of mean 0 and deviation 1."""
    coarse = gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), 2.0)
    return (coarse - coarse.mean()) / coarse.std()


def moved(image, right, down):
    """The picture with its content moved, by cubic splines."""
    return shift(image, (down, right), order=3, mode="nearest")


def motion(*frames):
    """Of one sample, float (streams, cells, cells, 2)."""
    return np.asarray(jax.jit(local_motion)(jnp.asarray(np.stack(frames)[None], jnp.float32)))[0]


def least_squares(current, reference):
    """Every window's shift by a library's least squares, in float64."""
    down, right = np.gradient(np.pad((current + reference) / 2, 1, mode="edge"))
    down, right = down[1:-1, 1:-1], right[1:-1, 1:-1]
    place = np.arange(SIZE) + 0.5
    found = np.zeros((CELLS, CELLS, 2))
    triangle = lambda i: np.maximum(1 - np.abs(place - SIDE * (i + 0.5)) / (2 * SIDE), 0)
    weights = [[np.outer(triangle(i), triangle(j)) for j in range(CELLS)] for i in range(CELLS)]
    texture = np.mean([[(w * (right**2 + down**2)).sum() for w in row] for row in weights])
    for i in range(CELLS):
        for j in range(CELLS):
            root = np.sqrt(weights[i][j]).ravel()
            rows = np.stack([right.ravel() * root, down.ravel() * root], 1)
            held = np.sqrt(STIFFNESS * texture / 2) * np.eye(2)
            wanted = (reference - current).ravel() * root
            both = np.concatenate([rows, held]), np.concatenate([wanted, [0, 0]])
            found[i, j] = np.linalg.lstsq(*both, rcond=None)[0]
    return found


def test_agrees_with_least_squares_in_every_window():
    current, near, far = picture(), moved(picture(), 0.4, -0.2), picture(seed=1)
    found = motion(current, near, far)
    for stream, reference in zip(found, (near, far), strict=True):
        np.testing.assert_allclose(stream, least_squares(current, reference), atol=2e-4)


@pytest.mark.parametrize(("right", "down"), [(0.3, 0.0), (0.0, -0.5), (-0.8, 0.6)])
def test_finds_how_far_a_picture_moved(right, down):
    found = motion(moved(picture(), right, down), picture())[0]
    inside = found[1:-1, 1:-1]
    np.testing.assert_allclose(inside.mean((0, 1)), (right, down), atol=0.1)
    np.testing.assert_allclose(inside, np.broadcast_to((right, down), inside.shape), atol=0.25)


def test_a_part_that_moves_is_found_where_it_is():
    still = picture(size=112)
    gone = moved(still, 0.0, 0.7)
    current = still.copy()
    current[64:96, 16:48] = gone[64:96, 16:48]
    down = motion(current, still)[0, ..., 1]
    assert down[9:11, 3:5].min() > 0.4
    assert np.abs(down[:6]).max() < 0.05 and np.abs(down[:, 9:]).max() < 0.05


def test_motion_is_turned_round_when_the_frames_change_places():
    one, other = picture(), moved(picture(), 0.5, 0.3)
    np.testing.assert_allclose(motion(one, other), -motion(other, one), atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.7])
def test_where_nothing_changes_nothing_moves(level):
    still = picture()
    assert not motion(still, still).any()
    flat = np.full((SIZE, SIZE), level)
    found = motion(flat, flat)
    assert np.isfinite(found).all() and not found.any()


def test_sizes_that_cells_do_not_fill_are_refused():
    with pytest.raises(ValueError, match="cells"):
        local_motion(jnp.zeros((1, 2, SIZE, SIZE + 4)))


def test_skips_of_streams():
    references = (("ME", 1.0), ("MaE", -0.5), ("MaE", 2.0), ("ME", 0.1), ("ME", -0.1))
    found = stream_skips([[4, 26], [6, 19]], references)
    np.testing.assert_array_equal(found, [[4, -13, 52, 1, -1], [6, -10, 38, 1, -1]])


def test_the_network_sees_motion_and_nothing_else():
    """Its logits follow from `local_motion` and dense layers written out."""
    references = (("ME", 1.0), ("ME", -1.0), ("MaE", 1.0))
    model = build_model(widths=(3, 4, 5), trunk="motion", references=references, fusion_width=6)
    start = partial(init_variables, model, size=(16, 16))
    variables = jax.jit(start)(jax.random.key(0))
    params = variables["params"]
    assert set(variables) == {"params"}
    assert set(params) == {"Project", "ResidualDense_0", "Joint", "Output"}
    frames = np.random.default_rng(0).integers(0, 256, (7, 4, 16, 16)).astype(np.uint8)
    inputs = jax.jit(partial(sample_inputs, model=model))(frames)
    assert inputs.shape == (7, 3, 2, 2, 2)
    dense = lambda layer, x: x @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
    x = dense(params["Project"], np.asarray(inputs).reshape(21, 8))
    rest = params["ResidualDense_0"]
    x = x + dense(rest["Dense_1"], np.maximum(dense(rest["Dense_0"], x), 0))
    x = np.maximum(dense(params["Joint"], x.reshape(7, -1)), 0)
    expected = dense(params["Output"], x)
    np.testing.assert_allclose(model.apply(variables, inputs, train=False), expected, atol=1e-5)
