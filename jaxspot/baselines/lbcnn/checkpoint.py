"""Arrays of a PyTorch checkpoint in the form before version 1.6, read without PyTorch."""

import math
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from jaxspot.errors import UserError

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor(NamedTuple):
    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_checkpoint(path: str | Path) -> dict[str, np.ndarray]:
    """Name -> array of a state dictionary that `torch.save` wrote.

    The file is three pickles of its version, one of the names with references to storages, one with
    the order of the storages; then each storage's length and numbers. Nothing but tensors of float
    and long is unpickled, so no code of the file is run. UserError: another kind of file.
    """
    storages: dict[str, np.ndarray] = {}
    with open(path, "rb") as file:
        try:
            if _Tensors(file).load() != MAGIC:
                raise pickle.UnpicklingError("no checkpoint of this form")
            for _ in ("version", "machine"):
                _Tensors(file).load()
            names = _Tensors(file)
            tensors, order = names.load(), _Tensors(file).load()
            for key in order:
                count = int(np.fromfile(file, "<i8", 1)[0])
                storages[key] = np.fromfile(file, names.dtypes[key], count)
                if len(storages[key]) < count:
                    raise EOFError("it is cut off")
        except (pickle.UnpicklingError, EOFError, KeyError, IndexError) as error:
            raise UserError(
                f"{path}: not a PyTorch checkpoint that can be read ({error})"
            ) from None
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}


class _Tensors(pickle.Unpickler):
    """Unpickles plain containers and references to tensors, and refuses everything else."""

    def __init__(self, file: Any):
        super().__init__(file)
        self.dtypes: dict[str, np.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, strides, *rest: _Tensor(key, offset, shape, strides)
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"it holds {module}.{name}")

    def persistent_load(self, pid: Any) -> str:
        _, kind, key, *_ = pid
        self.dtypes[key] = DTYPES[kind]
        return key


def _array(tensor, storages):
    flat = storages[tensor.key][tensor.offset :]
    if math.prod(tensor.shape) == 0:
        return np.zeros(tensor.shape, flat.dtype)
    strides = [step * flat.itemsize for step in tensor.strides]
    return np.ascontiguousarray(as_strided(flat, tensor.shape, strides))
