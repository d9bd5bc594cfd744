"""The committed depth of the heads: how near each part of a face is."""

from functools import cache
from pathlib import Path

import numpy as np

from jaxspot.errors import UserError

FILE = Path(__file__).parent / "depth.npz"


@cache
def head_depths(path: Path = FILE) -> np.ndarray:
    """Depth float32 (people, 48, 48) of every face over the canvas, in its pixels.

    Larger is nearer; 0 is the mean of eyes, nose tip and mouth corners. UserError: no file.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: missing; build it with launch/build_heads.py")
    with np.load(path) as file:
        return file["depth"].astype(np.float32) * file["step"]
