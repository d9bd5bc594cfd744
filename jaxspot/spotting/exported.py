"""A spotter's networks as one function of pictures: what `export_model` writes, and its card."""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export

from jaxspot.annotations.intervals import KINDS
from jaxspot.errors import UserError
from jaxspot.files import write_bytes, write_text
from jaxspot.network.inputs import preprocess_frames, stream_inputs
from jaxspot.network.model import frame_shape
from jaxspot.spotting.scoring import score_chunk
from jaxspot.spotting.spotter import Spotter
from jaxspot.video.bank import SIZE

FORMATS = ("stablehlo", "onnx")
PLATFORMS = ("cpu", "cuda", "tpu")
CARD = "model.json"


@dataclasses.dataclass(frozen=True)
class FrameModel:
    """A spotter at one frame rate, as a function of a frame and the frames it is compared with.

    Attributes:
      spotter: whose networks.
      fps: frames per second.
      offsets: int (frames,), 0 first: where the frames of the input stand from the scored one;
        below 0 before it, above 0 after it.
      rows: int (networks, streams), the place in `offsets` of each network's references.
    """

    spotter: Spotter
    fps: float
    offsets: np.ndarray
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """The input's shape without the batch."""
        return len(self.offsets), *frame_shape(self.spotter.model, SIZE)

    @property
    def dtype(self) -> str:
        """The input's dtype."""
        return "float32" if self.spotter.takes_motion else "uint8"

    def __call__(self, frames: jax.Array) -> jax.Array:
        """Frames (batch, ...) -> the mean of the networks' scores, float32 (batch, 2), 0..1."""
        model, found = self.spotter.model, []
        seen = preprocess_frames(frames, model)
        distinct, which = np.unique(self.rows, axis=0, return_inverse=True)
        inputs = [stream_inputs(seen[:, np.array([0, *row])], model) for row in distinct]
        for number, place in enumerate(which.reshape(-1)):
            own = jax.tree.map(lambda leaf, n=number: leaf[n], self.spotter.variables)
            found.append(score_chunk(own, inputs[place], model=model))
        return jnp.mean(jnp.stack(found), 0)

    def gather(self, frames: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The input for frames at `places`, int (n,); beyond either end, the frame at that end."""
        return np.asarray(frames)[np.clip(places[:, None] + self.offsets, 0, len(frames) - 1)]


def frame_model(spotter: Spotter, fps: float) -> FrameModel:
    """A spotter's networks at a frame rate."""
    offsets = -spotter.skips(fps)
    others = np.unique(offsets)
    rows = 1 + np.searchsorted(others, offsets)
    return FrameModel(spotter, fps, np.array([0, *others]), rows)


def export_model(
    spotter: Spotter,
    out: str | Path,
    *,
    fps: float = 30.0,
    to: Collection[str] = ("stablehlo",),
    weights: str = "",
) -> dict[str, Any]:
    """Writes a spotter's networks into the folder `out`, for programs that have no jaxspot.

    "stablehlo": model.stablehlo, which `jax.export.deserialize` reads, and model.stablehlo.txt,
    the same as text. "onnx": model.onnx. Last, model.json: inputs, outputs and how to use them.

    Args:
      spotter: from `load_spotter`.
      out: an empty or absent folder.
      fps: frames per second of the videos; it decides which frames are compared.
      to: of FORMATS.
      weights: what model.json says that the networks are.

    Returns:
      What model.json holds.

    Raises:
      UserError: `out` is used, or a format cannot be written.
    """
    out, model = Path(out), frame_model(spotter, fps)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: is not empty; name another --out")
    files = {}
    for name in to:
        files |= WRITERS[name](model)
    card = describe(model, weights) | {
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    }
    for name, data in files.items():
        write_bytes(out / name, data)
    write_text(out / CARD, json.dumps(card, indent=1) + "\n")
    return card


def describe(model: FrameModel, weights: str) -> dict[str, Any]:
    """What model.json says: shapes, types, ranges, times, and what is not part of the network."""
    spotter, crops = model.spotter, "posed" if model.spotter.alignment == "posed" else "similarity"
    if spotter.takes_motion:
        meaning = "what stands for a frame, from region motion; see `region_frames` of jaxspot"
    else:
        meaning = f"gray crops of one aligned face, {crops} crops of jaxspot"
    return {
        "weights": weights,
        "networks": len(spotter.rules),
        "fps": model.fps,
        "input": {
            "name": "frames",
            "shape": ["batch", *model.shape],
            "dtype": model.dtype,
            "range": None if spotter.takes_motion else [0, 255],
            "meaning": meaning,
            "axes": "batch, frame (see offsets), then row and column"
            if not spotter.takes_motion
            else "batch, frame (see offsets), region, coordinate",
            "offsets": model.offsets.tolist(),
            "offsets_s": np.round(model.offsets / model.fps, 6).tolist(),
            "borders": "beyond either end of the video take the frame at that end; for a frame"
            " without a face, the last one before with a face",
        },
        "output": {
            "name": "scores",
            "shape": ["batch", 2],
            "dtype": "float32",
            "range": [0, 1],
            "columns": list(KINDS),
            "meaning": "mean of the networks' scores of the frame at offset 0, as p_me and p_mae in"
            " frames.csv; how they become intervals is not part of the model",
        },
    }


def stablehlo_files(model: FrameModel) -> dict[str, bytes]:
    """The function for any batch on PLATFORMS: serialized, and as text."""
    (batch,) = export.symbolic_shape("batch")
    shape = jax.ShapeDtypeStruct((batch, *model.shape), model.dtype)
    exported = export.export(jax.jit(model.__call__), platforms=PLATFORMS)(shape)
    return {
        "model.stablehlo": bytes(exported.serialize()),
        "model.stablehlo.txt": exported.mlir_module().encode(),
    }


def onnx_files(model: FrameModel) -> dict[str, bytes]:
    """The function as an ONNX graph."""
    from jaxspot.spotting.onnx_graph import onnx_graph

    return {"model.onnx": onnx_graph(model).SerializeToString(deterministic=True)}


WRITERS: dict[str, Callable[[FrameModel], dict[str, bytes]]] = {
    "stablehlo": stablehlo_files,
    "onnx": onnx_files,
}
