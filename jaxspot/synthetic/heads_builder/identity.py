"""Random people: shape of the head and everything that decides how it looks."""

from dataclasses import dataclass

import numpy as np

from jaxspot.synthetic.heads_builder.mesh import TARGETS, Mesh

ORIGINS = ("caucasian", "asian", "african")
OPPOSITES = dict(decr="incr", down="up", backward="forward", concave="convex")
OPPOSITES |= {"in": "out", "compress": "uncompress"}
SPREAD = dict(head=0.2, forehead=0.25, eyebrows=0.25, eyes=0.25, nose=0.22, mouth=0.22)
SPREAD |= dict(cheek=0.3, chin=0.25, ears=0.15, neck=0.1)
"""Standard deviation of the modifiers of each region, in units of their full range."""


@dataclass(frozen=True)
class Identity:
    """One person and the light on them.

    points: (n, 3) neutral vertices. ancestry: (3,) weights of ORIGINS. age: 0 young .. 1 old. yaw,
    pitch: radians. light: (3,) unit, towards the lamp.
    """

    points: np.ndarray
    ancestry: np.ndarray
    male: bool
    age: float
    yaw: float
    pitch: float
    light: np.ndarray


def modifiers(mesh: Mesh) -> dict[str, tuple[str, str]]:
    """Pairs (negative, positive) of opposite face targets by a common name.

    Of `l-...` and its mirror `r-...` only the first is listed.
    """
    names, pairs = set(mesh.wheel.namelist()), {}
    for name in sorted(names):
        folder, _, file = name.removeprefix(TARGETS).partition("/")
        if not name.startswith(TARGETS) or folder not in SPREAD or file.startswith("r-"):
            continue
        for negative, positive in OPPOSITES.items():
            other = name.replace(f"-{negative}.target", f"-{positive}.target")
            if other != name and other in names:
                pairs[name.replace(f"-{negative}.target", "")] = (name, other)
    return pairs


def macro_shape(mesh: Mesh, rng, *, ancestry, male: bool, age: float):
    """Offsets (n, 3) of sex, age, ancestry and weight."""
    sex = "male" if male else "female"
    offsets = np.zeros_like(mesh.base)
    heavy = float(np.clip(rng.normal(0, 0.35), -0.7, 0.9))
    weight = "max" if heavy > 0 else "min"
    for stage, share in (("young", 1 - age), ("old", age)):
        for origin, part in zip(ORIGINS, ancestry, strict=True):
            name = f"{TARGETS}macrodetails/{origin}-{sex}-{stage}.target.gz"
            offsets += share * part * mesh.target(name)
        for form, amount in (("average", 1 - abs(heavy)), (weight, abs(heavy))):
            name = f"macrodetails/universal-{sex}-{stage}-averagemuscle-{form}weight.target.gz"
            offsets += share * amount * mesh.target(TARGETS + name)
    return offsets


def random_identity(mesh: Mesh, rng: np.random.Generator, *, number: int) -> Identity:
    """A person; sex and main ancestry rotate with `number`."""
    ancestry = 0.7 * np.eye(3)[number % 3] + 0.3 * rng.dirichlet([0.5, 0.5, 0.5])
    male = bool((number // 3 + number) % 2)
    age = float(np.clip(rng.beta(1.0, 2.2), 0, 0.85))
    points = mesh.base + macro_shape(mesh, rng, ancestry=ancestry, male=male, age=age)
    for name, (negative, positive) in sorted(modifiers(mesh).items()):
        region = name.removeprefix(TARGETS).split("/")[0]
        amount = float(np.clip(rng.normal(0, SPREAD[region]), -0.7, 0.7))
        tilt = 1 + 0.15 * float(rng.normal())
        target = positive if amount > 0 else negative
        points += abs(amount) * mesh.target(target)
        if "/l-" in target:
            points += abs(amount) * max(tilt, 0) * mesh.target(target.replace("/l-", "/r-"))
    light = np.array([rng.uniform(-0.7, 0.7), rng.uniform(0.1, 0.7), 0.9])
    return Identity(
        points=points,
        ancestry=ancestry,
        male=male,
        age=age,
        yaw=float(rng.uniform(-0.1, 0.1)),
        pitch=float(rng.uniform(-0.08, 0.08)),
        light=light / np.linalg.norm(light),
    )
