"""A gray picture of a head, placed as OpenFace places a face in its 112 x 112 crop."""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_array

from jaxspot.synthetic.heads import CANVAS, CROP
from jaxspot.synthetic.heads_builder.identity import Identity
from jaxspot.synthetic.heads_builder.mesh import MATERIALS, Mesh
from jaxspot.synthetic.heads_builder.raster import interpolate, rasterise, vertex_normals
from jaxspot.synthetic.heads_builder.skin import SKIN, to_skin

SCALE = 2
"""A picture is drawn at this many times the canvas."""
MARGIN = (CANVAS - CROP) // 2
DISTANCE = 9.0
CROP_TARGETS = dict(
    right_eye_outer=(24.4, 29.8), right_eye_inner=(42.9, 31.1), left_eye_inner=(69.1, 31.1),
    left_eye_outer=(87.6, 29.8), nose_tip=(56.0, 51.3), right_mouth=(38.0, 79.1),
    left_mouth=(74.0, 79.1),
)  # fmt: skip
"""Where OpenFace's neutral template has these points in a 112 x 112 crop (pixels)."""


@dataclass(frozen=True)
class Camera:
    """Rotation (3, 3), then perspective, then a similarity onto the canvas."""

    rotation: np.ndarray
    centre: np.ndarray
    matrix: np.ndarray

    def project(self, points):
        """Screen (n, 2) in canvas pixels and depth (n,) of points (n, 3)."""
        turned = (points - self.centre) @ self.rotation.T
        nearer = DISTANCE / (DISTANCE - turned[:, 2])
        flat = np.stack([turned[:, 0] * nearer, -turned[:, 1] * nearer, np.ones(len(points))], 1)
        return flat @ self.matrix.T, turned[:, 2]


def aim(mesh: Mesh, identity: Identity) -> Camera:
    """The camera whose least-squares similarity brings the face onto the crop's template."""
    cy, sy, cp, sp = (f(a) for a in (identity.yaw, identity.pitch) for f in (np.cos, np.sin))
    turn = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    turn = turn @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    rows = mesh.landmarks(CROP_TARGETS)
    centre = identity.points[rows].mean(0)
    flat, _ = Camera(turn, centre, np.eye(2, 3)).project(identity.points[rows])
    goal = np.array(list(CROP_TARGETS.values())) + MARGIN + 0.5
    (x, y), (u, v) = flat.T, goal.T
    one, zero = np.ones_like(x), np.zeros_like(x)
    system = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, s, t = np.linalg.lstsq(system, np.concatenate([u, v]), rcond=None)[0]
    return Camera(turn, centre, np.array([[a, -b, s], [b, a, t]]))


@dataclass(frozen=True)
class Look:
    """Surface of a person: albedo (SKIN, SKIN), iris and background gray, lamp strengths."""

    albedo: np.ndarray
    iris: float
    background: np.ndarray
    ambient: float
    gloss: float
    exposure: float


@dataclass(frozen=True)
class Picture:
    """What was drawn, and what each pixel shows.

    gray: (size, size) float32 0..255. index, barycentric: see `rasterise`. screen: (n, 2) pixels of
    the drawn size. depth: (size, size), -inf for none; nearness: (n,) the same of the vertices.
    """

    gray: np.ndarray
    index: np.ndarray
    barycentric: np.ndarray
    screen: np.ndarray
    depth: np.ndarray
    nearness: np.ndarray


def adjacency(mesh: Mesh):
    """Row-normalised neighbour matrix (n, n) of the mesh, to average over neighbours."""
    t = mesh.triangles
    rows = np.concatenate([t[:, a] for a in (0, 1, 2, 1, 2, 0)])
    columns = np.concatenate([t[:, a] for a in (1, 2, 0, 0, 1, 2)])
    count = len(mesh.base)
    matrix = coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    matrix.data[:] = 1
    return matrix.multiply(1 / np.maximum(matrix.sum(1), 1)[:, None]).tocsr()


def cavity(points, normals, neighbours):
    """How hollow the surface is at each vertex (n,), -1..1: folds and corners are positive."""
    hollow, mean = np.zeros(len(points)), points
    for rings in range(1, 7):
        mean = neighbours @ mean
        if rings in (1, 3, 6):
            hollow += ((mean - points) * normals).sum(1) / (0.02 * np.sqrt(rings))
    return np.clip(neighbours @ hollow / 3, -1, 1)


def eye_angle(mesh: Mesh):
    """Degrees (n,) from the axis of the eye for vertices of the eyes, 0 elsewhere."""
    angle = np.zeros(len(mesh.base))
    for side in (1, -1):
        rows = mesh.of("eye")
        rows = rows[side * mesh.base[rows, 0] > 0]
        arm = mesh.base[rows] - mesh.base[rows].mean(0)
        angle[rows] = np.degrees(np.arccos(np.clip(arm[:, 2] / np.linalg.norm(arm, axis=1), -1, 1)))
    return angle


def draw(mesh: Mesh, points, *, front, camera: Camera, light, look: Look, albedo, neighbours,
         closed=0.0) -> Picture:  # fmt: skip
    """Draw vertices `points` (n, 3); `front` (n, 3) places the `albedo` (SKIN, SKIN).

    `light` (3,) points to the lamp in camera space. `closed` 0..1 darkens the eyes behind lids that
    meet badly on a head of another shape.
    """
    size = CANVAS * SCALE
    screen, depth = camera.project(points)
    screen = screen * SCALE - 0.5
    index, barycentric = rasterise(screen, depth, mesh.triangles, size=size)
    normals = vertex_normals(points, mesh.triangles)
    hollow = cavity(points, normals, neighbours)
    values = np.column_stack([normals @ camera.rotation.T, hollow, to_skin(front), eye_angle(mesh),
                              front[:, 2], depth])  # fmt: skip
    seen = interpolate(values, mesh.triangles, index, barycentric)
    normal = seen[:, :3] / np.linalg.norm(seen[:, :3], axis=1, keepdims=True)
    paint = map_coordinates(albedo, seen[:, [5, 4]].T, order=1, mode="nearest")
    material = mesh.material[index[index >= 0]]
    gray = shade(normal, paint, material, seen, light=light, look=look, closed=closed)
    picture = cv2.resize(look.background, (size, size), interpolation=cv2.INTER_LINEAR)
    drawn = np.full((size, size), -np.inf)
    picture[index >= 0], drawn[index >= 0] = gray, seen[:, 8]
    picture = np.clip(picture, 0, 255).astype(np.float32)
    return Picture(picture, index, barycentric, screen, drawn, depth)


def shade(normal, paint, material, seen, *, light, look: Look, closed):
    """Gray (pixels,) of lit points: lamp, sky, fill, gloss and hollows."""
    eye, teeth, tongue = (material == MATERIALS.index(m) for m in ("eye", "teeth", "tongue"))
    angle, forward = seen[:, 6], seen[:, 7]
    inside = (material == 0) & (np.abs(seen[:, 5] - to_skin((0, 6.67))[1]) < 60)
    inside &= (np.abs(seen[:, 4] - SKIN / 2) < 100) & (forward < 1.3)
    surface = paint.astype(np.float64)
    pupil = np.clip((angle - 12) / 3, 0, 1)
    white = np.clip((angle - 25) / 4, 0, 1)
    surface[eye] = (18 + pupil * ((1 - white) * (look.iris - 18) + white * (185 - 18)))[eye]
    surface[eye] *= 1 - 0.75 * closed
    surface[teeth], surface[tongue] = 190, 95
    lamp = np.clip(normal @ light, 0, 1)
    sky = 0.5 + 0.5 * normal[:, 1]
    fill = np.clip(normal @ np.array([-light[0], 0.1, 0.8]), 0, 1)
    power = look.ambient + 0.55 * lamp + 0.12 * sky + 0.15 * fill
    power *= 1 - 0.5 * np.clip(seen[:, 3], -0.25, 1) * (material == 0)
    power *= np.where(teeth, 0.62, np.where(tongue | inside, 0.4, 1.0))
    half = light + np.array([0, 0, 1.0])
    half /= np.linalg.norm(half)
    shine = np.clip(normal @ half, 0, 1)
    gloss = np.where(eye, 130 * (1 - closed) * shine**90, look.gloss * shine**16 * (material == 0))
    return look.exposure * (surface * power + gloss)
