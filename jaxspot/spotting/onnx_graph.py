"""A spotter with the trunk "motion" as an ONNX graph, written from its weights.

Whatever slides along one axis of a picture (the Gaussian of LCN, gradients, windows) is a matrix
there, so the graph is products of matrices and arithmetic. The package `onnx` is an extra.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import jax
import numpy as np

from jaxspot.errors import UserError
from jaxspot.network.lcn import FLAT, SIGMA, TRUNCATE, gaussian_window
from jaxspot.network.motion import STIFFNESS, Motion, windows

OPSET, IR_VERSION = 17, 8


class Graph:
    """The nodes and constants of a graph; every method returns the name of what it computes."""

    def __init__(self, onnx: Any):
        self.onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """A constant of any shape."""
        name = f"constant_{len(self.constants)}"
        array = np.ascontiguousarray(np.asarray(value, dtype))
        self.constants.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """An operator of ONNX by its name."""
        output = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def add(self, a: str, b: str) -> str:
        """a + b."""
        return self.node("Add", a, b)

    def sub(self, a: str, b: str) -> str:
        """a - b."""
        return self.node("Sub", a, b)

    def mul(self, a: str, b: str) -> str:
        """a * b, by elements."""
        return self.node("Mul", a, b)

    def matmul(self, a: str, b: str) -> str:
        """The product of matrices, the last two axes."""
        return self.node("MatMul", a, b)

    def mean(self, a: str, axes: Sequence[int]) -> str:
        """The mean over some axes, which are kept."""
        return self.node("ReduceMean", a, axes=list(axes), keepdims=1)

    def dense(self, a: str, weights: Any) -> str:
        """A dense layer of Flax: kernel and bias."""
        product = self.matmul(a, self.constant(weights["kernel"]))
        return self.add(product, self.constant(weights["bias"]))


def onnx_graph(model: Any) -> Any:
    """The ONNX model of a `FrameModel`: frames (batch, ...) -> scores (batch, 2).

    Raises:
      UserError: `onnx` is not installed, or the networks have another trunk.
    """
    if not isinstance(model.spotter.model.trunk, Motion):
        raise UserError(
            'an ONNX graph is written of networks with the trunk "motion" only; leave onnx out of'
            " --to"
        )
    try:
        onnx: Any = import_module("onnx")
    except ImportError:
        raise UserError(
            "the package onnx is not installed; pip install 'jaxspot[onnx]', or leave it out of"
            " --to"
        ) from None
    graph = Graph(onnx)
    _scores(graph, model)
    value, kinds = onnx.helper.make_tensor_value_info, onnx.TensorProto
    found = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "jaxspot",
            [value("frames", kinds.UINT8, ["batch", *model.shape])],
            [value("scores", kinds.FLOAT, ["batch", 2])],
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="jaxspot",
    )
    onnx.checker.check_model(found, full_check=True)
    return found


def _scores(graph, model):
    network, variables = model.spotter.model, jax.device_get(model.spotter.variables["params"])
    pixels = graph.node("Cast", "frames", to=graph.onnx.TensorProto.FLOAT)
    scaled = graph.node("Div", pixels, graph.constant(255))
    size = model.shape[-1]
    seen = _normalised(graph, scaled, size) if network.streams.lcn else _scaled(graph, scaled)
    distinct, which = np.unique(model.rows, axis=0, return_inverse=True)
    inputs = [_motion(graph, seen, row, size) for row in distinct]
    outputs = []
    for number, place in enumerate(which.reshape(-1)):
        own = jax.tree.map(lambda leaf, n=number: leaf[n], variables)
        outputs.append(_network(graph, inputs[place], own))
    total = outputs[0]
    for output in outputs[1:]:
        total = graph.add(total, output)
    graph.node("Div", total, graph.constant(len(outputs)), output="scores")


def _scaled(graph, pixels):
    return graph.sub(graph.mul(pixels, graph.constant(2)), graph.constant(1))


def _normalised(graph, pixels, size):
    """`local_contrast_normalise`."""
    slide = slide_matrix(size)
    down, across = graph.constant(slide), graph.constant(slide.T)
    blur = lambda x: graph.matmul(graph.matmul(down, x), across)
    difference = graph.sub(pixels, blur(pixels))
    deviation = graph.node("Sqrt", blur(graph.mul(difference, difference)))
    floor = graph.mean(deviation, (-2, -1))
    textured = graph.node("Greater", floor, graph.constant(FLAT))
    floor = graph.node("Where", textured, floor, graph.constant(np.inf))
    return graph.node("Div", difference, graph.node("Max", deviation, floor))


def _motion(graph, seen, row, size):
    """`local_motion` of one network's references, flat: (batch, streams, cells * cells * 2)."""
    take = lambda places: graph.node("Gather", seen, graph.constant(places, np.int64), axis=1)
    current, references = take([0]), take(row)
    middle = graph.mul(graph.add(current, references), graph.constant(0.5))
    step, cells = gradient_matrix(size), windows(size)
    x = graph.matmul(middle, graph.constant(step.T))
    y = graph.matmul(graph.constant(step), middle)
    down, across = graph.constant(cells), graph.constant(cells.T)
    gather = lambda a, b: graph.matmul(graph.matmul(down, graph.mul(a, b)), across)
    change = graph.sub(current, references)
    xx, xy, yy = gather(x, x), gather(x, y), gather(y, y)
    xt, yt = gather(x, change), gather(y, change)
    hold = graph.mul(graph.mean(graph.add(xx, yy), (-2, -1)), graph.constant(STIFFNESS / 2))
    hold = graph.add(hold, graph.constant(1e-6))
    xx, yy = graph.add(xx, hold), graph.add(yy, hold)
    area = graph.sub(graph.mul(xx, yy), graph.mul(xy, xy))
    right = graph.sub(graph.mul(xy, yt), graph.mul(yy, xt))
    below = graph.sub(graph.mul(xy, xt), graph.mul(xx, yt))
    axis = graph.constant([-1], np.int64)
    parts = [
        graph.node("Unsqueeze", graph.node("Div", part, area), axis) for part in (right, below)
    ]
    shape = graph.constant([0, len(row), 2 * len(cells) ** 2], np.int64)
    return graph.node("Reshape", graph.node("Concat", *parts, axis=-1), shape)


def _network(graph, inputs, params):
    """`TwoStream` on motion, with its sigmoid."""
    x, residual = graph.dense(inputs, params["Project"]), params["ResidualDense_0"]
    hidden = graph.node("Relu", graph.dense(x, residual["Dense_0"]))
    x = graph.node("Flatten", graph.add(x, graph.dense(hidden, residual["Dense_1"])), axis=1)
    if "Joint" in params:
        x = graph.node("Relu", graph.dense(x, params["Joint"]))
    return graph.node("Sigmoid", graph.dense(x, params["Output"]))


def slide_matrix(size: int) -> np.ndarray:
    """The Gaussian of LCN along an axis with mirrored borders: float64 (size, size)."""
    window = gaussian_window(SIGMA, TRUNCATE)
    radius = len(window) // 2
    padded = np.pad(np.eye(size), ((radius, radius), (0, 0)), mode="symmetric")
    return np.sum([weight * padded[i : i + size] for i, weight in enumerate(window)], 0)


def gradient_matrix(size: int) -> np.ndarray:
    """Central differences along an axis, the border repeated: float64 (size, size)."""
    padded = np.pad(np.eye(size), ((1, 1), (0, 0)), mode="edge")
    return (padded[2:] - padded[:-2]) / 2
