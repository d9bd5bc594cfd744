"""A z-buffer in numpy: which triangle each pixel sees, and where in it."""

import numpy as np


def vertex_normals(points, triangles):
    """Unit normals (n, 3) of vertices (n, 3): the area-weighted mean of their triangles'."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for k in range(3):
        np.add.at(normals, triangles[:, k], faces)
    return normals / (np.linalg.norm(normals, axis=1, keepdims=True) + 1e-12)


def rasterise(screen, depth, triangles, *, size):
    """Nearest front-facing triangle at each pixel centre of a square canvas.

    screen: (n, 2) pixels, x right and y down; depth: (n,) larger is nearer.
    Returns (index (size, size) int64 with -1 for none, barycentric (size, size, 3) float64).
    """
    a, b, c = (screen[triangles[:, k]] for k in range(3))
    area = cross(b - a, c - a)
    low = np.floor(np.minimum(np.minimum(a, b), c)).astype(int)
    high = np.ceil(np.maximum(np.maximum(a, b), c)).astype(int)
    seen = (area < -1e-9) & (high >= 0).all(1) & (low < size).all(1)
    rows = np.nonzero(seen)[0]
    extent = (high - low + 1)[rows]
    count = extent.prod(1)
    owner = np.repeat(rows, count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    width = np.repeat(extent[:, 0], count)
    pixel = low[owner] + np.stack([within % width, within // width], 1)
    inside = ((pixel >= 0) & (pixel < size)).all(1)
    owner, pixel = owner[inside], pixel[inside]
    first = cross(b[owner] - pixel, c[owner] - pixel) / area[owner]
    second = cross(c[owner] - pixel, a[owner] - pixel) / area[owner]
    weights = np.stack([first, second, 1 - first - second], 1)
    covered = (weights >= -1e-6).all(1)
    owner, pixel, weights = owner[covered], pixel[covered], weights[covered]
    order = np.argsort((weights * depth[triangles[owner]]).sum(1), kind="stable")
    flat = (pixel[:, 1] * size + pixel[:, 0])[order]
    index = np.full(size * size, -1)
    barycentric = np.zeros((size * size, 3))
    index[flat] = owner[order]
    barycentric[flat] = weights[order]
    return index.reshape(size, size), barycentric.reshape(size, size, 3)


def cross(a, b):
    """The z component of the cross product of 2-D vectors (..., 2)."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def interpolate(values, triangles, index, barycentric):
    """Vertex values (n, k) at the covered pixels: (pixels, k), ordered as index[index >= 0]."""
    covered = index >= 0
    return (values[triangles[index[covered]]] * barycentric[covered][:, :, None]).sum(1)
