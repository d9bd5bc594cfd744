"""From the mesh to pictures that can be warped: one person, neutral and with each unit.

A unit is kept as a *backward* displacement b and a change of shading s, both on the canvas of the
picture with the unit at intensity 1: picture(y) = neutral(y + b(y)) + s(y). At intensity w the
generator takes neutral(y + w b(y)) + w s(y). Backward fields are exact at intensity 1 and leave no
holes where lips part or lids close: what the neutral picture cannot show comes in through s.
"""

import cv2
import numpy as np

from jaxspot.synthetic.heads import CANVAS
from jaxspot.synthetic.heads_builder.identity import ORIGINS, Identity, random_identity
from jaxspot.synthetic.heads_builder.mesh import TARGETS, Mesh
from jaxspot.synthetic.heads_builder.portrait import SCALE, Look, Picture, adjacency, aim, draw
from jaxspot.synthetic.heads_builder.raster import interpolate
from jaxspot.synthetic.heads_builder.skin import paint, unit_folds
from jaxspot.synthetic.render import read
from jaxspot.synthetic.units import UNITS

COARSE = CANVAS // 3
HALF = CANVAS // 2
LEAST_OFFSET = 0.05
LEAST_GRAY = 1.5


def backward_field(neutral: Picture, moved: Picture, triangles):
    """Where each pixel of `moved` was in `neutral`: offsets (size, size, 2) of the drawn size.

    Points that the neutral picture hides (teeth, a lid's fold) take their neighbours' offset.
    """
    covered = moved.index >= 0
    size = len(moved.index)
    values = np.column_stack([neutral.screen - moved.screen, neutral.screen, neutral.nearness])
    at = interpolate(values, triangles, moved.index, moved.barycentric)
    place = np.clip(np.round(at[:, 2:4]).astype(int), 0, size - 1)
    visible = at[:, 4] > neutral.depth[place[:, 1], place[:, 0]] - 0.03
    offsets = np.zeros((size, size, 2), np.float32)
    offsets[covered] = at[:, :2] * visible[:, None]
    trust = np.full((size, size), 0.05, np.float32)
    trust[covered] = visible
    return smooth_fill(offsets, trust, sigma=2.0)


def smooth_fill(field, trust, *, sigma):
    """Average `field` (h, w, 2) over `sigma` pixels by `trust` (h, w); far around where it is 0."""
    total = cv2.GaussianBlur(field * trust[..., None], (0, 0), sigma)
    weight = cv2.GaussianBlur(trust, (0, 0), sigma)
    wide = cv2.GaussianBlur(field * trust[..., None], (0, 0), 4 * sigma)
    far = cv2.GaussianBlur(trust, (0, 0), 4 * sigma) + 1e-4
    return (total + 0.02 * wide) / (weight + 0.02 * far)[..., None]


def to_int8(field, *, least):
    """Quantise to (int8 array, float32 step), the step `least` or more so that all values fit."""
    step = np.float32(max(float(np.abs(field).max()) / 127, least))
    return np.round(field / step).astype(np.int8), step


def shrink(field, size):
    """A field averaged down to (size, size[, 2])."""
    return cv2.resize(field, (size, size), interpolation=cv2.INTER_AREA)


def pull(image, coarse):
    """The canvas float32 read at each pixel plus its offset, of a coarse field (n, n, 2)."""
    offsets = cv2.resize(coarse, (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
    return read(image, np.dstack([x, y]) + offsets)


def random_look(rng: np.random.Generator, identity: Identity) -> Look:
    """Skin, eyes, background and lamp of a person."""
    tone = float(identity.ancestry @ (150, 140, 88)) * rng.uniform(0.88, 1.12)
    back, slope = rng.uniform(40, 200), rng.uniform(-25, 25, 2)
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    background = back + slope[0] * x + slope[1] * y + rng.normal(0, 2, x.shape)
    return Look(
        albedo=paint(rng, tone=tone, male=identity.male, age=identity.age),
        iris=float(rng.uniform(45, 95 if identity.ancestry[0] > 0.5 else 65)),
        background=background.astype(np.float32),
        ambient=float(rng.uniform(0.32, 0.5)),
        gloss=float(rng.uniform(4, 22)),
        exposure=float(rng.uniform(0.88, 1.08)),
    )


def build_identity(mesh: Mesh, number: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """One person's neutral picture, fields and landmarks, quantised; fixed by (seed, number).

    neutral: (144, 144) uint8. displacement: (units, 48, 48, 2) int8 canvas pixels by step.
    shading: (units, 72, 72) int8 gray levels by step. landmarks: (1 + units, points, 2) float16
    canvas pixels, row 0 neutral. Steps are (units,) float32.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    identity = random_identity(mesh, rng, number=number)
    look = random_look(rng, identity)
    wrinkles = 0.5 + 0.7 * identity.age + 0.3 * rng.random()
    camera, neighbours = aim(mesh, identity), adjacency(mesh)
    front = mesh.base + average_adult(mesh)
    fixed = dict(front=front, camera=camera, light=identity.light, look=look, neighbours=neighbours)

    def picture(weights):
        points = identity.points + sum(w * mesh.units[n] for n, w in weights.items())
        albedo = (look.albedo * unit_folds(weights, strength=wrinkles)).astype(np.float32)
        return draw(mesh, points, albedo=albedo, closed=weights.get("eyeBlinkLeft", 0.0), **fixed)

    base = picture({})
    neutral = np.round(shrink(base.gray, CANVAS)).astype(np.uint8)
    points = mesh.landmarks()
    marks, rows = [(base.screen[points] + 0.5) / SCALE - 0.5], []
    for weights in UNITS.values():
        moved = picture(weights)
        offsets = backward_field(base, moved, mesh.triangles)
        coarse, step = to_int8(shrink(offsets, COARSE) / SCALE, least=LEAST_OFFSET)
        warped = pull(neutral.astype(np.float32), coarse.astype(np.float32) * step)
        change = shrink(moved.gray, CANVAS) - warped
        rows.append((coarse, step, *to_int8(shrink(change, HALF), least=LEAST_GRAY)))
        marks.append((moved.screen[points] + 0.5) / SCALE - 0.5)
    fields = [np.stack(column) for column in zip(*rows, strict=True)]
    names = ("displacement", "displacement_step", "shading", "shading_step")
    found = {"neutral": neutral, "landmarks": np.stack(marks).astype(np.float16)}
    return found | dict(zip(names, fields, strict=True))


def average_adult(mesh: Mesh):
    """Offsets (n, 3) of the mean young adult, on whose front view the skin is painted."""
    kinds = [(origin, sex) for origin in ORIGINS for sex in ("female", "male")]
    name = TARGETS + "macrodetails/{}-{}-young.target.gz"
    return np.mean([mesh.target(name.format(*kind)) for kind in kinds], 0)
