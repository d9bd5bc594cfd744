"""Procedural skin: a multiplier of the albedo, painted on the front view of the average head.

A map of the skin is SKIN x SKIN pixels; `to_skin` takes base-mesh coordinates (x to the subject's
left, y up) to them. Nothing here is taken from a photograph.
"""

import cv2
import numpy as np

SKIN = 960
EXTENT = 2.4
CENTRE = (0.0, 7.0)
UPPER_LIP = ((0.217, 6.678), (0.15, 6.725), (0.06, 6.785), (0.0, 6.768))
LOWER_LIP = ((0.217, 6.678), (0.16, 6.615), (0.08, 6.56), (0.0, 6.545))
BROW = ((0.085, 7.435), (0.2, 7.475), (0.33, 7.49), (0.42, 7.465), (0.5, 7.425))
UPPER_LID = ((0.177, 7.32), (0.21, 7.358), (0.293, 7.386), (0.37, 7.372), (0.417, 7.344))
LOWER_LID = ((0.177, 7.32), (0.23, 7.305), (0.294, 7.300), (0.36, 7.31), (0.417, 7.344))


def to_skin(points):
    """Skin pixels (..., 2) of base-mesh points (..., 2 or more)."""
    points = np.asarray(points, float)[..., :2]
    return (points - CENTRE) * (1, -1) * SKIN / EXTENT + SKIN / 2


def curve(points, *, side=1, count=40):
    """A smooth line (count, 2) in skin pixels through points given for the subject's left."""
    points = np.array(points) * (side, 1)
    knots = np.linspace(0, 1, len(points))
    fit = np.polyfit(knots, points, min(3, len(points) - 1))
    return to_skin(np.stack([np.polyval(fit[:, k], np.linspace(0, 1, count)) for k in (0, 1)], 1))


def stroke(*lines, width, blur, sides=(1, -1), lower=0):
    """A map in 0..1 of soft lines given for the subject's left, moved down by `lower` pixels."""
    drawn = np.zeros((SKIN, SKIN), np.uint8)
    for side in sides:
        for line in lines:
            fixed = np.round(np.add(curve(line, side=side), (0, lower)) * 16).astype(np.int32)
            cv2.polylines(drawn, [fixed], False, 255, width, cv2.LINE_AA, shift=4)
    return soft(drawn, blur)


def area(*contours, blur):
    """A map in 0..1 of areas, each within base-mesh points (n, 2)."""
    drawn = np.zeros((SKIN, SKIN), np.uint8)
    for contour in contours:
        cv2.fillPoly(drawn, [np.round(to_skin(contour)).astype(np.int32)], 255)
    return soft(drawn, blur)


def soft(drawn, blur):
    """What is drawn in 0..255 as float32 in 0..1, blurred."""
    return cv2.GaussianBlur(drawn.astype(np.float32) / 255, (0, 0), blur)


def noise(rng, sigma):
    """Unit-variance Gaussian noise (SKIN, SKIN), smooth over `sigma` pixels."""
    field = rng.standard_normal((SKIN, SKIN)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), sigma)
    return field / field.std()


def lips():
    """Map in 0..1 of the red of the lips."""
    whole = lambda half: [*half, *((-x, y) for x, y in half[::-1][1:])]
    return area(whole(UPPER_LIP), whole(LOWER_LIP), blur=4)


def brow_hair(rng, *, thickness, count):
    """Map in 0..1 of hairs along both brows."""
    drawn = np.zeros((SKIN, SKIN), np.float32)
    for side in (1, -1):
        line = curve(BROW, side=side, count=200)
        for at in rng.integers(0, 190, count):
            taper = 1 - 0.65 * (at / 190) ** 2
            start = line[at] + rng.normal(0, thickness * taper, 2) * (0.5, 1)
            along = line[at + 9] - line[at]
            length = rng.uniform(0.6, 1.6)
            end = start + length * along + (0, -rng.uniform(0, 4) * taper)
            ends = [tuple(int(v * 16) for v in p) for p in (start, end)]
            cv2.line(drawn, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, shift=4)
    return np.clip(cv2.GaussianBlur(drawn, (0, 0), 1.6) * 1.6, 0, 1)


def beard_area():
    """Map in 0..1 of upper lip, chin and jaw, without the lips."""
    contour = [(0.55, 6.95), (0.42, 6.72), (0.3, 6.8), (0.12, 6.87)]
    contour += [(-x, y) for x, y in contour[::-1]] + [(-0.5, 6.3), (0.5, 6.3)]
    return area(contour, blur=14) * (1 - cv2.GaussianBlur(lips(), (0, 0), 3))


def paint(rng: np.random.Generator, *, tone: float, male: bool, age: float):
    """Albedo (SKIN, SKIN) float32 around `tone` (0..255) of one person."""
    skin = 1 + 0.035 * noise(rng, 45) + 0.03 * noise(rng, 10) + 0.035 * noise(rng, 3)
    skin += 0.02 * noise(rng, 1.5)
    if rng.random() < 0.35:  # freckles
        skin -= 0.16 * np.clip(noise(rng, 3.5) - 1.7, 0, 1)
    for _ in range(rng.poisson(2.5)):
        spot = to_skin((rng.uniform(-0.5, 0.5), rng.uniform(6.35, 7.25)))
        skin -= rng.uniform(0.2, 0.5) * dot(spot, rng.uniform(2.5, 5))
    skin *= 1 - rng.uniform(0.12, 0.36) * lips()
    mouth = stroke(((0.21, 6.68), (0.1, 6.69), (0.0, 6.685)), width=3, blur=2)
    skin *= 1 - 0.35 * np.clip(mouth, 0, 1)
    if male and rng.random() < 0.75:
        rough = 1 + 0.35 * noise(rng, 1.8)
        skin *= 1 - rng.uniform(0.08, 0.38) * beard_area() * np.clip(rough, 0, 2)
    hair = brow_hair(rng, thickness=rng.uniform(3, 6.5) * (1.2 if male else 0.85),
                     count=int(rng.uniform(120, 330)))  # fmt: skip
    skin *= 1 - rng.uniform(0.45, 0.8) * hair
    upper = stroke(UPPER_LID, width=5, blur=1.8)
    lower = stroke(LOWER_LID, width=3, blur=2)
    lashes = rng.uniform(0.4, 0.8) * (0.75 if male else 1.0)
    skin *= (1 - lashes * np.clip(upper, 0, 1)) * (1 - 0.35 * lashes * np.clip(lower, 0, 1))
    bags = stroke(((0.2, 7.25), (0.29, 7.225), (0.39, 7.25)), width=12, blur=9)
    skin *= 1 - rng.uniform(0.02, 0.15) * (0.5 + age) * bags
    for fold, part in (("nasolabial", 0.3), ("forehead", 0.2), ("crow", 0.25), ("glabella", 0.2)):
        skin *= 1 + part * age * fold_map(fold)
    return (tone * np.clip(skin, 0.05, 1.4)).astype(np.float32)


def dot(centre, radius):
    """A Gaussian spot (SKIN, SKIN) of height 1 at skin pixels `centre`."""
    y, x = np.mgrid[:SKIN, :SKIN]
    return np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * radius**2))


FOLDS = {
    "nasolabial": (((0.17, 6.98), (0.235, 6.9), (0.29, 6.78), (0.305, 6.68)),),
    "crow": (((0.45, 7.35), (0.5, 7.37), (0.55, 7.4)),
             ((0.45, 7.33), (0.51, 7.33), (0.57, 7.335)),
             ((0.45, 7.31), (0.5, 7.29), (0.55, 7.26))),
    "under_eye": (((0.19, 7.275), (0.28, 7.255), (0.36, 7.265), (0.42, 7.3)),),
    "forehead": (((0.0, 7.60), (0.2, 7.62), (0.4, 7.59)),
                 ((0.0, 7.68), (0.2, 7.70), (0.38, 7.67)),
                 ((0.0, 7.76), (0.2, 7.78), (0.34, 7.75))),
    "glabella": (((0.05, 7.42), (0.055, 7.48), (0.045, 7.55)),),
    "bunny": (((0.06, 7.22), (0.09, 7.25), (0.12, 7.25)),
              ((0.065, 7.27), (0.1, 7.30), (0.13, 7.30))),
    "marionette": (((0.24, 6.67), (0.265, 6.6), (0.27, 6.52)),),
    "dimple": (((0.29, 6.73), (0.3, 6.69), (0.295, 6.65)),),
    "chin": (((0.0, 6.46), (0.08, 6.45), (0.14, 6.42)),),
}  # fmt: skip
"""Lines where skin folds, on the subject's left; both sides fold alike."""

UNIT_FOLDS = {
    "mouthSmile": {"nasolabial": 0.30},
    "cheekSquint": {"crow": 0.22, "under_eye": 0.22},
    "browInnerUp": {"forehead": 0.22},
    "browOuterUp": {"forehead": 0.22},
    "browDown": {"glabella": 0.32},
    "noseSneer": {"bunny": 0.3, "nasolabial": 0.15},
    "mouthUpperUp": {"nasolabial": 0.2},
    "mouthFrown": {"marionette": 0.3},
    "mouthStretch": {"marionette": 0.12},
    "mouthDimple": {"dimple": 0.4},
    "mouthShrugLower": {"chin": 0.35},
    "eyeSquint": {"under_eye": 0.2},
}


def fold_map(name: str, *, sides=(1, -1)):
    """Change of the albedo (SKIN, SKIN) of a fold at strength 1: dark, bright below."""
    valley = np.clip(stroke(*FOLDS[name], sides=sides, width=5, blur=3), 0, 1)
    rim = np.clip(stroke(*FOLDS[name], sides=sides, width=5, blur=4, lower=6), 0, 1)
    return 0.45 * rim - valley


def unit_folds(weights: dict[str, float], *, strength: float):
    """Multiplier of the albedo (SKIN, SKIN) for a mix of face units."""
    change = np.zeros((SKIN, SKIN), np.float32)
    for unit, weight in weights.items():
        name = unit.removesuffix("Left").removesuffix("Right")
        sides = (1,) if unit.endswith("Left") else (-1,) if unit.endswith("Right") else (1, -1)
        for fold, depth in UNIT_FOLDS.get(name, {}).items():
            change += strength * weight * depth * fold_map(fold, sides=sides)
    return 1 + np.clip(change, -0.5, 0.3)
