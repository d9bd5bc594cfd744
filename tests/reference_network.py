"""The network of Figure 1 from library convolutions, in float64, and what it is compared on."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def inputs(batch=3, size=16, streams=2, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, 1 + streams, size, size))


def random_variables(model, frames, seed=0):
    """Variables in float64 with no value left at its start."""
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda: model.init(jax.random.key(0), frames, train=False))
    draw = lambda leaf: jnp.asarray(
        rng.uniform(0.2, 1, leaf.shape) * rng.choice([-1, 1], leaf.shape)
    )
    variables = jax.tree.map(draw, shapes)
    positive = lambda leaf: jnp.abs(leaf) + 0.1
    return variables | {"batch_stats": jax.tree.map(positive, variables.get("batch_stats", {}))}


def reference_network(variables, frames, *, pooling, regions, train):
    """The network of Figure 1 from library convolutions; also the batch statistics."""
    params, stats = variables["params"], variables["batch_stats"]
    batch, streams = frames.shape[0], frames.shape[1] - 1
    used = {}

    def normalise(name, y):
        if "Bias_0" in params[name]:
            return y + params[name]["Bias_0"]["bias"]
        block = params[name]["BatchNorm_0"]
        running = stats[name]["BatchNorm_0"]
        axes = tuple(range(y.ndim - 1))
        mean, var = (y.mean(axes), y.var(axes)) if train else (running["mean"], running["var"])
        used[name] = mean, var
        return (y - mean) / jnp.sqrt(var + 1e-5) * block["scale"] + block["bias"]

    def relu_pool(y):
        y = jnp.maximum(y, 0)
        windows = y.reshape(len(y), y.shape[1] // 2, 2, y.shape[2] // 2, 2, -1)
        return windows.max((2, 4)) if pooling == "max" else windows.mean((2, 4))

    def pointwise(name, y):
        return jnp.einsum("...i,io->...o", y, params[name]["pointwise"])

    pairs = [jnp.stack([frames[:, 0], frames[:, 1 + s]], 1) for s in range(streams)]
    pairs = jnp.stack(pairs, 1).reshape(batch * streams, 2, *frames.shape[2:], 1)
    kernel = params["PairBlock_0"]["depthwise"][:, :, :, None]
    y = lax.conv_general_dilated(
        pairs,
        kernel,
        (1, 1, 1),
        ((0, 0), (1, 1), (1, 1)),
        dimension_numbers=("NDHWC", "DHWIO", "NDHWC"),
    )[:, 0]
    y = relu_pool(normalise("PairBlock_0", pointwise("PairBlock_0", y)))
    for name in (f"SeparableBlock_{n}" for n in range(sum("Separable" in key for key in params))):
        y = lax.conv_general_dilated(
            y,
            params[name]["depthwise"][:, :, None],
            (1, 1),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=y.shape[-1],
        )
        y = normalise(name, pointwise(name, y))
        y = relu_pool(y) if name == "SeparableBlock_0" else jnp.maximum(y, 0)
    cells = jnp.stack(
        [
            cell.mean((1, 2))
            for row in jnp.split(y, regions, 1)
            for cell in jnp.split(row, regions, 2)
        ],
        1,
    ).reshape(len(y), -1)
    dense = lambda layer, x: jnp.einsum("ni,io->no", x, layer["kernel"]) + layer["bias"]
    if regions > 1:
        cells = dense(params["Project"], cells)
    residual = params["ResidualDense_0"]
    hidden = jnp.maximum(dense(residual["Dense_0"], cells), 0)
    summary = (cells + dense(residual["Dense_1"], hidden)).reshape(batch, -1)
    return dense(params["Output"], summary), used


def close(tolerance):
    return lambda a, b: np.testing.assert_allclose(
        a, b, rtol=tolerance, atol=tolerance * (1 + np.abs(b).max())
    )
